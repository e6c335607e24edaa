"""Cursors: how far each source has been read, kept in the control store and moved only after a landing is verified."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pipelines.control import utc_text

if TYPE_CHECKING:
    from pipelines.context import Context


def read_cursor(ctx: Context, source: str) -> str | None:
    """Return the value of a cursor, None before the first reading."""
    value = ctx.control.one("SELECT value FROM cursors WHERE source = ?", [source])
    return None if value is None else str(value)


def moved_at(ctx: Context, source: str) -> datetime | None:
    """Return when a cursor was last written (aware UTC), moved or confirmed."""
    value = ctx.control.one("SELECT moved_at FROM cursors WHERE source = ?", [source])
    return None if value is None else datetime.fromisoformat(str(value))


def move_cursor(ctx: Context, source: str, value: str, *, is_confirmed: bool = False) -> None:
    """Set a cursor; one that stands there already is written again only to confirm its time."""
    if not is_confirmed and read_cursor(ctx, source) == value:
        return
    with ctx.control.write() as connection:
        connection.execute(
            "INSERT INTO cursors (source, value, batch_id, moved_at) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (source) DO UPDATE SET value = excluded.value, batch_id = excluded.batch_id, "
            "moved_at = excluded.moved_at",
            (source, value, ctx.batch_id, utc_text(ctx.now())),
        )


def move_to_newest(ctx: Context, source: str, newest: datetime | None) -> None:
    """Set a cursor of modification times (naive, in the other side's own zone) to the newest one seen; never back."""
    before = read_cursor(ctx, source)
    if newest is None or (before is not None and newest <= datetime.fromisoformat(before)):
        return
    move_cursor(ctx, source, newest.isoformat())
