"""A warehouse in memory in which documents can be mapped and checked without a trace: for preflight and for retries."""

# ruff: noqa: S608 - statements are made of our own table names, never of data

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import duckdb

from pipelines.contracts.declared import declared_tables
from pipelines.contracts.tables import create_staging_tables
from pipelines.core.resources import sql_folder
from pipelines.models.steps import build, open_catalog
from pipelines.stores.control import Control
from pipelines.stores.control_copy import copy_control
from pipelines.stores.memory import fit
from pipelines.stores.seeds import load_seeds
from pipelines.stores.settings_tables import write_settings
from pipelines.stores.warehouse import SCHEMAS

if TYPE_CHECKING:
    from pipelines.core.mapping_files import Mappings
    from pipelines.models.steps import Catalog
    from pipelines.step.context import Context

# What documents are mapped and checked against. Documents themselves are read anew; the books are not needed.
REFERENCE = (
    "stg_vms.partners", "stg_vms.vessels", "stg_vms.voyages", "stg_vms.accounts", "stg_vms.system",
    "stg_ledger.suppliers", "stg_ledger.customers", "stg_ledger.subledgers", "stg_ledger.companies",
    "stg_ledger.projects", "stg_ledger.object_kinds", "stg_ledger.object_values", "stg_ledger.xgl_dimensions",
    "stg_ledger.accounts", "stg_ledger.currencies", "stg_ledger.entities", "stg_ledger.entity_dimensions",
    "stg_ledger.period_status",
)  # fmt: skip
# Vouchers sent before: a check looks for numbers that are in use already.
HISTORY = ("post.vouchers", "post.voucher_lines")
# Rows at a time, so that a copy needs no memory for the whole table.
BATCH = 100_000


@contextmanager
def scratch(ctx: Context) -> Iterator[Context]:
    """Yield a context like ``ctx`` over an empty warehouse in memory and a control store of its own.

    What is read or built through it leaves no trace; ``ctx.warehouse`` and ``ctx.control`` are not touched.
    """
    with ExitStack() as stack:
        # A control store is a file (SQLite, used by several threads), so it needs a folder; it goes with the question.
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="springline-")))
        warehouse = stack.enter_context(duckdb.connect())
        fit(warehouse, spill=folder / "spill")
        control = stack.enter_context(closing(Control(folder / "scratch.ctl.sqlite")))
        # The settings name stores of its own too, so that nothing that opens a store by them can reach the real ones.
        for schema in SCHEMAS:
            warehouse.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        create_staging_tables(warehouse)
        settings = ctx.settings.model_copy(update={"warehouse": folder / "scratch.duckdb", "control": None})
        yield replace(ctx, settings=settings, control=control, warehouse=warehouse)


def copy_reference(ctx: Context, *, source: duckdb.DuckDBPyConnection, control: Control) -> None:
    """Give a scratch context the reference data of a warehouse, and the cursors of the control store that go with it.

    A reading then goes on from where the last batch ended. Nothing is copied from a warehouse no batch has filled yet.
    """
    # All or nothing: half the reference data would make every document of the other half look wrong.
    present = _tables(source)
    if not present.issuperset(REFERENCE):
        return
    for table in present.intersection((*REFERENCE, *HISTORY)):
        _copy(source, ctx.warehouse, table)
    # Once more: a copy has the columns of the warehouse, which an older release may have made, and this adds the rest.
    create_staging_tables(ctx.warehouse)
    _copy_cursors(control, ctx.control)


def copy_staged(ctx: Context, *, source: duckdb.DuckDBPyConnection) -> None:
    """Give a scratch context all that a warehouse has staged of the VMS, and the reference data of the ledger."""
    for table in sorted(_tables(source)):
        if table.startswith("stg_vms.") or table in REFERENCE:
            _copy(source, ctx.warehouse, table)
    create_staging_tables(ctx.warehouse)


def build_scratch(
    ctx: Context,
    *,
    of: Context,
    forgotten: Collection[int] = (),
    mappings: Mappings | None = None,
) -> None:
    """Map what a scratch context has staged, with what the control store of ``of`` says was sent and decided.

    Vouchers of the ``forgotten`` document keys count as not sent, so that their documents are mapped as they would be
    today; ``mappings`` stand in the place of what the mapping files hold now. Raises ModelError.
    """
    load_seeds(ctx.warehouse)
    write_settings(ctx.warehouse, ctx.settings, today=ctx.today, is_dry_run=ctx.is_dry_run, mappings=mappings)
    # The real control store, read only: what was sent, and what people have decided, counts here too.
    copy_control(ctx.warehouse, of.control)
    ctx.warehouse.execute(
        "DELETE FROM ctl.outbox WHERE kind = 'voucher' AND document_key IN (SELECT unnest(CAST(? AS BIGINT[])))",
        [list(forgotten)],
    )
    # The tables are gone with the question, so nobody reads descriptions there: they cost a third of a small build.
    build(ctx.warehouse, verified_models(of.settings.warehouse_path).models, report=ctx.report)


def verified_models(warehouse: Path) -> Catalog:
    """Return the models, verified against the tables as declared; kept beside the warehouse until they change."""
    # The file that each batch keeps: to verify takes ten seconds.
    cache = warehouse.with_suffix(".models.json")
    return open_catalog(sql_folder(), declared_tables(), cache=cache)


def _tables(connection: duckdb.DuckDBPyConnection) -> set[str]:
    rows = connection.execute("SELECT schema_name || '.' || table_name FROM duckdb_tables()").fetchall()
    return {name for (name,) in rows}


def _copy(source: duckdb.DuckDBPyConnection, target: duckdb.DuckDBPyConnection, table: str) -> None:
    """Copy a table through Arrow: the two are different databases, and the source may be open for writing elsewhere."""
    # Arrow keeps DECIMAL exact; pandas would make floats of it.
    reader = source.execute(f"SELECT * FROM {table}").to_arrow_reader(BATCH)
    target.register("copied", reader)
    target.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT * FROM copied")
    target.unregister("copied")


def _copy_cursors(source: Control, target: Control) -> None:
    rows = source.read("SELECT source, value, batch_id, moved_at FROM cursors")
    with target.write() as connection:
        connection.executemany(
            "INSERT INTO cursors (source, value, batch_id, moved_at) VALUES (?, ?, ?, ?)", [tuple(row) for row in rows]
        )
