"""Writes the reference page of all models: what one row is, columns, comments, and where each value comes from."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.models.model import Catalog
from pipelines.models.show import LAYERS, ModelPage, page

HEAD = """\
# Models

Every table that a SQL model writes, in the order in which they are built. Written from `sql/` by `make docs`; change
the files there. Types are DuckDB's; "comes from" names the columns of staging, seeds and control tables that a value is
computed from, through all models.
"""


def models_page(catalog: Catalog) -> str:
    """Return the page as Markdown."""
    pages = (page(catalog, model.ref) for model in catalog.models)
    return "\n".join([HEAD, *_contents(catalog), *(line for shown in pages for line in _section(shown))])


def _contents(catalog: Catalog) -> Iterator[str]:
    for layer, meaning in LAYERS.items():
        models = [model for model in catalog.models if model.ref.schema == layer]
        if models:
            yield f"**{layer}**: {meaning}\n"
            yield from (f"- [{model.ref}](#{_anchor(str(model.ref))}): {model.row_meaning}" for model in models)
            yield ""


def _section(shown: ModelPage) -> Iterator[str]:
    summary = shown.summary
    yield f"## {summary.name}\n"
    yield f"{shown.description}\n"
    facts = (
        ("File", f"`{summary.path}`" + (" (a view)" if summary.shape == "view" else "")),
        ("Grain", ", ".join(f"`{name}`" for name in summary.grain)),
        ("Keeps", f"`{shown.keep}`" if shown.keep else ""),
        ("Reads", ", ".join(summary.reads)),
        ("Read by", ", ".join(summary.read_by)),
    )
    yield from (f"- {label}: {value}" for label, value in facts if value)
    yield "\n| Column | Type | What it is | Comes from |"
    yield "|---|---|---|---|"
    for column in shown.columns:
        cells = (f"`{column.name}`", column.type, column.description, ", ".join(column.sources))
        yield f"| {' | '.join(map(_cell, cells))} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _anchor(heading: str) -> str:
    return heading.replace(".", "")
