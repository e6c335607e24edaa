"""The page of all SQL models: what one row is, which columns identify it, what a model reads and what reads it."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.core.table_ref import TableRef
from pipelines.models.model import Catalog, Model
from pipelines.models.show import LAYERS
from pipelines.reference.markdown import code, link, listed, page

INTRODUCTION = (
    "Every table that the SQL files of `sql/` make. Each schema is built from those before it. Generated from the "
    "files' headers; what each column is and where it comes from: [Columns](columns.md). `springline models NAME` "
    "shows one model, `--lineage COLUMN` the way a value takes."
)


def models_page(catalog: Catalog) -> str:
    """Return docs/reference/models.md."""
    return page("Models", INTRODUCTION, *_sections(catalog))


def _sections(catalog: Catalog) -> Iterator[str]:
    for layer, meaning in LAYERS.items():
        yield f"## {layer}"
        yield f"{meaning[:1].upper()}{meaning[1:]}."
        for model in sorted(catalog.models, key=lambda model: model.ref):
            if model.ref.schema == layer:
                yield from _model(catalog, model)


def _model(catalog: Catalog, model: Model) -> Iterator[str]:
    yield f"### {model.ref}"
    yield model.description
    facts = {
        "File": f"[{model.path}](../../{model.path})",
        "Identified by": ", ".join(map(code, model.grain)),
        "Keeps rows of before where": code(model.keep),
        "Built in parts by": code(model.divided),
        "Reads": ", ".join(_link(catalog, ref) for ref in model.reads),
        "Read by": ", ".join(_link(catalog, ref) for ref in catalog.readers(model.ref)),
        "Columns": link(str(model.ref), file="columns.md", label=str(len(model.columns))),
    }
    yield listed(f"{label}: {value}" for label, value in facts.items() if value)


def _link(catalog: Catalog, ref: TableRef) -> str:
    # What no model makes (staging, seed, ctl) is described on the page of staging tables.
    return link(str(ref)) if ref in catalog.by_ref else link(str(ref), file="staging.md")
