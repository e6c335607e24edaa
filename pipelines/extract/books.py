"""Reads the ledger's books: supplier, customer and general-ledger rows that have changed since the last run."""

# ruff: noqa: S608 values in SQL text go through `literals`

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from pipelines.extract import ledger_contracts as contracts
from pipelines.extract.cursors import move_cursor, moved_at, read_cursor
from pipelines.extract.land import Extracted, Scope, land
from pipelines.extract.ledger import Wanted, lists, read_and_land
from pipelines.extract.literals import among
from pipelines.extract.tables import create_tables
from pipelines.wire.ledger import SIDE

if TYPE_CHECKING:
    from pipelines.context import Context
    from pipelines.extract.contract import Contract

# The ledger keeps deltas for three days (xledger.md 1.9); what is nearly that old is not trusted.
DELTAS_KEPT = timedelta(days=3) - timedelta(hours=2)
DELTAS: Mapping[str, str] = {
    "apTransactions": "apTransaction_deltas",
    "arTransactions": "arTransaction_deltas",
    "transactions": "transaction_deltas",
}
SUBLEDGER_ROWS = (contracts.AP_ROWS, contracts.AR_ROWS)
# The cursor of a deltas connection that has nothing to tell yet.
OLDEST = ""


def extract_subledger_rows(ctx: Context, *, since: date) -> Extracted:
    """Read the supplier and customer rows that have changed since the last run, matches made or undone included.

    A match moves no time of its rows, so deltas tell; after a longer gap than they are kept, the rows whose voucher
    was booked or changed from ``since`` on are read, and ``extract_rows_of_invoices`` finds the older ones.
    """
    window = {"headerModifiedAt_gte": since.isoformat()}
    return _extract_changed(ctx, {contract: Wanted(contract, window) for contract in SUBLEDGER_ROWS})


def extract_transactions(ctx: Context) -> Extracted:
    """Read the general-ledger rows that have changed since the last run; the first time all there are.

    After a longer gap than deltas are kept, the new rows are read. They have no time to ask by, but rising ids.
    """
    contract = contracts.TRANSACTIONS
    create_tables(ctx.warehouse, contract, side=SIDE)
    row = ctx.warehouse.execute("SELECT max(transaction_db_id) FROM stg_ledger.transactions").fetchone()
    newest = row[0] if row else None
    return _extract_changed(ctx, {contract: Wanted(contract, None if newest is None else {"dbId_gt": newest})})


def extract_rows_of_invoices(ctx: Context, invoice_numbers: Iterable[str]) -> Extracted:
    """Read the rows of invoices on both sides by their numbers, and whatever is matched with them, payments above all.

    Rows of these invoices and matches that are no longer there go here too.
    """
    total = Extracted()
    for numbers in lists(invoice_numbers):
        total += _extract_by(ctx, SUBLEDGER_ROWS, "invoiceNumber", "invoice_number", numbers)
        for contract in SUBLEDGER_ROWS:
            matches = ctx.warehouse.execute(
                f"SELECT DISTINCT match_id FROM stg_ledger.{contract.table} "
                f"WHERE match_id <> 0 AND {among('invoice_number', numbers)}"
            ).fetchall()
            for ids in lists(match_id for (match_id,) in matches):
                total += _extract_by(ctx, (contract,), "matchId", "match_id", ids)
    return total


def _extract_changed(ctx: Context, windows: Mapping[Contract, Wanted]) -> Extracted:
    """Read by deltas where there is a cursor young enough, else by the window; all cursors move when that is landed."""
    cursors = {contract: _cursor(ctx, contract) for contract in windows}
    if all(cursor is not None for cursor in cursors.values()):
        return _extract_deltas(ctx, {contract: cursor or OLDEST for contract, cursor in cursors.items()})
    # The cursors are taken first: what changes while the window is read is told again by the next deltas.
    newest = ctx.ledger.newest_changes([DELTAS[contract.entity] for contract in windows])
    total = read_and_land(ctx, list(windows.values()))
    for contract in windows:
        _move(ctx, contract, newest[DELTAS[contract.entity]])
    return total


def _extract_deltas(ctx: Context, cursors: Mapping[Contract, str]) -> Extracted:
    changes = ctx.ledger.changes({DELTAS[contract.entity]: cursor or None for contract, cursor in cursors.items()})
    total = Extracted()
    for contract in cursors:
        told = changes[DELTAS[contract.entity]]
        for ids in lists(told.changed):
            total += _extract_by(ctx, (contract,), "dbId", contract.key, ids)
        if told.deleted:
            total += land(ctx, contract, (), side=SIDE, scope=Scope(among(contract.key, sorted(told.deleted)))).counts
        _move(ctx, contract, told.cursor)
    return total


def _extract_by(
    ctx: Context, wanted: Sequence[Contract], name: str, column: str, values: list[int] | list[str]
) -> Extracted:
    return read_and_land(
        ctx, [Wanted(contract, {f"{name}_in": values}, Scope(among(column, values))) for contract in wanted]
    )


def _cursor(ctx: Context, contract: Contract) -> str | None:
    source = f"ledger.{DELTAS[contract.entity]}"
    moved = moved_at(ctx, source)
    return None if moved is None or ctx.now() - moved > DELTAS_KEPT else read_cursor(ctx, source)


def _move(ctx: Context, contract: Contract, cursor: str | None) -> None:
    move_cursor(ctx, f"ledger.{DELTAS[contract.entity]}", cursor or OLDEST, is_confirmed=True)
