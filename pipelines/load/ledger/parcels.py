"""Packs whole vouchers into mutations: what belongs together travels together, and no mutation is over the limit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sized(Generic[T]):
    """A thing and the number of nodes it takes."""

    thing: T
    size: int


def pack(items: Iterable[Sized[T]], *, limit: int) -> list[list[T]]:
    """Put each item into the first mutation that still has room for all its nodes, in the order given.

    An item over the limit gets a mutation of its own, which the ledger then refuses in its own words.

    >>> pack([Sized("a", 300), Sized("b", 300), Sized("c", 200)], limit=500)
    [['a', 'c'], ['b']]
    """
    bins: list[list[T]] = []
    room: dict[int, int] = {}
    for item in items:
        place = next((place for place, left in room.items() if left >= item.size), len(bins))
        if place == len(bins):
            bins.append([])
            room[place] = limit
        bins[place].append(item.thing)
        room[place] -= item.size
        if room[place] <= 0:
            del room[place]
    return bins


def halves(items: Sequence[T]) -> tuple[Sequence[T], Sequence[T]]:
    """Cut a sequence in two."""
    middle = len(items) // 2
    return items[:middle], items[middle:]
