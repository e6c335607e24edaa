"""All that is known of one document, as a value: filled by `story`, read by `next_step` and `show`."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from pipelines.steering.find_document import Document


@dataclass(slots=True)
class Explanation:
    """All that is known of one document; ``as_of`` says which file it was read from and when that was written.

    Amounts are Decimals with their currency beside them, except in ``voucher`` as sent, where they are the text that
    was sent. The fields stand in the order in which `explain --json` prints them.
    """

    document: Document
    as_of: dict[str, Any]
    vms: dict[str, Any] | None = None
    voucher: dict[str, Any] | None = None
    checks: list[dict[str, Any]] = field(default_factory=list)
    holds: list[dict[str, Any]] = field(default_factory=list)
    # Open ones alone, also those that somebody has accepted.
    breaks: list[dict[str, Any]] = field(default_factory=list)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    ignored: dict[str, Any] | None = None
    set_aside: str | None = None
    bank_change: str | None = None
    outbox: list[dict[str, Any]] = field(default_factory=list)
    remarks: list[dict[str, Any]] = field(default_factory=list)
    chain: dict[str, Any] = field(default_factory=dict)
    ledger: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    payments: dict[str, Any] = field(default_factory=dict)
    # What the name that was asked for is to the document, and the commands for others that have it too.
    found_as: str = "document number"
    also: list[str] = field(default_factory=list)
    # Set last, because the advice follows from all of the above.
    stands: str = ""
    next_step: str = ""
    who_acts: str = ""

    @property
    def name(self) -> str:
        """What a command takes that means this document and no other."""
        return self.document.name

    @property
    def voucher_numbers(self) -> list[str]:
        """The numbers of the vouchers that the ledger has booked for this document."""
        rows = [*self.ledger["subledger_rows"], *self.ledger["transactions"]]
        return sorted({str(row["voucher_no"]) for row in rows if row["voucher_no"] is not None})

    def intent(self, kind: str) -> dict[str, Any] | None:
        """Return the document's intent of a kind, the latest where there are several."""
        return next((intent for intent in reversed(self.outbox) if intent["kind"] == kind), None)

    def state(self, kind: str) -> str | None:
        """Return the state of that intent in the outbox, None where there is no intent."""
        intent = self.intent(kind)
        return None if intent is None else str(intent["state"])

    def as_dict(self) -> dict[str, object]:
        """Return the object that `explain --json` prints."""
        return {
            "document_no": self.document.number,
            "document_key": self.document.key,
            "document_type": self.document.type,
            "company": self.document.company,
            **{part.name: getattr(self, part.name) for part in fields(self) if part.name != "document"},
        }
