"""What people did in a storm, written down by whoever did it: what the books must show follows from it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Version:
    """A document as it once stood in the VMS; amounts as text, in its currency and in that of its company."""

    number: str
    amount: str
    company_amount: str


@dataclass(slots=True)
class DocumentStory:
    """One document: every version of it, and what people did to it and to its voucher."""

    key: int
    side: str
    # A fault of its own that no run may let through; empty for one that must be posted.
    fault: str
    versions: list[Version]
    deeds: list[str] = field(default_factory=list)
    # A person has put it on hold, or on the ignore list, before anything of it was sent.
    is_kept_back: bool = False
    # How often people took what was sent out of the ledger's import again.
    times_removed: int = 0
    # It takes another one back.
    is_reversal: bool = False
    # Since then the control store was lost, and what it knew of this.
    is_forgotten: bool = False

    @property
    def numbers(self) -> set[str]:
        """Every number it had."""
        return {version.number for version in self.versions}


@dataclass(slots=True)
class Journal:
    """The whole storm: documents by key, bank accounts that may be paid by supplier, and what else was touched."""

    documents: dict[int, DocumentStory] = field(default_factory=dict)
    accounts: dict[str, set[str]] = field(default_factory=dict)
    # Rates that people typed or changed, by day and currency: there a difference is theirs.
    rates: set[tuple[str, str]] = field(default_factory=set)
    deeds: list[str] = field(default_factory=list)
    payments: int = 0
    # What did not go as it is promised to whoever follows the words of Springline.
    broken: list[str] = field(default_factory=list)
    times_told: int = 0

    @property
    def is_store_lost(self) -> bool:
        """Whether the control store was lost at any time."""
        return any(deed.startswith("control store re") for deed in self.deeds)

    def told(self) -> list[str]:
        """Give the deeds since the last time."""
        before, self.times_told = self.times_told, len(self.deeds)
        return self.deeds[before:]

    def note(self, deed: str, key: int | None = None) -> None:
        """Write a deed down, with the document it was done to."""
        self.deeds.append(deed if key is None else f"{deed} {key}")
        if key is not None:
            self.documents[key].deeds.append(deed)
