"""Reads the general ledger's rows on projects, from which actuals are made (mapping.md 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.extract.land import EVERYTHING, Extracted, Scope
from pipelines.extract.ledger import Wanted, lists, read_and_land
from pipelines.extract.ledger_contracts import TRANSACTIONS
from pipelines.extract.ledger_deltas import changes_since_last_run, confirm_cursors, newest_cursors
from pipelines.extract.literals import among
from pipelines.extract.tables import create_tables
from pipelines.wire.ledger import SIDE

if TYPE_CHECKING:
    from pipelines.context import Context

DELTAS = "transaction_deltas"
# The project stands in glObject2 (mapping.md 5); rows without one are nobody's actual.
ON_PROJECTS: dict[str, object] = {"glObject2DbId_gt": 0}


def extract_transactions(ctx: Context) -> Extracted:
    """Read the rows on projects that are new since the last run, and those that have changed.

    One that was deleted, or has lost its project, goes here too. On the first run, and when the deltas do not reach
    back to the last one, all are read.
    """
    create_tables(ctx.warehouse, TRANSACTIONS, side=SIDE)
    newest_row = _newest_row(ctx)
    changes = changes_since_last_run(ctx, [DELTAS]) if newest_row else None
    if changes is None:
        newest = newest_cursors(ctx, [DELTAS])
        total = read_and_land(ctx, [Wanted(TRANSACTIONS, ON_PROJECTS, EVERYTHING)])
        confirm_cursors(ctx, newest)
        return total
    told = changes[DELTAS]
    wanted = [Wanted(TRANSACTIONS, {**ON_PROJECTS, "dbId_gt": newest_row})]
    total = read_and_land(ctx, wanted) if any(row > newest_row for row in told.changed) else Extracted()
    for rows in lists(row for row in told.changed | told.deleted if row <= newest_row):
        wanted = [Wanted(TRANSACTIONS, {**ON_PROJECTS, "dbId_in": rows}, Scope(among("transaction_db_id", rows)))]
        total += read_and_land(ctx, wanted)
    confirm_cursors(ctx, {DELTAS: told.cursor})
    return total


def _newest_row(ctx: Context) -> int:
    row = ctx.warehouse.execute("SELECT coalesce(max(transaction_db_id), 0) FROM stg_ledger.transactions").fetchone()
    return int(row[0]) if row else 0
