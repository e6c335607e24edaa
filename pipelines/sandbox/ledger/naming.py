"""Finds subledger rows as people do on the screen, by invoice number or text, and matches and unmatches them so."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import msgspec

from pipelines.sandbox.ledger.errors import BadRequestError
from pipelines.sandbox.ledger.hand import owner_id
from pipelines.sandbox.ledger.matching import INVOICE_KINDS, MatchedRows, Unmatch, match_rows, unmatch_rows
from pipelines.sandbox.ledger.values import ZERO, Row, money

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pipelines.sandbox.ledger.store import LedgerStore

TABLES = {"AP": "ap_rows", "AR": "ar_rows"}


class Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rows of an invoice by its number, a payment by its text, both where a number is shared, or a row by dbId.

    ``amount`` is how much of them: a size in their own currency; all that is open where it is absent.
    """

    amount: str | None = None
    invoice_number: str | None = None
    text: str | None = None
    row: int | None = None


class NamedMatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows of one partner to match."""

    owner: int
    side: Literal["AP", "AR"]
    subledger: str
    rows: list[Named]


class NamedUnmatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row of a partner whose match is to be undone."""

    owner: int
    side: Literal["AP", "AR"]
    subledger: str
    row: Named


def match_named(store: LedgerStore, given: NamedMatch, now: datetime) -> Row:
    """Match rows that are booked already and give the match id and its rows; raises BadRequestError."""
    shares = open_shares(
        store, given.rows, owner=owner_id(store, given.owner), side=given.side, partner=given.subledger
    )
    settled = {str(row["dbId"]): money(size) for row, size in shares}
    return match_rows(store, MatchedRows([row["dbId"] for row, _ in shares], settled), now)


def unmatch_named(store: LedgerStore, given: NamedUnmatch, now: datetime) -> Row:
    """Undo the match of a row: all rows of it are open again; raises BadRequestError."""
    owner = owner_id(store, given.owner)
    found = _found(store, given.row, owner=owner, side=given.side, partner=given.subledger)
    # No match has the id 0, so this is refused.
    return unmatch_rows(store, Unmatch(next((row["matchId"] for row in found if row["matchId"]), 0)), now)


def open_shares(
    store: LedgerStore, parts: Iterable[Named], *, owner: int, side: str, partner: str
) -> list[tuple[Row, Decimal]]:
    """List the rows with the size meant of each; the rows of one invoice fill up by due date.

    Raises BadRequestError for what is not there, and for more than is open.
    """
    shares: list[tuple[Row, Decimal]] = []
    for part in parts:
        rows = _found(store, part, owner=owner, side=side, partner=partner)
        left = sum(map(_open, rows), ZERO) if part.amount is None else Decimal(part.amount)
        for row in rows:
            size = min(left, _open(row))
            if size:
                shares.append((row, size))
            left -= size
        # Nothing has been written yet: the whole payment is refused.
        if left:
            raise BadRequestError(f"{money(left)} more than is open on {_name(part)}")
    return shares


def _found(store: LedgerStore, part: Named, *, owner: int, side: str, partner: str) -> list[Row]:
    if part.row is not None:
        row = store.tables[TABLES[side]].rows.get(part.row)
        found = [] if row is None else [row]
    else:
        found = _named(store, part, owner=owner, side=side, partner=partner)
    if not found:
        code = store.rows[owner]["ownerCode"]
        raise BadRequestError(f"no {'payment' if part.text else 'invoice'} {_name(part)} of {partner} in {code}")
    return sorted(found, key=lambda row: (row.get("dueDate") or "", row["dbId"]))


def _named(store: LedgerStore, part: Named, *, owner: int, side: str, partner: str) -> list[Row]:
    if part.invoice_number is None and part.text is None:
        return []
    table = store.tables[TABLES[side]]
    partners = {row["dbId"] for row in store.tables["subledgers"].having("code", partner)}
    number = part.invoice_number
    rows = table.rows.values() if number is None else table.having("invoiceNumber", number)
    own = [row for row in rows if row["ownerDbId"] == owner and row["subledgerDbId"] in partners]
    found = [row for row in own if part.text in {None, row.get("text")}]
    return found if number is None else _one_kind(found)


def _one_kind(rows: list[Row]) -> list[Row]:
    """Give the invoices, or where nothing of them is open the credit memos: one may carry the number it takes back."""
    kinds = [[row for row in rows if row.get("slTransactionTypeDbId") == kind] for kind in INVOICE_KINDS]
    return next((own for own in kinds if any(map(_open, own))), kinds[0] or kinds[1])


def _open(row: Row) -> Decimal:
    return abs(Decimal(row["invoiceRemaining"]))


def _name(part: Named) -> str:
    return str(part.row or " ".join(filter(None, (part.invoice_number, part.text))))
