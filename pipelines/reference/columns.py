"""The page of all columns of the models: type, meaning, and the API members that a value comes from in the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipelines.core.table_ref import ColumnRef
from pipelines.models.model import Catalog, Model
from pipelines.models.show import LAYERS
from pipelines.publish.descriptions import description, origins
from pipelines.reference.markdown import code, page, table

INTRODUCTION = (
    "What each column of the [models](models.md) is, and what its value is computed from: through all models, back to "
    "the members of both APIs, and to tables of Springline's own. `seed` is data/seeds, the settings and the calendar, "
    "`ctl` the [control store](control-tables.md). A comment behind a column in the SQL is its description; a column "
    "that is passed on keeps the description it had. Amounts are decimals throughout."
)
HEADINGS = ("Column", "Type", "What it is", "Comes from")


def columns_page(catalog: Catalog) -> str:
    """Return docs/reference/columns.md."""
    # In the order in which the layers are built, so that a reader finds what a column comes from above it.
    order = list(LAYERS)
    models = sorted(catalog.models, key=lambda model: (order.index(model.ref.schema), model.ref.name))
    return page("Columns", INTRODUCTION, *(block for model in models for block in _model(catalog, model)))


def _model(catalog: Catalog, model: Model) -> Iterator[str]:
    yield f"## {model.ref}"
    yield f"{model.row_meaning}."
    rows = (
        (
            code(column.name),
            column.type,
            description(catalog, ColumnRef(model.ref, column.name)),
            _origins_text(catalog.origins[ColumnRef(model.ref, column.name)]),
        )
        for column in model.columns
    )
    yield table(HEADINGS, rows)


def _origins_text(columns: Iterable[ColumnRef]) -> str:
    """Write where columns come from: API members by object, columns of seed and ctl by table, one source a line."""
    # A column of staging has a member behind it; one of seed or ctl is made by us, and is named itself.
    groups: dict[str, list[str]] = {}
    for column in columns:
        origin = origins().get(column)
        if origin:
            groups.setdefault(f"{origin.side} {code(origin.entity)}", []).append(code(origin.path))
        else:
            groups.setdefault(code(str(column.table)), []).append(code(column.name))
    return "\n".join(f"{source}: {', '.join(dict.fromkeys(names))}" for source, names in sorted(groups.items()))
