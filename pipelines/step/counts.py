"""What a step, a job and a batch count."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields


@dataclass(frozen=True, slots=True)
class Counts:
    """Objects by what happened to them; adding two adds them up."""

    extracted: int = 0
    rejected: int = 0
    sent: int = 0
    held: int = 0
    failed: int = 0
    # May or may not have been written on the other side: looked up before anything is sent again
    # (docs/architecture.md#outbox).
    unknown: int = 0
    breaks: int = 0

    def __add__(self, other: Counts) -> Counts:
        """Add every count."""
        return Counts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Counts)))

    def as_dict(self) -> dict[str, int]:
        """Name every count."""
        return asdict(self)
