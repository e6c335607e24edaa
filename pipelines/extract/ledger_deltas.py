"""The ledger's deltas: which rows have changed since the last run; the ledger keeps them for 3 days."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from pipelines.core.errors import Refused
from pipelines.extract.cursors import move_cursor, moved_at, read_cursor

if TYPE_CHECKING:
    from pipelines.step.context import Context
    from pipelines.wire.ledger import Changes

# docs/systems/ledger.md#1-9: kept for 3 days; an hour less, for clocks that differ and for the time the reading takes.
KEPT = timedelta(days=3) - timedelta(hours=1)
# The position before any delta: the ledger had none when it was asked.
START = ""

_log = structlog.get_logger(__name__)


def changes_since_last_run(ctx: Context, connections: Collection[str]) -> Mapping[str, Changes] | None:
    """Return what the deltas say has changed since the last run, None when they cannot say all of it.

    They cannot on the first run, after more than three days, and where the token has no right to them; then the books
    must be read whole.
    """
    # One connection without a usable cursor is enough: the books are then read whole, all together.
    cursors = {name: read_cursor(ctx, _source(name)) for name in connections}
    for name, cursor in cursors.items():
        confirmed_at = moved_at(ctx, _source(name))
        if cursor is None or confirmed_at is None or ctx.now() - confirmed_at > KEPT:
            return None
    try:
        return ctx.ledger.changes({name: cursor or None for name, cursor in cursors.items()})
    # A token without this right is no error: the books can be read whole, with more requests.
    except Refused as refusal:
        _log.warning("deltas_refused", connections=sorted(connections), error=str(refusal))
        return None


def newest_cursors(ctx: Context, connections: Collection[str]) -> dict[str, str]:
    """Return where the deltas end now; asked before the books are read whole, so that no change is missed."""
    try:
        newest = ctx.ledger.newest_changes(list(connections))
    except Refused as refusal:
        _log.warning("deltas_refused", connections=sorted(connections), error=str(refusal))
        return {}
    return {name: cursor or START for name, cursor in newest.items()}


def confirm_cursors(ctx: Context, cursors: Mapping[str, str | None]) -> None:
    """Note that everything up to these cursors has landed, also when they have not moved, because their age counts."""
    for name, cursor in cursors.items():
        move_cursor(ctx, _source(name), cursor or START, is_confirmed=True)


def _source(connection: str) -> str:
    return f"ledger.{connection}"
