"""Where a column's value comes from, through all models, down to the tables that were landed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from pipelines.core.table_ref import ColumnRef, TableRef
from pipelines.models.model import Catalog

STAGING = ("stg_vms", "stg_ledger")


@dataclass(frozen=True, slots=True)
class Lineage:
    """A column and the columns its value is computed from.

    ``expression`` is empty when the value is passed on, ``path`` and ``line`` when no model writes the column.
    """

    column: ColumnRef
    type: str
    description: str
    expression: str
    path: str
    line: int
    parents: tuple[Lineage, ...]

    def walk(self) -> Iterator[Lineage]:
        """Yield this column and all it comes from, each once."""
        seen: set[ColumnRef] = set()
        waiting = [self]
        while waiting:
            node = waiting.pop()
            if node.column not in seen:
                seen.add(node.column)
                yield node
                waiting.extend(reversed(node.parents))


def lineage(catalog: Catalog, table: TableRef | str, column: str) -> Lineage:
    """Return the lineage of one column; UsageError when there is no such model or column."""
    model = catalog.model(table)
    model.column(column)
    return _node(catalog, ColumnRef(model.ref, column), {})


def sources(
    catalog: Catalog, table: TableRef | str, *, schemas: Collection[str] = STAGING
) -> Mapping[str, tuple[ColumnRef, ...]]:
    """Return, for every column of a model, the landed columns it comes from in the end."""
    model = catalog.model(table)
    return {
        column.name: tuple(
            origin for origin in catalog.origins[ColumnRef(model.ref, column.name)] if origin.table.schema in schemas
        )
        for column in model.columns
    }


def _node(catalog: Catalog, ref: ColumnRef, known: dict[ColumnRef, Lineage]) -> Lineage:
    if ref not in known:
        model = catalog.by_ref.get(ref.table)
        if model is None:
            data_type = catalog.external[ref.table][ref.name]
            known[ref] = Lineage(ref, data_type, "", "", "", 0, ())
        else:
            column = model.column(ref.name)
            parents = tuple(_node(catalog, parent, known) for parent in column.parents)
            known[ref] = Lineage(
                ref, column.type, column.description, column.expression, model.path, column.line, parents
            )
    return known[ref]
