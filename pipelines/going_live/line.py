"""One line of `springline check`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

EXIT_SETTINGS = 10
MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Line:
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
        return {
            "name": self.name,
            "ok": self.ok,
            "message": self.message,
            "next_step": self.next_step,
            "exit_code": self.exit_code,
        }


def named(values: Iterable[object]) -> str:
    """List values in order, the first ones by name and the rest by number.

    >>> named(["b", "a"])
    'a, b'
    """
    listed = sorted(str(value) for value in set(values))
    more = f" and {len(listed) - MOST_NAMED} more" if len(listed) > MOST_NAMED else ""
    return ", ".join(listed[:MOST_NAMED]) + more


def judged(name: str, *, good: str, faults: Iterable[tuple[str, str]], notes: Iterable[tuple[str, str]] = ()) -> Line:
    """Make a line of what is wrong and what to look at, each a message and a next step; ``good`` where nothing is."""
    wrong, odd = list(faults), list(notes)
    if not wrong and not odd:
        return Line(name, ok=True, message=good)
    told = [*wrong, *odd]
    return Line(
        name,
        ok=False if wrong else None,
        message=" ".join(f"{message[0].upper()}{message[1:]}." for message, _ in told),
        next_step="; ".join(dict.fromkeys(step for _, step in told)) + ".",
    )
