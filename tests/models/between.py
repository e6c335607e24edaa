"""Which models stand between two others: what a case or a property builds to get from one to the other."""

from __future__ import annotations

from collections.abc import Collection

from pipelines.core.table_ref import TableRef
from pipelines.models.model import Model


def between(models: Collection[Model], *, first: Collection[TableRef], last: TableRef) -> tuple[Model, ...]:
    """Return, of models in order, the last one and those on a way to it from one of the first."""
    # Forward: what stands on one of the first. Backward: what the last one needs. Both together is the way between.
    reached = set(first)
    for model in models:
        if reached.intersection(model.reads):
            reached.add(model.ref)
    needed = {last}
    for model in reversed(list(models)):
        if model.ref in needed and model.ref in reached and model.ref not in first:
            needed.update(model.reads)
    return tuple(model for model in models if model.ref in needed and (model.ref in reached or model.ref == last))
