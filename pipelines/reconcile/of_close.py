"""Notes what stops the close of the periods that somebody closes, so that a person can accept it, figure by figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipelines.reconcile.record import Break
from pipelines.reconcile.update import update_breaks

if TYPE_CHECKING:
    from pipelines.step.context import Context

# What close.breaks finds by itself; all other kinds are noted where they are found.
CLOSE_KINDS = (
    "accrual not reversed",
    "reversal without accrual",
    "over-accrued",
    "under-accrued",
    "bunker adjustment too much",
    "bunker adjustment too little",
    "document held",
    "document unknown",
    "document rejected",
    "document waiting",
    "payment not transferred",
    "rate missing",
    "control account does not tie",
    "late posting",
)
# Their words say what was accepted better than an amount does.
_BY_WORDS = frozenset({"rate missing", "late posting"})

_FOUND = """
SELECT breaks.kind, breaks.subject, breaks.company_code, breaks.document_key, breaks.document_no, breaks.reason,
    breaks.next_step, breaks.amount, breaks.company_amount
FROM close.breaks AS breaks
INNER JOIN ctl.closes AS closes ON strftime(breaks.period_month, '%Y-%m') = closes.period
WHERE breaks.kind = ?
"""


def note_close_breaks(ctx: Context) -> None:
    """Open and close the breaks of periods that are drawn up or sealed.

    One that is accepted stays so while its amounts stand, a rate or a late posting while its words do.
    """
    if ctx.is_dry_run or not ctx.control.one("SELECT count(*) FROM closes"):
        return
    for kind in CLOSE_KINDS:
        update_breaks(ctx, kind, map(_break, _rows(ctx, kind)))


def _break(row: Mapping[str, Any]) -> Break:
    words = {"reason": row["reason"]} if row["kind"] in _BY_WORDS else {}
    return Break(
        row["kind"],
        row["subject"],
        row["reason"] or row["kind"],
        row["next_step"] or "look at it in the workbook of the close.",
        company=row["company_code"],
        document_key=row["document_key"],
        document_no=row["document_no"],
        figures={"amount": str(row["amount"]), "company_amount": str(row["company_amount"]), **words},
    )


def _rows(ctx: Context, kind: str) -> list[dict[str, Any]]:
    cursor = ctx.warehouse.execute(_FOUND, [kind])
    columns = [column[0] for column in cursor.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
