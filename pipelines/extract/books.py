"""Reads the ledger's books: every supplier, customer and general-ledger row, the first time all, then what changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import TYPE_CHECKING

from pipelines.contracts import ledger as contracts
from pipelines.contracts.tables import create_tables
from pipelines.core.literals import among
from pipelines.extract.cursors import is_moved_in_batch, is_whole, move_cursor, note_whole
from pipelines.extract.land import EVERYTHING, ReadCounts, land
from pipelines.extract.ledger import ConnectionQuery, extract_entities_once, lists, read_and_land
from pipelines.extract.ledger_deltas import changes_since_last_run, confirm_cursors, newest_cursors
from pipelines.stores.rows import number_of
from pipelines.wire.ledger import SIDE

if TYPE_CHECKING:
    from pipelines.contracts.contract import Contract
    from pipelines.step.context import Context
    from pipelines.wire.ledger import Changes

DELTAS: Mapping[Contract, str] = {
    contracts.AP_ROWS: "apTransaction_deltas",
    contracts.AR_ROWS: "arTransaction_deltas",
    contracts.TRANSACTIONS: "transaction_deltas",
}
# The cursor that every reading of the books confirms, and the name by which a warehouse notes that it has them whole.
BOOKS = "ledger.books"


def extract_books_once(ctx: Context) -> ReadCounts:
    """Read the books, unless a job of this batch has read them: the jobs after that write to the VMS alone."""
    return extract_entities_once(ctx) + (ReadCounts() if is_moved_in_batch(ctx, BOOKS) else extract_books(ctx))


def extract_books(ctx: Context) -> ReadCounts:
    """Read the rows that are new or have changed since the last run, and remove those that were deleted.

    A match changes no modification time of its rows, and general-ledger rows have none, so only the ledger's deltas
    say what has changed. On the first run, and when they do not reach back to the last one, the books are read whole.
    """
    for contract in DELTAS:
        create_tables(ctx.warehouse, contract, side=SIDE)
    changes = changes_since_last_run(ctx, DELTAS.values()) if is_whole(ctx, BOOKS) else None
    total = _read_whole(ctx) if changes is None else _read_changed(ctx, changes)
    # Last, once all of it has landed: a job that failed before this has not read the books, and the next one does.
    move_cursor(ctx, BOOKS, ctx.batch_id, is_confirmed=True)
    return total


def _read_whole(ctx: Context) -> ReadCounts:
    # The cursors are taken first: the next deltas then name again whatever changes while the books are being read.
    newest = newest_cursors(ctx, DELTAS.values())
    queries = (ConnectionQuery(contract, scope=EVERYTHING) for contract in DELTAS)
    total = sum((read_and_land(ctx, [query]) for query in queries), ReadCounts())
    note_whole(ctx, BOOKS)
    confirm_cursors(ctx, newest)
    return total


def _read_changed(ctx: Context, changes: Mapping[str, Changes]) -> ReadCounts:
    """Read new rows by their range of ids, ten thousand a request, and older ones by their ids, a thousand."""
    # Ids only grow, so what is above the newest staged row is new; a range costs far fewer requests than a list.
    newest = {contract: _newest_row(ctx, contract) for contract in DELTAS}
    named = {contract: changes[name] for contract, name in DELTAS.items()}
    new = [
        ConnectionQuery(contract, {"dbId_gt": newest[contract]})
        for contract, own in named.items()
        if any(row > newest[contract] for row in own.changed)
    ]
    total = read_and_land(ctx, new) if new else ReadCounts()
    older = {contract: [row for row in own.changed if row <= newest[contract]] for contract, own in named.items()}
    for queries in _by_id(older):
        total += read_and_land(ctx, queries)
    for contract, own in named.items():
        for gone in lists(own.deleted):
            # No pages for a scope of these ids: none of them came, so they are removed.
            total += land(ctx, contract, (), side=SIDE, scope=among(contract.key, gone)).counts
    confirm_cursors(ctx, {name: changes[name].cursor for name in DELTAS.values()})
    return total


def _by_id(rows: Mapping[Contract, list[int]]) -> Iterator[list[ConnectionQuery]]:
    """Yield what is to be read in one request: a list of each connection that still has one."""
    for chunks in zip_longest(*(lists(own) for own in rows.values())):
        yield [
            ConnectionQuery(contract, {"dbId_in": chunk}, among(contract.key, chunk))
            for contract, chunk in zip(rows, chunks, strict=True)
            if chunk
        ]


def _newest_row(ctx: Context, contract: Contract) -> int:
    query = f"SELECT max({contract.key}) FROM stg_ledger.{contract.table}"  # noqa: S608 names of the contracts
    return number_of(ctx.warehouse.execute(query))
