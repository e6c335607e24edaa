"""Reads one object exactly and names every fault of it: the slow path, and the definition of what a contract accepts.

The fast path of `parse` must accept and give exactly what this does (tests/property/test_landing_exact.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pipelines.contracts.contract import MemberKind
from pipelines.core.times import read_time

if TYPE_CHECKING:
    from pipelines.contracts.shape import TreeNode

T = TypeVar("T")

# A column holds 20 digits before the decimal point. Less are let in, so that sums of 100,000 rows fit there too: one
# amount that no company has would stop a model for all the others.
LARGEST_AMOUNT: Final = Decimal(10) ** 15
LARGEST_INTEGER: Final = 2**63
SHOWN: Final = 40
MOST_FAULTS: Final = 5
# No message may show a bank account, so no value of these members is quoted.
BANK_ACCOUNTS: Final = frozenset({"iban", "bankAccountNo", "bankAccount"})

# Amounts land as DECIMAL(38,18): what even that cannot hold is refused (Inexact is trapped), only a rate is rounded.
_QUANTUM = Decimal(1).scaleb(-18)
_EXACT = Context(prec=38, traps=[InvalidOperation, Inexact])
_ROUNDED = Context(prec=38, traps=[InvalidOperation])
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"-?\d{1,19}", re.ASCII)


class BrokenError(ValueError):
    """An object breaks its contract; ``faults`` has the member and what is wrong with it, in words."""

    def __init__(self, faults: list[tuple[str, str]]) -> None:
        """Keep every fault, of which the first few are shown."""
        super().__init__("; ".join(f"{member}: {words}" if member else words for member, words in faults[:MOST_FAULTS]))
        self.faults = faults


class _Number(str):
    """A JSON number as it was written: text, so that no float comes between."""

    __slots__ = ()


class _Twice:
    """Stands for a member that an object has twice: nobody can tell which of the two is meant."""


_TWICE = _Twice()


class _FaultError(ValueError):
    """A value is not what its kind asks for."""


def read_object(text: bytes, root: TreeNode) -> dict[str, Any]:
    """Return the members of an object that a contract names, as Python values that fit its Arrow schema.

    A member that is missing is null; unknown members are left out. Raises BrokenError for text that is no JSON object,
    a required member that is missing or null, a value of another type, NaN, an amount of 10^20 or more or with more
    decimals than 18.
    """
    value = _decode(text)
    if not isinstance(value, dict):
        raise BrokenError([("", f"{_show(value)} is no object")])
    faults: list[tuple[str, str]] = []
    members = _members(value, root, "", faults)
    if faults:
        raise BrokenError(faults)
    return members


def _decode(text: bytes) -> object:
    try:
        return json.loads(
            text.decode("utf-8"),
            parse_float=_Number,
            parse_int=_Number,
            parse_constant=_Number,
            object_pairs_hook=_pairs,
        )
    except UnicodeDecodeError as error:
        raise BrokenError([("", f"byte {error.start} is not UTF-8")]) from error
    except RecursionError as error:
        raise BrokenError([("", "is nested too deeply")]) from error
    except ValueError as error:
        raise BrokenError([("", f"is no JSON: {error}")]) from error


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    # JSON allows a name twice and readers differ in which one they take: with an amount that must not be guessed.
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        members |= {name: _TWICE for name in members if names.count(name) > 1}
    return members


def _members(value: Mapping[str, object], node: TreeNode, path: str, faults: list[tuple[str, str]]) -> dict[str, Any]:
    return {
        name: _member(value.get(name), below, f"{path}.{name}" if path else name, faults)
        for name, below in node.members.items()
    }


def _member(value: object, node: TreeNode, path: str, faults: list[tuple[str, str]]) -> object:
    if value is None:
        if node.is_required:
            faults.append((path, "is missing, but required"))
        _require_below(node, path, faults)
        return None
    # No kind: the member has members of its own.
    if node.kind is None:
        return _objects(value, node, path, faults) if node.is_list else _object(value, node, path, faults)
    try:
        # Members of the VMS in UTC say so by their names (docs/systems/vms.md#v9); all other times are local.
        return _timestamp(value, is_utc=True) if path.endswith("GMT") else READERS[node.kind](value)
    except _FaultError as fault:
        # The fault quotes the value, and no message may show a bank account.
        is_account = path.rpartition(".")[2] in BANK_ACCOUNTS
        faults.append((path, "is no text" if is_account else str(fault)))
        return None


def _require_below(node: TreeNode, path: str, faults: list[tuple[str, str]]) -> None:
    """A null object has no members either, so those that are required of it are missing."""
    if not node.is_list:
        for name, below in node.members.items():
            _member(None, below, f"{path}.{name}", faults)


def _object(value: object, node: TreeNode, path: str, faults: list[tuple[str, str]]) -> dict[str, Any] | None:
    if isinstance(value, dict):
        return _members(value, node, path, faults)
    faults.append((path, f"an object was expected, found {_show(value)}"))
    return None


def _objects(value: object, node: TreeNode, path: str, faults: list[tuple[str, str]]) -> list[dict[str, Any] | None]:
    if not isinstance(value, list):
        faults.append((path, f"a list was expected, found {_show(value)}"))
        return []
    return [
        None if element is None and not node.is_child_list else _object(element, node, f"{path}[{place}]", faults)
        for place, element in enumerate(value)
    ]


def _expect(value: object, kind: type[T], words: str) -> T:
    if not isinstance(value, kind):
        raise _FaultError(f"{words} was expected, found {_show(value)}")
    return value


def _text(value: object) -> str:
    # A number is taken as it is written: a voyage's reference number was one in earlier versions (docs/mapping.md#0).
    text = _expect(value, str, "text")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise _FaultError("half a surrogate pair stands in the text") from error
    if "\0" in text:
        # No text of PostgreSQL can hold it, and a control store may be there.
        raise _FaultError("the character U+0000 stands in the text")
    return str(text)


def _whole(text: str) -> int:
    # The length first: Python reads any number of digits, and a very long one takes long.
    # The least number of 64 bits is left out: it has no negative, and a model that takes it would stop.
    if not _INTEGER.fullmatch(text) or abs(int(text)) >= LARGEST_INTEGER:
        raise _FaultError(f"a whole number of 64 bits was expected, found {_show(text)}")
    return int(text)


def _decimal(text: str, context: Context) -> Decimal:
    if not _DECIMAL.fullmatch(text):
        raise _FaultError(f"a decimal was expected, found {_show(text)}")
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise _FaultError(f"{_show(text)} is beyond any amount") from error
    if value.copy_abs() >= LARGEST_AMOUNT:
        raise _FaultError(f"{_show(text)} has more than 15 digits before the decimal point")
    try:
        return value.quantize(_QUANTUM, context=context)
    except Inexact as error:
        raise _FaultError(f"{_show(text)} has more than 18 decimals") from error


def _timestamp(value: object, *, is_utc: bool = False) -> datetime:
    if not isinstance(value, str) or isinstance(value, _Number):
        raise _FaultError(f"a time was expected (2026-11-02T08:00:00), found {_show(value)}")
    try:
        return read_time(value, is_utc=is_utc)
    except ValueError as error:
        raise _FaultError(f"a time was expected (2026-11-02T08:00:00), found {_show(value)}") from error


READERS: Mapping[MemberKind, Callable[[object], object]] = {
    MemberKind.TEXT: _text,
    MemberKind.INTEGER: lambda value: _whole(_expect(value, _Number, "a whole number")),
    # Also a number, which is text with a mark here: the ledger has ids of both forms.
    MemberKind.ID: lambda value: _whole(_expect(value, str, "an id")),
    MemberKind.AMOUNT: lambda value: _decimal(_expect(value, _Number, "a number"), _EXACT),
    # A quotient in binary floating point may have more decimals than a column; no amount may.
    MemberKind.RATE: lambda value: _decimal(_expect(value, _Number, "a number"), _ROUNDED),
    MemberKind.MONEY_TEXT: lambda value: _decimal(_expect(value, str, "a decimal"), _EXACT),
    MemberKind.BOOLEAN: lambda value: _expect(value, bool, "true or false"),
    MemberKind.TIMESTAMP: _timestamp,
    MemberKind.DATE: _timestamp,
}


def _show(value: object) -> str:
    """Write a value for a message: cut, and saying what it is."""
    if value is _TWICE:
        return "two values"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    text = str(value)
    cut = f"{text[:SHOWN]}…" if len(text) > SHOWN else text
    return cut if isinstance(value, _Number) else f"the text {cut!r}"
