"""Writes one sheet: its question, the totals of the rows shown by currency, and a table with filters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from xlsxwriter.utility import xl_col_to_name

from pipelines.core.words import decimals, number
from pipelines.publish.workbook.book import ACCENT, FILL, LINE, QUIET, Book, as_number, is_exact
from pipelines.publish.workbook.sheet import Column, Sheet, Value, currencies

SHOWN = "Shown"
FIRST_TAB = "What to look at"
NO_CURRENCY = "none"
TITLE_ROW, NOTE_ROW, NOTICE_ROW, LINK_ROW, TOTALS_ROW = range(5)
# Least and most characters of a column.
WIDTHS = {"text": (8, 34), "words": (12, 50), "date": (11, 11), "month": (9, 9), "time": (16, 16), "count": (8, 12)}
WIDTHS |= {"money": (13, 28), "rate": (14, 16), "share": (9, 9), "flag": (8, 10)}
# Where the month stands whose balances are added up: type another one to see its totals.
PERIOD_PLACE, PERIOD_CELL = 3, f"$D${TOTALS_ROW + 1}"
RIGHT = frozenset({"count", "money", "rate", "share"})
MEASURED_ROWS, MOST_LINES, LINE_HEIGHT, PAGE_CHARACTERS = 500, 8, 13.5, 230


@dataclass(frozen=True)
class Placed:
    """Where a sheet's rows stand: what formulas elsewhere, and the tests, need to find them.

    ``first`` and ``last`` are rows counted from 0, ``left_off`` how many rows the sheet has no room for, ``texts`` how
    many amounts stand as text.
    """

    sheet: Sheet
    rows: Sequence[Sequence[Value]]
    totals: Sequence[str]
    first: int
    left_off: int
    texts: int

    @property
    def last(self) -> int:
        """Return the last row of the table."""
        return self.first + len(self.rows) - 1

    @cached_property
    def period(self) -> date | None:
        """Return the month whose balances are added up, None where amounts are no balances."""
        return self.sheet.newest(self.rows)

    @cached_property
    def addable(self) -> Sequence[Sequence[Value]]:
        """Return the rows whose amounts may be added together."""
        if self.period is None:
            return self.rows
        place = self.sheet.place(self.sheet.period)
        return [row for row in self.rows if row[place] == self.period]

    @cached_property
    def alarming(self) -> Sequence[Sequence[Value]]:
        """Return the rows that somebody must look at, in every currency; of balances those of the newest month."""
        return [row for row in self.addable if self.sheet.alarms(row)]

    def column(self, heading: str) -> str:
        """Return the reference to a column of the table, as formulas write it."""
        return f"{self.sheet.table}[{heading}]"

    def total(self, heading: str, currency: str) -> Decimal:
        """Return the sum of the amounts of one currency that stand as numbers."""
        return self._sums.get((heading, currency), Decimal(0))

    @cached_property
    def _sums(self) -> Mapping[tuple[str, str], Decimal]:
        sums: dict[tuple[str, str], Decimal] = {}
        for place, (column, kept) in enumerate(zip(self.sheet.columns, self.sheet.currency_places, strict=True)):
            if column.is_totalled and kept is not None:
                for row in self.addable:
                    amount, currency = row[place], str(row[kept])
                    if isinstance(amount, Decimal) and is_exact(amount, currency=currency):
                        sums[column.heading, currency] = sums.get((column.heading, currency), Decimal(0)) + amount
        return sums


def write_sheet(book: Book, sheet: Sheet, rows: Sequence[Sequence[Value]], *, in_all: int) -> Placed:
    """Write a sheet with its rows; ``in_all`` is how many there are, of which these are the first."""
    named = [_with_currency(sheet, row) for row in rows]
    totals = currencies(sheet, named)
    header = TOTALS_ROW + (len(totals) + 2 if totals else 0)
    placed = Placed(sheet, named, totals, header + 1, in_all - len(named), _texts(sheet, named))
    page = book.file.add_worksheet(sheet.tab)
    _write_head(book, page, placed)
    widths = [_width(placed, place, column) for place, column in enumerate(sheet.columns)]
    if named:
        _write_totals(book, page, placed)
        _write_table(book, page, placed, widths)
    else:
        page.write_string(TOTALS_ROW, 0, "There is nothing to show.", book.look(italic=True, font_color=QUIET))
    _set_up(page, placed, widths, header=header if named else TOTALS_ROW)
    return placed


def _with_currency(sheet: Sheet, row: Sequence[Value]) -> list[Value]:
    """Name the currency of a row with amounts that has none, so that its amounts are in a total too."""
    named = list(row)
    for column, value, kept in zip(sheet.columns, row, sheet.currency_places, strict=True):
        if column.is_totalled and kept is not None and value is not None:
            named[kept] = named[kept] or NO_CURRENCY
    return named


def _currency_of(row: Sequence[Value], kept: int | None) -> str | None:
    found = None if kept is None else row[kept]
    return None if found is None else str(found)


def _texts(sheet: Sheet, rows: Sequence[Sequence[Value]]) -> int:
    """Count the amounts that stand as text."""
    money = [
        (place, kept)
        for place, (column, kept) in enumerate(zip(sheet.columns, sheet.currency_places, strict=True))
        if column.kind == "money"
    ]
    return sum(
        isinstance(value := row[place], Decimal) and not is_exact(value, currency=_currency_of(row, kept))
        for row in rows
        for place, kept in money
    )


def _write_head(book: Book, page: Any, placed: Placed) -> None:  # noqa: ANN401 XlsxWriter ships no types
    sheet = placed.sheet
    page.write_string(TITLE_ROW, 0, sheet.question, book.look(bold=True, font_size=14, font_color=ACCENT))
    page.set_row(TITLE_ROW, 22)
    page.write_string(NOTE_ROW, 0, sheet.note, book.look(font_color=QUIET))
    page.write_string(NOTICE_ROW, 0, " ".join(_notices(placed)), book.look(font_color=QUIET, bold=True))
    page.write_url(LINK_ROW, 0, f"internal:'{FIRST_TAB}'!A1", book.look(font_color=ACCENT, underline=1), FIRST_TAB)


def _notices(placed: Placed) -> Iterator[str]:
    """Say what is not in the totals of a sheet, where anything is not."""
    if placed.left_off:
        yield (
            f"{len(placed.rows):,} rows, what matters most first; {placed.left_off:,} more are in "
            f"{placed.sheet.source} of springline.duckdb, and in no total here."
        )
    if placed.texts:
        amounts = "1 amount has" if placed.texts == 1 else f"{placed.texts:,} amounts have"
        yield f"{amounts} more digits than Excel can hold: written as text, and in no total here."


def _write_totals(book: Book, page: Any, placed: Placed) -> None:  # noqa: ANN401 XlsxWriter ships no types
    if not placed.totals:
        return
    strip = {"bold": True, "bg_color": FILL, "bottom": 1, "bottom_color": LINE}
    for place in range(len(placed.sheet.columns)):
        page.write_blank(TOTALS_ROW, place, None, book.look(**strip))
    page.write_string(TOTALS_ROW, 0, "Totals of the rows shown", book.look(**strip))
    if placed.period:
        page.write_string(TOTALS_ROW, PERIOD_PLACE - 1, "of the month", book.look(**strip, align="right"))
        page.write_datetime(
            TOTALS_ROW, PERIOD_PLACE, placed.period, book.look(**strip, num_format="yyyy-mm", align="left")
        )
    for offset, currency in enumerate(placed.totals, start=1):
        page.write_string(TOTALS_ROW + offset, 0, currency, book.look(bold=True))
        for place, column in enumerate(placed.sheet.columns):
            if column.is_totalled and _is_used(placed, column, currency):
                total = as_number(placed.total(column.heading, currency), currency=currency)
                look = book.money(currency, bold=True)
                page.write_formula(TOTALS_ROW + offset, place, total_formula(placed, column, currency), look, total)


def _is_used(placed: Placed, column: Column, currency: str) -> bool:
    kept = placed.sheet.place(column.currency)
    return any(row[kept] == currency for row in placed.rows)


def total_formula(placed: Placed, column: Column, currency: str) -> str:
    """Return the formula that adds up the amounts of one currency in the rows that a filter leaves visible."""
    amounts, kept, shown = (placed.column(name) for name in (column.heading, column.currency, SHOWN))
    month = f",{placed.column(placed.sheet.period)},{PERIOD_CELL}" if placed.period else ""
    return f'=ROUND(SUMIFS({amounts},{kept},"{currency}",{shown},1{month}),{decimals(currency)})'


def _write_table(book: Book, page: Any, placed: Placed, widths: Sequence[int]) -> None:  # noqa: ANN401 XlsxWriter ships no types
    sheet, width = placed.sheet, len(placed.sheet.columns)
    words = [(place, widths[place]) for place, column in enumerate(sheet.columns) if column.kind == "words"]
    columns = list(enumerate(zip(sheet.columns, sheet.currency_places, strict=True)))
    for row, values in enumerate(placed.rows, start=placed.first):
        for place, (column, kept) in columns:
            currency = _currency_of(values, kept)
            book.write(page, row, place, values[place], column=column, currency=currency)
        # Excel fits a row to wrapped text by itself, other programs do not.
        page.set_row(row, _lines(values, words) * LINE_HEIGHT)
    headings = [{"header": column.heading, "header_format": _head(book, column)} for column in sheet.columns]
    # SUBTOTAL counts a row only while no filter hides it, which SUMIFS by itself cannot tell.
    formula = f"SUBTOTAL(103,{sheet.table}[[#This Row],[{sheet.columns[0].heading}]])"
    shown = {"header": SHOWN, "formula": f"SUBTOTAL(103,[[#This Row],[{sheet.columns[0].heading}]])"}
    page.add_table(
        placed.first - 1,
        0,
        placed.last,
        width,
        {"name": sheet.table, "style": "Table Style Light 1", "banded_rows": True, "columns": [*headings, shown]},
    )
    for row in range(placed.first, placed.last + 1):
        page.write_formula(row, width, formula, None, 1)
    page.set_row(placed.first - 1, 30)


def _head(book: Book, column: Column) -> Any:  # noqa: ANN401 XlsxWriter ships no types
    align = "right" if column.kind in RIGHT else "left"
    return book.look(bold=True, font_color="#FFFFFF", bg_color=ACCENT, text_wrap=True, valign="vcenter", align=align)


def _lines(values: Sequence[Value], words: Sequence[tuple[int, int]]) -> int:
    """Return how many lines the longest words of a row need; ``words`` are the places and widths of their columns."""
    lengths = (-(-len(str(value)) // (width - 2)) for place, width in words if (value := values[place]) is not None)
    return min(MOST_LINES, max(lengths, default=1))


def _set_up(page: Any, placed: Placed, widths: Sequence[int], *, header: int) -> None:  # noqa: ANN401 XlsxWriter ships no types
    for place, width in enumerate(widths):
        page.set_column(place, place, width)
    columns = len(widths)
    page.set_column(columns, columns, 8, None, {"hidden": True})
    page.freeze_panes(header + 1, 1)
    page.hide_gridlines(2)
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(-(-sum(widths) // PAGE_CHARACTERS), 0)
    page.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
    page.repeat_rows(header)
    page.repeat_columns(0)
    page.print_area(0, 0, max(placed.last, header), columns - 1)
    page.set_footer("&L&8Springline: &A&R&8Page &P of &N")
    page.ignore_errors({"number_stored_as_text": f"A1:{xl_col_to_name(columns)}{max(placed.last, header) + 1}"})


def _width(placed: Placed, place: int, column: Column) -> int:
    narrow, wide = WIDTHS[column.kind]
    least = max(narrow, max(map(len, column.heading.split())) + 4)
    if narrow == wide:
        return least
    values = [row for row in placed.rows[:MEASURED_ROWS] if row[place] is not None]
    longest = max((len(_shown(placed.sheet, row, column)) for row in values), default=0)
    return max(least, min(wide, longest + 3))


def _shown(sheet: Sheet, row: Sequence[Value], column: Column) -> str:
    place = sheet.place(column.heading)
    value = row[place]
    if column.kind == "money" and isinstance(value, Decimal):
        return number(value, _currency_of(row, sheet.currency_places[place]))
    return str(value)
