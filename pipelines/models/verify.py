"""Verifies models before anything runs: every table and column is known, every statement binds, nothing is a DOUBLE."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter

from pipelines.core.table_ref import TableRef
from pipelines.models.model import Catalog, Columns, Model, ModelFault, refuse
from pipelines.models.prove import prove
from pipelines.models.resolve import ColumnResolver, Parents, add_table, mapping_schema


def verify(models: Iterable[Model], external: Mapping[TableRef, Columns]) -> Catalog:
    """Order models, verify every table and column they name, and learn the type and the parents of each column.

    ``external`` has the DuckDB type of every column of the tables that no model writes (stg_*, seed, ctl).
    ModelError lists all faults with file, line, column and what may have been meant.
    """
    ordered = in_order(models)
    faults = [
        ModelFault(model.path, 1, 1, f"{model.ref} is also a table that Python writes; rename the model.")
        for model in ordered
        if model.ref in external
    ]
    parents: dict[TableRef, Parents] = {}
    known: dict[TableRef, Columns] = dict(external)
    schema = mapping_schema(external)
    for model in ordered:
        resolver = ColumnResolver(model.path, model.sql, known, schema)
        parents[model.ref] = resolver.resolve()
        faults += resolver.faults
        known[model.ref] = {column.name: column.type for column in model.columns}
        add_table(schema, model.ref, known[model.ref])
        if model.keep:
            keep = ColumnResolver(model.path, model.keep_query, known, schema, line=model.keep_line)
            keep.resolve()
            faults += keep.faults
    # DuckDB stops at the first fault of a statement and names columns less well: it is asked only when ours finds none.
    if not faults:
        types, faults = prove(ordered, external)
        for model in ordered:
            kind = types.get(model.ref, {}).get(model.divided, "BIGINT")
            if kind not in {"BIGINT", "VARCHAR"}:
                message = f"the parts go by {model.divided}, which is {kind}; they go by a database id or a text."
                faults.append(ModelFault(model.path, 1, 1, message))
    if faults:
        refuse(faults)
    return Catalog(tuple(_known(model, types[model.ref], parents[model.ref]) for model in ordered), external)


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


def _known(model: Model, types: Columns, parents: Parents) -> Model:
    columns = (replace(c, type=types[c.name], parents=parents.get(c.name, ())) for c in model.columns)
    return replace(model, columns=tuple(columns))
