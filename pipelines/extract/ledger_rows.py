"""Reads the ledger's supplier and customer rows: what has changed, and every match as a whole (mapping.md 3)."""

# ruff: noqa: S608 names come from the contracts, values go through `literals`

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from itertools import zip_longest
from typing import TYPE_CHECKING, TypeVar

from pipelines.extract import ledger_contracts as contracts
from pipelines.extract.land import Extracted, Scope
from pipelines.extract.ledger import OVERLAP, Wanted, lists, read_and_land
from pipelines.extract.ledger_deltas import changes_since_last_run, confirm_cursors, newest_cursors
from pipelines.extract.literals import among, literal
from pipelines.extract.tables import create_tables
from pipelines.wire.graphql import LEDGER_ZONE
from pipelines.wire.ledger import SIDE

if TYPE_CHECKING:
    from pipelines.context import Context
    from pipelines.extract.contract import Contract
    from pipelines.wire.ledger import Changes

# The vendor's own integration looks one month back (dataloy.md 4.1).
WINDOW = timedelta(days=31)
DELTAS: Mapping[Contract, str] = {
    contracts.AP_ROWS: "apTransaction_deltas",
    contracts.AR_ROWS: "arTransaction_deltas",
}
T = TypeVar("T", int, str)

VOUCHER_TYPES: Mapping[Contract, str] = {contracts.AP_ROWS: "AP", contracts.AR_ROWS: "AR"}

_SENT_NUMBERS = """
SELECT DISTINCT json_extract(look_up, '$.invoice_number') AS number FROM outbox
WHERE kind = 'voucher' AND state = 'sent' AND json_extract(look_up, '$.source') = ?
"""


def extract_matches(ctx: Context) -> Extracted:
    """Read the rows that have changed since the last run, and all rows of the matches they are or were in.

    A row that the ledger no longer has goes here too. On the first run, and when the deltas do not reach back to the
    last one, a month is read, whatever is open, and every invoice of ours that was open when it was last seen.
    """
    for contract in DELTAS:
        create_tables(ctx.warehouse, contract, side=SIDE)
    changes = changes_since_last_run(ctx, DELTAS.values()) if _is_filled(ctx) else None
    if changes is None:
        return _read_everything_open(ctx)
    return _read_changed(ctx, changes)


def _read_changed(ctx: Context, changes: Mapping[str, Changes]) -> Extracted:
    rows = {contract: changes[name].changed | changes[name].deleted for contract, name in DELTAS.items()}
    before = {contract: _match_ids(ctx, contract, among("row_db_id", sorted(own))) for contract, own in rows.items()}
    total = _read_by(ctx, "dbId", rows, column="row_db_id")
    after = {contract: _match_ids(ctx, contract, among("row_db_id", sorted(own))) for contract, own in rows.items()}
    # A row that has left a match has been read above: what does not come back now is gone.
    total += _read_by(ctx, "matchId", {c: before[c] | after[c] for c in DELTAS}, column="match_id")
    confirm_cursors(ctx, {name: changes[name].cursor for name in DELTAS.values()})
    return total


def _read_everything_open(ctx: Context) -> Extracted:
    newest = newest_cursors(ctx, DELTAS.values())
    since = ctx.now().astimezone(LEDGER_ZONE).replace(tzinfo=None) - WINDOW - OVERLAP
    filters: tuple[dict[str, object], ...] = (
        {"headerModifiedAt_gte": since.isoformat(timespec="seconds")},
        {"invoiceRemaining_lt": "0"},
        {"invoiceRemaining_gt": "0"},
    )
    numbers = {contract: _numbers_to_read(ctx, contract) for contract in DELTAS}
    total = read_and_land(ctx, [Wanted(contract, wanted) for contract in DELTAS for wanted in filters])
    total += _read_by(ctx, "invoiceNumber", numbers)
    # Named by what the rows are, not by what this run has landed: a run that was killed has landed some already.
    recent = f"posted_date >= {literal(since.date())} OR starts_with(fetch_id, {literal(ctx.batch_id)})"
    matches = {contract: _match_ids(ctx, contract, f"(invoice_remaining <> 0 OR {recent})") for contract in DELTAS}
    matches = {contract: found | _matches_of(ctx, contract, numbers[contract]) for contract, found in matches.items()}
    total += _read_by(ctx, "matchId", matches)
    confirm_cursors(ctx, newest)
    return total


def _read_by(
    ctx: Context, member: str, values: Mapping[Contract, Iterable[T]], *, column: str | None = None
) -> Extracted:
    """Read the rows of both sides whose member has one of the values; rows staged under ``column`` that are gone go."""
    total = Extracted()
    for chunks in zip_longest(*(lists(own) for own in values.values())):
        wanted = [
            Wanted(contract, {f"{member}_in": chunk}, Scope(among(column, chunk)) if column else None)
            for contract, chunk in zip(values, chunks, strict=True)
            if chunk
        ]
        total += read_and_land(ctx, wanted)
    return total


def _match_ids(ctx: Context, contract: Contract, where: str) -> set[int]:
    """Return the matches that staged rows are in."""
    query = f"SELECT DISTINCT match_id FROM stg_ledger.{contract.table} WHERE match_id <> 0 AND {where}"
    return {match_id for (match_id,) in ctx.warehouse.execute(query).fetchall()}


def _matches_of(ctx: Context, contract: Contract, numbers: Collection[str]) -> set[int]:
    query = f"SELECT DISTINCT invoice_number, match_id FROM stg_ledger.{contract.table} WHERE match_id <> 0"
    return {match_id for number, match_id in ctx.warehouse.execute(query).fetchall() if number in numbers}


def _numbers_to_read(ctx: Context, contract: Contract) -> set[str]:
    """Return the numbers of invoices that we sent, but for those that were settled when they were last seen."""
    rows = ctx.control.read(_SENT_NUMBERS, (VOUCHER_TYPES[contract],))
    settled = ctx.warehouse.execute(
        f"SELECT invoice_number FROM stg_ledger.{contract.table} WHERE invoice_number IS NOT NULL "
        "GROUP BY invoice_number HAVING max(abs(coalesce(invoice_remaining, 1))) = 0"
    ).fetchall()
    return {str(row["number"]) for row in rows if row["number"]} - {number for (number,) in settled}


def _is_filled(ctx: Context) -> bool:
    """Tell whether there are staged rows at all: cursors outlive a warehouse that is built anew."""
    return any(
        ctx.warehouse.execute(f"SELECT 1 FROM stg_ledger.{contract.table} LIMIT 1").fetchone() for contract in DELTAS
    )
