"""Notes what the comparison of both sides has found as breaks: they open, keep their age, and close when it is gone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipelines.reconcile.record import Break
from pipelines.reconcile.update import update_breaks

if TYPE_CHECKING:
    from pipelines.step.context import Context

# Every kind that rec.breaks may have, and that no job notes itself: those without a row are over.
COMPARED_KINDS = (
    "document amount differs",
    "document fields differ",
    "document only in VMS",
    "document only in ledger",
    "voucher refused by ledger",
    "payment invoice unknown",
    "payment not yet in VMS",
    "payment over paid",
    "payment unmatched in ledger",
    "exchange rate only in ledger",
    "exchange rate kept otherwise",
    "supplier fields differ",
    "supplier only in VMS",
    "customer fields differ",
    "customer only in VMS",
    "voyage fields differ",
    "voyage only in VMS",
    "vessel fields differ",
    "vessel only in VMS",
    "control total differs",
    "control account differs",
)
_FOUND = """
SELECT kind, subject, company_code, document_key, document_no, message, next_step, figures
FROM rec.breaks ORDER BY kind, subject
"""


def note_compared_breaks(ctx: Context) -> None:
    """Make the open breaks of these kinds just those that the comparison has found."""
    found: dict[str, list[Break]] = {kind: [] for kind in COMPARED_KINDS}
    cursor = ctx.warehouse.execute(_FOUND)
    columns = [column[0] for column in cursor.description or ()]
    for row in cursor.fetchall():
        item = compared_break(dict(zip(columns, row, strict=True)))
        found.setdefault(item.kind, []).append(item)
    for kind, breaks in found.items():
        update_breaks(ctx, kind, breaks)


def compared_break(row: Mapping[str, Any]) -> Break:
    """Make a break of a row of rec.breaks."""
    return Break(
        row["kind"],
        row["subject"],
        row["message"],
        row["next_step"],
        company=row["company_code"],
        document_key=row["document_key"],
        document_no=row["document_no"],
        figures={"figures": row["figures"]},
    )
