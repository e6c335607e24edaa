"""What ``springline models`` shows: plain records first, drawn for a terminal second."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from pipelines.core.errors import UsageError
from pipelines.core.table_ref import TableRef
from pipelines.models.external import SCHEMAS as EXTERNAL_SCHEMAS
from pipelines.models.lineage import LineageLine, lineage_lines, sources
from pipelines.models.model import Catalog

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

LAYERS = {
    "map": "what was landed, cleaned and joined, still in the VMS's terms",
    "post": "vouchers and master data in the ledger's terms, and the verdicts on them",
    "rec": "both sides beside each other, with the difference and its reason",
    "close": "what the period end needs",
}


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """One line of the list of models."""

    name: str
    layer: str
    row_meaning: str
    grain: tuple[str, ...]
    reads: tuple[str, ...]
    read_by: tuple[str, ...]
    column_count: int
    path: str


@dataclass(frozen=True, slots=True)
class ColumnLine:
    """One column of a model; ``sources`` are the columns that no model writes and its value comes from in the end."""

    name: str
    type: str
    description: str
    expression: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModelPage:
    """All there is to say about one model."""

    summary: ModelSummary
    description: str
    keep: str
    columns: tuple[ColumnLine, ...]


def show(
    catalog: Catalog,
    console: Console,
    *,
    name: str | None = None,
    lineage: str | None = None,
    dialect: str | None = None,
) -> None:
    """Print the list of models, or one of them: its columns, the lineage of one column, or its SQL for another engine.

    UsageError for a model, column or dialect that there is not.
    """
    if name is None:
        if lineage or dialect:
            raise UsageError("--lineage and --dialect are about one model.", next_step="name it: post.voucher_lines.")
        console.print(draw_summaries(summaries(catalog)))
    elif lineage:
        console.print(draw_lineage(lineage_lines(catalog, name, lineage)))
    elif dialect:
        # sqlglot takes a third of a second to import; only this has a use for it.
        from pipelines.models.dialect import target_named, transpile  # noqa: PLC0415

        written = transpile(catalog.model(name).sql, target_named(dialect))
        console.print(Syntax(written, "sql", background_color="default", word_wrap=True))
    else:
        console.print(draw_page(page(catalog, name)))


def summaries(catalog: Catalog) -> tuple[ModelSummary, ...]:
    """Return all models in the order in which they are built."""
    return tuple(_summary(catalog, model.ref) for model in catalog.models)


def page(catalog: Catalog, name: TableRef | str) -> ModelPage:
    """Return one model; UsageError when there is none of that name."""
    model = catalog.model(name)
    origins = sources(catalog, model.ref, schemas=EXTERNAL_SCHEMAS)
    columns = tuple(
        ColumnLine(c.name, c.type, c.description, c.expression, tuple(str(origin) for origin in origins[c.name]))
        for c in model.columns
    )
    return ModelPage(_summary(catalog, model.ref), model.description, model.keep, columns)


def draw_summaries(listed: Iterable[ModelSummary]) -> RenderableType:
    """Draw the list of models, one table a layer."""
    lines = list(listed)
    drawn: list[RenderableType] = []
    for layer in dict.fromkeys(line.layer for line in lines):
        table = Table(box=box.SIMPLE_HEAD, title=f"{layer}: {LAYERS.get(layer, '')}", title_justify="left")
        for heading in ("model", "one row is", "grain", "reads"):
            table.add_column(heading, overflow="fold")
        for line in lines:
            if line.layer == layer:
                table.add_row(line.name, line.row_meaning, ", ".join(line.grain), "\n".join(line.reads))
        drawn.append(table)
    return Group(*drawn)


def draw_page(shown: ModelPage) -> RenderableType:
    """Draw one model with its columns."""
    summary = shown.summary
    facts = Table.grid(padding=(0, 2))
    for label, value in (
        ("file", summary.path),
        ("grain", ", ".join(summary.grain)),
        ("keeps", shown.keep),
        ("reads", ", ".join(summary.reads)),
        ("read by", ", ".join(summary.read_by)),
    ):
        if value:
            facts.add_row(Text(label, style="dim"), Text(value))
    columns = Table(box=box.SIMPLE_HEAD)
    for heading in ("column", "type", "what it is", "comes from"):
        columns.add_column(heading, overflow="fold")
    for column in shown.columns:
        origin = "\n".join(column.sources) or column.expression
        columns.add_row(Text(column.name), Text(column.type), Text(column.description), Text(origin))
    title = Text(summary.name, style="bold")
    return Group(title, Text(shown.description), Text(), facts, columns)


def draw_lineage(lines: Iterable[LineageLine]) -> RenderableType:
    """Draw a lineage as a tree."""
    branches: list[Tree] = []
    for line in lines:
        label = Text(line.column)
        label.append(f"  {line.type}", style="dim")
        if line.expression:
            label.append(f"  = {line.expression}", style="cyan")
        if line.is_repeated:
            label.append("  (as above)", style="dim")
        del branches[line.depth :]
        branches.append(branches[-1].add(label) if branches else Tree(label))
    return branches[0] if branches else Text()


def _summary(catalog: Catalog, ref: TableRef) -> ModelSummary:
    model = catalog.by_ref[ref]
    return ModelSummary(
        name=str(ref),
        layer=ref.schema,
        row_meaning=model.row_meaning,
        grain=model.grain,
        reads=tuple(str(read) for read in model.reads),
        read_by=tuple(str(other.ref) for other in catalog.models if ref in other.reads),
        column_count=len(model.columns),
        path=model.path,
    )
