"""How a batch goes on from a lake, and hands on to the next: on this machine or on any other.

The working database is a scratch. Where it had the last batch, it is gone on with as it is. Where another machine had
it, the scratch is filled from the lake, and neither system is read again. Where the lake is behind, because that
machine was lost in the middle of a batch, the cursors go back to where the lake is, and what came since is read again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from pipelines.contracts.tables import forget_tables
from pipelines.core.table_ref import TableRef
from pipelines.models.steps import content_mark, note_marks
from pipelines.stores.control import named_statements
from pipelines.stores.lake.attach import READERS, WORKING, attached, lake_of
from pipelines.stores.lake.clean import clean_lake
from pipelines.stores.lake.fill import fill_from_lake, tables_of
from pipelines.stores.lake.held import LakeTable, noted_batch
from pipelines.stores.lake.write import database_of, write_lake, written_batch
from pipelines.stores.lost import refuse_empty_control
from pipelines.stores.marks import CLOSED, COMPARED
from pipelines.stores.warehouse import (
    WAREHOUSE_BATCH,
    columns_of,
    digest_of,
    is_of_this_layout,
    name_batch,
    names_batch,
    replace_rows,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.step.context import Context

log = structlog.get_logger(__name__)

# Of the control store: the last batch after which the lake stands, the batch that it holds, and what both were made of.
STANDS = "lake.stands"
_CLEANED = "lake.cleaned"
# How far both systems had been read when the lake was written.
_REACHED, _CURSORS = "ctl.reached", ("source", "value", "batch_id", "moved_at")
# Tables of which nothing but the outbox's events says what they hold.
_MOVED = frozenset(
    TableRef("ctl", name)
    for name in ("outbox", "sent_vouchers", "sent_lines", "sent_partners", "payments", "actuals", "rates")
)


@dataclass(frozen=True, slots=True)
class _Stand:
    """After which batch the lake stands, of which batch it is, and a hash of what its tables follow from."""

    after: str
    holds: str
    mark: str

    def __str__(self) -> str:
        return f"{self.after} {self.holds} {self.mark}"


def go_on(ctx: Context) -> None:
    """Fill the scratch from the lake where another machine had the last batch; nothing to do without a lake.

    Raises SettingsError where the lake has seen batches and the control store none.
    """
    last = ctx.control.mark(WAREHOUSE_BATCH)
    if lake_of(ctx.settings) is None or (last is not None and names_batch(ctx.warehouse, last)):
        return
    with attached(ctx.warehouse, ctx.settings):
        holds = written_batch(ctx.warehouse)
        # Nothing was written yet, or by a release with other tables: a warehouse that is lost, which is read anew.
        if holds is None or not is_of_this_layout(ctx.warehouse, "lake.ctl.layout"):
            return
        if last is None:
            refuse_empty_control(ctx.settings, f"the lake {lake_of(ctx.settings)}")
        stand = _stand(ctx)
        is_current = last == holds or (stand is not None and (stand.after, stand.holds) == (last, holds))
        fill_from_lake(ctx.warehouse)
    forget_tables(ctx.warehouse)
    _forget(ctx, is_current=is_current)
    # Last: killed before, it is filled once more.
    name_batch(ctx.warehouse, str(last))
    log.info("filled_from_lake", of_batch=holds, is_current=is_current)


def hand_on(ctx: Context) -> str | None:
    """Write to the lake what has changed in this batch; return what is to be noted when it ends, None without a lake.

    Raises SettingsError or ModelError where it cannot be reached or written: then the scratch alone has it, and a batch
    elsewhere reads again what came since.
    """
    if lake_of(ctx.settings) is None:
        return None
    mark, stand = _mark(ctx), _stand(ctx)
    today = ctx.now().date().isoformat()
    is_cleaned = ctx.control.mark(_CLEANED) == today
    is_held = stand is not None and stand.mark == mark and noted_batch(ctx.warehouse, WORKING) == stand.holds
    if stand is not None and is_held and is_cleaned:
        return str(replace(stand, after=ctx.batch_id))
    holds = stand.holds if stand is not None and is_held else ctx.batch_id
    if not is_held:
        _keep_cursors(ctx)
        database = database_of(ctx.warehouse)
        tables = _marked(ctx, tables_of(ctx.warehouse, database=database))
        with attached(ctx.warehouse, ctx.settings):
            count = write_lake(ctx.warehouse, tables, lake=WORKING, batch_id=ctx.batch_id, database=database)
        log.info("lake_written", tables=count)
    if not is_cleaned:
        for name in (WORKING, READERS):
            with attached(ctx.warehouse, ctx.settings, name=name):
                clean_lake(ctx.warehouse, now=ctx.now(), keep=timedelta(days=ctx.settings.lake.keep_days))
        ctx.control.keep_mark(_CLEANED, today)
    return str(_Stand(ctx.batch_id, holds, mark))


def _stand(ctx: Context) -> _Stand | None:
    kept = (ctx.control.mark(STANDS) or "").split()
    return _Stand(*kept) if len(kept) == len(_Stand.__slots__) else None


def _mark(ctx: Context) -> str:
    """Hash what all tables of the scratch follow from: as it is the same again, none of them has changed."""
    parts = [
        repr(sorted(ctx.warehouse.execute(f"FROM {table}").fetchall()))
        for table in ("ctl.contents", "ctl.whole", "ctl.layout")
        if columns_of(ctx.warehouse, table)
    ]
    return hashlib.sha256("\0".join([content_mark(ctx, *named_statements("marks")), *parts]).encode()).hexdigest()


def _marked(ctx: Context, tables: Mapping[TableRef, LakeTable]) -> dict[TableRef, LakeTable]:
    """Give each table the mark that says cheaply whether its rows are those of before."""
    moved = digest_of(ctx.warehouse, "moved") or ""
    of_schema = {"rec": ctx.control.mark(COMPARED) or "", "close": ctx.control.mark(CLOSED) or ""}
    noted = note_marks(ctx.warehouse, {ref: table.columns for ref, table in tables.items()})
    return {
        ref: replace(table, mark=moved if ref in _MOVED else noted.get(ref, of_schema.get(ref.schema, "")))
        for ref, table in tables.items()
    }


def _keep_cursors(ctx: Context) -> None:
    rows = ctx.control.read(f"SELECT {', '.join(_CURSORS)} FROM cursors ORDER BY source")  # noqa: S608 our own names
    columns = ", ".join(f"{name} VARCHAR" for name in _CURSORS)
    replace_rows(ctx.warehouse, _REACHED, columns, [tuple(row) for row in rows])


def _forget(ctx: Context, *, is_current: bool) -> None:
    """Forget what the control store says of the working database that was here, or that was lost elsewhere."""
    reached = ctx.warehouse.execute(f"SELECT {', '.join(_CURSORS)} FROM {_REACHED}").fetchall()  # noqa: S608 our own
    statements = named_statements("lake")
    with ctx.control.write() as store:
        # What this machine has published may be of long ago.
        store.execute(statements["forget_published"])
        if not is_current:
            store.execute(statements["forget_built"])
            store.execute(statements["forget_cursors"])
            store.executemany(statements["set_cursor"], reached)
