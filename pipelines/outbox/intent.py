"""What is to be written to the other side, with an id that is the same whenever the same thing is meant."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Literal

import msgspec

Json = dict[str, "Json"] | list["Json"] | str | int | bool | Decimal | None
Target = Literal["vms", "ledger"]

# A Decimal as a number with all its digits: as a float, a rate of nine decimals would change on its way.
_encode = msgspec.json.Encoder(order="deterministic", decimal_format="number").encode
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


class Kind(StrEnum):
    """What an intent writes."""

    COMPANY = "company"
    SUPPLIER = "supplier"
    CUSTOMER = "customer"
    COST_CENTRE = "cost_centre"
    PROJECT = "project"
    VOUCHER = "voucher"
    # Of a voucher that the ledger's import has taken and its posting job refused.
    CORRECTION = "correction"
    ACKNOWLEDGEMENT = "acknowledgement"
    RATE = "rate"
    PAYMENT = "payment"
    ACTUAL = "actual"
    # Why a document is held, written to it in the VMS.
    REMARK = "remark"


def canonical_json(value: Json) -> str:
    """Write JSON in the one form its hash is taken of: UTF-8, keys sorted, no blanks, decimals as they stand.

    >>> canonical_json({"b": [1, None], "a": Decimal("1.50")})
    '{"a":1.50,"b":[1,null]}'
    """
    return _encode(value).decode()


def read_json(text: str) -> Json:
    """Read what ``canonical_json`` wrote; a number with a fraction is a Decimal, never a float."""
    value: Json = _decode(text)
    return value


def sha256(text: str) -> str:
    """Return the SHA-256 of a text's UTF-8 bytes, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def intent_id(kind: str, natural_key: str) -> str:
    """Return the id of the intent that writes ``natural_key``: always the same, on every machine.

    So a lost control store, filled anew, meets the same ids, and no voucher becomes an intent twice.
    """
    # A zero byte is in no key, so no kind and key together read like another kind and key.
    return sha256(f"{kind}\0{natural_key}")[:32]


@dataclass(frozen=True, slots=True)
class Intent:
    """One outward write.

    ``payload`` is what goes over the wire, ``look_up`` what finds it on the other side, ``source_hash`` the hash of
    the source fields it was made from (a different one later is drift), ``owner_code`` the entity it is written in.
    """

    kind: Kind
    natural_key: str
    target: Target
    payload: Json
    source_hash: str
    look_up: Json = None
    company_code: str | None = None
    owner_code: int | None = None
    document_key: int | None = None
    document_no: str | None = None

    @property
    def id(self) -> str:
        """Return the id under which the outbox keeps it."""
        return intent_id(self.kind, self.natural_key)
