"""Steps that publish what analysts and accountants read; a step whose product is up to date writes nothing."""

# ruff: noqa: S608 - statements are made of our own names, never of data

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import structlog

from pipelines import __version__, publish
from pipelines.checks.steps import load_rules
from pipelines.core.access import admit, group_number, open_folder
from pipelines.core.errors import ModelError
from pipelines.core.resources import sql_folder
from pipelines.core.table_ref import TableRef
from pipelines.models.steps import open_models
from pipelines.publish.edition.contents import (
    DATABASE,
    PACKS,
    REPORT,
    TABLES,
    VIEWS,
    WORKBOOK,
    Edition,
    TableText,
    first_line,
    is_published,
)
from pipelines.publish.edition.database import write_database
from pipelines.publish.edition.known import read_known
from pipelines.publish.edition.lake import write_readers
from pipelines.publish.edition.swap import KEPT, put_file, put_folder, stage
from pipelines.publish.edition.tables import write_tables
from pipelines.publish.facts import close_words, part_holds, share_names
from pipelines.publish.workbook.sheet import Kind, Sheet, SheetColumn
from pipelines.publish.workbook.sheets import SHEETS
from pipelines.step.context import Context
from pipelines.step.counts import Counts
from pipelines.stores.control_copy import copy_control
from pipelines.stores.control_schema import control_tables, made_tables
from pipelines.stores.lake.attach import READERS, attached, lake_of
from pipelines.stores.marks import mark_of
from pipelines.stores.memory import fit, room_beside, spill_beside
from pipelines.stores.sent_objects import SENT_TABLES
from pipelines.stores.unopened import unopened_step

if TYPE_CHECKING:
    from pipelines.core.settings import Settings
    from pipelines.publish.edition.contents import Texts

# After the steps, what the pack of a close is made with: the same sheets, and a folder put in place in one move.
__all__ = [
    "PACKS",
    "SHEETS",
    "Kind",
    "Sheet",
    "SheetColumn",
    "close_words",
    "first_line",
    "open_published",
    "publish_database",
    "publish_report",
    "publish_tables",
    "publish_workbook",
    "published_texts",
    "put_folder",
    "stage",
    "write_sheets",
]

log = structlog.get_logger(__name__)

# What of the control store is new, apart from batches, their steps and requests, which every run has.
_MOVES = (
    "built models",
    "outbox_events",
    "decisions",
    "break_decisions",
    "close_events",
    "rejected",
    "ignored",
    "bank_changes",
    "holds",
    "open holds",
    "breaks",
    "open breaks",
)
# The lake of the readers is no file; its mark begins as those of the other products.
_LAKE = "published.lake"
# How the names of files end that say what is published.
_CODE = frozenset({".py", ".toml", ".html", ".css"})


def publish_database(ctx: Context) -> Counts:
    """Write published/springline.duckdb."""

    def write(folder: Path) -> object:
        # Decisions and holds of this batch must be in what is published of it.
        copy_control(ctx.warehouse, ctx.control)
        return write_database(ctx.warehouse, ctx.control, folder, texts=published_texts(ctx), edition=_edition(ctx))

    return _publish(ctx, DATABASE, write)


def publish_tables(ctx: Context) -> Counts:
    """Write the published tables as Parquet, those that changed; where there is a lake, into that of the readers."""
    if lake_of(ctx.settings) is not None:
        return _publish_lake(ctx)

    def write(folder: Path) -> object:
        known = read_known(ctx.warehouse, folder / DATABASE, today=ctx.today)
        return _from_published(ctx, partial(write_tables, known=known.sums))

    return _publish(ctx, TABLES, write)


def _publish_lake(ctx: Context) -> Counts:
    """Bring the readers' lake to what the published file holds."""
    mark = _fingerprint(ctx)
    if ctx.control.mark(_LAKE) == mark:
        return Counts()
    with attached(ctx.warehouse, ctx.settings, name=READERS):
        write_readers(
            ctx.warehouse, ctx.settings.published / DATABASE, texts=published_texts(ctx), batch_id=ctx.batch_id
        )
    ctx.control.keep_mark(_LAKE, mark)
    log.info("published", product="lake")
    return Counts()


def publish_report(ctx: Context) -> Counts:
    """Write the report: one page on what both sides have, what is held, and what to do."""

    def write(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
        from pipelines.publish.report.report import write_report  # noqa: PLC0415 an idle run has no use for it

        with stage(folder) as aside:
            write_report(connection, aside / REPORT, today=ctx.today, rules=load_rules().rules.values())
            put_file(aside / REPORT, folder / REPORT)

    return _publish(ctx, REPORT, lambda _folder: _from_published(ctx, write))


def publish_workbook(ctx: Context) -> Counts:
    """Write the workbook: a sheet for each question of an accountant."""

    def write(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
        from pipelines.publish.workbook.workbook import write_workbook  # noqa: PLC0415 ditto

        with stage(folder) as aside:
            write_workbook(connection, aside / WORKBOOK, today=ctx.today)
            put_file(aside / WORKBOOK, folder / WORKBOOK)

    return _publish(ctx, WORKBOOK, lambda _folder: _from_published(ctx, write))


def write_sheets(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    sheets: Sequence[Sheet],
    *,
    title: str,
    day: date,
    parameters: Mapping[str, object],
    standing: str = "",
) -> None:
    """Write a workbook of some sheets, their charts and a first sheet, which says ``standing`` too.

    ``parameters`` are those of the sheets' queries.
    """
    from pipelines.publish.workbook import workbook  # noqa: PLC0415 ditto

    share_names(connection)
    part_holds(connection)
    workbook.write_sheets(connection, path, sheets, title=title, day=day, parameters=parameters, standing=standing)


def open_published(settings: Settings) -> bool:
    """Make the published folder, or let its readers in: this user alone, or the group of `published_group` too.

    What lies in it follows when the folder itself was open to others; returns whether it was. Raises OSError where
    something in it is somebody else's.
    """
    folder = settings.published
    if not open_folder(folder, group=group_number(settings.published_group)):
        return False
    for name in (DATABASE, TABLES, REPORT, WORKBOOK, PACKS, KEPT):
        if (folder / name).exists():
            admit(folder / name, into=folder)
    return True


def _publish(ctx: Context, product: str, write: Callable[[Path], object]) -> Counts:
    """Make one product, unless it exists and nothing of what it is made of has changed."""
    folder = ctx.settings.published
    name = f"published.{product}"
    mark = _fingerprint(ctx)
    # Both: a product that somebody removed comes back with the next run.
    if (folder / product).exists() and ctx.control.mark(name) == mark:
        return Counts()
    open_published(ctx.settings)
    write(folder)
    # Kept last: a run that is killed before has published nothing, or makes the same once more.
    ctx.control.keep_mark(name, mark)
    log.info("published", product=product)
    return Counts()


def _fingerprint(ctx: Context) -> str:
    """Hash all that the products follow from: this program, the models as built, and what was sent and decided."""
    code = (path for path in Path(publish.__file__).parent.rglob("*") if path.suffix in _CODE)
    return mark_of(
        __version__,
        str(ctx.settings.published.resolve()),
        files=[
            *code,
            *(sql_folder() / "questions" / name for name in ("facts.sql", "report.sql")),
            *(sql_folder() / VIEWS).glob("*.sql"),
        ],
        control=ctx.control,
        moves=_MOVES,
    )


def published_texts(ctx: Context) -> Texts:
    """Return the comments of every table and column that may be published."""
    # What describes them imports pyarrow and the contracts; a run that publishes nothing has no use for it.
    from pipelines.publish.descriptions import column_meaning  # noqa: PLC0415

    catalog = open_models(ctx)
    models = {
        model.ref: TableText(
            model.description,
            {column.name: column_meaning(catalog, model.ref, column.name) for column in model.columns},
            {column.name: column.type for column in model.columns},
            model.sql if model.ref.schema == VIEWS else "",
        )
        for model in catalog.models
        if is_published(model.ref, [column.name for column in model.columns])
    }
    control = {**control_tables(), **{name: made_tables()[name] for name in SENT_TABLES}}
    return {**models, **{TableRef("ctl", name): TableText(table.about, table.words) for name, table in control.items()}}


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
    """Return when a side last gave new data, or said that there is none."""
    tables = ctx.warehouse.execute(
        "SELECT table_schema || '.' || table_name FROM information_schema.columns "
        f"WHERE table_schema = 'stg_{side}' AND column_name = 'fetched_at'"
    ).fetchall()
    times = [
        moment.replace(tzinfo=UTC)
        for (table,) in tables
        for (moment,) in ctx.warehouse.execute(f"SELECT max(fetched_at) FROM {table}").fetchall()
        # A table that was never filled says nothing.
        if moment is not None
    ]
    # A side that had nothing new was read all the same: its cursor has moved.
    moved = ctx.control.one("SELECT max(moved_at) FROM cursors WHERE source LIKE ?", (f"{side}.%",))
    return max([*times, *([datetime.fromisoformat(moved)] if moved else [])], default=None)


def _from_published(ctx: Context, write: Callable[[duckdb.DuckDBPyConnection, Path], object]) -> object:
    """Make a product from the published file, so that all products say the same."""
    folder, warehouse = ctx.settings.published, ctx.settings.warehouse_path
    place = folder / DATABASE
    try:
        # Read only: analysts may have the same file open.
        connection = duckdb.connect(str(place), read_only=True)
    except duckdb.Error as error:
        raise ModelError(
            f"{place} cannot be read: {error}", next_step=unopened_step(error, anew="the next run writes it anew")
        ) from error
    with closing(connection), room_beside(ctx.warehouse) as usable:
        # Not into the published folder, which has readers.
        fit(connection, spill=spill_beside(warehouse.with_name(f"{warehouse.name}.published")), usable=usable)
        return write(connection, folder)
