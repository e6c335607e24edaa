"""Draws rows as a table for a terminal: one look, whatever command shows it, and no code or figure cut in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.cells import cell_len
from rich.markup import escape
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.box import Box
    from rich.console import Console

# No text is narrower than this where it has more to say: words of one letter a line are not read.
_NARROWEST_TEXT = 16
# What is longer and stands in a text is an address or a path, which may be folded.
_LONGEST_CODE = 40


def draw_table(
    headings: Iterable[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str | None = None,
    look: Box | None = box.HEAVY_HEAD,
) -> Table:
    """Draw rows under headings; None is an empty cell.

    Only between words are cells folded: half a code, a day or a figure reads as another one. Where that does not fit
    the terminal the table is wider, and the terminal breaks its lines.
    """
    # Texts come from both systems: a bracket in a name must not be read as markup.
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    # Without lines between them two blanks tell columns apart.
    is_open = look in {None, box.SIMPLE}
    table = Table(title=title and escape(title), title_justify="left", box=look, pad_edge=not is_open)
    table.padding = (0, 2 if look is None else 1, 0, 0) if is_open else (0, 1)
    for place, heading in enumerate(headings):
        column = [row[place] for row in cells]
        is_amount = heading == "amount" or heading.endswith(" amount")
        table.add_column(heading, justify="right" if is_amount else "left", min_width=_narrowest(heading, column))
    for row in cells:
        table.add_row(*map(escape, row))
    return table


def _narrowest(heading: str, column: Sequence[str]) -> int:
    """Return how narrow a column may become: as its longest word, and a text not narrower than can be read."""
    longest_word = max((cell_len(word) for cell in (heading, *column) for word in cell.split()), default=0)
    widest = max(map(cell_len, column), default=0)
    is_text = any(" " in cell for cell in column)
    return max(min(longest_word, _LONGEST_CODE) if is_text else longest_word, min(widest, _NARROWEST_TEXT))


def say(console: Console, text: str, style: str = "") -> None:
    """Print a sentence as it is, folded between words: texts of both systems are never read as markup."""
    # The console's soft wrap leaves a line to the terminal, which breaks it in the middle of a code.
    console.print(Text(text, style=style), soft_wrap=False)


def indented(text: str, console: Console, *, by: int = 2) -> Text:
    """Fold a text between words, its later lines further in than its first."""
    inner = text.lstrip()
    first = by + len(text) - len(inner)
    lines = Text(inner).wrap(console, max(console.width - first - 2, 20))
    return Text("\n").join(
        Text(" " * (first if place == 0 else first + 2) + line.plain.rstrip()) for place, line in enumerate(lines)
    )
