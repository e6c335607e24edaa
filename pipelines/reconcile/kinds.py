"""The kinds of break: what each means, who finds it and who acts; data/seeds/break_kinds.csv is the only list of them.

docs/reference/breaks.md is written from the same file, and the SQL models read it as seed.break_kinds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from pipelines.core.resources import seed_file

# Who finds a break: the comparison of both sides, the close of a period, or one of the other jobs by its name.
COMPARISON, CLOSE = "comparison", "close"


@dataclass(frozen=True, slots=True)
class BreakKind:
    """One kind of break, as a row of the file.

    ``found_in`` is the table, or the moment, in which ``object`` has the ``state`` that is a break: a state of the
    table, or the error code of a failed sending. ``subject`` says what the subject of such a break is made of. An
    acceptance is bound to what ``accepted_for`` lists. Words of ``next_step`` in braces are filled in. ``ignored_as``
    says what of it somebody may call not ours (docs/decisions/0014-not-ours.md); an empty text: nothing.
    """

    kind: str
    found_by: str
    found_in: str
    object: str
    state: str
    subject: str
    meaning: str
    who_acts: str
    next_step: str
    may_be_accepted: str
    accepted_for: str
    is_in_close: str
    ignored_as: str


@cache
def break_kinds() -> Mapping[str, BreakKind]:
    """Return every kind by its name, in the order of the file."""
    return {row["kind"]: BreakKind(**row) for row in seed_file("break_kinds")}


def kinds_found_by(finder: str) -> frozenset[str]:
    """Return the names of the kinds that one finder opens and closes."""
    return frozenset(kind.kind for kind in break_kinds().values() if kind.found_by == finder)


def next_step(kind: str, **words: object) -> str:
    """Return the next step of a kind, with the words in braces filled in."""
    return break_kinds()[kind].next_step.format(**words)
