"""Steps that build the models: map and post, rec, close."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from pipelines.contracts.declared import declared_tables
from pipelines.core.resources import sql_folder
from pipelines.core.table_ref import TableRef
from pipelines.core.tax_rules import read_tax_rules
from pipelines.models.build import build
from pipelines.models.external import read_external
from pipelines.models.model import Catalog
from pipelines.models.stale import create_notes, marks_of, stale
from pipelines.models.store import open_catalog
from pipelines.step.context import Context
from pipelines.step.counts import Counts
from pipelines.stores.control_copy import copy_control, copy_cursors
from pipelines.stores.marks import CLOSED, COMPARED, _keep_mark, _mark
from pipelines.stores.settings_tables import write_settings

BUILT = "models.built_from"
SCHEMAS = ("map", "post")


def build_models(ctx: Context) -> Counts:
    """Build of map and post what stands on anything that has changed since it was built last."""
    write_settings(
        ctx.warehouse,
        ctx.settings,
        today=ctx.today,
        tax_rules=read_tax_rules(ctx.settings.posting.tax_rules),
        is_dry_run=ctx.is_dry_run,
    )
    copy_control(ctx.warehouse, ctx.control)
    mark = content_mark(ctx)
    if ctx.control.one("SELECT value FROM meta WHERE name = ?", (BUILT,)) == mark:
        return Counts()
    # The mark above says that something has moved; these say which models that concerns.
    create_notes(ctx.warehouse)
    catalog = open_models(ctx)
    marks = marks_of(ctx.warehouse, catalog.models, read_external(ctx.warehouse))
    due = {ref for ref in stale(ctx.warehouse, marks) if ref.schema in SCHEMAS}
    build(ctx.warehouse, catalog.models, only=due, marks=marks, report=ctx.report)
    with ctx.control.write() as connection:
        connection.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (BUILT, mark))
    return Counts()


def open_models(ctx: Context) -> Catalog:
    """Return the models, verified against the tables they stand on; kept beside the warehouse until any of it changes.

    Other tables come and go there, and to verify all models takes seconds.
    """
    present = read_external(ctx.warehouse)
    stood_on = {ref: present.get(ref, columns) for ref, columns in declared_tables().items()}
    return open_catalog(sql_folder(), stood_on, cache=ctx.settings.warehouse_path.with_suffix(".models.json"))


def content_mark(ctx: Context) -> str:
    """Hash all that the models follow from: files, settings, the day, what is staged, sent and decided."""
    digest = hashlib.sha256()
    for path in sorted(sql_folder().rglob("*.sql")):
        digest.update(path.read_bytes())
    digest.update(ctx.settings.model_dump_json().encode())
    tables = ctx.warehouse.execute(
        "SELECT table_schema || '.' || table_name FROM information_schema.columns "
        "WHERE table_schema IN ('stg_vms', 'stg_ledger') AND column_name = 'fetched_at' ORDER BY 1"
    ).fetchall()
    marks = " UNION ALL ".join(
        f"SELECT '{table}', count(*), sum(hash(fetched_at)) FROM {table}"  # noqa: S608 names come from the catalogue
        for (table,) in tables
    )
    if marks:
        digest.update(repr(sorted(ctx.warehouse.execute(marks).fetchall())).encode())
    for statement in (
        "SELECT event_no, hash FROM outbox_events ORDER BY event_no DESC LIMIT 1",
        "SELECT count(*), max(decision_no) FROM decisions",
        "SELECT count(*), max(coalesce(until, since)) FROM ignored",
        "SELECT count(*), max(coalesce(decided_at, seen_at)) FROM bank_changes",
    ):
        digest.update(repr([tuple(row) for row in ctx.control.read(statement)]).encode())
    digest.update(f"{ctx.today} {ctx.is_dry_run}".encode())
    return digest.hexdigest()


def catalog_of_repository() -> Catalog:
    """Verify the models against the declared tables, without a warehouse."""
    return open_catalog(sql_folder(), declared_tables())


# What rec reads of the control store beside all that map and post stand on, and close beside that.
_HELD = (
    "SELECT count(*), max(hold_id), max(until) FROM holds",
    "SELECT count(*), max(rejected_id), max(until) FROM rejected",
)
_DECIDED = (
    "SELECT count(*), max(break_id), max(until), max(accepted_at), max(comment) FROM breaks",
    "SELECT count(*), max(updated_at) FROM closes",
)
STOPS = TableRef("close", "breaks")


def build_comparison(ctx: Context) -> Counts:
    """Build schema rec, unless nothing it stands on has changed since it was built last."""
    return _build(ctx, "rec", name=COMPARED, mark=_mark_of(ctx, _HELD))


def build_close(ctx: Context) -> Counts:
    """Build schema close on rec and on the breaks as they stand now."""
    copy_control(ctx.warehouse, ctx.control)
    return _build(ctx, "close", name=CLOSED, mark=_mark_of(ctx, (*_HELD, *_DECIDED)))


def build_stops(ctx: Context) -> Counts:
    """Build what stops a close once more when breaks were noted from it, so that it shows their age and acceptance."""
    mark = _mark_of(ctx, (*_HELD, *_DECIDED))
    if _mark(ctx, CLOSED) != mark:
        copy_control(ctx.warehouse, ctx.control)
        build(ctx.warehouse, open_models(ctx).models, only={STOPS}, report=ctx.report)
        _keep_mark(ctx, CLOSED, mark)
    return Counts()


def _mark_of(ctx: Context, statements: Sequence[str]) -> str:
    read = [tuple(row) for statement in statements for row in ctx.control.read(statement)]
    return hashlib.sha256(f"{content_mark(ctx)} {read}".encode()).hexdigest()


def _build(ctx: Context, schema: str, *, name: str, mark: str) -> Counts:
    if _mark(ctx, name) == mark:
        return Counts()
    copy_cursors(ctx.warehouse, ctx.control)
    build(ctx.warehouse, open_models(ctx).models, schemas=(schema,), report=ctx.report)
    _keep_mark(ctx, name, mark)
    return Counts()
