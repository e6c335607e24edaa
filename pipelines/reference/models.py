"""The page of all SQL models: what one row is, which columns identify it, what a model reads and what reads it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from pipelines.core.table_ref import TableRef
from pipelines.models.model import Catalog
from pipelines.models.show import LAYERS, ModelPage, ModelSummary, summaries
from pipelines.models.show import page as model_page
from pipelines.reference.markdown import code, link, listed, page

INTRODUCTION = (
    "Every table that the SQL files of `sql/` make. Each schema is built from those before it. Generated from the "
    "files' headers; what each column is and where it comes from: [Columns](columns.md). `springline models NAME` "
    "shows one model, `--lineage COLUMN` the way a value takes."
)


def models_page(catalog: Catalog) -> str:
    """Return docs/reference/models.md."""
    # groupby needs neighbours: models stand by layer first, in the order in which the layers are built.
    order = list(LAYERS)
    models = sorted(summaries(catalog), key=lambda summary: (order.index(summary.layer), summary.name))
    return page("Models", INTRODUCTION, *_sections(catalog, models))


def _sections(catalog: Catalog, models: Iterable[ModelSummary]) -> Iterator[str]:
    for layer, members in groupby(models, key=lambda summary: summary.layer):
        yield f"## {layer}"
        yield f"{LAYERS[layer][:1].upper()}{LAYERS[layer][1:]}."
        for summary in members:
            yield from _model(catalog, model_page(catalog, summary.name))


def _model(catalog: Catalog, model: ModelPage) -> Iterator[str]:
    summary = model.summary
    yield f"### {summary.name}"
    yield model.description
    facts = {
        "File": f"[{summary.path}](../../{summary.path})",
        "Identified by": ", ".join(map(code, summary.grain)),
        "Keeps rows of before where": code(model.keep),
        "Reads": ", ".join(_link(catalog, name) for name in summary.reads),
        "Read by": ", ".join(_link(catalog, name) for name in summary.read_by),
        "Columns": link(summary.name, file="columns.md", label=str(summary.column_count)),
    }
    yield listed(f"{label}: {value}" for label, value in facts.items() if value)


def _link(catalog: Catalog, name: str) -> str:
    return link(name) if TableRef.parse(name) in catalog.by_ref else link(name, file="staging.md")
