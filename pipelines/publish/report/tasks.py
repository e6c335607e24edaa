"""What the report says somebody must do: documents held for one reason, and breaks of one kind, with one next step."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pipelines.checks.steps import Rule, split_message
from pipelines.stores.rows import Row

T = TypeVar("T")

# A page that is read on a phone; the workbook has the rest.
MOST_OF_A_TASK = 6
# What stands in place of a word that is another one for each document.
OTHERS = "…"
_WORD = re.compile(r"(…|\w+(?:[.:-]\w+)*…?)")


@dataclass(frozen=True, slots=True)
class TaskItem:
    """One document, break or object of a task: its name, what was found of it, and a row with amount and currency."""

    name: str
    found: str
    row: Row


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do: why, the next step, and the first of what it concerns of ``in_all``."""

    title: str
    next_step: str
    items: Sequence[TaskItem]
    in_all: int

    @property
    def more(self) -> int:
        """Return how many are left off."""
        return self.in_all - len(self.items)


def held_tasks(holds: Sequence[Row], rules: Mapping[str, Rule]) -> list[Task]:
    """Return a task for each rule and step, those with most documents first; ``holds`` stand in the order to show."""
    by_rule: dict[str, list[Row]] = {}
    for row in holds:
        by_rule.setdefault(row["rule"], []).append(row)
    tasks = [
        _task(rule.title if rule else name.replace("_", " "), step, items)
        for name, rows in by_rule.items()
        for rule in (rules.get(name),)
        for step, items in _by_step([_held(row, rule) for row in rows])
    ]
    return sorted(tasks, key=lambda task: (-task.in_all, task.title))


def _held(row: Row, rule: Rule | None) -> tuple[str, TaskItem]:
    """Take a hold apart: its next step, and the document with what was found, without the words of the rule."""
    why, step = split_message(row["message"], rule=rule)
    if not rule:
        # A hold of a person or of another step: the subject and what is so, then what to do.
        return step, TaskItem("", row["message"].removesuffix(step).strip(), row)
    title = rule.title
    # Where the words of the rule have changed since, the message stands as it was written.
    is_known = bool(step) and why.startswith(title)
    found = why.removeprefix(title).strip(" .").removeprefix("(").removesuffix(")") if is_known else row["message"]
    name = row["message"].partition(f": {title}")[0] if is_known else ""
    return step, TaskItem(name, found, row)


def break_tasks(breaks: Iterable[Row]) -> list[Task]:
    """Return a task for each kind of break and step, those with most first; a row has kind, message and next_step."""
    by_kind: dict[str, list[Row]] = {}
    for row in breaks:
        by_kind.setdefault(row["kind"], []).append(row)
    tasks = [
        _task(kind, step, items)
        for kind, rows in by_kind.items()
        for step, items in _by_step([(row["next_step"] or "", _differing(row)) for row in rows])
    ]
    return sorted(tasks, key=lambda task: (-task.in_all, task.title))


def _differing(row: Row) -> TaskItem:
    """Name what differs by the number that `springline breaks accept` takes, where it has one."""
    name = row["document_no"] or row["subject"]
    return TaskItem(f"Break {row['break_id']}, {name}" if row.get("break_id") else name, row["message"], row)


def told_tasks(rows: Iterable[Row], *, title: str) -> list[Task]:
    """Return the tasks of objects that could not be read: their message says the next step too."""
    parted = [(row, *row["message"].partition(" Next: ")[::2]) for row in rows]
    return [
        _task(title, step, items)
        for step, items in _by_step([(step, TaskItem("", found, row)) for row, found, step in parted])
    ]


def _task(title: str, next_step: str, items: Sequence[TaskItem]) -> Task:
    return Task(title, next_step, items[:MOST_OF_A_TASK], len(items))


def _by_step(items: Iterable[tuple[str, T]]) -> list[tuple[str, list[T]]]:
    """Put together what has the same next step, but for the words that name the document."""
    groups: list[tuple[str, list[T]]] = []
    for step, item in items:
        for place, (said, members) in enumerate(groups):
            if (shared := shared_words(said, step)) is not None:
                members.append(item)
                groups[place] = (shared, members)
                break
        else:
            groups.append((step, [item]))
    return groups


def shared_words(one: str, other: str) -> str | None:
    """Return what two sentences both say, with … for the words that differ; None when they say different things.

    >>> shared_words("leave one supplier with the code 60590.", "leave one supplier with the code 60591.")
    'leave one supplier with the code ….'
    >>> shared_words("match the payment.", "reverse the voucher.") is None
    True
    """
    if one == other:
        return one
    ours, theirs = _WORD.split(one), _WORD.split(other)
    # Between the words stand blanks and marks, which must be the same.
    if len(ours) != len(theirs) or ours[::2] != theirs[::2]:
        return None
    shared = [word if word == another else OTHERS for word, another in zip(ours, theirs, strict=True)]
    # A sentence of which most words differ is another sentence.
    return "".join(shared) if 3 * shared[1::2].count(OTHERS) <= len(shared[1::2]) else None
