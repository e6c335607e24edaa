"""Notes what stops the close of the periods that somebody closes, so that a person can accept it, figure by figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.reconcile.kinds import CLOSE, break_kinds, kinds_found_by
from pipelines.reconcile.update import update_breaks
from pipelines.stores.breaks import Break
from pipelines.stores.control import named_statements
from pipelines.stores.rows import Row, rows_of

if TYPE_CHECKING:
    from pipelines.step.context import Context


def note_close_breaks(ctx: Context) -> None:
    """Open and close the breaks of periods that are drawn up or sealed.

    One that is accepted stays so while its amounts stand, a rate or a late posting while its words do.
    """
    # Only periods that somebody closes are noted: of every other month the list would grow with each batch.
    if ctx.is_dry_run or not ctx.control.one("SELECT count(*) FROM closes"):
        return
    stops = rows_of(ctx.warehouse.execute(named_statements("reconcile", folder="steps")["stops"]))
    update_breaks(ctx, kinds_found_by(CLOSE), map(_break, stops))


def _break(row: Row) -> Break:
    kind = break_kinds()[row["kind"]]
    # Where an amount alone does not say what was accepted (which days lack a rate), the words are part of it.
    words = {"reason": row["reason"]} if "words" in kind.accepted_for else {}
    return Break(
        kind.kind,
        row["subject"],
        row["reason"] or kind.kind,
        row["next_step"] or kind.next_step,
        company=row["company_code"],
        document_key=row["document_key"],
        document_no=row["document_no"],
        period_month=row["period_month"],
        figures={"amount": str(row["amount"]), "company_amount": str(row["company_amount"]), **words},
    )
