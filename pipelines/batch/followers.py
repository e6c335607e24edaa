"""Sends, after the vouchers of a run, the reversals that waited for one of them (docs/mapping.md#1-6-7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.checks import steps as checks
from pipelines.extract import steps as extract
from pipelines.load import steps as load
from pipelines.models import steps as models
from pipelines.step.counts import Counts

if TYPE_CHECKING:
    from pipelines.step.context import Context

# A reversal of a reversal of a reversal; whatever is deeper goes with the next run.
ROUNDS = 3


def send_followers(ctx: Context) -> Counts:
    """Check again what waited only for vouchers of this run, send what may go now, and acknowledge it.

    A run in which nothing waited does nothing here. What could not go, since what it reverses did not, counts as held.
    """
    waiting = set(checks.followers(ctx))
    counts = Counts()
    for _ in range(ROUNDS if waiting else 0):
        models.build_vouchers(ctx)
        checks.check_documents(ctx)
        # Not those that failed before: they are tried again by the next run, and once in each.
        due = waiting & checks.ready_documents(ctx)
        if not due:
            break
        counts += load.send_vouchers(ctx, ready_documents=checks.ready_documents, among=due)
        # Only now, when what they reverse was acknowledged before.
        counts += load.acknowledge(ctx) + extract.note_acknowledged(ctx)
        waiting -= due
    return counts + Counts(held=len(waiting))
