"""Reads the objects of a small look-up, and holds each against what was asked for, before anybody builds on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from pipelines.core.errors import Terminal
from pipelines.wire.http import UNREADABLE
from pipelines.wire.twice import twice_in

Node = dict[str, Any]
# The members below each member that was asked for; a leaf has none.
Tree = dict[str, "Tree"]

# What names an object on either side; without it nothing can be said of one.
OWN_KEYS = ("key", "dbId")
MOST_DIGITS = 20
# Whole numbers, which come as digits in a text too (docs/systems/ledger.md#1-5).
_WHOLE = ("key", "source", "trRegNumber", "trItemNumber")
# Where the ledger has a list.
_LISTS = ("glSetupEntries",)
_AMOUNTS = ("invoiceAmount", "exchangeRate")
ASK = "run again; where it stays so, ask whoever runs that system what it answers."

_decode = msgspec.json.Decoder(list[Any], float_hook=Decimal).decode


def shaped(page: bytes, paths: Sequence[str], *, of: str, has_stubs: bool, is_whole: bool = False) -> list[Node]:
    """Return the objects of a page, each with every member that was asked for (dotted ``paths``), None where it lacks.

    ``is_whole``: none may lack, as the ledger answers all that it was asked, if only with null. Without what it has to
    compare a look-up would find nothing, and what is there would be sent again.

    Whole numbers are ints and amounts are finite. ``has_stubs``: a reference may come as its bare key or code, and a
    key as a stub (docs/systems/vms.md#1-3). Raises Terminal, which names the first member of another shape; ``of`` is
    what was asked for. What lands in tables is judged by its contract instead, object by object.
    """
    try:
        found = _decode(page)
    except UNREADABLE as error:
        raise _fault(of, "no list of objects") from error
    if name := twice_in(page):
        raise _fault(of, f"an object that has {name!r} twice")
    asked = tree(paths)
    objects = [_object(one, asked, of, has_stubs=has_stubs) for one in found]
    for one in objects:
        if missing := [name for name in OWN_KEYS if name in asked and one[name] is None]:
            raise _fault(of, f"an object without {missing[0]}")
    if is_whole and (lacking := sorted({name for one in found for name in asked if name not in one})):
        raise _fault(of, f"an object without {', '.join(lacking)}")
    return objects


def tree(paths: Sequence[str]) -> Tree:
    """Return dotted paths as members with what is below them.

    >>> tree(["dbId", "owner.code"])
    {'dbId': {}, 'owner': {'code': {}}}
    """
    members: Tree = {}
    for path in paths:
        below = members
        for name in path.split("."):
            below = below.setdefault(name, {})
    return members


def selected(selection: str) -> list[str]:
    """Return the dotted paths of a GraphQL selection.

    >>> selected("dbId owner { code ownerCode }")
    ['dbId', 'owner.code', 'owner.ownerCode']
    """
    return [".".join(path) for path in _leaves(selection.split())]


def _leaves(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    above: list[str] = []
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == "}":
            above.pop()
        elif following == "{":
            above.append(word)
        elif word != "{":
            yield (*above, word)


def _object(value: object, members: Tree, at: str, *, has_stubs: bool) -> Node:
    if not isinstance(value, Mapping):
        raise _fault(at, _kind(value))
    asked = {
        name: _member(value.get(name), below, f"{at}.{name}", has_stubs=has_stubs) for name, below in members.items()
    }
    return {**value, **asked}


def _member(value: object, below: Tree, at: str, *, has_stubs: bool) -> Any:  # noqa: ANN401 any JSON value
    name = at.rpartition(".")[2]
    if value is None:
        return None
    if below:
        if isinstance(value, list) and (has_stubs or name in _LISTS):
            return [_object(one, below, at, has_stubs=has_stubs) for one in value]
        if isinstance(value, Mapping) and name not in _LISTS:
            return _object(value, below, at, has_stubs=has_stubs)
    if has_stubs and isinstance(value, Mapping):
        value = value.get("key")
    if not isinstance(value, str | int | Decimal) or (below and not has_stubs):
        raise _fault(at, _kind(value))
    if name in _AMOUNTS:
        return _amount(value, at)
    return _whole(value, at) if name in _WHOLE or name.endswith(("dbId", "DbId")) else value


def _whole(value: object, at: str) -> int:
    # Python takes true for the number 1.
    if isinstance(value, bool) or not (
        isinstance(value, int) or (isinstance(value, str) and value.isdecimal() and len(value) <= MOST_DIGITS)
    ):
        raise _fault(at, f"{value!r}, which is no whole number")
    return int(value)


def _amount(value: object, at: str) -> Decimal:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise _fault(at, f"{value!r}, which is no amount")
    return amount


def _kind(value: object) -> str:
    kinds = {dict: "an object", list: "a list", str: "a text", type(None): "nothing"}
    return kinds.get(type(value), "a number")


def _fault(at: str, found: str) -> Terminal:
    # Sent, as far as anybody knows: a look-up asks, and changes nothing.
    return Terminal(f"{at} was answered with {found}.", next_step=ASK)
