"""One line of `springline check`, and how a check makes it from what it found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

EXIT_SETTINGS = 10
MOST_NAMED = 10

# What is wrong, or worth a look, as a message without a full stop, and the next step.
CheckFault = tuple[str, str]


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One thing that must be right: ``ok`` is False where it is wrong, None where a person should look at it.

    ``next_step`` says what to change, and where.
    """

    name: str
    ok: bool | None
    message: str
    next_step: str = ""

    @property
    def exit_code(self) -> int:
        """0, or 10 when it is wrong."""
        return EXIT_SETTINGS if self.ok is False else 0

    def as_dict(self) -> dict[str, object]:
        """Return the line as `check --json` prints it."""
        return {**asdict(self), "exit_code": self.exit_code}


def named(values: Iterable[object]) -> str:
    """List values in order, the first ones by name and the rest by number.

    >>> named(["b", "a"])
    'a, b'
    """
    texts = sorted(str(value) for value in set(values))
    more = f" and {len(texts) - MOST_NAMED} more" if len(texts) > MOST_NAMED else ""
    return ", ".join(texts[:MOST_NAMED]) + more


def judge(name: str, *, good: str, faults: Iterable[CheckFault] = (), notes: Iterable[CheckFault] = ()) -> CheckLine:
    """Make the line of a check: wrong with a fault, to be looked at with a note alone, else right, with ``good``."""
    wrong = list(faults)
    # Faults before notes: what stops going live is read first.
    listed = [*wrong, *notes]
    if not listed:
        return CheckLine(name, ok=True, message=good)
    return CheckLine(
        name,
        ok=False if wrong else None,
        message=" ".join(f"{message[0].upper()}{message[1:]}." for message, _ in listed),
        # Several faults often have one remedy.
        next_step="; ".join(dict.fromkeys(step for _, step in listed)) + ".",
    )
