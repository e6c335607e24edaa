"""Puts models in an order in which each finds what it reads; names the models of a cycle."""

from __future__ import annotations

from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter

from pipelines.core.table_ref import TableRef
from pipelines.models.model import Model, ModelFault, refuse


def in_order(models: Iterable[Model]) -> tuple[Model, ...]:
    """Order models by what they read, by name where that leaves a choice; ModelError names a cycle."""
    # Sorted, so that the same files are built in the same order on every machine.
    by_ref = {model.ref: model for model in sorted(models, key=lambda model: model.ref)}
    sorter = TopologicalSorter({ref: [read for read in model.reads if read in by_ref] for ref, model in by_ref.items()})
    try:
        return tuple(by_ref[ref] for ref in sorter.static_order())
    except CycleError as error:
        cycle: list[TableRef] = error.args[1]
        # graphlib lists each table before the one that reads it; people follow the reading.
        path = " reads ".join(str(ref) for ref in reversed(cycle))
        refuse([ModelFault(by_ref[cycle[0]].path, 1, 1, f"models read each other in a circle: {path}.")])
