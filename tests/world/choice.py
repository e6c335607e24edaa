"""Picks values by name instead of by turn, so that a new document never changes the ones around it."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

SEED = "springline-2026"


def number(limit: int, *, of: str) -> int:
    """Give a number from 0 to ``limit`` - 1 that depends on the name alone, on every version of Python."""
    return int.from_bytes(sha256(f"{SEED}|{of}".encode()).digest()[:8], "big") % limit


def between(low: int, high: int, *, of: str) -> int:
    """Give a number from ``low`` to ``high``, both included."""
    return low + number(high - low + 1, of=of)


def pick(options: Sequence[T], *, of: str) -> T:
    """Give one of the options."""
    return options[number(len(options), of=of)]


def digits(count: int, *, of: str) -> str:
    """Give a string of digits."""
    return f"{number(10**count, of=of):0{count}d}"
