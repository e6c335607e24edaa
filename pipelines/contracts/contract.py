"""What a contract is: one declaration per remote object, from which requests, types and tables follow."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import partial


class MemberKind(StrEnum):
    """The type of a member as it lands; amounts are decimals from the first byte to the last."""

    TEXT = "text"
    # A whole number of at most 64 bits.
    INTEGER = "integer"
    # A JSON number; lands as DECIMAL(38,18), and one with more decimals is refused.
    AMOUNT = "amount"
    # A JSON number that is no amount (exchange rate, percentage, quantity). It is often a quotient in binary floating
    # point (1/15873.2 has 20 decimals), so decimals behind the eighteenth are rounded half to even, not refused.
    RATE = "rate"
    # A decimal in a string (the ledger's MoneyString; a number is accepted too).
    MONEY_TEXT = "money_text"
    BOOLEAN = "boolean"
    # A local time without zone, yyyy-MM-ddTHH:mm:ss; a blank in place of the T, fractions and a zone are accepted.
    TIMESTAMP = "timestamp"
    # A day, yyyy-MM-dd; a time behind it is cut off.
    DATE = "date"
    # An id of the ledger: a number on older types, digits in a string on newer ones; lands as BIGINT.
    ID = "id"


class Form(StrEnum):
    """How a text lands: as it came, or cleaned by ``core.identifiers`` so that it can be compared and sent."""

    AS_IT_CAME = "as it came"
    CODE = "code"
    # Theirs: composed (NFC) to be compared, but never cut, or the ledger would not find its own code by it.
    THEIR_CODE = "their code"
    IBAN = "IBAN"


@dataclass(frozen=True, slots=True)
class Member:
    """One column: where it stands in the object, what it is, whether an object without it is refused.

    ``path`` is dotted; ``[0]`` behind a name takes the first element of a list. ``decided``: no documentation says that
    the member is called so (° in docs/mapping.md#0), so one that no object has is told. ``other_spelling`` is the path,
    without marks of lists, under which the same value stands elsewhere: one of the two is enough.
    """

    column: str
    path: str
    kind: MemberKind = MemberKind.TEXT
    required: bool = False
    comment: str = ""
    decided: bool = False
    other_spelling: str = ""
    form: Form = Form.AS_IT_CAME


@dataclass(frozen=True, slots=True)
class Children:
    """A nested list that becomes a table of its own, merged on the parent's key.

    ``path`` is dotted. A list inside the elements of another is written ``lines[].codes``; ``outer`` is then the member
    of the outer element (a line's key) that each row carries.
    """

    table: str
    path: str
    members: tuple[Member, ...]
    outer: Member | None = None

    @property
    def columns(self) -> tuple[Member, ...]:
        """The members that become columns: that of the outer element in front, where there is one."""
        return self.members if self.outer is None else (self.outer, *self.members)

    @property
    def located(self) -> tuple[tuple[Member, str], ...]:
        """Each column's member with its dotted path in the whole object; lists are not marked."""
        whole = self.path.replace("[]", "")
        own = tuple((member, f"{whole}.{member.path}") for member in self.members)
        if self.outer is None:
            return own
        return (self.outer, f"{self.path.rpartition('[].')[0]}.{self.outer.path}"), *own


@dataclass(frozen=True, slots=True)
class Contract:
    """One remote object: its entity (REST) or connection (GraphQL), its table, its key and its members.

    ``key`` is the column that names an object; it is required and is a whole number on both sides. ``unhashed`` are
    members of the object itself (no paths) that are no content: an object in which nothing else has changed is known.
    """

    entity: str
    table: str
    key: str
    members: tuple[Member, ...]
    children: tuple[Children, ...] = ()
    comment: str = ""
    unhashed: tuple[str, ...] = ()


def declare(
    entity: str,
    table: str,
    key: Member,
    *members: Member,
    children: tuple[Children, ...] = (),
    comment: str = "",
    unhashed: tuple[str, ...] = (),
) -> Contract:
    """Declare a contract by its members, of which the first is the key."""
    return Contract(entity, table, key.column, (key, *members), children, comment, unhashed)


# How members are declared: text("document_no", "documentNo", required=True, comment="…").
text = partial(Member, kind=MemberKind.TEXT)
code = partial(Member, kind=MemberKind.TEXT, form=Form.CODE)
their_code = partial(Member, kind=MemberKind.TEXT, form=Form.THEIR_CODE)
iban = partial(Member, kind=MemberKind.TEXT, form=Form.IBAN)
integer = partial(Member, kind=MemberKind.INTEGER)
identifier = partial(Member, kind=MemberKind.ID)
amount = partial(Member, kind=MemberKind.AMOUNT)
rate = partial(Member, kind=MemberKind.RATE)
money = partial(Member, kind=MemberKind.MONEY_TEXT)
boolean = partial(Member, kind=MemberKind.BOOLEAN)
timestamp = partial(Member, kind=MemberKind.TIMESTAMP)
date = partial(Member, kind=MemberKind.DATE)
