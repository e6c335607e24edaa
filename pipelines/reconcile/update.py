"""Brings the open breaks of some kinds up to date: what is found opens, what is gone closes."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from pipelines.stores.breaks import Break, close_breaks, open_breaks
from pipelines.stores.control import utc_text

if TYPE_CHECKING:
    from pipelines.step.context import Context

_OF_KINDS = " AND kind IN (SELECT listed.value FROM JSON_EACH(?) AS listed)"
_OPEN = "SELECT kind, subject FROM breaks WHERE until IS NULL"
# An acceptance is bound to the figures it was given for.
STANDING = (
    "SELECT count(*) FROM breaks WHERE until IS NULL AND (accepted_hash IS NULL OR accepted_hash <> figures_hash)"
)


def update_breaks(ctx: Context, kinds: Collection[str], found: Iterable[Break]) -> int:
    """Make the open breaks of these kinds just those found; return how many stand that nobody has accepted.

    One that is open already keeps its age. Nothing is written when nothing has changed. All in one transaction, so
    that a batch that is killed here has noted either all of it or nothing.
    """
    # A subject that is found twice is one break: the control store allows one open row of a kind and subject.
    breaks = {(item.kind, item.subject): item for item in found}
    listed = json.dumps(sorted(kinds))
    standing = {(str(row["kind"]), str(row["subject"])) for row in ctx.control.read(_OPEN + _OF_KINDS, (listed,))}
    # Where nothing is found and nothing stands, the write lock is not taken: most kinds of most batches end here.
    if breaks or standing:
        at = utc_text(ctx.now())
        with ctx.control.write() as connection:
            open_breaks(connection, breaks.values(), batch_id=ctx.batch_id, at=at)
            close_breaks(connection, sorted(standing - breaks.keys()), at=at)
    return int(ctx.control.one(STANDING + _OF_KINDS, (listed,)))
