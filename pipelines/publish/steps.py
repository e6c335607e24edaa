"""Steps that publish what analysts and accountants read; one that finds nothing changed writes nothing."""

# ruff: noqa: S608 - statements are made of our own names, never of data

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import structlog

from pipelines import __version__, publish
from pipelines.checks.suites import load_rules
from pipelines.core.errors import ModelError
from pipelines.core.table_ref import TableRef
from pipelines.models.steps import open_models
from pipelines.publish.edition.contents import DATABASE, REPORT, TABLES, WORKBOOK, Edition, TableText, is_published
from pipelines.publish.edition.database import write_database
from pipelines.publish.edition.tables import write_tables
from pipelines.step.context import Context
from pipelines.step.counts import Counts
from pipelines.stores.control_copy import copy_control
from pipelines.stores.sent_objects import SENT_TABLES

if TYPE_CHECKING:
    from pipelines.publish.edition.contents import Texts

log = structlog.get_logger(__name__)

# What of the control store is new, apart from batches, their steps and requests, which every run has.
_MOVED = (
    "SELECT max(event_no) FROM outbox_events",
    "SELECT max(decision_no) FROM decisions",
    "SELECT max(decision_no) FROM break_decisions",
    "SELECT max(event_no) FROM close_events",
    "SELECT max(rejected_id), max(until) FROM rejected",
    "SELECT count(*), max(coalesce(until, since)) FROM ignored",
    "SELECT count(*), max(coalesce(decided_at, seen_at)) FROM bank_changes",
    "SELECT max(hold_id), max(until) FROM holds",
    "SELECT hold_id, message FROM holds WHERE until IS NULL ORDER BY 1",
    "SELECT max(break_id), max(until) FROM breaks",
    "SELECT break_id, message, next_step, figures_hash, accepted_by, accepted_at, accepted_hash, comment "
    "FROM breaks WHERE until IS NULL ORDER BY 1",
)
_BUILT = "SELECT name, value FROM meta WHERE name LIKE '%built_from' ORDER BY 1"


def publish_database(ctx: Context) -> Counts:
    """Write published/springline.duckdb."""

    def write(folder: Path) -> object:
        copy_control(ctx.warehouse, ctx.control)
        return write_database(ctx.warehouse, ctx.control, folder, texts=published_texts(ctx), edition=_edition(ctx))

    return _publish(ctx, DATABASE, write)


def publish_tables(ctx: Context) -> Counts:
    """Write the published tables as Parquet, those that changed."""
    return _publish(ctx, TABLES, lambda folder: _from_published(folder, write_tables))


def publish_report(ctx: Context) -> Counts:
    """Write the report: one page on what both sides have, what is held, and what to do."""

    def write(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
        from pipelines.publish.report.report import write_report  # noqa: PLC0415 an idle run has no use for it

        write_report(connection, folder / REPORT, today=ctx.today, rules=load_rules().rules.values())

    return _publish(ctx, REPORT, lambda folder: _from_published(folder, write))


def publish_workbook(ctx: Context) -> Counts:
    """Write the workbook: a sheet for each question of an accountant."""

    def write(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
        from pipelines.publish.workbook.workbook import write_workbook  # noqa: PLC0415 ditto

        write_workbook(connection, folder / WORKBOOK, today=ctx.today)

    return _publish(ctx, WORKBOOK, lambda folder: _from_published(folder, write))


def _publish(ctx: Context, product: str, write: Callable[[Path], object]) -> Counts:
    """Make one product, unless it is there and was made of what there is now."""
    folder = ctx.settings.published
    name = f"published.{product}"
    mark = _fingerprint(ctx)
    if (folder / product).exists() and ctx.control.mark(name) == mark:
        return Counts()
    write(folder)
    # Kept last: a run that is killed before has published nothing, or makes the same once more.
    ctx.control.keep_mark(name, mark)
    log.info("published", product=product)
    return Counts()


def _fingerprint(ctx: Context) -> str:
    """Hash all that the products follow from: this program, the models as built, and what was sent and decided."""
    digest = hashlib.sha256(f"{__version__}\0{ctx.settings.published.resolve()}".encode())
    code = Path(publish.__file__).parent
    # What the code makes of the same rows changes with the code; without a mark of it, a release would change nothing.
    for path in sorted(path for path in code.rglob("*") if path.suffix in {".py", ".html", ".css"}):
        digest.update(path.read_bytes())
    for statement in (_BUILT, *_MOVED):
        digest.update(repr([tuple(row) for row in ctx.control.read(statement)]).encode())
    return digest.hexdigest()


def published_texts(ctx: Context) -> Texts:
    """Return what is said of every table and column that may be published."""
    # What describes them imports pyarrow and the contracts; a run that publishes nothing has no use for it.
    from pipelines.publish.descriptions import ABOUT_SENT, SENT, column_meaning, control_tables  # noqa: PLC0415

    catalog = open_models(ctx)
    models = {
        model.ref: TableText(
            model.description,
            {column.name: column_meaning(catalog, model.ref, column.name) for column in model.columns},
            {column.name: column.type for column in model.columns},
        )
        for model in catalog.models
        if is_published(model.ref.schema, [column.name for column in model.columns])
    }
    control = {TableRef("ctl", name): TableText(table.about, table.columns) for name, table in control_tables().items()}
    sent = {TableRef("ctl", name): TableText(ABOUT_SENT[name], SENT) for name in SENT_TABLES}
    return {**models, **control, **sent}


def _edition(ctx: Context) -> Edition:
    return Edition(
        published_at=ctx.now(),
        batch_id=ctx.batch_id,
        today=ctx.today,
        version=__version__,
        as_of_vms=_last_read(ctx, "vms"),
        as_of_ledger=_last_read(ctx, "ledger"),
    )


def _last_read(ctx: Context, side: str) -> datetime | None:
    """Return when a side last answered with something, or confirmed that there was nothing new."""
    tables = ctx.warehouse.execute(
        "SELECT table_schema || '.' || table_name FROM information_schema.columns "
        f"WHERE table_schema = 'stg_{side}' AND column_name = 'fetched_at'"
    ).fetchall()
    times = [
        moment.replace(tzinfo=UTC)
        for (table,) in tables
        for (moment,) in ctx.warehouse.execute(f"SELECT max(fetched_at) FROM {table}").fetchall()
        if moment is not None
    ]
    moved = ctx.control.one("SELECT max(moved_at) FROM cursors WHERE source LIKE ?", (f"{side}.%",))
    return max([*times, *([datetime.fromisoformat(moved)] if moved else [])], default=None)


def _from_published(folder: Path, write: Callable[[duckdb.DuckDBPyConnection, Path], object]) -> object:
    """Make a product from the published file, so that all products say the same."""
    place = folder / DATABASE
    try:
        connection = duckdb.connect(str(place), read_only=True)
    except duckdb.Error as error:
        raise ModelError(
            f"{place} cannot be read: {error}", next_step="remove it; the next run writes it anew."
        ) from error
    try:
        return write(connection, folder)
    finally:
        connection.close()
