"""The workbook file: formats made once, cells written by what they are, the same bytes for the same content."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from functools import cache, lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

import xlsxwriter

from pipelines.core.words import decimals, number
from pipelines.publish.workbook.page import Page, date_cell, empty_cell, number_cell, text_cell
from pipelines.publish.workbook.sheet import FIRST_YEAR, Kind, Value

if TYPE_CHECKING:
    from pathlib import Path

# XlsxWriter ships no types: a format of cells.
Look = Any

# Excel keeps numbers as doubles: 15 digits are exact, more would be another amount.
MOST_DIGITS = 15
# The tables keep four decimals, so that what is below this never has more digits.
SURELY_EXACT = 10**11
# A cell of Excel holds 32,767 characters; a longer text would make Excel repair the file.
MOST_CHARACTERS = 32_000
# How many cells are kept for the rows below that have the same.
MOST_CELLS = 2**14
FIRST_TAB = "What to look at"
INK, QUIET, LINE, FILL, ACCENT = "#1B2733", "#5B6875", "#C9D1D9", "#EEF2F5", "#1F4E79"
FONT = {"font_name": "Calibri", "font_size": 10, "font_color": INK, "valign": "top"}
NUMBER_FORMATS = {"date": "yyyy-mm-dd", "month": "yyyy-mm", "time": "yyyy-mm-dd hh:mm", "count": "#,##0_)"}
NUMBER_FORMATS |= {"rate": "0.000000########", "share": "0.0%"}


class Packed(BytesIO):
    """What a workbook is packed into: in memory, and open for as long as it is there.

    XlsxWriter leaves its archive open where there is no room, and the archive closes itself when it is thrown away.
    Over a file that is full, or closed before it, that is a traceback on the terminal.
    """

    def close(self) -> None:
        """Stay open: the memory is given back all the same."""


class Book:
    """One workbook being written; ``close`` writes the file."""

    def __init__(self, path: Path, *, title: str, day: date) -> None:
        """Begin a workbook; ``day`` becomes its date of creation, the title's words before its colon every footer."""
        self.day = day
        # A footer takes & for a command.
        self._footer = title.partition(":")[0].replace("&", "&&")
        # Names and texts come from other systems: one that begins with = must not become a formula.
        self._path, self._packed = path, Packed()
        self.file: Any = xlsxwriter.Workbook(self._packed, {"strings_to_formulas": False, "strings_to_urls": False})
        self.file.set_properties(
            {
                "title": title,
                "subject": "Reconciliation of the VMS and the ledger",
                "author": "Springline",
                "category": "Accounting",
                # The day, not the moment: the same content must give the same bytes.
                "created": datetime.combine(day, time(), tzinfo=UTC).replace(tzinfo=None),
            }
        )
        # Excel computes all formulas when it opens the file; the values beside them are for other programs.
        self.file.set_calc_mode("auto")
        self._formats: dict[tuple[tuple[str, object], ...], Any] = {}
        # Asked for every cell: to look one up in a cache is cheaper than to sort its properties again.
        self.look, self.money = cache(self._look), cache(self._money)
        # Most values stand in many rows. By type as well: True and 1 are equal.
        self.cell = lru_cache(maxsize=MOST_CELLS, typed=True)(self._cell)

    def _look(self, **properties: object) -> Look:
        """Return the format with these properties, made once."""
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self.file.add_format({**FONT, **properties})
        return self._formats[key]

    def _money(self, currency: str | None, **properties: object) -> Look:
        """Return the format of an amount of a currency: as many decimals as it has minor units."""
        return self.look(num_format=money_format(currency), align="right", **properties)

    def add_page(self, tab: str) -> Page:
        """Add a sheet."""
        page: Page = self.file.add_worksheet(tab, worksheet_class=Page)
        return page

    def heading(self, **properties: object) -> Look:
        """Return the format of a table's headings."""
        return self.look(bold=True, font_color="#FFFFFF", bg_color=ACCENT, **properties)

    def set_up(self, page: Page) -> None:
        """Set a page up for screen and paper: A4 across, one page wide."""
        page.hide_gridlines(2)
        page.set_landscape()
        # A4.
        page.set_paper(9)
        page.fit_to_pages(1, 0)
        page.set_footer(f"&L&8{self._footer}: &A&R&8Page &P of &N")

    def write_top(self, page: Page, question: str, note: str, *notices: str) -> None:
        """Write what stands above every sheet: its question, a note, notices in bold, and the way to the first one."""
        page.write_string(0, 0, question, self.look(bold=True, font_size=14, font_color=ACCENT))
        page.write_string(1, 0, note, self.look(font_color=QUIET))
        for row, notice in enumerate(notices, start=2):
            page.write_string(row, 0, notice, self.look(font_color=QUIET, bold=True))
        link = self.look(font_color=ACCENT, underline=1)
        page.write_url(2 + len(notices), 0, f"internal:'{FIRST_TAB}'!A1", link, FIRST_TAB)

    def write_nothing(self, page: Page, row: int, words: str = "There is nothing to show.") -> None:
        """Write a line in place of a table that would be empty."""
        page.write_string(row, 0, words, self.look(italic=True, font_color=QUIET))

    def _cell(self, value: Value, kind: Kind, currency: str | None) -> str:
        """Return one value in the way of its column's kind, as a page's rows have it; None is an empty cell."""
        match value:
            case None:
                return empty_cell(self.look())
            # Before int, which a bool is as well.
            case bool():
                return text_cell("yes" if value else "no", self.look())
            case Decimal() | int():
                return self._number_cell(value, kind, currency)
            # Excel counts days from 1900 on, and shows one before as a row of #.
            case date() if value.year < FIRST_YEAR:
                return text_cell(value.isoformat(), self.look())
            case date():
                # Also a datetime, which is a date; its kind says whether the time is shown.
                return date_cell(value, self.look(num_format=NUMBER_FORMATS[kind], align="left"))
            case _:
                look = self.look(text_wrap=True, indent=1) if kind == "words" else self.look()
                return text_cell(_fitting(str(value)), look)

    def _number_cell(self, value: Decimal | int, kind: Kind, currency: str | None) -> str:
        if not (isinstance(value, Decimal) and kind == "money"):
            look = self.look(num_format=NUMBER_FORMATS.get(kind, "General"), align="right")
            return number_cell(float(value), look)
        if is_exact(value, currency=currency):
            return number_cell(float(value), self.money(currency))
        # As text: the double nearest to it would be another amount.
        return text_cell(number(value, currency), self.look(align="right", italic=True))

    def close(self) -> None:
        """Write the file."""
        self.file.close()
        self._path.write_bytes(self._packed.getbuffer())


def _fitting(text: str) -> str:
    """Cut a text to what a cell holds, which Excel counts in units of UTF-16: most signs are one, some are two."""
    text = text[:MOST_CHARACTERS]
    return text if len(text) <= MOST_CHARACTERS // 2 or text.isascii() else _cut(text)


def _cut(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass")[: 2 * MOST_CHARACTERS].decode("utf-16-le", "ignore")


def money_format(currency: str | None) -> str:
    """Return the number format of a currency.

    >>> money_format("JPY"), money_format("KWD")
    ('#,##0_);[Red]-#,##0_)', '#,##0.000_);[Red]-#,##0.000_)')
    """
    places = decimals(currency)
    figure = "#,##0" + ("." + "0" * places if places else "")
    return f"{figure}_);[Red]-{figure}_)"


def as_number(amount: Decimal, *, currency: str | None) -> float:
    """Return what ROUND makes of a sum: the double nearest to it in whole minor units.

    >>> as_number(Decimal("-944827.3067"), currency="NOK"), as_number(Decimal("2.5000"), currency="JPY")
    (-944827.31, 3.0)
    """
    # ROUND rounds halves away from zero, where Python's round() goes to the even digit.
    return float(amount.quantize(Decimal(1).scaleb(-decimals(currency)), rounding=ROUND_HALF_UP))


def is_exact(amount: Decimal, *, currency: str | None) -> bool:
    """Tell whether a double holds an amount to the minor unit.

    >>> is_exact(Decimal("9999999999999.99"), currency="NOK"), is_exact(Decimal("10000000000000.01"), currency="NOK")
    (True, False)
    """
    if abs(amount) < SURELY_EXACT:
        return True
    digits = "".join(filter(str.isdigit, number(amount, currency)))
    return len(digits.lstrip("0")) <= MOST_DIGITS
