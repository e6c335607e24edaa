"""Values of a member: how they are read in a filter, compared when stored, and checked when written."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from pipelines.sandbox.vms.errors import ApiError
from pipelines.sandbox.vms.model import ObjectKind, ObjectMember

if TYPE_CHECKING:
    from typing import Any

DATE_FORMAT = "%Y-%m-%dT%H:%M:%S"
# A blank in place of the T, as versions before 2.0.0 wrote it.
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2})?)?")
# 0 and 1 in filters are documented (docs/systems/vms.md#1-3); the words are accepted too.
_BOOLEANS = {"0": False, "1": True, "false": False, "true": True}


def operand(member: ObjectMember, value: str, *, text: str) -> object:
    """Read the value of a filter as the member's kind; raises ApiError 400 naming the filter."""
    match member.kind:
        case ObjectKind.NUMBER | ObjectKind.INTEGER:
            return _number(value, text=text)
        case ObjectKind.BOOLEAN:
            if value not in _BOOLEANS:
                raise ApiError(f"'{member.name}' in the filter '{text}' is a boolean: 0 or 1.")
            return _BOOLEANS[value]
        case ObjectKind.DATE:
            return _day_or_time(value, text=text)
        case ObjectKind.REFERENCE:
            # A reference may be filtered by its key without a dot path: `source(EQ)8336217`.
            if not value.isascii() or not value.isdigit():
                raise ApiError(f"'{member.name}' in the filter '{text}' is an object: filter by its key or a property.")
            return int(value)
        case _:
            return value


def stored(member: ObjectMember, value: Any) -> Any:  # noqa: ANN401 (any JSON value)
    """Give a stored value in a form that compares with an operand, None where it cannot be compared."""
    match member.kind:
        case ObjectKind.NUMBER | ObjectKind.INTEGER:
            return value if isinstance(value, int | Decimal) and not isinstance(value, bool) else None
        case ObjectKind.BOOLEAN:
            return bool(value) if isinstance(value, int) else None
        case ObjectKind.REFERENCE:
            return value
        case ObjectKind.DATE:
            # A seed may contain broken dates: they are served as they are, and no filter finds them.
            return value if isinstance(value, str) and value[:4].isdigit() else None
        case _:
            return value if isinstance(value, str) else None


def checked(member: ObjectMember, value: object) -> object:
    """Check a plain value that a client writes and give it as it is stored; raises ApiError 400 naming the member.

    A number is accepted where a text belongs: the documentation's own samples write bank account numbers so.
    """
    if value is None:
        return None
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    match member.kind:
        case ObjectKind.NUMBER if is_number:
            return value
        case ObjectKind.INTEGER if is_number and isinstance(value, int):
            return value
        case ObjectKind.BOOLEAN if isinstance(value, bool) or (is_number and value in (0, 1)):
            return bool(value)
        case ObjectKind.DATE if isinstance(value, str) and _is_time(value):
            return value
        case ObjectKind.TEXT if isinstance(value, str) or is_number:
            return _sized(member, str(value))
        case _:
            raise ApiError(f"'{member.name}' must be {_EXPECTED[member.kind]}, not {_shown(value)}.")


_EXPECTED = {
    ObjectKind.TEXT: "a text",
    ObjectKind.NUMBER: "a number",
    ObjectKind.INTEGER: "a whole number",
    ObjectKind.BOOLEAN: "true, false, 0 or 1",
    ObjectKind.DATE: "a date yyyy-MM-ddTHH:mm:ss",
}
_SHOWN = 40


def _shown(value: object) -> str:
    return repr(str(value)[:_SHOWN])


def _sized(member: ObjectMember, value: str) -> str:
    if member.size is not None and len(value) > member.size:
        raise ApiError(f"'{member.name}' can have at most {member.size} characters; {_shown(value)} has {len(value)}.")
    return value


def _number(value: str, *, text: str) -> Decimal:
    try:
        number = Decimal(value)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise ApiError(f"'{value}' in the filter '{text}' is no number.")
    return number


def _day_or_time(value: str, *, text: str) -> str:
    found = _DATE.fullmatch(value)
    full = f"{found[1]}T{found[2] or '00:00'}{found[3] or ':00'}" if found else ""
    if not _is_time(full):
        raise ApiError(f"'{value}' in the filter '{text}' is no date: yyyy-MM-dd or yyyy-MM-ddTHH:mm:ss.")
    return full


def _is_time(value: str) -> bool:
    try:
        return datetime.strptime(value, DATE_FORMAT).strftime(DATE_FORMAT) == value  # noqa: DTZ007 (the VMS has no zones)
    except ValueError:
        return False
