"""Steps that build the models: map and post, rec, close."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from pipelines.contracts.declared import declared_tables
from pipelines.contracts.tables import SCHEMAS as STAGED
from pipelines.contracts.tables import create_staging_tables
from pipelines.core.mapping_files import mapping_paths
from pipelines.core.resources import shipped_digest, sql_folder
from pipelines.core.table_ref import TableRef
from pipelines.models.build import build
from pipelines.models.external import read_external
from pipelines.models.model import Catalog, Columns, ModelColumn
from pipelines.models.stale import create_notes, marks_of, marks_of_rows, noted_marks, stale
from pipelines.models.store import open_catalog
from pipelines.step.context import Context
from pipelines.step.counts import Counts
from pipelines.stores.control_copy import copy_control, copy_cursors
from pipelines.stores.marks import BUILT, CLOSED, COMPARED, VOUCHERS_BUILT, mark_of
from pipelines.stores.rows import number_of
from pipelines.stores.settings_tables import write_settings

if TYPE_CHECKING:
    import duckdb

__all__ = [
    "Catalog",
    "ModelColumn",
    "build",
    "build_close",
    "build_comparison",
    "build_models",
    "build_stops",
    "build_vouchers",
    "catalog_of_repository",
    "content_mark",
    "note_marks",
    "open_catalog",
    "open_models",
]

SCHEMAS = ("map", "post")
# So many that wait are mapped in little memory, however long the history beside them.
FEW_DOCUMENTS = 1_000
# What is read of map and post between the reading of open documents and their acknowledgement, and by a dry run; and
# what is kept of a voucher, which is there to be kept only as long as its document is open.
_VOUCHERS = frozenset(
    TableRef(schema, table)
    for schema, table in (
        ("map", "entities"),
        ("map", "left_companies"),
        ("map", "master_visibility"),
        ("map", "open_documents"),
        ("map", "reversal_originals"),
        ("post", "document_checks"),
        ("post", "draft_lines"),
        ("post", "draft_totals"),
        ("post", "draft_vouchers"),
        ("post", "voucher_lines"),
        ("post", "vouchers"),
    )
)
# What map and post read of the control store; rec reads what is held in addition, and close what people accepted.
_DECIDED = ("outbox_events", "decisions", "ignored", "bank_changes", "supplier_accounts")
_HELD = ("holds", "rejected")
# Each open break by itself: when figures move, or one of several acceptances is taken back, no maximum would show it.
_CLOSING = (*_HELD, "open breaks", "closes")


def build_models(ctx: Context) -> Counts:
    """Build of map and post what stands on anything that has changed since it was built last."""
    return _build_stale(ctx, name=BUILT)


def build_vouchers(ctx: Context) -> Counts:
    """Build of them what the vouchers of open documents are made of, and what checks and sends them.

    The rest, such as payments and their matches, is a third of the models and waits for who reads it.
    """
    create_staging_tables(ctx.warehouse)
    waiting = number_of(ctx.warehouse.execute("SELECT count(*) FROM stg_vms.documents WHERE status_code = 'RFP'"))
    return _build_stale(ctx, name=VOUCHERS_BUILT, is_sparing=waiting <= FEW_DOCUMENTS, targets=_VOUCHERS)


def _build_stale(
    ctx: Context, *, name: str, is_sparing: bool = False, targets: Collection[TableRef] | None = None
) -> Counts:
    write_settings(ctx.warehouse, ctx.settings, today=ctx.today, is_dry_run=ctx.is_dry_run)
    copy_control(ctx.warehouse, ctx.control)
    mark = content_mark(ctx)
    if mark in {ctx.control.mark(name), ctx.control.mark(BUILT)}:
        return Counts()
    # The mark above says that something has moved; these say which models that concerns.
    create_notes(ctx.warehouse)
    present = read_external(ctx.warehouse)
    catalog = open_models(ctx, present)
    marks = marks_of(ctx.warehouse, catalog.models, present)
    # rec and close have jobs of their own and are built there; here a tick costs map and post alone.
    due = {ref for ref in stale(ctx.warehouse, marks) if ref.schema in SCHEMAS}
    if targets is not None:
        due &= _with_what_they_read(catalog, targets)
    build(ctx.warehouse, catalog.models, only=due, marks=marks, is_sparing=is_sparing, report=ctx.report)
    # Last: killed before this line, the next run builds again, which changes nothing.
    ctx.control.keep_mark(name, mark)
    return Counts()


def _with_what_they_read(catalog: Catalog, targets: Collection[TableRef]) -> set[TableRef]:
    found = {*targets}
    # From the last to the first: each model stands behind all that it reads.
    for model in reversed(catalog.models):
        if model.ref in found:
            found.update(model.reads)
    return found


def open_models(ctx: Context, present: Mapping[TableRef, Columns] | None = None) -> Catalog:
    """Return the models, verified against the tables they stand on; kept beside the warehouse until any of it changes.

    Other tables come and go there, and to verify all models takes seconds. ``present`` are the tables of the warehouse
    with their columns, when the caller has read them.
    """
    present = read_external(ctx.warehouse) if present is None else present
    stood_on = {ref: present.get(ref, columns) for ref, columns in declared_tables().items()}
    return open_catalog(sql_folder(), stood_on, cache=ctx.settings.warehouse_path.with_suffix(".models.json"))


def content_mark(ctx: Context, *more: str) -> str:
    """Hash all that map and post follow from: files, settings, the day, what is staged, sent and decided.

    ``more`` names what else of the control store counts, as ``stores.marks`` has it.
    """
    create_staging_tables(ctx.warehouse)
    marks = " UNION ALL ".join(
        f"SELECT '{table}', count(*), sum(hash(fetched_at)) FROM {table}"  # noqa: S608 names come from the contracts
        for table in _dated_tables()
    )
    return mark_of(
        ctx.settings.model_dump_json(),
        sorted(ctx.warehouse.execute(marks).fetchall()),
        (ctx.today, ctx.is_dry_run),
        # A changed seed is a changed table: what stands on it must be built anew, whatever the rest says.
        # So is a changed mapping file, which the settings only name.
        shipped_digest(),
        files=mapping_paths(ctx.settings).values(),
        control=ctx.control,
        moves=(*_DECIDED, *more),
    )


def note_marks(connection: duckdb.DuckDBPyConnection, tables: Mapping[TableRef, Columns]) -> dict[TableRef, str]:
    """Return what tells, for much less than to read them, whether tables hold the rows of before.

    Of models what they were built from, as far as that is noted; of what is staged when its rows were written.
    """
    create_notes(connection)
    staged = {ref: columns for ref, columns in tables.items() if ref.schema in STAGED.values()}
    return marks_of_rows(connection, staged) | noted_marks(connection)


@cache
def _dated_tables() -> Sequence[str]:
    """Name the staging tables whose rows say when they were read."""
    tables = declared_tables().items()
    return [str(ref) for ref, columns in tables if ref.schema in STAGED.values() and "fetched_at" in columns]


def catalog_of_repository() -> Catalog:
    """Verify the models against the declared tables, without a warehouse."""
    return open_catalog(sql_folder(), declared_tables())


STOPS = TableRef("close", "breaks")


def build_comparison(ctx: Context) -> Counts:
    """Build schema rec, unless nothing it stands on has changed since it was built last."""
    return _build(ctx, "rec", name=COMPARED, mark=content_mark(ctx, *_HELD))


def build_close(ctx: Context) -> Counts:
    """Build schema close on rec and on the breaks as they stand now."""
    copy_control(ctx.warehouse, ctx.control)
    return _build(ctx, "close", name=CLOSED, mark=content_mark(ctx, *_CLOSING))


def build_stops(ctx: Context) -> Counts:
    """Build what stops a close once more when breaks were noted from it, so that it shows their age and acceptance."""
    mark = content_mark(ctx, *_CLOSING)
    if ctx.control.mark(CLOSED) != mark:
        copy_control(ctx.warehouse, ctx.control)
        build(ctx.warehouse, open_models(ctx).models, only={STOPS}, report=ctx.report)
        ctx.control.keep_mark(CLOSED, mark)
    return Counts()


def _build(ctx: Context, schema: str, *, name: str, mark: str) -> Counts:
    if ctx.control.mark(name) == mark:
        return Counts()
    # The comparison says as of when each side was read; the cursors are copied just before it is built.
    copy_cursors(ctx.warehouse, ctx.control)
    build(ctx.warehouse, open_models(ctx).models, schemas=(schema,), report=ctx.report)
    ctx.control.keep_mark(name, mark)
    return Counts()
