"""The step that checks the open documents."""

from __future__ import annotations

from pipelines.checks import frames
from pipelines.checks.followers import noted_followers
from pipelines.checks.hold import ready_documents, update_holds
from pipelines.checks.mapping import check_mapping, note_mapping
from pipelines.checks.messages import split_message
from pipelines.checks.run import run_checks
from pipelines.checks.suites import Rule, load_rules
from pipelines.core.settings import Settings
from pipelines.core.words import plural
from pipelines.step.context import Context
from pipelines.step.counts import Counts
from pipelines.stores.marks import keep_left_alone

__all__ = [
    "Rule",
    "check_documents",
    "check_mapping",
    "followers",
    "load_rules",
    "note_mapping",
    "ready_documents",
    "rules_off",
    "split_message",
]


def rules_off(settings: Settings) -> str:
    """Say which posting requirements the settings have switched off, without a full stop; nothing when none is."""
    rules = load_rules().rules
    titles = [f"{name} ({rules[name].title})" for name in rules if name in settings.posting.rules_off]
    return f"Switched off by the settings (posting.rules_off): {', '.join(titles)}" if titles else ""


def check_documents(ctx: Context) -> Counts:
    """Run the suites over the open documents and bring the holds up to date."""
    if off := rules_off(ctx.settings):
        ctx.tell(f"{off}.")
    _tell_left_alone(ctx)
    result = run_checks(ctx)
    going = update_holds(ctx, result)
    return Counts(held=result.checked - len(going))


def followers(ctx: Context) -> frozenset[int]:
    """Return the keys of the documents that waited, when they were checked, only for others that were ready."""
    return noted_followers(ctx.warehouse)


def _tell_left_alone(ctx: Context) -> None:
    """Say how many documents are left alone because of their company, and keep it for `status`."""
    left = frames.left_alone(ctx.warehouse)
    # A dry run leaves no trace in the control store.
    if not ctx.is_dry_run:
        keep_left_alone(ctx.control, left)
    if left:
        listed = ", ".join(f"{company} ({plural(count, 'document')})" for company, count in left.items())
        ctx.tell(f"Left alone, as companies_others in the settings says: {listed}.")
