"""What the VMS is asked for: fields, and filters joined by AND, which every tenant has (docs/systems/vms.md#1-5)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec

from pipelines.core.errors import Terminal

# Keeps the address under the usual limits; a live client uses 15 (docs/systems/vms.md#a28).
LARGEST_LIST = 50

# No character of the grammar in it, and single blanks between words only.
_PLAIN = re.compile(r"[^\s,()\"'{}\[\]\x00-\x1f\x7f]+(?: [^\s,()\"'{}\[\]\x00-\x1f\x7f]+)*")
# Even quotes do not help: the grammar knows no way to write a quote inside them.
_UNSAYABLE = re.compile(r'["\x00-\x1f\x7f]')

Scalar = str | int


def equals(path: str, value: Scalar) -> str:
    """Return a filter for one exact value; text that could be mistaken for grammar goes in double quotes.

    >>> equals("documentNo", "27,1"), equals("key", 5)
    ('documentNo(EQ)"27,1"', 'key(EQ)5')

    Raises Terminal for a value with a double quote or a line break, which the grammar has no way to say.
    """
    text = str(value)
    if _PLAIN.fullmatch(text):
        return f"{path}(EQ){text}"
    if not text or _UNSAYABLE.search(text):
        raise Terminal(
            f"The VMS cannot be asked for {path} = {text!r}: its filters have no way to write that value.",
            next_step=f"correct {path} in the VMS.",
            sent=False,
        )
    return f'{path}(EQ)"{text}"'


def at_least(path: str, value: Scalar) -> str:
    """Return a filter for numbers or times from ``value`` on."""
    return f"{path}(GTE){value}"


def above(path: str, value: Scalar) -> str:
    """Return a filter for numbers or times greater than ``value``."""
    return f"{path}(GT){value}"


def one_of(path: str, values: Iterable[Scalar]) -> Iterator[str]:
    """Yield filters that together find every value: lists of at most 50, one filter each for text with grammar in it.

    >>> list(one_of("code", ["A", "B", "C,D"]))
    ['code(IN)(A,B)', 'code(EQ)"C,D"']
    """
    # Each value once: a document with twenty lines of one voyage must not ask for it twenty times.
    distinct = list(dict.fromkeys(str(value) for value in values))
    plain = iter([value for value in distinct if _PLAIN.fullmatch(value)])
    while chunk := list(islice(plain, LARGEST_LIST)):
        yield f"{path}(IN)({','.join(chunk)})"
    for value in distinct:
        if not _PLAIN.fullmatch(value):
            yield equals(path, value)


def fields_header(fields: Sequence[str]) -> str:
    """Return the value of the ``fields`` header: nested members, ``"*"`` for a value (docs/systems/vms.md#1-4).

    >>> fields_header(["documentNo", "company.companyCode", "company.country.countryCode"])
    '{"documentNo":"*","company":{"companyCode":"*","country":{"countryCode":"*"}}}'
    """
    nested: dict[str, Any] = {}
    for path in fields:
        *objects, leaf = path.split(".")
        below = nested
        for name in objects:
            below = below.setdefault(name, {})
        below[leaf] = "*"
    return msgspec.json.encode(nested).decode()
