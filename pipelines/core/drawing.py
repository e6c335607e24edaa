"""Draws rows as a table for a terminal: one look, whatever command shows it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.markup import escape
from rich.table import Table


def draw_table(headings: Iterable[str], rows: Iterable[Sequence[object]], *, title: str | None = None) -> Table:
    """Draw rows under headings; None is an empty cell."""
    table = Table(*headings, title=title and escape(title), title_justify="left")
    for row in rows:
        # Texts come from both systems: a bracket in a name must not be read as markup.
        table.add_row(*("" if cell is None else escape(str(cell)) for cell in row))
    return table
