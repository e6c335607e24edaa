"""Steps that compare both sides: the tables of rec and close, and the breaks that follow from them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines.counts import Counts
from pipelines.models.build import build
from pipelines.models.table_ref import TableRef
from pipelines.post_steps import content_mark, open_models
from pipelines.reconcile.breaks import STANDING
from pipelines.reconcile.close_breaks import note_close_breaks
from pipelines.reconcile.comparison import note_compared_breaks
from pipelines.warehouse import copy_control, copy_cursors

if TYPE_CHECKING:
    from pipelines.context import Context

COMPARED, NOTED, CLOSED = "rec.built_from", "rec.noted_from", "close.built_from"
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


def note_breaks(ctx: Context) -> Counts:
    """Open a break for each difference that needs a person and close those that are gone, once after a comparison."""
    mark = _mark(ctx, COMPARED)
    if _mark(ctx, NOTED) != mark:
        note_compared_breaks(ctx)
        _keep_mark(ctx, NOTED, mark)
    return Counts()


def build_close(ctx: Context) -> Counts:
    """Build schema close on rec and on the breaks as they stand now; count those that nobody has accepted.

    What stops the periods that somebody closes is noted, and shown with its age and acceptance at once.
    """
    copy_control(ctx.warehouse, ctx.control)
    _build(ctx, "close", name=CLOSED, mark=_mark_of(ctx, (*_HELD, *_DECIDED)))
    if note_close_breaks(ctx):
        copy_control(ctx.warehouse, ctx.control)
        build(ctx.warehouse, open_models(ctx).models, only={STOPS}, report=ctx.report)
        _keep_mark(ctx, CLOSED, _mark_of(ctx, (*_HELD, *_DECIDED)))
    return Counts(breaks=int(ctx.control.one(STANDING)))


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


def _mark(ctx: Context, name: str) -> str:
    return str(ctx.control.one("SELECT value FROM meta WHERE name = ?", (name,)))


def _keep_mark(ctx: Context, name: str, mark: str) -> None:
    with ctx.control.write() as connection:
        connection.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (name, mark))
