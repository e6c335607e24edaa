"""What a comparison of one kind of thing came to: what agrees, what differs on purpose and why, and what differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Meant:
    """A difference that the sample world was made to show; ``both`` says in words what each side has."""

    subject: str
    both: str
    why: str


@dataclass(frozen=True, slots=True)
class Compared:
    """One line of the closing table."""

    what: str
    agreed: int
    meant: Sequence[Meant]
    differences: Sequence[str]

    def as_dict(self) -> dict[str, object]:
        """Return what `demo --json` prints of it."""
        meant = [{"subject": one.subject, "both": one.both, "why": one.why} for one in self.meant]
        return {"what": self.what, "agreed": self.agreed, "meant": meant}


@dataclass(slots=True)
class Tally:
    """Counts while things are compared."""

    what: str
    agreed: int = 0
    meant: list[Meant] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)

    def judge(self, subject: str, both: str, *, agrees: bool, fits: bool, why: str | None) -> None:
        """Note one thing: ``fits`` when it is as the world was made, ``why`` being the reason to differ, if any."""
        if fits and why is not None:
            self.meant.append(Meant(subject, both, why))
        elif fits and agrees:
            self.agreed += 1
        else:
            made = "" if fits else ", which the sample world does not mean"
            self.differences.append(f"{self.what}: {subject}: {both}{made}")

    def result(self) -> Compared:
        """Give what it came to."""
        return Compared(self.what, self.agreed, tuple(self.meant), tuple(self.differences))
