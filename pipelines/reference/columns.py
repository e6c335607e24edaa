"""The page of all columns of the models: type, meaning, and the API members that a value comes from in the end."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.core.table_ref import ColumnRef
from pipelines.models.model import Catalog, Model
from pipelines.models.show import LAYERS
from pipelines.publish.descriptions import description
from pipelines.reference.markdown import code, page, table
from pipelines.reference.origins import told

INTRODUCTION = (
    "What each column of the [models](models.md) is, and what its value is computed from, through all models, back to "
    "the members of both APIs. Beside them stand the tables that are no system's: `seed` is data/seeds, the settings "
    "and the calendar, `ctl` the [control store](control-tables.md). A comment behind a column in the SQL is its "
    "description; a column that is passed on keeps the one it had. Amounts are decimals throughout."
)
HEADINGS = ("Column", "Type", "What it is", "Comes from")


def columns_page(catalog: Catalog) -> str:
    """Return docs/reference/columns.md."""
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
            told(catalog.origins[ColumnRef(model.ref, column.name)]),
        )
        for column in model.columns
    )
    yield table(HEADINGS, rows)
