"""Steps that note what differs."""

from __future__ import annotations

from pipelines.core.identifiers import shown_code
from pipelines.reconcile.kinds import next_step
from pipelines.reconcile.of_close import note_close_breaks
from pipelines.reconcile.of_comparison import note_compared_breaks
from pipelines.reconcile.of_returns import note_actual_breaks, note_payment_breaks, note_rate_breaks
from pipelines.reconcile.update import STANDING, update_breaks
from pipelines.step.context import Context
from pipelines.step.counts import Counts
from pipelines.stores.breaks import Break
from pipelines.stores.marks import COMPARED, NOTED

__all__ = [
    "note_actual_breaks",
    "note_breaks",
    "note_master_breaks",
    "note_payment_breaks",
    "note_rate_breaks",
    "note_stops",
]

# Found before anything is sent (post.master_breaks), and once more by the look-up before a code is written.
NOT_UNIQUE = "code not unique"
RENAMED = {"supplier": "supplier renamed", "customer": "customer renamed"}


def note_master_breaks(ctx: Context) -> Counts:
    """Open a break for each code that is not unique, on either side, and for each partner renamed on one side only."""
    rows = ctx.warehouse.execute(
        "SELECT side, owner_code, code, found_in, row_count FROM post.master_breaks ORDER BY ALL"
    ).fetchall()
    breaks = [
        Break(
            NOT_UNIQUE,
            # The same subject as the delivery gives it (`<kind>:<owner>:<code>`), so that both mean one break.
            f"{'cost_centre' if side == 'vessel' else side}:{owner or where}:{code}",
            f"The {side} code {code} stands {count} times in the {where}; nothing was written.",
            next_step(NOT_UNIQUE, side=side, code=code, where=f"the {where}"),
            figures={"count": count},
        )
        for side, owner, code, where, count in rows
    ]
    renamed = ctx.warehouse.execute(
        "SELECT side, owner_code, ledger_code, code, description FROM post.renamed_partners ORDER BY ALL"
    ).fetchall()
    breaks += [
        Break(
            RENAMED[side],
            f"{owner or 'token'}:{ledger_code}",
            # An earlier release may have written it with characters that nobody sees.
            f"The {side} {shown_code(ledger_code)} of the ledger is {code} ({name}) in the VMS now: its invoices of "
            f"before stand under {shown_code(ledger_code)}, new ones under {code}.",
            next_step(RENAMED[side], ledger_code=shown_code(ledger_code), code=code),
            figures={"code": code},
        )
        for side, owner, ledger_code, code, name in renamed
    ]
    # A dry run writes nothing, and still counts what a run would open.
    return Counts(breaks=len(breaks) if ctx.is_dry_run else update_breaks(ctx, {NOT_UNIQUE, *RENAMED.values()}, breaks))


def note_breaks(ctx: Context) -> Counts:
    """Open a break for each difference that needs a person and close those that are gone, once after a comparison."""
    mark = ctx.control.mark(COMPARED)
    if mark is not None and mark != ctx.control.mark(NOTED):
        note_compared_breaks(ctx)
        # Kept after the breaks: a batch that is killed in between notes them once more, which changes nothing.
        ctx.control.keep_mark(NOTED, mark)
    return Counts()


def note_stops(ctx: Context) -> Counts:
    """Note what stops the periods that somebody closes; count all breaks that stand and that nobody has accepted."""
    note_close_breaks(ctx)
    return Counts(breaks=int(ctx.control.one(STANDING)))
