"""Cursors: how far each source has been read, kept in the control store and moved only after a landing is verified."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipelines.core.literals import literal
from pipelines.stores.control import named_statements, utc_text

if TYPE_CHECKING:
    from pipelines.step.context import Context


def read_cursor(ctx: Context, source: str) -> str | None:
    """Return the value of a cursor, None before the first reading."""
    value = ctx.control.one("SELECT value FROM cursors WHERE source = ?", [source])
    return None if value is None else str(value)


def moved_at(ctx: Context, source: str) -> datetime | None:
    """Return when a cursor was last written (aware UTC), moved or confirmed."""
    value = ctx.control.one("SELECT moved_at FROM cursors WHERE source = ?", [source])
    return None if value is None else datetime.fromisoformat(str(value))


def is_moved_in_batch(ctx: Context, source: str) -> bool:
    """Tell whether this batch has moved or confirmed a cursor already."""
    # No row where the source has never been read, which is a no as well.
    return bool(ctx.control.one("SELECT batch_id = ? FROM cursors WHERE source = ?", [ctx.batch_id, source]))


def is_whole(ctx: Context, source: str) -> bool:
    """Tell whether the warehouse has a source from beginning to end.

    This is noted in the warehouse itself, because cursors stand in the control store and outlive a warehouse.
    """
    # A warehouse that has just been made does not have the table yet.
    row = ctx.warehouse.execute(
        "SELECT 1 FROM duckdb_tables() WHERE schema_name = 'ctl' AND table_name = 'whole'"
    ).fetchone()
    known = ctx.warehouse.execute("SELECT source FROM ctl.whole").fetchall() if row else []
    return (source,) in known


def note_whole(ctx: Context, source: str) -> None:
    """Note in the warehouse that it has a source from beginning to end."""
    if is_whole(ctx, source):
        return
    ctx.warehouse.execute("CREATE SCHEMA IF NOT EXISTS ctl; CREATE TABLE IF NOT EXISTS ctl.whole (source VARCHAR)")
    ctx.warehouse.execute(f"INSERT INTO ctl.whole VALUES ({literal(source)})")  # noqa: S608 written by `literal`


def move_cursor(ctx: Context, source: str, value: str, *, is_confirmed: bool = False) -> None:
    """Set a cursor; one that has this value already is written again only to confirm its time."""
    if not is_confirmed and read_cursor(ctx, source) == value:
        return
    with ctx.control.write() as connection:
        connection.execute(
            named_statements("extract")["move_cursor"],
            {"source": source, "value": value, "batch_id": ctx.batch_id, "at": utc_text(ctx.now())},
        )


def move_to_newest(ctx: Context, source: str, newest: datetime | None) -> None:
    """Set a cursor of modification times (naive, in the other side's own zone) to the newest one seen; never back."""
    before = read_cursor(ctx, source)
    # Never back: an older page that comes late must not make us read everything since again.
    if newest is None or (before is not None and newest <= datetime.fromisoformat(before)):
        return
    move_cursor(ctx, source, newest.isoformat())


def changes_since(ctx: Context, source: str, *, overlap: timedelta) -> datetime | None:
    """Return the time from which on changes are to be read, None before the first reading.

    While the overlap lasts a change may still come with a time before the newest one seen. Once everything since then
    has been read again after the overlap, none can come, and the newest objects need not be read again every time.
    """
    newest = read_cursor(ctx, source)
    if newest is None:
        return None
    is_over = read_cursor(ctx, f"{source}.settled") == newest
    return datetime.fromisoformat(newest) - (timedelta(0) if is_over else overlap)


def note_changes_read(
    ctx: Context, source: str, newest: datetime | None, *, began: datetime, overlap: timedelta
) -> None:
    """Note that all since ``changes_since`` has landed, by a reading that began then; ``newest`` is the newest seen."""
    # Taken before the cursor moves: they are what the reading that has just landed began from.
    before, moved = read_cursor(ctx, source), moved_at(ctx, source)
    move_to_newest(ctx, source, newest)
    # Nothing newer came, and the overlap was over before this reading began: no change of then can still come.
    if before is not None and moved is not None and began - moved > overlap and read_cursor(ctx, source) == before:
        move_cursor(ctx, f"{source}.settled", before)
