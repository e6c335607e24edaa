"""Matching: rows of one matchId settle each other, and what is settled is no longer open.

Source: docs/systems/ledger.md#2-2.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from pipelines.sandbox.ledger.errors import BadRequestError
from pipelines.sandbox.ledger.store import RowChanges
from pipelines.sandbox.ledger.values import ZERO, PaymentStatus, Row, SlType, money

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pipelines.sandbox.ledger.store import LedgerStore

MATCHED = ("ap_rows", "ar_rows", "transactions")
_FIRST_MATCH = 700_001
INVOICE_KINDS = (SlType.INVOICE, SlType.CREDIT_MEMO)


class MatchedRows(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows to match, by dbId; ``settled`` are sizes in each row's own currency.

    Without any, debit and credit settle each other as far as they go, the earliest due first; in several currencies
    all rows are settled in full.
    """

    rows: list[int]
    settled: dict[str, str] = {}


class Unmatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The match to undo."""

    match_id: int


def table_of(store: LedgerStore, db_id: int) -> str:
    """Tell in which table a matchable row stands; raises BadRequestError where there is none."""
    for table in MATCHED:
        if db_id in store.tables[table].rows:
            return table
    raise BadRequestError(f"no ledger row {db_id}")


def match_rows(store: LedgerStore, given: MatchedRows, now: datetime) -> Row:
    """Match rows that are booked already and give the match id and its rows."""
    tables = {db_id: table_of(store, db_id) for db_id in given.rows}
    foreign = given.settled.keys() - {str(db_id) for db_id in tables}
    if len(tables) < 2:  # noqa: PLR2004 (a match ties rows together)
        raise BadRequestError("at least two rows make a match")
    if foreign:
        raise BadRequestError(f"settled names rows that are not matched: {sorted(foreign)}")
    rows = {db_id: store.tables[table].rows[db_id] for db_id, table in tables.items()}
    if len({(tables[db_id], row["ownerDbId"]) for db_id, row in rows.items()}) > 1:
        raise BadRequestError("rows of one ledger and one entity can be matched, not these")
    # The date of the last payment, which completes the match.
    paid_on = max((_posted(store, row) for row in rows.values() if not is_invoice(row)), default=None)
    sizes = {int(db_id): Decimal(size) for db_id, size in given.settled.items()} or _sizes(list(rows.values()))
    changes = RowChanges()
    for db_id, row in rows.items():
        size = sizes.get(db_id, _open(row))
        changes.put(tables[db_id], settled_row(row, size=size, paid_on=paid_on))
    match_id = join(store, changes, tables)
    store.commit(changes, now=now)
    return {"match_id": match_id, "rows": sorted(db_id for table, db_id in changes.puts if table in MATCHED)}


def unmatch_rows(store: LedgerStore, given: Unmatch, now: datetime) -> Row:
    """Undo a match: all its rows are open again to their full amount."""
    changes = RowChanges()
    for table in MATCHED:
        for row in store.tables[table].having("matchId", given.match_id):
            # Only the match gave an invoice these dates; a payment had its date before.
            dates = ("paymentDate", "lastPaymentDate") if is_invoice(row) else ()
            opened = {name: value for name, value in row.items() if name not in dates}
            if table != "transactions":
                opened |= {"invoiceRemaining": row["invoiceAmount"], "paymentStatusDbId": int(PaymentStatus.OPEN)}
            changes.put(table, opened | {"matchId": 0})
    if not changes.puts:
        raise BadRequestError(f"no match {given.match_id}")
    store.commit(changes, now=now)
    return {"rows": sorted(db_id for _, db_id in changes.puts)}


def is_invoice(row: Row) -> bool:
    """Tell invoices and credit memos from payments and adjustments."""
    return row.get("slTransactionTypeDbId") in INVOICE_KINDS


def settled_row(row: Row, *, size: Decimal, paid_on: str | None) -> Row:
    """Give a row with ``size`` less of it open; raises BadRequestError where that is more than is open."""
    # A row of the general ledger can be matched, but it has no open amount.
    if "invoiceRemaining" not in row:
        return dict(row)
    remaining = Decimal(row["invoiceRemaining"])
    if not 0 <= size <= abs(remaining):
        raise BadRequestError(f"row {row['dbId']} has {money(abs(remaining))} open, {money(size)} cannot be settled")
    left = remaining - size.copy_sign(remaining) if size else remaining
    is_untouched = left == Decimal(row["invoiceAmount"])
    status = PaymentStatus.OPEN if is_untouched else PaymentStatus.PARTLY_PAID
    status = status if left else PaymentStatus.PAID
    dates = {"paymentDate": paid_on, "lastPaymentDate": paid_on} if paid_on and is_invoice(row) else {}
    return row | {"invoiceRemaining": money(left), "paymentStatusDbId": int(status)} | dates


def join(store: LedgerStore, changes: RowChanges, tables: dict[int, str]) -> int:
    """Set one new match id on the rows of ``changes`` named in ``tables`` and on all that they were matched with."""
    match_id = store.next("matchId", first=_FIRST_MATCH)
    # A later part payment: rows matched before get the new id too, because all rows that settle each other share one id
    # (docs/systems/ledger.md#2-2).
    for table, row in _with_partners(store, [changes.puts[table, db_id] for db_id, table in tables.items()]):
        if (table, row["dbId"]) not in changes.puts:
            changes.put(table, dict(row))
        changes.puts[table, row["dbId"]]["matchId"] = match_id
    for db_id, table in tables.items():
        changes.puts[table, db_id]["matchId"] = match_id
    return match_id


def _open(row: Row) -> Decimal:
    return abs(Decimal(row.get("invoiceRemaining", "0")))


def _sizes(rows: list[Row]) -> dict[int, Decimal]:
    """Let debit and credit fill each other up to the smaller total."""
    sides: dict[bool, list[Row]] = {False: [], True: []}
    for row in sorted(rows, key=lambda row: (row.get("dueDate") or "", row["dbId"])):
        sides[Decimal(row.get("invoiceRemaining", "0")) > 0].append(row)
    # Amounts in different currencies cannot be set off against each other.
    if len({row["currencyDbId"] for row in rows}) > 1 or "invoiceRemaining" not in rows[0]:
        return {}
    if not all(sides.values()):
        raise BadRequestError("these rows do not settle each other: open debit and credit are needed")
    smaller = min(sum(map(_open, side), ZERO) for side in sides.values())
    sizes: dict[int, Decimal] = {}
    for side in sides.values():
        left = smaller
        for row in side:
            sizes[row["dbId"]] = min(left, _open(row))
            left -= sizes[row["dbId"]]
    return sizes


def _with_partners(store: LedgerStore, rows: Iterable[Row]) -> list[tuple[str, Row]]:
    earlier = {row["matchId"] for row in rows if row.get("matchId")}
    return [(table, row) for table in MATCHED for old in earlier for row in store.tables[table].having("matchId", old)]


def _posted(store: LedgerStore, row: Row) -> str:
    posted: str = store.rows[row["headerDbId"]]["postedDate"]
    return posted
