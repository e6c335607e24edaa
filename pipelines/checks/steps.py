"""The step that checks the open documents."""

from __future__ import annotations

from pipelines.checks.hold import ready_documents, update_holds
from pipelines.checks.run import run_checks
from pipelines.checks.suites import Rule, load_rules
from pipelines.step.context import Context
from pipelines.step.counts import Counts

__all__ = ["Rule", "check_documents", "load_rules", "ready_documents"]


def check_documents(ctx: Context) -> Counts:
    """Run the suites over the open documents and bring the holds up to date."""
    result = run_checks(ctx)
    ready = update_holds(ctx, result)
    return Counts(held=result.checked - len(ready))
