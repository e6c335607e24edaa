"""The result of comparing one kind of thing: how many agree, which differ on purpose and why, which just differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class IntendedDifference:
    """A difference that the sample world was made to show; ``both`` says what each side has."""

    subject: str
    both: str
    why: str


@dataclass(slots=True)
class ComparisonResult:
    """One line of the closing table, filled in while things are compared."""

    what: str
    agreed: int = 0
    intended: list[IntendedDifference] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)

    def judge(self, subject: str, both: str, *, agrees: bool, fits: bool, why: str | None = None) -> None:
        """Note one thing: ``fits`` when it is as the world was made, ``why`` being the reason to differ, if any."""
        if fits and why is not None:
            self.intended.append(IntendedDifference(subject, both, why))
        elif fits and agrees:
            self.agreed += 1
        else:
            # Two sides that agree where the world was made to differ are a fault too: something was not noticed.
            note = "" if fits else ", which is not what the sample world was made to show"
            self.differences.append(f"{self.what}: {subject}: {both}{note}")

    def as_dict(self) -> dict[str, object]:
        """Return what `demo --json` prints of it."""
        intended = [{"subject": row.subject, "both": row.both, "why": row.why} for row in self.intended]
        return {"what": self.what, "agreed": self.agreed, "meant": intended}
