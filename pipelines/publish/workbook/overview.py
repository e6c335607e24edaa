"""The first sheet of the workbook: what to look at, how much it is, and the way there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pipelines.core.words import decimals
from pipelines.publish.workbook.book import ACCENT, FILL, LINE, QUIET, Book, as_number, is_exact
from pipelines.publish.workbook.table_sheet import Placed

HEADINGS = ("Question", "Sheet", "Rows", "To look at", "Currency", "Amount to look at", "Oldest in days")
NUMBERS = frozenset(HEADINGS) - {"Question", "Sheet", "Currency"}
WIDTHS = (58, 22, 10, 12, 10, 22, 14)
FIRST_ROW, LINE_HEIGHT = 5, 13.5
HOW_TO_READ = (
    "Every sheet is a table: filter and sort it as you like; the totals above it are of the rows that are shown.",
    "Amounts of different currencies are never added together. An amount is what its currency has decimals for.",
    "To look at counts what somebody must decide on, of balances those of the newest month; the other rows agree, wait "
    "or are not due.",
    "What each state means stands in docs/glossary.md; the tables behind the sheets are in springline.duckdb.",
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the first sheet: a sheet and one of its currencies, None where nothing has an amount."""

    placed: Placed
    currency: str | None
    is_first: bool

    @property
    def amount(self) -> Decimal:
        """Return the sum of what to look at in the line's currency."""
        sheet = self.placed.sheet
        measure = sheet.columns[sheet.place(sheet.measure)]
        amount, kept = sheet.place(measure.heading), sheet.place(measure.currency)
        found = [row[amount] for row in self.placed.alarming if row[kept] == self.currency]
        return sum(
            (one for one in found if isinstance(one, Decimal) and is_exact(one, currency=self.currency)), Decimal(0)
        )

    @property
    def oldest(self) -> int:
        """Return the greatest age in days."""
        place = self.placed.sheet.place(self.placed.sheet.age)
        return max((age for row in self.placed.rows if isinstance(age := row[place], int)), default=0)


def lines_of(placed: Placed) -> Iterator[Line]:
    """Yield the lines of a sheet: one for each currency of what to look at, at least one."""
    sheet = placed.sheet
    found: list[str] = []
    if sheet.measure:
        kept = sheet.place(sheet.columns[sheet.place(sheet.measure)].currency)
        amount = sheet.place(sheet.measure)
        rows = [row for row in placed.alarming if row[amount] is not None]
        found = sorted({str(row[kept]) for row in rows})
    for number, currency in enumerate(found or [None]):
        yield Line(placed, currency, is_first=number == 0)


def write_overview(book: Book, page: Any, placed: Sequence[Placed], *, title: str, told: Sequence[str]) -> None:  # noqa: ANN401 XlsxWriter ships no types
    """Write the first sheet: ``told`` are its words beneath the title, then a line a sheet and currency."""
    page.write_string(0, 0, title, book.look(bold=True, font_size=16, font_color=ACCENT))
    page.set_row(0, 26)
    page.write_string(1, 0, told[0], book.look(font_color=QUIET))
    page.merge_range(2, 0, 2, len(HEADINGS) - 1, told[1], book.look(text_wrap=True, bold=True))
    page.set_row(2, LINE_HEIGHT * (1 + len(told[1]) // sum(WIDTHS)))
    for place, (heading, width) in enumerate(zip(HEADINGS, WIDTHS, strict=True)):
        align = "right" if heading in NUMBERS else "left"
        head = book.look(bold=True, font_color="#FFFFFF", bg_color=ACCENT, valign="vcenter", align=align)
        page.write_string(FIRST_ROW - 1, place, heading, head)
        page.set_column(place, place, width)
    lines = [line for one in placed for line in lines_of(one)]
    for row, line in enumerate(lines, start=FIRST_ROW):
        _write_line(book, page, row, line)
    last = FIRST_ROW + len(lines)
    for row, words in enumerate(HOW_TO_READ, start=last + 1):
        page.write_string(row, 0, words, book.look(font_color=QUIET, italic=True))
    page.print_area(0, 0, last + len(HOW_TO_READ), len(HEADINGS) - 1)
    _set_up(page)


def _write_line(book: Book, page: Any, row: int, line: Line) -> None:  # noqa: ANN401 XlsxWriter ships no types
    rule = {"top": 1, "top_color": LINE} if line.is_first else {}
    for place in range(len(HEADINGS)):
        page.write_blank(row, place, None, book.look(**rule))
    placed, sheet, count = line.placed, line.placed.sheet, len(line.placed.alarming)
    if line.is_first:
        weight = {"bold": True} if count and sheet.call else {}
        link = book.look(font_color=ACCENT, underline=1, **rule)
        page.write_string(row, 0, sheet.question, book.look(**weight, **rule))
        page.write_url(row, 1, f"internal:'{sheet.tab}'!A1", link, sheet.tab)
        number = book.look(num_format="#,##0", align="right", **rule)
        loud = book.look(num_format="#,##0", align="right", bg_color=FILL if count else "#FFFFFF", **weight, **rule)
        _write_formula(page, row, 2, rows_formula(placed), look=number, value=len(placed.rows))
        if sheet.call:
            _write_formula(page, row, 3, count_formula(placed), look=loud, value=count)
        if sheet.age:
            _write_formula(page, row, 6, oldest_formula(placed), look=number, value=line.oldest)
    if line.currency is not None:
        page.write_string(row, 4, line.currency, book.look(**rule))
        look = book.money(line.currency, **rule)
        _write_formula(
            page,
            row,
            5,
            amount_formula(placed, line.currency),
            look=look,
            value=as_number(line.amount, currency=line.currency),
        )


def _write_formula(page: Any, row: int, place: int, formula: str, *, look: Any, value: float) -> None:  # noqa: ANN401 XlsxWriter ships no types
    """Write a formula with its value; a sheet without rows has no table that a formula could name."""
    if formula:
        page.write_formula(row, place, formula, look, value)
    else:
        page.write_number(row, place, 0, look)


def rows_formula(placed: Placed) -> str:
    """Return the formula that counts a sheet's rows; nothing where there are none."""
    return f"=ROWS({placed.column(placed.sheet.columns[0].heading)})" if placed.rows else ""


def count_formula(placed: Placed) -> str:
    """Return the formula that counts the rows that somebody must look at."""
    if not placed.rows:
        return ""
    terms = _conditions(placed)
    return f"=COUNTIFS({','.join(terms)})" if terms else rows_formula(placed)


def amount_formula(placed: Placed, currency: str) -> str:
    """Return the formula that adds up what somebody must look at in one currency."""
    sheet = placed.sheet
    measure = sheet.columns[sheet.place(sheet.measure)]
    terms = [placed.column(measure.heading), placed.column(measure.currency), f'"{currency}"', *_conditions(placed)]
    return f"=ROUND(SUMIFS({','.join(terms)}),{decimals(currency)})"


def _conditions(placed: Placed) -> list[str]:
    """Return the ranges and criteria of the rows that somebody must look at."""
    sheet, month = placed.sheet, placed.period
    terms = [placed.column(sheet.alarm[0]), f'"{sheet.alarm[1]}"'] if sheet.alarm else []
    if month:
        terms += [placed.column(sheet.period), f"DATE({month.year},{month.month},{month.day})"]
    return terms


def oldest_formula(placed: Placed) -> str:
    """Return the formula of the greatest age."""
    return f"=MAX({placed.column(placed.sheet.age)})" if placed.rows else ""


def _set_up(page: Any) -> None:  # noqa: ANN401 XlsxWriter ships no types
    page.freeze_panes(FIRST_ROW, 0)
    page.hide_gridlines(2)
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    page.repeat_rows(FIRST_ROW - 1)
    page.set_footer("&L&8Springline: &A&R&8Page &P of &N")
    page.activate()
