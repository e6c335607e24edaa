"""Notes what the comparison of both sides has found as breaks: they open, keep their age, and close when it is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.reconcile.kinds import COMPARISON, break_kinds, kinds_found_by
from pipelines.reconcile.update import update_breaks
from pipelines.stores.breaks import Break
from pipelines.stores.control import named_statements
from pipelines.stores.rows import Row, rows_of

if TYPE_CHECKING:
    from pipelines.step.context import Context


def note_compared_breaks(ctx: Context) -> None:
    """Make the open breaks that the comparison answers for just those that it has found."""
    found = rows_of(ctx.warehouse.execute(named_statements("reconcile", folder="steps")["compared"]))
    # A kind that the list does not have, because a state is new in SQL or because a later release dropped it, is the
    # comparison's as well: otherwise nobody would ever close such a break.
    opened = {row["kind"] for row in ctx.control.read("SELECT DISTINCT kind FROM breaks WHERE until IS NULL")}
    update_breaks(ctx, kinds_found_by(COMPARISON) | (opened - break_kinds().keys()), map(compared_break, found))


def compared_break(row: Row) -> Break:
    """Make a break of a row of rec.breaks."""
    return Break(
        row["kind"],
        row["subject"],
        row["message"],
        row["next_step"],
        company=row["company_code"],
        document_key=row["document_key"],
        document_no=row["document_no"],
        period_month=row["period_month"],
        figures={"figures": row["figures"]},
    )
