"""A workbook of the answer to one question: a plain table, and a sheet that says what was asked."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from itertools import chain, islice
from typing import Any

import xlsxwriter

from pipelines.core.errors import UsageError
from pipelines.publish.workbook.book import ACCENT, FONT, MOST_CHARACTERS, MOST_DIGITS, Look, Packed

# A sheet of Excel has 1,048,576 rows, and the first holds the names of the columns.
MOST_ROWS = 2**20 - 1
# Widths follow from the first rows: a row is written as it comes, and no row is kept.
MEASURED_ROWS, NARROW, WIDE = 200, 8, 60
# Excel counts days from here, and takes what is older for a text.
FIRST_YEAR = 1900

# XlsxWriter ships no types: a sheet being written.
Page = Any
# The name of each column, and whether it holds numbers.
Columns = Sequence[tuple[str, bool]]
TextOf = Callable[[object], str]


def write_answer_book(
    target: Any,  # noqa: ANN401 a binary file
    columns: Columns,
    rows: Iterable[Sequence[object]],
    *,
    about: Mapping[str, str],
    text_of: TextOf,
) -> None:
    """Write rows to a workbook; ``about`` stands on a sheet of its own.

    A number that a double does not hold to the last digit is written as text, exactly. ``text_of`` writes what Excel
    has no type for. UsageError when there are more rows than a sheet holds: a part would look like all of it.
    """
    # Names and texts come from other systems: one that begins with = must not become a formula. Constant memory: an
    # answer may be larger than what this machine has.
    options = {"strings_to_formulas": False, "strings_to_urls": False, "constant_memory": True}
    packed = Packed()
    with xlsxwriter.Workbook(packed, options) as book:
        look = cache(lambda **properties: book.add_format({**FONT, **properties}))
        page = book.add_worksheet("Answer")
        waiting = iter(rows)
        first = list(islice(waiting, MEASURED_ROWS))
        for place, (name, is_number) in enumerate(columns):
            longest = max(map(len, (name, *(text_of(row[place]) for row in first))))
            page.set_column(place, place, min(WIDE, max(NARROW, longest + 3)))
            align = "right" if is_number else "left"
            page.write_string(0, place, name, look(bold=True, font_color="#FFFFFF", bg_color=ACCENT, align=align))
        _set_up(page)
        count = 0
        for count, row in enumerate(chain(first, waiting), 1):
            if count > MOST_ROWS:
                raise UsageError(
                    f"The answer has more than {MOST_ROWS:,} rows, which is all that a sheet of Excel holds.",
                    next_step="ask for less, or write it to a .csv or .parquet file.",
                )
            for place, value in enumerate(row):
                _write(page, count, place, value, look=look, text_of=text_of)
        page.autofilter(0, 0, max(count, 1), max(len(columns) - 1, 0))
        _write_about(book.add_worksheet("About"), {**about, "Rows": f"{count:,}"}, look=look)
    target.write(packed.getbuffer())


def _set_up(page: Page) -> None:
    """Keep the names of columns in sight, on paper too: A4 across, one page wide."""
    page.freeze_panes(1, 0)
    page.repeat_rows(0)
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)


def _write(page: Page, row: int, place: int, value: object, *, look: Callable[..., Look], text_of: TextOf) -> None:
    """Write one value; None leaves the cell empty."""
    match value:
        case None:
            return
        # Before int, which a bool is as well.
        case bool():
            page.write_boolean(row, place, value, look())
        case int() | Decimal() if _is_exact(value):
            # As many decimals as the value itself has, at least two: a rate is not cut to what an amount has.
            places = len(text_of(value).partition(".")[2].rstrip("0")) if isinstance(value, Decimal) else 0
            figure = f"#,##0.00{'0' * (places - 2)}_)" if isinstance(value, Decimal) else "0_)"
            page.write_number(row, place, float(value), look(num_format=figure, align="right"))
        case int() | Decimal():
            page.write_string(row, place, text_of(value), look(align="right", italic=True))
        case float() if math.isfinite(value):
            page.write_number(row, place, value, look(align="right"))
        case datetime() if value.year >= FIRST_YEAR and value.tzinfo is None:
            page.write_datetime(row, place, value, look(num_format="yyyy-mm-dd hh:mm:ss", align="left"))
        case date() if value.year >= FIRST_YEAR and not isinstance(value, datetime):
            page.write_datetime(row, place, value, look(num_format="yyyy-mm-dd", align="left"))
        case _:
            page.write_string(row, place, text_of(value)[:MOST_CHARACTERS], look())


def _is_exact(value: int | Decimal) -> bool:
    """Tell whether a double holds a number to its last digit."""
    digits = f"{abs(value):f}".replace(".", "").strip("0") if isinstance(value, Decimal) else str(abs(value))
    return len(digits) <= MOST_DIGITS


def _write_about(page: Page, about: Mapping[str, str], *, look: Callable[..., Look]) -> None:
    page.set_column(0, 0, 14)
    page.set_column(1, 1, 110)
    for row, (name, text) in enumerate(about.items()):
        page.write_string(row, 0, name, look(bold=True))
        page.write_string(row, 1, text[:MOST_CHARACTERS], look(text_wrap=True))
