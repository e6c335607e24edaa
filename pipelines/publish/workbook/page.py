"""A page of the workbook whose table is written as it is read, row by row: a tenth of the time of cell by cell.

XlsxWriter keeps an object for each cell, and looks through each formula for three dozen functions. Its rows are few
here: what stands above a table. Those of the table are put behind them as they will stand in the file, texts within
their cells, as XlsxWriter itself writes them where memory is constant.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from xlsxwriter.utility import xl_col_to_name, xl_range
from xlsxwriter.worksheet import Worksheet
from xlsxwriter.xmlwriter import XMLwriter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

# Excel counts a page's height in pixels, and a file has it in points.
PIXELS_A_POINT, POINTS_A_PIXEL = 4 / 3, 0.75
# A text that begins or ends so loses it where nothing says that it counts.
_SPACE_OUTSIDE = re.compile(r"^\s|\s$")


class Page(Worksheet):  # type: ignore[misc]
    """A worksheet; ``add_rows`` puts the rows of its one table behind all others, once all else is on it."""

    def __init__(self) -> None:
        """Begin an empty page."""
        super().__init__()
        self._rows = ""

    def add_filled_table(self, first_row: int, last_row: int, last_column: int, options: Mapping[str, Any]) -> None:
        """Add a table from the first column on, whose rows below its heading come by ``add_rows``."""
        # With one row: XlsxWriter keeps every cell of a table in mind, and writes its formulas into each row.
        self.add_table(first_row, 0, first_row + 1, last_column, dict(options))
        self.table.pop(first_row + 1, None)
        whole = xl_range(first_row, 0, last_row, last_column)
        self.tables[-1] |= {"range": whole, "a_range": whole, "autofilter": whole}

    def add_rows(self, first: int, rows: Iterable[tuple[float, Sequence[str]]]) -> None:
        """Add rows from ``first`` on, counted from 0: of each its height in points and its cells (``text_cell``)."""
        letters: list[str] = []
        written = []
        for number, (height, cells) in enumerate(rows, first + 1):
            letters = letters or [xl_col_to_name(place) for place in range(len(cells))]
            points = int(height * PIXELS_A_POINT + 0.5) * POINTS_A_PIXEL
            # A cell says where it is: a program that only reads needs it.
            inside = "".join(
                [f'<c r="{letter}{number}"{cell}' for letter, cell in zip(letters, cells, strict=True)],
            )
            self._check_dimensions(number - 1, len(cells) - 1)
            written.append(f'<row r="{number}" ht="{points:.16g}" customHeight="1">{inside}</row>')
        self._rows = "".join(written)

    def _write_rows(self) -> None:
        super()._write_rows()
        self.fh.write(self._rows)


def text_cell(text: str, look: Any) -> str:  # noqa: ANN401 XlsxWriter ships no types
    """Return a cell with a text, without its beginning, which says where it stands.

    >>> from xlsxwriter.format import Format
    >>> text_cell("a < b ", Format(xf_indices={}))
    ' s="1" t="inlineStr"><is><t xml:space="preserve">a &lt; b </t></is></c>'
    """
    written = XMLwriter._escape_control_characters(text)  # noqa: SLF001 how Excel wants them is known there
    if "&" in written or "<" in written or ">" in written:
        written = written.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    space = ' xml:space="preserve"' if _SPACE_OUTSIDE.search(text) else ""
    return f'{_style(look)} t="inlineStr"><is><t{space}>{written}</t></is></c>'


def number_cell(value: float, look: Any) -> str:  # noqa: ANN401 ditto
    """Return a cell with a number, as ``text_cell`` does."""
    return f"{_style(look)}><v>{value:.16G}</v></c>"


def date_cell(value: date, look: Any) -> str:  # noqa: ANN401 ditto
    """Return a cell with a day or a moment, which Excel keeps as a number of days."""
    return number_cell(_DAYS._convert_date_time(value), look)  # noqa: SLF001 it knows that Excel has a day too many


def empty_cell(look: Any) -> str:  # noqa: ANN401 ditto
    """Return a cell with nothing but its look."""
    return f"{_style(look)}/>"


def formula_cell(formula: str, value: float) -> str:
    """Return a cell with a formula of no special look, and the value that it has now."""
    return f"><f>{formula}</f><v>{value:.16G}</v></c>"


def _style(look: Any) -> str:  # noqa: ANN401 ditto
    # A format gets its number when it is first used.
    return f' s="{look._get_xf_index()}"'  # noqa: SLF001 XlsxWriter has no other way to say it


_DAYS = Worksheet()
