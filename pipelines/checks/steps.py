"""The step that checks the open documents."""

from __future__ import annotations

from pipelines.checks.followers import noted_followers
from pipelines.checks.hold import ready_documents, update_holds
from pipelines.checks.run import run_checks
from pipelines.step.context import Context
from pipelines.step.counts import Counts

__all__ = ["check_documents", "followers", "ready_documents"]


def check_documents(ctx: Context) -> Counts:
    """Run the suites over the open documents and bring the holds up to date."""
    result = run_checks(ctx)
    going = update_holds(ctx, result)
    return Counts(held=result.checked - len(going))


def followers(ctx: Context) -> frozenset[int]:
    """Return the keys of the documents that waited, when they were checked, only for others that were ready."""
    return noted_followers(ctx.warehouse)
