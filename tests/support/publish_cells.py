"""Finds a sheet's table, its totals and its lines in a workbook that openpyxl has read."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from openpyxl.utils import range_boundaries

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

TOTALS_ROW = 5
SHOWN = "Shown"


def table_of(sheet: Worksheet) -> tuple[int, int, int, int]:
    """Return the first column, header row, last column and last row of a sheet's only table, counted from 1."""
    [table] = sheet.tables.values()
    left, top, right, bottom = range_boundaries(table.ref)
    assert left
    assert top
    assert right
    assert bottom
    return left, top, right, bottom


def headings(sheet: Worksheet) -> list[str]:
    """Return the headings of a sheet's table, but the hidden one."""
    left, top, right, _ = table_of(sheet)
    found = [str(sheet.cell(top, place).value) for place in range(left, right + 1)]
    assert found.pop() == SHOWN
    return found


def rows_of(sheet: Worksheet) -> list[dict[str, Any]]:
    """Return the rows of a sheet's table by their headings."""
    left, top, _, bottom = table_of(sheet)
    names = headings(sheet)
    return [
        {name: sheet.cell(row, left + place).value for place, name in enumerate(names)}
        for row in range(top + 1, bottom + 1)
    ]


def total_rows(sheet: Worksheet) -> dict[str, int]:
    """Return the row of the totals of each currency."""
    _, top, _, _ = table_of(sheet)
    rows = range(TOTALS_ROW + 1, top)
    return {str(sheet.cell(row, 1).value): row for row in rows if sheet.cell(row, 1).value}


def totals(book: Workbook, tab: str, heading: str) -> dict[str, Decimal]:
    """Return the values of a column's totals by currency, to the ten-thousandth."""
    sheet = book[tab]
    if not sheet.tables:
        return {}
    place = headings(sheet).index(heading) + 1
    found = {currency: sheet.cell(row, place).value for currency, row in total_rows(sheet).items()}
    return {currency: number(value) for currency, value in found.items() if value is not None}


def without_zeros(totals: dict[str, Decimal]) -> dict[str, Decimal]:
    """Leave out currencies of which there is nothing, whether a row has them or not."""
    return {currency: total for currency, total in totals.items() if total}


def number(value: object) -> Decimal:
    """Return a cell's number as a decimal with four decimals."""
    assert isinstance(value, int | float), value
    return Decimal(repr(value)).quantize(Decimal("0.0001"))


def formulas(book: Workbook) -> dict[tuple[str, str], str]:
    """Return every formula by sheet and cell."""
    return {
        (sheet.title, cell.coordinate): str(cell.value)
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    }
