"""Where a column's value comes from, through all models, down to the tables that were landed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pipelines.core.table_ref import ColumnRef, TableRef
from pipelines.models.model import Catalog, ModelColumn

STAGING = ("stg_vms", "stg_ledger")


@dataclass(frozen=True, slots=True)
class LineageLine:
    """One column of a lineage tree, ``depth`` steps back.

    ``expression`` is empty when the value is passed on. What comes before a column is listed once, where the column
    first stands; further down ``is_repeated`` says so.
    """

    depth: int
    column: str
    type: str
    description: str
    expression: str
    is_repeated: bool


def lineage_lines(catalog: Catalog, table: TableRef | str, column: str) -> tuple[LineageLine, ...]:
    """Return the lineage of a column, depth first; UsageError when there is no such model or column."""
    lines: list[LineageLine] = []
    seen: set[ColumnRef] = set()
    waiting = [(0, ColumnRef(catalog.model(table).ref, catalog.model(table).column(column).name))]
    while waiting:
        depth, ref = waiting.pop()
        found = _column(catalog, ref)
        is_repeated = ref in seen and bool(found.parents)
        seen.add(ref)
        lines.append(LineageLine(depth, str(ref), found.type, found.description, found.expression, is_repeated))
        if not is_repeated:
            # Reversed, because the last one in is the first one out: parents come in the order of their names.
            waiting.extend((depth + 1, parent) for parent in reversed(found.parents))
    return tuple(lines)


def sources(
    catalog: Catalog, table: TableRef | str, *, schemas: Collection[str] = STAGING, without: Collection[str] = ()
) -> Mapping[str, tuple[ColumnRef, ...]]:
    """Return, for every column of a model, the landed columns it comes from in the end.

    ``without`` names models through which no way counts.
    """
    model = catalog.model(table)
    return {
        column.name: tuple(
            sorted(
                end
                for end in _reached(catalog, ColumnRef(model.ref, column.name), without=without)
                if end.table.schema in schemas and end.table not in catalog.by_ref
            )
        )
        for column in model.columns
    }


def _reached(catalog: Catalog, column: ColumnRef, *, without: Collection[str]) -> set[ColumnRef]:
    reached: set[ColumnRef] = set()
    waiting = [column]
    while waiting:
        ref = waiting.pop()
        if ref not in reached and str(ref.table) not in without:
            reached.add(ref)
            waiting.extend(_column(catalog, ref).parents)
    return reached


def _column(catalog: Catalog, ref: ColumnRef) -> ModelColumn:
    model = catalog.by_ref.get(ref.table)
    if model is None:  # a table that no model writes: there the way ends
        return ModelColumn(ref.name, 0, type=catalog.external[ref.table][ref.name])
    return model.column(ref.name)
