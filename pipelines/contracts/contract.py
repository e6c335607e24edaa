"""What a contract is: one declaration per remote object, from which requests, types and tables follow."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The type of a member as it lands; amounts are decimals from the first byte to the last."""

    TEXT = "text"
    INTEGER = "integer"
    AMOUNT = "amount"
    RATE = "rate"
    MONEY_TEXT = "money_text"
    BOOLEAN = "boolean"
    TIMESTAMP = "timestamp"
    DATE = "date"
    ID = "id"


@dataclass(frozen=True, slots=True)
class Member:
    """One column: where it stands in the object, what it is, whether an object without it is refused.

    ``path`` is dotted; ``[0]`` behind a name takes the first element of a list.
    """

    column: str
    path: str
    kind: Kind = Kind.TEXT
    required: bool = False
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Children:
    """A nested list that becomes a table of its own, merged on the parent's key."""

    table: str
    path: str
    key: str
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Contract:
    """One remote object: its entity (REST) or connection (GraphQL), its table, its key and its members.

    ``key`` is the column that names an object; it is required and is a whole number on both sides.
    """

    entity: str
    table: str
    key: str
    members: tuple[Member, ...]
    children: tuple[Children, ...] = ()
    comment: str = ""


def text(column: str, path: str, *, required: bool = False, comment: str = "") -> Member:
    """Declare a text member."""
    return Member(column, path, Kind.TEXT, required, comment)


def integer(column: str, path: str, *, required: bool = False, comment: str = "") -> Member:
    """Declare a whole number of at most 64 bits."""
    return Member(column, path, Kind.INTEGER, required, comment)


def identifier(column: str, path: str, *, required: bool = False, comment: str = "") -> Member:
    """Declare an id of the ledger: a number on older types, digits in a string on newer ones; lands as BIGINT."""
    return Member(column, path, Kind.ID, required, comment)


def amount(column: str, path: str, *, required: bool = False, comment: str = "") -> Member:
    """Declare a JSON number that lands as DECIMAL(38,18)."""
    return Member(column, path, Kind.AMOUNT, required, comment)


def rate(column: str, path: str, *, required: bool = False, comment: str = "") -> Member:
    """Declare a JSON number that is no amount (exchange rate, percentage, quantity); lands as DECIMAL(38,18).

    A rate is often a quotient in binary floating point (1/15873.2 has 20 decimals), so decimals behind the eighteenth
    are rounded half to even, where an amount with them is refused.
    """
    return Member(column, path, Kind.RATE, required, comment)


def money(column: str, path: str, *, required: bool = False, comment: str = "") -> Member:
    """Declare a decimal in a string (the ledger's MoneyString, a number is accepted too); lands as DECIMAL(38,18)."""
    return Member(column, path, Kind.MONEY_TEXT, required, comment)


def boolean(column: str, path: str, *, required: bool = False, comment: str = "") -> Member:
    """Declare true or false."""
    return Member(column, path, Kind.BOOLEAN, required, comment)


def timestamp(column: str, path: str, *, required: bool = False, comment: str = "") -> Member:
    """Declare a time without zone, ``yyyy-MM-ddTHH:mm:ss`` (a blank in place of T and fractions are accepted)."""
    return Member(column, path, Kind.TIMESTAMP, required, comment)


def date(column: str, path: str, *, required: bool = False, comment: str = "") -> Member:
    """Declare a day, ``yyyy-MM-dd`` (a time behind it is cut off)."""
    return Member(column, path, Kind.DATE, required, comment)
