"""Brings the open breaks of a kind up to date: what is found opens, what is gone closes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pipelines.reconcile.record import Break, close_breaks, open_breaks
from pipelines.stores.control import utc_text

if TYPE_CHECKING:
    from pipelines.step.context import Context

_OPEN = "SELECT subject FROM breaks WHERE kind = ? AND until IS NULL"
# An acceptance is bound to the figures it was given for.
STANDING = (
    "SELECT count(*) FROM breaks WHERE until IS NULL AND (accepted_hash IS NULL OR accepted_hash <> figures_hash)"
)


def update_breaks(ctx: Context, kind: str, found: Iterable[Break]) -> int:
    """Make the open breaks of a kind just those found; return how many stand that nobody has accepted.

    One that is open already keeps its age. Nothing is written when nothing has changed.
    """
    by_subject = {item.subject: item for item in found}
    standing = {str(row["subject"]) for row in ctx.control.read(_OPEN, (kind,))}
    if by_subject or standing:
        at = utc_text(ctx.now())
        with ctx.control.write() as connection:
            open_breaks(connection, by_subject.values(), batch_id=ctx.batch_id, at=at)
            close_breaks(connection, [(kind, subject) for subject in sorted(standing - by_subject.keys())], at=at)
    return int(ctx.control.one(f"{STANDING} AND kind = ?", (kind,)))
