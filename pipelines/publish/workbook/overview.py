"""The first sheet of the workbook: what to look at, how much it is, and the way there."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from pipelines.core.words import decimals
from pipelines.publish.workbook.book import ACCENT, FILL, LINE, QUIET, Book, Look, as_number
from pipelines.publish.workbook.page import Page
from pipelines.publish.workbook.table_sheet import SheetLayout, criterion

HEADINGS = ("Question", "Sheet", "Rows", "To look at", "Currency", "Amount to look at", "Oldest in days")
# Headings of numbers stand on the right, as their cells do.
NUMBERS = frozenset(HEADINGS) - {"Question", "Sheet", "Currency"}
WIDTHS = (52, 22, 9, 12, 22, 22, 14)
FIRST_ROW, LINE_HEIGHT = 5, 13.5
HOW_TO_READ = (
    "Every sheet is a table: filter and sort it as you like; the totals above it are of the rows that are shown.",
    "What is longer than its cell stands in the line above the sheet. On paper are the first columns, one page across.",
    "Amounts of different currencies are never added together. An amount is what its currency has decimals for.",
    "To look at counts what somebody must decide on, of balances those of the newest month that is over; the other "
    "rows agree, wait or are not due.",
    "What each state means stands in docs/glossary.md; the tables behind the sheets are in springline.duckdb.",
)


def write_overview(
    book: Book,
    page: Page,
    layouts: Sequence[SheetLayout],
    *,
    title: str,
    read_at: str,
    verdict: str,
    standing: str,
    how_to_read: Sequence[str],
) -> None:
    """Write the first sheet: a title, sentences beneath it, a line a sheet and currency, then how to read it.

    ``standing`` says of a close whether it is a draft or sealed, and by whom; empty elsewhere.
    """
    page.write_string(0, 0, title, book.look(bold=True, font_size=16, font_color=ACCENT))
    page.set_row(0, 26)
    page.write_string(1, 0, read_at, book.look(font_color=QUIET))
    page.merge_range(2, 0, 2, len(HEADINGS) - 1, verdict, book.look(text_wrap=True, bold=True))
    # Excel does not fit a row to merged cells by itself.
    page.set_row(2, LINE_HEIGHT * (1 + len(verdict) // sum(WIDTHS)))
    page.write_string(3, 0, standing, book.look(bold=True, font_color=ACCENT))
    for place, (heading, width) in enumerate(zip(HEADINGS, WIDTHS, strict=True)):
        look = book.heading(valign="vcenter", align="right" if heading in NUMBERS else "left")
        page.write_string(FIRST_ROW - 1, place, heading, look)
        page.set_column(place, place, width)
    row = FIRST_ROW
    for layout in layouts:
        # A sheet without an amount to look at has a line all the same.
        for number, (line, amount) in enumerate(_amounts(layout) or [((), Decimal())]):
            _write_line(book, page, row, layout, line=line, amount=amount, is_first=number == 0)
            row += 1
    for place, words in enumerate(how_to_read, start=row + 1):
        page.write_string(place, 0, words, book.look(font_color=QUIET, italic=True))
    page.print_area(0, 0, row + len(how_to_read), len(HEADINGS) - 1)
    book.set_up(page)
    page.freeze_panes(FIRST_ROW, 0)
    page.repeat_rows(FIRST_ROW - 1)
    # It is the sheet that is seen first.
    page.activate()


def _amounts(layout: SheetLayout) -> list[tuple[tuple[str, ...], Decimal]]:
    """Return what to look at on a sheet by its lines of totals; nothing where the sheet measures no amount."""
    sheet = layout.sheet
    if not sheet.measure:
        return []
    # A row without an amount adds nothing, and may have no currency either.
    rows = [row for row in layout.alarming if row[sheet.place(sheet.measure)] is not None]
    return sorted(layout.add_up(sheet.measure, *layout.keys, sheet.measure_column.currency, rows=rows).items())


def _write_line(
    book: Book, page: Page, row: int, layout: SheetLayout, *, line: Sequence[str], amount: Decimal, is_first: bool
) -> None:
    """Write one line; what is true of the whole sheet stands in its first line only, which has a rule above."""
    rule = {"top": 1, "top_color": LINE} if is_first else {}
    for place in range(len(HEADINGS)):
        page.write_blank(row, place, None, book.look(**rule))
    if is_first:
        sheet, count = layout.sheet, len(layout.alarming)
        # Bold is what has something to look at, so that the eye finds it.
        weight = {"bold": True} if count and sheet.call else {}
        page.write_string(row, 0, sheet.question, book.look(**weight, **rule))
        link = book.look(font_color=ACCENT, underline=1, **rule)
        page.write_url(row, 1, f"internal:'{sheet.tab}'!A1", link, sheet.tab)
        number = book.look(num_format="#,##0_)", align="right", **rule)
        loud = book.look(num_format="#,##0_)", align="right", bg_color=FILL if count else "#FFFFFF", **weight, **rule)
        _write_formula(page, row, 2, rows_formula(layout), look=number, value=len(layout.rows))
        if sheet.call:
            _write_formula(page, row, 3, count_formula(layout), look=loud, value=count)
        if sheet.age:
            _write_formula(page, row, 6, oldest_formula(layout), look=number, value=_oldest(layout))
    if line:
        currency = line[-1]
        page.write_string(row, 4, ", ".join(line), book.look(**rule))
        total = as_number(amount, currency=currency)
        page.write_formula(row, 5, amount_formula(layout, line), book.money(currency, **rule), total)


def _oldest(layout: SheetLayout) -> int:
    """Return the greatest age in days."""
    place = layout.sheet.place(layout.sheet.age)
    return max((age for row in layout.rows if isinstance(age := row[place], int)), default=0)


def _write_formula(page: Page, row: int, place: int, formula: str, *, look: Look, value: float) -> None:
    """Write a formula with its value; a sheet without rows has no table that a formula could name."""
    if formula:
        page.write_formula(row, place, formula, look, value)
    else:
        page.write_number(row, place, 0, look)


def rows_formula(layout: SheetLayout) -> str:
    """Return the formula that counts a sheet's rows; nothing where there are none."""
    return f"=ROWS({layout.column(layout.sheet.columns[0].heading)})" if layout.rows else ""


def count_formula(layout: SheetLayout) -> str:
    """Return the formula that counts the rows that somebody must look at."""
    terms = _conditions(layout)
    return f"=COUNTIFS({','.join(terms)})" if terms and layout.rows else rows_formula(layout)


def amount_formula(layout: SheetLayout, line: Sequence[str]) -> str:
    """Return the formula that adds up what somebody must look at in one line of totals."""
    measure = layout.sheet.measure_column
    *groups, currency = line
    terms = [layout.column(measure.heading), layout.column(measure.currency), f'"{currency}"', *_conditions(layout)]
    for group in groups:
        terms += [layout.column(layout.sheet.by), f'"{criterion(group)}"']
    return f"=ROUND(SUMIFS({','.join(terms)}),{decimals(currency)})"


def oldest_formula(layout: SheetLayout) -> str:
    """Return the formula of the greatest age."""
    return f"=MAX({layout.column(layout.sheet.age)})" if layout.rows else ""


def _conditions(layout: SheetLayout) -> list[str]:
    """Return the ranges and criteria of the rows that somebody must look at, the same rows as ``layout.alarming``."""
    sheet = layout.sheet
    terms = [layout.column(sheet.alarm[0]), f'"{sheet.alarm[1]}"'] if sheet.alarm else []
    return terms + ([layout.column(sheet.period), layout.month] if layout.period else [])
