"""What needs a person, as lists: grouped by rule or kind, the oldest and largest first, cut with a way to the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from shlex import quote
from typing import TYPE_CHECKING

from pipelines.core import words
from pipelines.core.drawing import draw_table, indented, say

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that needs a person.

    ``subject`` is its document or object, ``group`` the rule or kind in words, ``code`` what a filter takes of it.
    ``amount`` is in ``currency``; ``weight`` is the amount by which it is compared with others, without sign.
    """

    subject: str
    group: str
    code: str
    who: str
    found: str
    step: str
    age_days: int
    company: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    weight: Decimal = Decimal(0)
    remark: str = ""

    @property
    def size(self) -> str:
        """Its amount for people, an empty text where it has none."""
        return words.amount(self.amount, self.currency)


@dataclass(frozen=True, slots=True)
class Group:
    """The things of one rule or kind, the oldest and then the largest first."""

    name: str
    items: tuple[Item, ...]

    @property
    def who(self) -> str:
        """Who acts, each once."""
        return ", ".join(dict.fromkeys(item.who for item in self.items if item.who))

    @property
    def count(self) -> int:
        """How many documents or objects there are."""
        return len({item.subject for item in self.items})

    @property
    def age_days(self) -> int:
        """The age of the oldest."""
        return max(item.age_days for item in self.items)

    @property
    def largest(self) -> Item:
        """The one with the largest amount."""
        return max(self.items, key=lambda item: item.weight)


def grouped(items: Iterable[Item]) -> list[Group]:
    """Group things by rule or kind: first the group with the oldest thing, of the same day that with the most money."""
    by_name: dict[str, list[Item]] = {}
    for item in items:
        by_name.setdefault(item.group, []).append(item)
    groups = [
        Group(name, tuple(sorted(found, key=lambda item: (-item.age_days, -item.weight, item.subject))))
        for name, found in by_name.items()
    ]
    return sorted(groups, key=lambda group: (-group.age_days, -group.largest.weight, -group.count, group.name))


def age_in_days(days: int) -> str:
    """Write an age.

    >>> age_in_days(0), age_in_days(1), age_in_days(40)
    ('today', '1 day', '40 days')
    """
    return words.plural(days, "day") if days else "today"


def show_counts(groups: Sequence[Group], console: Console, *, heading: str, most: int, more: str) -> None:
    """Print a line for each group, the first ``most`` of them; ``more`` is the command that shows the rest."""
    rows = (
        (f"{group.count:>4}", group.name, group.who, group.largest.size, age_in_days(group.age_days))
        for group in groups[:most]
    )
    console.print(draw_table(("", heading, "who acts", "largest amount", "oldest"), rows, look=None))
    if rest := groups[most:]:
        kinds = words.plural(len(rest), "other kind")
        say(console, f"   … and {sum(group.count for group in rest)} more, of {kinds}: {more}")


def show_groups(groups: Iterable[Group], console: Console, *, most: int | None, more: str) -> None:
    """Print each group with its things, ``most`` of each; ``more`` is the command that shows the rest of a group.

    It has {} where the group's code stands. A next step that all share is said once.
    """
    for group in groups:
        by = f" By: {group.who}." if group.who else ""
        say(console, f"{group.name}: {group.count}.{by}", style="bold")
        steps = {item.step for item in group.items}
        show_items(group.items[:most], console, with_step=len(steps) > 1)
        if most is not None and len(group.items) > most:
            say(console, f"  … and {len(group.items) - most} more: {more.format(quote(group.items[0].code))}")
        if len(steps) == 1:
            console.print(indented(f"Next: {words.as_step(group.items[0].step)}", console, by=2))


def show_items(items: Iterable[Item], console: Console, *, with_step: bool = False) -> None:
    """Print things one after the other, each with what tells it apart and what was found."""
    for item in items:
        for line in _lines(item, with_step=with_step):
            console.print(indented(line, console))


def _lines(item: Item, *, with_step: bool) -> Iterator[str]:
    traits = (item.subject, item.company, item.size, age_in_days(item.age_days), item.remark)
    yield ", ".join(trait for trait in traits if trait) + (f": {item.found}" if item.found else "")
    if with_step:
        yield f"  Next: {words.as_step(item.step)}"
