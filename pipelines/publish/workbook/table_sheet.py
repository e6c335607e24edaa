"""Writes one sheet: its question, the totals of the rows shown by currency, and a table with filters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

from xlsxwriter.utility import xl_col_to_name

from pipelines.core.words import decimals, number
from pipelines.publish.workbook.book import FILL, LINE, Book, Look, Page, as_number, is_exact
from pipelines.publish.workbook.sheet import Sheet, SheetColumn, Value, currencies

SHOWN = "Shown"
NO_CURRENCY = "none"
# Above it stand the question, the note, the notices and the link.
TOTALS_ROW = 4
# Least and most characters of a column.
WIDTHS = {"text": (8, 34), "words": (12, 50), "date": (11, 11), "month": (9, 9), "time": (16, 16), "count": (8, 12)}
WIDTHS |= {"money": (13, 28), "rate": (14, 16), "share": (9, 9), "flag": (8, 10)}
# Where the month stands whose balances are added up: type another one to see its totals.
PERIOD_PLACE, PERIOD_CELL = 3, f"$D${TOTALS_ROW + 1}"
RIGHT = frozenset({"count", "money", "rate", "share"})
MEASURED_ROWS, MOST_LINES, LINE_HEIGHT, PAGE_CHARACTERS = 500, 8, 13.5, 230


@dataclass(frozen=True)
class SheetLayout:
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

    @property
    def month(self) -> str:
        """Return ``period`` as formulas write it."""
        return f"DATE({self.period:%Y},{self.period.month},{self.period.day})" if self.period else ""

    def add_up(
        self, heading: str, *keys: str, rows: Sequence[Sequence[Value]] | None = None
    ) -> dict[tuple[str, ...], Decimal]:
        """Return the sums of an amount by the values of other columns, over the rows that may be added together.

        What stands as text counts nothing, as in the formula beside which the sum stands: else a program that computes
        the workbook anew would show another one.
        """
        amount, kept = self.sheet.place(heading), self.sheet.currency_places[self.sheet.place(heading)]
        places = [self.sheet.place(key) for key in keys]
        sums: dict[tuple[str, ...], Decimal] = {}
        for row in self.addable if rows is None else rows:
            key = tuple(str(row[place]) for place in places)
            value = row[amount]
            if not (isinstance(value, Decimal) and is_exact(value, currency=_currency_of(row, kept))):
                value = Decimal()
            sums[key] = sums.get(key, Decimal()) + value
        return sums


def write_sheet(book: Book, sheet: Sheet, rows: Sequence[Sequence[Value]], *, in_all: int) -> SheetLayout:
    """Write a sheet with its rows; ``in_all`` is how many there are, of which these are the first."""
    named = [_with_currency(sheet, row) for row in rows]
    totals = currencies(sheet, named)
    header = TOTALS_ROW + (len(totals) + 2 if totals else 0)
    layout = SheetLayout(sheet, named, totals, header + 1, in_all - len(named), _texts(sheet, named))
    page = book.file.add_worksheet(sheet.tab)
    page.set_row(0, 22)
    book.write_top(page, sheet.question, sheet.note, " ".join(_notices(layout)))
    widths = [_width(layout, place, column) for place, column in enumerate(sheet.columns)]
    if named:
        _write_totals(book, page, layout)
        _write_table(book, page, layout, widths)
    else:
        book.write_nothing(page, TOTALS_ROW)
    _set_up(book, page, layout, widths, header=header if named else TOTALS_ROW)
    return layout


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
    return sum(
        isinstance(value, Decimal) and not is_exact(value, currency=_currency_of(row, kept))
        for row in rows
        for column, value, kept in zip(sheet.columns, row, sheet.currency_places, strict=True)
        if column.kind == "money"
    )


def _notices(layout: SheetLayout) -> Iterator[str]:
    """Say what is not in the totals of a sheet, where anything is not."""
    if layout.left_off:
        yield (
            f"{len(layout.rows):,} rows, what matters most first; {layout.left_off:,} more are in "
            f"{layout.sheet.source} of springline.duckdb, and in no total here."
        )
    if layout.texts:
        amounts = "1 amount has" if layout.texts == 1 else f"{layout.texts:,} amounts have"
        yield f"{amounts} more digits than Excel can hold: written as text, and in no total here."


def _write_totals(book: Book, page: Page, layout: SheetLayout) -> None:
    if not layout.totals:
        return
    strip = {"bold": True, "bg_color": FILL, "bottom": 1, "bottom_color": LINE}
    for place in range(len(layout.sheet.columns)):
        page.write_blank(TOTALS_ROW, place, None, book.look(**strip))
    page.write_string(TOTALS_ROW, 0, "Totals of the rows shown", book.look(**strip))
    if layout.period:
        page.write_string(TOTALS_ROW, PERIOD_PLACE - 1, "of the month", book.look(**strip, align="right"))
        page.write_datetime(
            TOTALS_ROW, PERIOD_PLACE, layout.period, book.look(**strip, num_format="yyyy-mm", align="left")
        )
    columns = [(place, column) for place, column in enumerate(layout.sheet.columns) if column.is_totalled]
    sums = {place: layout.add_up(column.heading, column.currency) for place, column in columns}
    # Balances of older months are in no sum, but their currency has a cell too: type their month to see their total.
    used = {place: {row[layout.sheet.place(column.currency)] for row in layout.rows} for place, column in columns}
    for row, currency in enumerate(layout.totals, start=TOTALS_ROW + 1):
        page.write_string(row, 0, currency, book.look(bold=True))
        for place, column in columns:
            if currency in used[place]:
                total = as_number(sums[place].get((currency,), Decimal()), currency=currency)
                formula = total_formula(layout, column, currency)
                page.write_formula(row, place, formula, book.money(currency, bold=True), total)


def total_formula(layout: SheetLayout, column: SheetColumn, currency: str) -> str:
    """Return the formula that adds up the amounts of one currency in the rows that a filter leaves visible."""
    amounts, kept, shown = (layout.column(name) for name in (column.heading, column.currency, SHOWN))
    month = f",{layout.column(layout.sheet.period)},{PERIOD_CELL}" if layout.period else ""
    return f'=ROUND(SUMIFS({amounts},{kept},"{currency}",{shown},1{month}),{decimals(currency)})'


def _write_table(book: Book, page: Page, layout: SheetLayout, widths: Sequence[int]) -> None:
    sheet, width = layout.sheet, len(layout.sheet.columns)
    words = [(place, widths[place]) for place, column in enumerate(sheet.columns) if column.kind == "words"]
    columns = list(enumerate(zip(sheet.columns, sheet.currency_places, strict=True)))
    for row, values in enumerate(layout.rows, start=layout.first):
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
        layout.first - 1,
        0,
        layout.last,
        width,
        {"name": sheet.table, "style": "Table Style Light 1", "banded_rows": True, "columns": [*headings, shown]},
    )
    for row in range(layout.first, layout.last + 1):
        page.write_formula(row, width, formula, None, 1)
    page.set_row(layout.first - 1, 30)


def _head(book: Book, column: SheetColumn) -> Look:
    return book.heading(text_wrap=True, valign="vcenter", align="right" if column.kind in RIGHT else "left")


def _lines(values: Sequence[Value], words: Sequence[tuple[int, int]]) -> int:
    """Return how many lines the longest words of a row need; ``words`` are the places and widths of their columns."""
    lengths = (-(-len(str(value)) // (width - 2)) for place, width in words if (value := values[place]) is not None)
    return min(MOST_LINES, max(lengths, default=1))


def _set_up(book: Book, page: Page, layout: SheetLayout, widths: Sequence[int], *, header: int) -> None:
    for place, width in enumerate(widths):
        page.set_column(place, place, width)
    columns = len(widths)
    page.set_column(columns, columns, 8, None, {"hidden": True})
    page.freeze_panes(header + 1, 1)
    book.set_up(page, pages_wide=-(-sum(widths) // PAGE_CHARACTERS))
    page.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
    page.repeat_rows(header)
    page.repeat_columns(0)
    page.print_area(0, 0, max(layout.last, header), columns - 1)
    page.ignore_errors({"number_stored_as_text": f"A1:{xl_col_to_name(columns)}{max(layout.last, header) + 1}"})


def _width(layout: SheetLayout, place: int, column: SheetColumn) -> int:
    narrow, wide = WIDTHS[column.kind]
    least = max(narrow, max(map(len, column.heading.split())) + 4)
    if narrow == wide:
        return least
    values = [row for row in layout.rows[:MEASURED_ROWS] if row[place] is not None]
    longest = max((len(_shown(layout.sheet, row, column)) for row in values), default=0)
    return max(least, min(wide, longest + 3))


def _shown(sheet: Sheet, row: Sequence[Value], column: SheetColumn) -> str:
    place = sheet.place(column.heading)
    value = row[place]
    if column.kind == "money" and isinstance(value, Decimal):
        return number(value, _currency_of(row, sheet.currency_places[place]))
    return str(value)
