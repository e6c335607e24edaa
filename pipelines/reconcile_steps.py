"""Steps that compare both sides: the tables of rec and close, and the breaks that follow from them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from pipelines.counts import Counts
from pipelines.models.build import build
from pipelines.post_steps import content_mark, open_models
from pipelines.reconcile.breaks import STANDING
from pipelines.warehouse import copy_control

if TYPE_CHECKING:
    from pipelines.context import Context

COMPARED, CLOSED = "rec.built_from", "close.built_from"
# What close reads of the control store beside all that rec stands on.
_DECIDED = "SELECT count(*), max(break_id), max(until), max(accepted_at), max(comment) FROM breaks"


def build_comparison(ctx: Context) -> Counts:
    """Build schema rec, unless nothing it stands on has changed since it was built last."""
    return _build(ctx, "rec", name=COMPARED, mark=content_mark(ctx))


def build_close(ctx: Context) -> Counts:
    """Build schema close on rec and on the breaks as they stand now; count those that nobody has accepted."""
    copy_control(ctx.warehouse, ctx.control)
    decided = [tuple(row) for row in ctx.control.read(_DECIDED)]
    mark = hashlib.sha256(f"{content_mark(ctx)} {decided}".encode()).hexdigest()
    _build(ctx, "close", name=CLOSED, mark=mark)
    return Counts(breaks=int(ctx.control.one(STANDING)))


def _build(ctx: Context, schema: str, *, name: str, mark: str) -> Counts:
    if ctx.control.one("SELECT value FROM meta WHERE name = ?", (name,)) == mark:
        return Counts()
    build(ctx.warehouse, open_models(ctx).models, schemas=(schema,), report=ctx.report)
    with ctx.control.write() as connection:
        connection.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (name, mark))
    return Counts()
