"""Rows of a table are written as XlsxWriter itself writes them, cell by cell."""

from __future__ import annotations

import re
import zipfile
from datetime import date, datetime
from pathlib import Path

from xlsxwriter import Workbook

from pipelines.publish.workbook.page import Page, date_cell, empty_cell, formula_cell, number_cell, text_cell

TEXTS = (
    "plain",
    " outside ",
    "a < b & c > d",
    '"quoted"',
    "two\nlines",
    "ünïcode ☃",
    "\x07bell",
    "_x0041_",
    "=SUM(1)",
    "",
)
NUMBERS = (0, -1, 12, 0.1, -1234567.89, 99999999999999.98, 1e-7)
DAYS = (date(1900, 1, 1), date(1900, 3, 1), date(2026, 11, 30), datetime(2026, 11, 30, 16, 45, 12))  # noqa: DTZ001 Excel knows no zones
HEIGHT = 33.0


def rows_of(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    # How far a row reaches is no more than a hint.
    return re.findall(r"<row .*?</row>", sheet.replace(' spans="1:32"', ""), flags=re.DOTALL)


def test_each_cell_is_as_the_library_writes_it(tmp_path: Path) -> None:
    with Workbook(tmp_path / "theirs.xlsx", {"constant_memory": True}) as book:
        look, days = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
        sheet = book.add_worksheet()
        for row in range(2):
            sheet.set_row(row, HEIGHT)
            places = iter(range(100))
            for text in TEXTS:
                write = sheet.write_string if text else sheet.write_blank
                write(row, next(places), text, look)
            for number in NUMBERS:
                sheet.write_number(row, next(places), number, look)
            for day in DAYS:
                sheet.write_datetime(row, next(places), day, days)
            sheet.write_formula(row, next(places), "=A1+1", None, 0.25)
    with Workbook(tmp_path / "ours.xlsx") as book:
        look, days = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
        page = book.add_worksheet(worksheet_class=Page)
        cells = [
            *(text_cell(text, look) if text else empty_cell(look) for text in TEXTS),
            *(number_cell(number, look) for number in NUMBERS),
            *(date_cell(day, days) for day in DAYS),
            formula_cell("A1+1", 0.25),
        ]
        page.add_rows(0, [(HEIGHT, cells), (HEIGHT, cells)])
    assert len(rows_of(tmp_path / "ours.xlsx")) == 2
    assert rows_of(tmp_path / "ours.xlsx") == rows_of(tmp_path / "theirs.xlsx")
