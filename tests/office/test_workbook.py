"""The workbook in LibreOffice: it opens, and every formula comes to what the tables say."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from openpyxl import load_workbook
from openpyxl.workbook import Workbook

from pipelines.close.sheets import write_close_workbook
from pipelines.publish.workbook.workbook import write_workbook
from tests.office.calc import converted, recomputed
from tests.support.publish_cells import formulas, totals, without_zeros
from tests.support.publish_expected import expected_totals
from tests.support.publish_tables import World, lay
from tests.support.publish_world import OCTOBER, TODAY, WORLD, large

pytestmark = pytest.mark.office

PICTURES = Path(__file__).parents[2] / "screenshots"
MANY = large(500)
WORLDS: Mapping[str, World] = {"full": WORLD, "empty": {}, "large": MANY}
Books = Mapping[str, tuple[Path, Workbook]]


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Books:
    """Return each workbook as written, and as LibreOffice has recomputed it."""
    folder = tmp_path_factory.mktemp("office")
    written: dict[str, Path] = {}
    for name, world in WORLDS.items():
        with duckdb.connect() as connection:
            lay(connection, world)
            write_workbook(connection, folder / f"{name}.xlsx", today=TODAY)
            write_close_workbook(connection, folder / f"close-{name}.xlsx", OCTOBER, state="draft", standing="A draft.")
        written |= {name: folder / f"{name}.xlsx", f"close-{name}": folder / f"close-{name}.xlsx"}
    return {name: (path, load_workbook(recomputed(path, folder), data_only=True)) for name, path in written.items()}


@pytest.mark.parametrize("name", [f"{kind}{world}" for kind in ("", "close-") for world in WORLDS])
def test_every_formula_comes_to_the_value_it_was_written_with(name: str, books: Books) -> None:
    path, book = books[name]
    written = load_workbook(path, data_only=True)
    found = formulas(load_workbook(path))
    assert len(found) > 400 if name == "large" else found or name.endswith("empty")
    wrong = {
        place: (written[place[0]][place[1]].value, book[place[0]][place[1]].value)
        for place in found
        if written[place[0]][place[1]].value != book[place[0]][place[1]].value
    }
    assert wrong == {}


@pytest.mark.parametrize("name", WORLDS)
def test_every_total_is_what_the_rows_add_up_to(name: str, books: Books) -> None:
    _, book = books[name]
    expected = expected_totals(WORLDS[name])
    assert {key: without_zeros(totals(book, *key)) for key in expected} == {
        key: without_zeros(wanted) for key, wanted in expected.items()
    }
    assert name == "empty" or sum(map(len, expected.values())) > 8


def test_the_totals_follow_the_month_that_is_typed_in(books: Books, tmp_path: Path) -> None:
    book = load_workbook(books["full"][0])
    book["Control accounts"]["D5"] = date(2026, 9, 1)
    book.save(tmp_path / "september.xlsx")
    found = load_workbook(recomputed(tmp_path / "september.xlsx", tmp_path), data_only=True)
    assert totals(found, "Control accounts", "Ledger balance") == {
        **dict.fromkeys(("EUR", "JPY", "KWD", "USD"), Decimal(0)),
        "NOK": Decimal(-120_000),
    }


def test_the_totals_follow_the_month_that_a_filter_leaves(books: Books, tmp_path: Path) -> None:
    book = load_workbook(books["full"][0])
    for tab in ("Control accounts", "Accrual roll-forward", "Accruals v actuals", "Close"):
        page = book[tab]
        months = {row: page.cell(row, 4).value for row in range(6, page.max_row + 1)}
        assert {month.month for month in months.values() if isinstance(month, datetime)} >= {9, 10}
        for row, month in months.items():
            page.row_dimensions[row].hidden = isinstance(month, datetime) and month.month != 9
    book.save(tmp_path / "filtered_to_september.xlsx")
    found = load_workbook(recomputed(tmp_path / "filtered_to_september.xlsx", tmp_path), data_only=True)
    assert totals(found, "Control accounts", "Ledger balance")["NOK"] == Decimal(-120_000)
    assert totals(found, "Accrual roll-forward", "Closing")["NOK"] == Decimal(120_000)
    assert totals(found, "Accruals v actuals", "Accrual posted")["NOK"] == Decimal(120_000)
    assert totals(found, "Close", "Company amount")["NOK"] == Decimal(700)


def test_the_totals_follow_what_a_filter_leaves(books: Books, tmp_path: Path) -> None:
    book = load_workbook(books["full"][0])
    sheet = book["Unpaid"]
    hidden = [row for row in range(1, sheet.max_row + 1) if sheet.cell(row, 4).value == "World Fuel Services"]
    assert len(hidden) == 2
    for row in hidden:
        sheet.row_dimensions[row].hidden = True
    book.save(tmp_path / "filtered.xlsx")
    found = load_workbook(recomputed(tmp_path / "filtered.xlsx", tmp_path), data_only=True)
    whole = expected_totals(WORLD)["Unpaid", "Open in the ledger"]
    assert without_zeros(totals(found, "Unpaid", "Open in the ledger")) == {
        **whole,
        "Payable, USD": whole["Payable, USD"] - 30_000,
    }


def test_the_workbook_is_pictured(books: Books, tmp_path: Path) -> None:
    PICTURES.mkdir(exist_ok=True)
    picture = converted(books["full"][0], tmp_path, kind="pdf")
    # Copied, since the folder of a test may be on another file system.
    shutil.copy(picture, PICTURES / "workbook.pdf")
    assert (PICTURES / "workbook.pdf").read_bytes().startswith(b"%PDF-")
