"""Steps by which what people decided takes effect."""

from __future__ import annotations

from pipelines.steering import bank_changes
from pipelines.step.context import Context
from pipelines.step.counts import Counts


def note_bank_changes(ctx: Context) -> Counts:
    """Put suppliers' changed bank accounts on record until a second person releases them."""
    return Counts(breaks=bank_changes.note_bank_changes(ctx).held)
