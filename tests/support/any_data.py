"""Objects of both systems as no one would enter them: every member of every contract, with what breaks programs."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from pipelines.contracts.contract import MemberKind
from pipelines.contracts.shape import TreeNode, tree

if TYPE_CHECKING:
    from pipelines.contracts.contract import Contract

# Few keys and codes, so that objects of one kind find those of another.
KEYS = 12
# What other members are joined by or judged by; anything else may be anything.
PLAUSIBLE: Mapping[str, Sequence[object]] = {
    "documentType": ("INI", "CRI", "INO", "CRO", "ACC", "ACP", "ACR", "CAP", "BAP", "PMI", "PMO", "APR"),
    "statusTypeCode": ("RFP", "RFP", "RFP", "POS", "PEN"),
    "currencyCode": ("NOK", "USD", "JPY", "KWD", "CNH", "XAU"),
    "companyCode": ("28601", "28602"),
    "accountCode": ("APX", "ARX", "4300"),
    "glAccount": ("2400", "1500", "4300", "2710"),
    "code": ("28600", "28601", "2400", "4300", "605", "V1", "V1-1", "AP", "AR", "GL", "BA", "NOK", "FS"),
    "businessPartnerCode": ("605", "606", "607"),
    "businessPartnerType": ("AG", "CH", "BR"),
    "referenceNo": ("V1-1", "V1-2"),
    "vesselCode": ("V1", "V2"),
    "iban": ("NO9386011117947", "GB82WEST12345698765432"),
    "name": ("AP", "TAX_RULE", "VESSEL", "glObject1"),
    "text": ("1 Agency", "2 Agency"),
    "invoiceNumber": ("F-1", "F-2"),
}
DAYS = ("2026-10-20", "2026-10-31", "2026-11-02", "2025-12-31")
NO_DAYS = ("0001-01-01", "0206-11-02", "0999-12-31", "1899-12-31", "2000-01-01", "9999-12-31", "9999-12-01")
TEXTS = (
    "", " ", "\0", "4300\t", "\u00a0605", "60\u200b5", "A\u030a", "a\nb", "\x01\x1b[31m", "\ufffe\uffff", "\u202e",
    "x" * 3_000, "=1+1", "<script>", "'; DROP TABLE x; --", "{0} %s {x}", "|000123", "F-1|602243", "٦٧", "NaN",
    "-0", "#1",
)  # fmt: skip
NUMBERS = ("0", "-0.005", "0.01", "-1", "100", "1250.55", "999999999999999.99", "-999999999999999", "1e-18")
FEW = ("100", "-100", "1250.55", "1", "0.25")
WHOLES = (0, -1, 2**31, 2**53 + 1, 2**63 - 1, 1 - 2**63)
# Nothing that a contract takes: the object is set aside.
WRONG: tuple[object, ...] = (None, True, [], {}, "x", 1.5, 10**20, -(2**63), {"a": None}, [None])


class Number(float):
    """A JSON number that is written as given."""

    written: str

    def __new__(cls, written: str) -> Self:
        """Keep the text."""
        made = super().__new__(cls, written)
        made.written = written
        return made


def page_of(contract: Contract, count: int, dice: random.Random) -> bytes:
    """Write so many objects of a contract as a page; keys repeat, and some objects break the contract."""
    made = [_object(tree(contract), dice, number) for number in range(count)]
    return ("[" + ",".join(_written(one) for one in made) + "]").encode()


def _written(value: object) -> str:
    # By hand: the encoder of the standard library writes a float by its own repr.
    if isinstance(value, Number):
        return value.written
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{_written(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    return json.dumps(value)


def _object(node: TreeNode, dice: random.Random, number: int) -> dict[str, Any]:
    return {name: _member(name, below, dice, number) for name, below in node.members.items() if _is_there(below, dice)}


def _is_there(node: TreeNode, dice: random.Random) -> bool:
    return node.is_required or dice.random() < 0.9


def _member(name: str, node: TreeNode, dice: random.Random, number: int) -> object:
    if dice.random() < 0.002:
        return dice.choice(WRONG)
    if node.kind is None:
        if node.is_list:
            return [_object(node, dice, dice.randrange(KEYS)) for _ in range(dice.randrange(4))]
        return _object(node, dice, dice.randrange(KEYS))
    return _VALUES[node.kind](name, dice, number)


def _text(name: str, dice: random.Random, number: int) -> object:
    if name in PLAUSIBLE and dice.random() < 0.85:
        return dice.choice(PLAUSIBLE[name])
    return dice.choice((*TEXTS, str(number)))


def _whole(_: str, dice: random.Random, number: int) -> object:
    return number if dice.random() < 0.9 else dice.choice(WHOLES)


def _decimal(_: str, dice: random.Random, __: int) -> object:
    return Number(dice.choice(FEW if dice.random() < 0.6 else NUMBERS))


def _day(_: str, dice: random.Random, __: int) -> object:
    return dice.choice(DAYS if dice.random() < 0.6 else NO_DAYS)


_VALUES: Mapping[MemberKind, Callable[[str, random.Random, int], object]] = {
    MemberKind.TEXT: _text,
    MemberKind.INTEGER: _whole,
    MemberKind.ID: _whole,
    MemberKind.AMOUNT: _decimal,
    MemberKind.RATE: _decimal,
    MemberKind.MONEY_TEXT: lambda _, dice, __: dice.choice(FEW if dice.random() < 0.6 else NUMBERS),
    MemberKind.BOOLEAN: lambda _, dice, __: dice.choice((True, False)),
    MemberKind.TIMESTAMP: lambda name, dice, number: (
        f"{_day(name, dice, number)}T{dice.choice(('00:00:00', '23:59:59'))}"
    ),
    MemberKind.DATE: _day,
}
