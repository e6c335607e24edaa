"""What ``springline models`` shows, drawn for a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from pipelines.core.errors import UsageError
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
    "analysis": "first views for analysts; they are views of the published file alone",
}


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
        console.print(draw_list(catalog))
    elif lineage:
        console.print(draw_lineage(lineage_lines(catalog, name, lineage)))
    elif dialect:
        # sqlglot takes a third of a second to import; only this has a use for it.
        from pipelines.models.dialect import script, target_named  # noqa: PLC0415

        written = script(catalog.model(name).sql, target_named(dialect))
        console.print(Syntax(written, "sql", background_color="default", word_wrap=True))
    else:
        console.print(draw_model(catalog, name))


def draw_list(catalog: Catalog) -> RenderableType:
    """Draw the list of models in the order in which they are built, one table a layer."""
    drawn: list[RenderableType] = []
    for layer in dict.fromkeys(model.ref.schema for model in catalog.models):
        table = Table(box=box.SIMPLE_HEAD, title=f"{layer}: {LAYERS.get(layer, '')}", title_justify="left")
        for heading in ("model", "one row is", "grain", "reads"):
            table.add_column(heading, overflow="fold")
        for model in catalog.models:
            if model.ref.schema == layer:
                reads = "\n".join(map(str, model.reads))
                table.add_row(str(model.ref), model.row_meaning, ", ".join(model.grain), reads)
        drawn.append(table)
    return Group(*drawn)


def draw_model(catalog: Catalog, name: str) -> RenderableType:
    """Draw one model with its columns, each with the columns that no model writes and its value comes from."""
    model = catalog.model(name)
    facts = Table.grid(padding=(0, 2))
    for label, value in (
        ("file", model.path),
        ("grain", ", ".join(model.grain)),
        ("keeps", model.keep),
        ("parts", model.divided),
        ("moves", model.moves),
        ("reads", ", ".join(map(str, model.reads))),
        ("read by", ", ".join(map(str, catalog.readers(model.ref)))),
    ):
        if value:
            facts.add_row(Text(label, style="dim"), Text(value))
    columns = Table(box=box.SIMPLE_HEAD)
    for heading in ("column", "type", "what it is", "comes from"):
        columns.add_column(heading, overflow="fold")
    origins = sources(catalog, model.ref, schemas=EXTERNAL_SCHEMAS)
    for column in model.columns:
        # What comes from no column at all (a constant, a count) is shown by its expression.
        origin = "\n".join(map(str, origins[column.name])) or column.expression
        columns.add_row(Text(column.name), Text(column.type), Text(column.description), Text(origin))
    return Group(Text(str(model.ref), style="bold"), Text(model.description), Text(), facts, columns)


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
        # Depth first: a line of this depth ends every branch that was deeper.
        del branches[line.depth :]
        branches.append(branches[-1].add(label) if branches else Tree(label))
    return branches[0] if branches else Text()
