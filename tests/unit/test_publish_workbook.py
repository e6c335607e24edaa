"""The workbook read back cell by cell: what its tables, totals, links and charts say is what the database says."""

from __future__ import annotations

import gc
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter, range_boundaries

from pipelines.close.sheets import write_close_workbook
from pipelines.publish.workbook.book import FIRST_TAB, Book, money_format
from pipelines.publish.workbook.sheet import Kind, Sheet
from pipelines.publish.workbook.sheets import SHEETS
from pipelines.publish.workbook.workbook import write_workbook
from tests.support.publish_cells import formulas, headings, number, rows_of, table_of, total_rows, totals, without_zeros
from tests.support.publish_expected import expected_totals
from tests.support.publish_tables import lay
from tests.support.publish_world import FORMULA, HOSTILE, OCTOBER, TODAY, WORLD, large

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

# Balances and ages: on paper their figures go before the words about them.
FIGURES_FIRST = frozenset({"Control accounts", "Unpaid", "Accrual roll-forward"})
ACCRUALS = "close.accruals_vs_actuals"
CLOSE_TABS = ["Close", "Control accounts", "Accrual roll-forward", "Accruals v actuals"]


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        lay(connection, WORLD)
        yield connection


@pytest.fixture(scope="module")
def path(connection: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("workbook") / "springline.xlsx"
    write_workbook(connection, path, today=TODAY)
    return path


@pytest.fixture(scope="module")
def book(path: Path) -> Workbook:
    """Return the workbook with its formulas."""
    return load_workbook(path)


@pytest.fixture(scope="module")
def values(path: Path) -> Workbook:
    """Return the workbook with what its formulas come to."""
    return load_workbook(path, data_only=True)


def charts_of(book: Workbook, tab: str) -> list[Any]:
    """Return the charts of a sheet, which openpyxl keeps to itself."""
    charts: list[Any] = vars(book[tab])["_charts"]
    return charts


def shown(value: object, kind: str) -> object:
    """Return a database value as openpyxl reads it back from its cell."""
    match value:
        case bool():
            return "yes" if value else "no"
        case datetime():
            # A day is a double in Excel: seconds are kept, fractions of them are rounded.
            return value
        case date():
            return datetime.combine(value, datetime.min.time())
        case Decimal() | int() if kind != "text":
            return Decimal(value).quantize(Decimal("0.0001"))
        case None:
            return None
        case _:
            return str(value)


def read_back(value: object, kind: str) -> object:
    if isinstance(value, datetime):
        return (value + timedelta(milliseconds=500)).replace(microsecond=0)
    return number(value) if isinstance(value, int | float) and kind != "text" else value


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.tab)
def test_every_cell_is_what_the_database_says(
    sheet: Sheet, connection: duckdb.DuckDBPyConnection, values: Workbook
) -> None:
    rows, in_all = sheet.read(connection, most=100, parameters={})
    page = values[sheet.tab]
    _, top, _, bottom = table_of(page)
    assert headings(page) == [column.heading for column in sheet.columns]
    assert bottom - top == len(rows) == in_all > 0
    huge = 0
    for place, column in enumerate(sheet.columns, start=1):
        for row, wanted in enumerate((found[place - 1] for found in rows), start=top + 1):
            cell = page.cell(row, place)
            if column.kind == "money" and isinstance(wanted, Decimal) and isinstance(cell.value, str):
                huge += 1
                assert Decimal(cell.value.replace(",", "")) == wanted
            else:
                assert read_back(cell.value, column.kind) == shown(wanted, column.kind), (column.heading, row)
    assert huge == {"Both sides": 2, "Held": 2}.get(sheet.tab, 0)


def test_every_total_is_what_the_rows_add_up_to(values: Workbook) -> None:
    for (tab, heading), wanted in expected_totals(WORLD).items():
        assert without_zeros(totals(values, tab, heading)) == without_zeros(wanted), (tab, heading)
        assert wanted, (tab, heading)


def test_every_total_is_a_formula_of_one_currency(book: Workbook) -> None:
    checked = 0
    for sheet in SHEETS:
        page = book[sheet.tab]
        for line, row in total_rows(page).items():
            currency = line.rpartition(", ")[2]
            for place, column in enumerate(sheet.columns, start=1):
                cell = page.cell(row, place)
                if place > 1 and cell.value is not None:
                    terms = f'{sheet.table}[{column.heading}],{sheet.table}[{column.currency}],"{currency}"'
                    assert str(cell.value).startswith(f"=ROUND(SUMIFS({terms},{sheet.table}[Shown],1")
                    assert (f'[{sheet.by}],"=' in str(cell.value)) == bool(sheet.by)
                    assert cell.number_format == money_format(currency)
                    checked += 1
    assert checked > 100


def test_the_hidden_column_follows_the_filter(book: Workbook) -> None:
    for sheet in SHEETS:
        page = book[sheet.tab]
        _, top, right, bottom = table_of(page)
        letter = get_column_letter(right)
        assert page.column_dimensions[letter].hidden
        for row in range(top + 1, bottom + 1):
            assert str(page.cell(row, right).value).startswith("=SUBTOTAL(103,")


@pytest.mark.parametrize(("currency", "decimals"), [("JPY", "0"), ("NOK", "0.00"), ("KWD", "0.000")])
def test_amounts_have_the_decimals_of_their_currency(currency: str, decimals: str, book: Workbook) -> None:
    page = book["Unpaid"]
    _, top, _, bottom = table_of(page)
    names = headings(page)
    amount, kept = names.index("Open in the ledger") + 1, names.index("Currency") + 1
    formats = {
        page.cell(row, amount).number_format
        for row in range(top + 1, bottom + 1)
        if page.cell(row, kept).value == currency
    }
    assert formats == {f"#,##{decimals}_);[Red]-#,##{decimals}_)"}


def test_text_from_elsewhere_is_never_a_formula_or_a_link(book: Workbook) -> None:
    cells = [cell for page in book.worksheets for row in page.iter_rows() for cell in row]
    hostile = [cell for cell in cells if cell.value in {FORMULA, HOSTILE}]
    assert len(hostile) >= 3
    assert {cell.data_type for cell in hostile} == {"s"}
    assert {cell.hyperlink for cell in hostile} == {None}


def test_an_amount_no_double_holds_is_text_with_a_note(values: Workbook) -> None:
    page = values["Held"]
    texts = [cell.value for row in page.iter_rows() for cell in row]
    assert "12,345,678,901,234,567.89" in texts
    assert page["A3"].value == "2 amounts have more digits than Excel can hold: written as text, and in no total here."
    assert values["Unpaid"]["A3"].value in {None, ""}


def test_every_sheet_can_be_reached_filtered_and_printed(book: Workbook) -> None:
    assert book.sheetnames[0] == FIRST_TAB
    links = {cell.hyperlink.location for row in book[FIRST_TAB].iter_rows() for cell in row if cell.hyperlink}
    assert links == {f"'{sheet.tab}'!A1" for sheet in SHEETS}
    for sheet in SHEETS:
        page = book[sheet.tab]
        _, top, _, _ = table_of(page)
        assert page.tables[sheet.table].autoFilter
        assert page.tables[sheet.table].tableStyleInfo.showRowStripes
        # More than a dozen frozen rows would leave no room on a small screen.
        assert page.freeze_panes == (f"B{top + 1}" if top <= 12 else "B1")
        assert page.print_title_rows == f"${top}:${top}"
        assert page.page_setup.orientation == "landscape"
        assert page["A4"].hyperlink.location == f"'{FIRST_TAB}'!A1"


def test_a_page_across_holds_why_and_what_to_do(book: Workbook) -> None:
    for sheet in SHEETS:
        page = book[sheet.tab]
        assert page.sheet_properties.pageSetUpPr
        assert page.sheet_properties.pageSetUpPr.fitToPage
        # One page is what is meant where no number stands.
        assert page.page_setup.fitToWidth in {None, 1, "1"}
        _, top, _, bottom = table_of(page)
        # One or two lines.
        assert max(page.row_dimensions[row].height or 0 for row in range(top + 1, bottom + 1)) < 27
        widths = [page.column_dimensions[get_column_letter(place + 1)].width for place in range(len(sheet.columns))]
        last = range_boundaries(page.print_area.rpartition("!")[2])[2]
        assert sum(widths[:last]) < 250
        printed = {column.heading for column in sheet.columns[:last]}
        for heading in {sheet.measure, *({"Why", "What to do next", "What differs"} if sheet.alarm else ())} - {""}:
            is_there = any(column.heading == heading for column in sheet.columns)
            assert not is_there or heading in printed or sheet.tab in FIGURES_FIRST, (
                sheet.tab,
                heading,
            )


def test_an_invoice_of_two_terms_is_two_rows_of_unpaid(tmp_path: Path) -> None:
    first, *others = WORLD["rec.open_items"]
    half = Decimal(str(first["open_amount"])) / 2
    terms = [
        {
            **first,
            "open_amount": half,
            "item_no": number,
            "due_date": due,
            "days_overdue": days,
            "overdue_bucket": bucket,
        }
        for number, (due, days, bucket) in enumerate(
            [(date(2026, 10, 1), 32, "31-60 days"), (date(2026, 12, 1), None, "not due")], 1
        )
    ]
    with duckdb.connect() as connection:
        lay(connection, {**WORLD, "rec.open_items": [*terms, *others]})
        write_workbook(connection, tmp_path / "terms.xlsx", today=TODAY)
    book = load_workbook(tmp_path / "terms.xlsx", data_only=True)
    rows = [row for row in rows_of(book["Unpaid"]) if row["Document"] == "2707400"]
    assert [(row["Days overdue"], row["Overdue"], row["Open in the ledger"], row["Amount"]) for row in rows] == [
        (32, "31-60 days", 625, 1250),
        (None, "not due", 625, None),
    ]
    assert (
        totals(book, "Unpaid", "Amount")["Payable, USD"] == totals(book, "Unpaid", "Open in the ledger")["Payable, USD"]
    )


def test_the_first_sheet_counts_what_somebody_must_look_at(values: Workbook) -> None:
    page = values[FIRST_TAB]
    lines = {page.cell(row, 2).value: [page.cell(row, place).value for place in range(3, 8)] for row in range(6, 60)}
    assert lines["Breaks"][:4] == [7, 6, "USD", -4095]
    assert lines["Held"] == [6, 4, "KWD", 88000.125, 49]
    # Of October, which is closed, and neither of November nor of all months together.
    assert lines["Control accounts"][:4] == [9, 1, "USD", 360]
    assert lines["Close"] == [7, 5, "NOK", 3096784.25, 5]
    assert lines["Both sides"][1] is None
    assert "open breaks: 6" in str(page["A3"].value)


def test_charts_stand_on_the_sums_of_the_rows(book: Workbook, values: Workbook) -> None:
    page = values["Ageing"]
    rows = {(page.cell(row, 1).value, page.cell(row, 2).value): row for row in range(6, page.max_row + 1)}
    row = rows["Payable", "USD"]
    assert [page.cell(row, place).value for place in range(3, 10)] == [1250, 0, 0, 0, 30000, 0, 31250]
    row = rows["Payable", "NOK"]
    assert row > rows["Open in the ledger", "Currency"]
    assert [page.cell(6, place).value for place in (1, 2, 3, 9)] == ["Payable", "NOK", 13125, 657924.95]
    assert len(charts_of(book, "Ageing")) == 2
    assert len(charts_of(book, "Accrual charts")) == 4
    series = charts_of(book, "Ageing")[0].series[0].val.numRef.f
    assert series == "Ageing!$C$6:$H$6"


def test_the_same_content_gives_the_same_bytes(
    connection: duckdb.DuckDBPyConnection, path: Path, tmp_path: Path
) -> None:
    write_workbook(connection, tmp_path / "again.xlsx", today=TODAY)
    assert (tmp_path / "again.xlsx").read_bytes() == path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}
    assert load_workbook(path).properties.created == datetime.combine(TODAY, datetime.min.time())


def test_a_world_without_rows_has_every_sheet(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        lay(connection, {})
        write_workbook(connection, tmp_path / "empty.xlsx", today=TODAY)
    book = load_workbook(tmp_path / "empty.xlsx", data_only=True)
    assert {sheet.tab for sheet in SHEETS} <= set(book.sheetnames)
    assert {book[sheet.tab]["A5"].value for sheet in SHEETS} == {"There is nothing to show."}
    assert book[FIRST_TAB]["A3"].value == "Nothing needs anybody: both sides agree."
    assert book[FIRST_TAB]["A2"].value == "VMS not read yet, ledger not read yet."


def test_a_sheet_that_is_full_says_what_it_leaves_off(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        lay(connection, large(60))
        write_workbook(connection, tmp_path / "large.xlsx", today=TODAY, most=50)
    page = load_workbook(tmp_path / "large.xlsx")["Unpaid"]
    _, top, _, bottom = table_of(page)
    assert bottom - top == 50
    assert str(page["A3"].value).startswith("50 rows, what matters most first; 10 more are in rec.payments")


def test_the_close_workbook_is_of_one_month(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    write_close_workbook(connection, tmp_path / "close.xlsx", OCTOBER, state="draft of version 1", standing="By K & S.")
    book = load_workbook(tmp_path / "close.xlsx", data_only=True)
    assert [tab for tab in book.sheetnames if tab in CLOSE_TABS] == CLOSE_TABS
    for tab in CLOSE_TABS:
        _, top, _, bottom = table_of(book[tab])
        place = headings(book[tab]).index("Period") + 1
        assert {book[tab].cell(row, place).value for row in range(top + 1, bottom + 1)} == {datetime(2026, 10, 1)}  # noqa: DTZ001 Excel has no zones
    assert book[FIRST_TAB]["A1"].value == "Springline close of October 2026, draft of version 1: what to look at"
    assert book[FIRST_TAB]["A4"].value == "By K & S."
    # Whoever holds one printed page sees what it is a page of.
    footer = book["Close"].oddFooter
    assert footer is not None
    assert str(footer.left.text).startswith("Springline close of October 2026, draft of version 1")


def test_the_totals_name_their_month_by_what_is_shown(book: Workbook, values: Workbook) -> None:
    page = book["Control accounts"]
    assert values["Control accounts"]["D5"].value == datetime(2026, 10, 1)  # noqa: DTZ001 Excel has no zones
    months = "ControlAccounts[Period]"
    assert page["D5"].value == (
        f"=IF(COUNTIFS({months},DATE(2026,10,1),ControlAccounts[Shown],1)>0,DATE(2026,10,1),SUBTOTAL(104,{months}))"
    )


def test_an_amount_without_a_currency_is_in_no_total(tmp_path: Path) -> None:
    rows = [{**row, "currency_code": None} for row in WORLD["rec.documents"][:2]]
    with duckdb.connect() as connection:
        lay(connection, {**WORLD, "rec.documents": [*WORLD["rec.documents"][2:], *rows]})
        write_workbook(connection, tmp_path / "nameless.xlsx", today=TODAY)
    book = load_workbook(tmp_path / "nameless.xlsx", data_only=True)
    assert "none" not in total_rows(book["Both sides"])
    assert "None" not in total_rows(book["Both sides"])
    assert "3 amounts without a currency: in no total here." in str(book["Both sides"]["A3"].value)


# What one document may hold: Excel repairs a file with such a character, and shows such a day as a row of #.
@pytest.mark.parametrize(
    ("value", "kind", "shown"),
    [
        (date(1, 1, 1), "date", "0001-01-01"),
        (date(206, 11, 1), "month", "0206-11-01"),
        (datetime(1899, 12, 31, 8), "time", "1899-12-31T08:00:00"),  # noqa: DTZ001 Excel has no zones
        (date(1900, 1, 1), "date", datetime(1900, 1, 1)),  # noqa: DTZ001
        (date(9999, 12, 31), "date", datetime(9999, 12, 31)),  # noqa: DTZ001
        ("a\0b", "text", "a_x0000_b"),
        ("\x01\x0b\x1b[31m", "words", "_x0001__x000B__x001B_[31m"),
        ("\ufffe\uffff\u202e", "text", "_xFFFE__xFFFF_\u202e"),
        ("x" * 100_000, "words", "x" * 32_000),
    ],
)
def test_any_value_of_a_document_is_shown(tmp_path: Path, value: object, kind: Kind, shown: object) -> None:
    book = Book(tmp_path / "book.xlsx", title="A book: of one value", day=TODAY)
    book.add_page("one").add_rows(0, [(12, [book.cell(value, kind, None)])])
    book.close()
    assert load_workbook(tmp_path / "book.xlsx")["one"]["A1"].value == shown


def test_a_list_of_the_close_is_shown_by_its_columns(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        lay(connection, WORLD)
        connection.execute(
            "CREATE TABLE close.open_documents AS SELECT DATE '2026-10-01' AS period_month, '28601' AS company_code, "
            "CAST(NULL AS VARCHAR) AS document_no, 12.5::DECIMAL(38,4) AS amount, 'KWD' AS currency_code, "
            "'held' AS state"
        )
        write_close_workbook(connection, tmp_path / "close.xlsx", OCTOBER, state="draft of version 1", standing="")
    page = load_workbook(tmp_path / "close.xlsx", data_only=True)["Open documents"]
    assert headings(page) == ["Document", "Period", "Company", "Amount", "Currency", "State"]
    assert totals(load_workbook(tmp_path / "close.xlsx", data_only=True), "Open documents", "Amount") == {
        "KWD": Decimal("12.5")
    }
    assert page.cell(page.max_row, 1).value == "none"


def test_accruals_before_the_first_month_of_excel_have_no_chart(tmp_path: Path) -> None:
    rows = [{**row, "period_month": date(206, month, 1)} for month, row in enumerate(WORLD[ACCRUALS], 1)]
    with duckdb.connect() as connection:
        lay(connection, {**WORLD, ACCRUALS: rows})
        write_workbook(connection, tmp_path / "old.xlsx", today=TODAY)
    charts = load_workbook(tmp_path / "old.xlsx")["Accrual charts"]
    assert charts["A5"].value == "There is nothing to show."


def test_a_workbook_without_room_is_thrown_away_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr("sys.unraisablehook", told.append)
    book = Book(Path("/dev/full"), title="A book: of nothing", day=TODAY)
    book.file.add_worksheet("one")
    with pytest.raises(OSError, match="No space left"):
        book.close()
    del book
    gc.collect()
    assert told == []


def test_what_cannot_be_written_leaves_the_old_workbook(tmp_path: Path) -> None:
    path = tmp_path / "springline.xlsx"
    path.write_bytes(b"as it was")
    with duckdb.connect() as connection:
        lay(connection, WORLD)
        connection.execute("DROP TABLE ctl.rejected")
        with pytest.raises(duckdb.CatalogException):
            write_workbook(connection, path, today=TODAY)
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("springline.xlsx", b"as it was")]


def test_every_formula_has_its_value(book: Workbook, values: Workbook) -> None:
    found = formulas(book)
    assert len(found) > 300
    assert [place for place in found if values[place[0]][place[1]].value is None] == []
