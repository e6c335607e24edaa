"""What a delivery came to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Delivered:
    """How many intents were sent, refused, are of unknown fate, or wait for the next run; what an operator must know.

    >>> Delivered(sent=2) + Delivered(waiting=1, problems=("The ledger did not answer.",))
    Delivered(sent=2, failed=0, unknown=0, waiting=1, problems=('The ledger did not answer.',))
    """

    sent: int = 0
    failed: int = 0
    unknown: int = 0
    waiting: int = 0
    problems: tuple[str, ...] = ()

    def __add__(self, other: Delivered) -> Delivered:
        """Add up two deliveries; a problem of both is told once."""
        return Delivered(
            sent=self.sent + other.sent,
            failed=self.failed + other.failed,
            unknown=self.unknown + other.unknown,
            waiting=self.waiting + other.waiting,
            problems=tuple(dict.fromkeys((*self.problems, *other.problems))),
        )
