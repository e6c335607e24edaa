"""Writes one sheet: its question, the totals of the rows shown by currency, and a table with filters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

from xlsxwriter.utility import xl_col_to_name

from pipelines.core.words import decimals, number, plural
from pipelines.publish.workbook.book import FILL, LINE, Book, Look, as_number, is_exact
from pipelines.publish.workbook.page import Page, formula_cell
from pipelines.publish.workbook.sheet import Sheet, SheetColumn, Value, total_lines

# A hidden column that is 1 where a filter shows the row: totals follow what the reader sees.
SHOWN = "Shown"
# Above it stand the question, the note, the notices and the link.
TOTALS_ROW = 4
# What Excel counts days from.
DAY_ZERO = date(1899, 12, 30)
# Least and most characters of a column.
WIDTHS = {"text": (8, 28), "words": (12, 66), "date": (11, 11), "month": (9, 9), "time": (16, 16), "count": (8, 12)}
WIDTHS |= {"money": (13, 28), "rate": (14, 16), "share": (9, 9), "flag": (8, 10)}
# Where the month stands whose balances are added up: one of those that a filter leaves, or one that is typed there.
PERIOD_PLACE, PERIOD_CELL = 3, f"$D${TOTALS_ROW + 1}"
# Headings stand above their numbers, on the right.
RIGHT = frozenset({"count", "money", "rate", "share"})
# Widths follow from the first rows: to measure all of them takes longer than to write them.
# What is longer than two lines is in its cell all the same; a row that fills the screen hides all others. On paper are
# the columns that one page across can hold. More frozen rows would leave no room below them on a small screen.
MEASURED_ROWS, MOST_LINES, LINE_HEIGHT, PAGE_CHARACTERS, MOST_FROZEN = 500, 2, 12.4, 240, 12


@dataclass(frozen=True)
class SheetLayout:
    """The rows of a sheet and where they stand, for the formulas of other sheets and for tests.

    ``first`` is a row counted from 0, ``left_off`` how many rows found no room, ``texts`` how many amounts are text.
    ``day`` is the accounting day: the month that is closed on it is added up.
    """

    sheet: Sheet
    rows: Sequence[Sequence[Value]]
    totals: Sequence[tuple[str, ...]]
    first: int
    left_off: int
    texts: int
    day: date

    @property
    def last(self) -> int:
        """Return the last row of the table."""
        return self.first + len(self.rows) - 1

    @cached_property
    def period(self) -> date | None:
        """Return the month whose balances are added up, None where amounts are no balances."""
        return self.sheet.month(self.rows, self.day)

    @cached_property
    def addable(self) -> Sequence[Sequence[Value]]:
        """Return the rows whose amounts may be added together."""
        if self.period is None:
            return self.rows
        place = self.sheet.place(self.sheet.period)
        return [row for row in self.rows if row[place] == self.period]

    @cached_property
    def alarming(self) -> Sequence[Sequence[Value]]:
        """Return the rows that somebody must look at, in every currency; of balances those of the month added up."""
        return [row for row in self.addable if self.sheet.alarms(row)]

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the headings by which totals are parted beside their currency."""
        return (self.sheet.by,) if self.sheet.by else ()

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

        An amount that is written as text adds nothing: formulas leave it out as well, so that both give the same sum.
        One without a currency is in none: it may be of any.
        """
        amount = self.sheet.place(heading)
        places = [self.sheet.place(key) for key in keys]
        sums: dict[tuple[str, ...], Decimal] = {}
        for row in self.addable if rows is None else rows:
            key = tuple(str(row[place]) for place in places)
            value, currency = row[amount], self.sheet.currency_of(row, amount)
            if currency is None:
                continue
            if not (isinstance(value, Decimal) and is_exact(value, currency=currency)):
                value = Decimal()
            sums[key] = sums.get(key, Decimal()) + value
        return sums


def write_sheet(book: Book, sheet: Sheet, rows: Sequence[Sequence[Value]], *, in_all: int) -> SheetLayout:
    """Write a sheet with its rows; ``in_all`` is how many there are, of which these are the first."""
    totals = total_lines(sheet, rows)
    # One line for each currency, and an empty one before the table.
    header = TOTALS_ROW + (len(totals) + 2 if totals else 0)
    layout = SheetLayout(sheet, rows, totals, header + 1, in_all - len(rows), _count(sheet, rows, _is_text), book.day)
    page = book.add_page(sheet.tab)
    page.set_row(0, 22)
    book.write_top(page, sheet.question, sheet.note, " ".join(_notices(layout)))
    widths = [_width(layout, place, column) for place, column in enumerate(sheet.columns)]
    if rows:
        _write_totals(book, page, layout)
        _write_table(book, page, layout, widths)
    else:
        book.write_nothing(page, TOTALS_ROW)
    _set_up(book, page, layout, widths, header=header if rows else TOTALS_ROW)
    return layout


def _count(sheet: Sheet, rows: Sequence[Sequence[Value]], chosen: Callable[[Value, str | None], bool]) -> int:
    """Count the amounts of a sheet that a function chooses, given the amount and its currency."""
    money = [place for place, column in enumerate(sheet.columns) if column.kind == "money"]
    return sum(chosen(row[place], sheet.currency_of(row, place)) for row in rows for place in money)


def _is_text(value: Value, currency: str | None) -> bool:
    return isinstance(value, Decimal) and not is_exact(value, currency=currency)


def _is_of_no_currency(value: Value, currency: str | None) -> bool:
    return isinstance(value, Decimal) and currency is None


def _notices(layout: SheetLayout) -> Iterator[str]:
    """Say what is missing from a sheet's totals."""
    if layout.left_off:
        yield (
            f"{len(layout.rows):,} rows, what matters most first; {layout.left_off:,} more are in "
            f"{layout.sheet.beyond or f'{layout.sheet.source} of springline.duckdb'}, and in no total here."
        )
    if layout.texts:
        amounts = "1 amount has" if layout.texts == 1 else f"{layout.texts:,} amounts have"
        yield f"{amounts} more digits than Excel can hold: written as text, and in no total here."
    if nameless := _count(layout.sheet, layout.rows, _is_of_no_currency):
        yield f"{plural(nameless, 'amount')} without a currency: in no total here."


def _write_totals(book: Book, page: Page, layout: SheetLayout) -> None:
    if not layout.totals:
        return
    strip = {"bold": True, "bg_color": FILL, "bottom": 1, "bottom_color": LINE}
    for place in range(len(layout.sheet.columns)):
        page.write_blank(TOTALS_ROW, place, None, book.look(**strip))
    page.write_string(TOTALS_ROW, 0, "Totals of the rows shown", book.look(**strip))
    if layout.period:
        page.write_string(TOTALS_ROW, PERIOD_PLACE - 1, "of the month", book.look(**strip, align="right"))
        # With its value as Excel counts days, for programs that do not compute.
        look, days = book.look(**strip, num_format="yyyy-mm", align="left"), (layout.period - DAY_ZERO).days
        page.write_formula(TOTALS_ROW, PERIOD_PLACE, month_formula(layout), look, days)
    columns = [(place, column) for place, column in enumerate(layout.sheet.columns) if column.is_totalled]
    sums = {place: layout.add_up(column.heading, *layout.keys, column.currency) for place, column in columns}
    # Balances of older months are in no sum, but their currency has a cell too: type their month to see their total.
    used = {place: {row[layout.sheet.place(column.currency)] for row in layout.rows} for place, column in columns}
    for row, line in enumerate(layout.totals, start=TOTALS_ROW + 1):
        page.write_string(row, 0, ", ".join(line), book.look(bold=True))
        currency = line[-1]
        for place, column in columns:
            if currency in used[place]:
                total = as_number(sums[place].get(line, Decimal()), currency=currency)
                formula = total_formula(layout, column, line)
                page.write_formula(row, place, formula, book.money(currency, bold=True), total)


def month_formula(layout: SheetLayout) -> str:
    """Return the formula of the month that is added up: the one that is closed, where a filter leaves any row of it.

    Else the newest that is left, so that a sheet filtered to another month has that month's totals.
    """
    months, shown = layout.column(layout.sheet.period), layout.column(SHOWN)
    return f"=IF(COUNTIFS({months},{layout.month},{shown},1)>0,{layout.month},SUBTOTAL(104,{months}))"


def total_formula(layout: SheetLayout, column: SheetColumn, line: Sequence[str]) -> str:
    """Return the formula that adds up the amounts of one line of totals in the rows that a filter leaves visible."""
    amounts, kept, shown = (layout.column(name) for name in (column.heading, column.currency, SHOWN))
    *groups, currency = line
    by = "".join(f',{layout.column(layout.sheet.by)},"{criterion(group)}"' for group in groups)
    # The cell and not the month: it follows the filter, and who types another month there sees its totals.
    month = f",{layout.column(layout.sheet.period)},{PERIOD_CELL}" if layout.period else ""
    return f'=ROUND(SUMIFS({amounts},{kept},"{currency}",{shown},1{by}{month}),{decimals(currency)})'


def criterion(text: str) -> str:
    """Write a text as a formula compares with it: quotes doubled, a tilde before what Excel takes for a wildcard.

    >>> criterion('what*')
    '=what~*'
    """
    escaped = text.replace("~", "~~").replace("*", "~*").replace("?", "~?").replace('"', '""')
    return f"={escaped}"


def _write_table(book: Book, page: Page, layout: SheetLayout, widths: Sequence[int]) -> None:
    sheet, width = layout.sheet, len(layout.sheet.columns)
    headings = [{"header": column.heading, "header_format": _head(book, column)} for column in sheet.columns]
    # SUBTOTAL counts a row only while no filter hides it, which SUMIFS by itself cannot tell.
    shown = {"header": SHOWN, "formula": f"SUBTOTAL(103,[[#This Row],[{sheet.columns[0].heading}]])"}
    page.add_filled_table(
        layout.first - 1,
        layout.last,
        width,
        {"name": sheet.table, "style": "Table Style Light 1", "banded_rows": True, "columns": [*headings, shown]},
    )
    page.set_row(layout.first - 1, 30)
    page.add_rows(layout.first, _rows(book, layout, widths))


def _rows(book: Book, layout: SheetLayout, widths: Sequence[int]) -> Iterator[tuple[float, list[str]]]:
    """Yield each row of the table: its height, and its cells."""
    sheet = layout.sheet
    texts = [(place, widths[place]) for place, column in enumerate(sheet.columns) if column.kind == "words"]
    kinds, cell = [column.kind for column in sheet.columns], book.cell
    # With its value: a program that does not compute would show 0.
    shown = formula_cell(f"SUBTOTAL(103,{sheet.table}[[#This Row],[{sheet.columns[0].heading}]])", 1)
    for row in layout.rows:
        cells = [*map(cell, row, kinds, sheet.currencies_of(row)), shown]
        # Excel fits a row to wrapped text by itself, other programs do not.
        yield 1 + _lines(row, texts) * LINE_HEIGHT, cells


def _head(book: Book, column: SheetColumn) -> Look:
    return book.heading(text_wrap=True, valign="vcenter", align="right" if column.kind in RIGHT else "left")


def _lines(values: Sequence[Value], texts: Sequence[tuple[int, int]]) -> int:
    """Return how many lines the longest text of a row needs; ``texts`` are the places and widths of such columns."""
    lengths = (-(-len(str(value)) // (width - 2)) for place, width in texts if (value := values[place]) is not None)
    return min(MOST_LINES, max(lengths, default=1))


def _set_up(book: Book, page: Page, layout: SheetLayout, widths: Sequence[int], *, header: int) -> None:
    for place, width in enumerate(widths):
        page.set_column(place, place, width)
    columns = len(widths)
    page.set_column(columns, columns, 8, None, {"hidden": True})
    page.freeze_panes(header + 1 if header < MOST_FROZEN else 0, 1)
    book.set_up(page)
    page.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
    page.repeat_rows(header)
    page.print_area(0, 0, max(layout.last, header), _printed(widths) - 1)
    # No green corners at document numbers, which are texts on purpose.
    page.ignore_errors({"number_stored_as_text": f"A1:{xl_col_to_name(columns)}{max(layout.last, header) + 1}"})


def _printed(widths: Sequence[int]) -> int:
    """Return how many of the first columns one page across can hold."""
    return sum(sum(widths[: place + 1]) <= PAGE_CHARACTERS for place in range(len(widths))) or 1


def _width(layout: SheetLayout, place: int, column: SheetColumn) -> int:
    narrow, wide = WIDTHS[column.kind]
    least = max(narrow, max(map(len, column.heading.split())) + 4)
    if narrow == wide:
        return least
    values = [row for row in layout.rows[:MEASURED_ROWS] if row[place] is not None]
    longest = max((len(_shown(layout.sheet, row, place)) for row in values), default=0)
    return max(least, min(wide, longest + 3))


def _shown(sheet: Sheet, row: Sequence[Value], place: int) -> str:
    value = row[place]
    if sheet.columns[place].kind == "money" and isinstance(value, Decimal):
        return number(value, sheet.currency_of(row, place))
    return str(value)
