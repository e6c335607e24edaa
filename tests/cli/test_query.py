"""springline query: one question to the published file, exact in every form, and nothing else."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook

from pipelines.cli.common import out
from pipelines.publish.workbook import answer_book
from tests.cli.springline import NOWHERE, Terminal

AMOUNT = "123456789012345678901234567890.1234"


@pytest.fixture
def published(terminal: Terminal) -> Terminal:
    """Give a terminal beside a published file of a few rows."""
    folder = terminal.folder / "published"
    folder.mkdir()
    with duckdb.connect(str(folder / "springline.duckdb")) as connection:
        connection.execute("CREATE SCHEMA rec")
        connection.execute("CREATE SCHEMA ctl")
        connection.execute(
            f"CREATE TABLE rec.documents AS SELECT range AS document_key, CAST('{AMOUNT}' AS DECIMAL(38,4)) AS amount, "  # noqa: S608
            "CAST(0 AS DECIMAL(38,18)) AS rate, DATE '2026-11-02' AS document_date, "
            "TIMESTAMP '2026-11-02 08:00:00' AS as_of_vms, CAST(NULL AS VARCHAR) AS drift, '[bold]\"a\",\nb' AS told "
            "FROM range(250)"
        )
        connection.execute(
            "COMMENT ON TABLE rec.documents IS 'One document. Answers: Is it booked? Read by: analysts.'"
        )
        connection.execute("COMMENT ON COLUMN rec.documents.rate IS 'how much of one is the other'")
        connection.execute("CREATE SCHEMA analysis")
        connection.execute("CREATE VIEW analysis.totals AS SELECT sum(amount) AS amount FROM rec.documents")
        connection.execute("COMMENT ON VIEW analysis.totals IS 'One sum. Answers: How much is it? Read by: analysts.'")
        connection.execute("COMMENT ON COLUMN analysis.totals.amount IS 'all of it'")
        connection.execute(
            "CREATE TABLE ctl.published AS SELECT TIMESTAMP '2026-11-02 08:00:00' AS published_at, 'b1' AS batch_id, "
            "TIMESTAMP '2026-11-02 07:59:00' AS as_of_vms, CAST(NULL AS TIMESTAMP) AS as_of_ledger"
        )
    return terminal


def test_nothing_published_yet_is_told(terminal: Terminal) -> None:
    ended = terminal.run("query", "SELECT 1")
    assert ended.code == 2
    assert "Nothing is published yet" in ended.err
    assert "springline run publish" in ended.err


def test_the_age_of_the_data_goes_to_stderr(published: Terminal) -> None:
    ended = published.run("query", "SELECT 1 AS one", "--format", "csv")
    assert (ended.code, ended.out) == (0, "one\n1\n")
    assert "Published 2026-11-02 09:00 (Oslo)" in ended.err
    assert "by batch b1; VMS read 2026-11-02 08:59 (Oslo); ledger never read." in ended.err


def test_a_table_is_cut_and_says_so(published: Terminal) -> None:
    ended = published.run("query", "SELECT document_key FROM rec.documents ORDER BY 1")
    assert " 99 " in ended.out
    assert " 100 " not in ended.out
    assert "The first 100 rows are shown and there are more" in ended.err


def test_a_table_that_is_shown_whole_says_nothing(published: Terminal) -> None:
    ended = published.run("query", "SELECT document_key FROM rec.documents LIMIT 100")
    assert "rows are shown" not in ended.err


def test_text_of_others_is_no_markup(published: Terminal) -> None:
    assert "[bold]" in published.run("query", "SELECT told FROM rec.documents LIMIT 1").out


def test_csv_is_exact(published: Terminal) -> None:
    sql = "SELECT amount, rate, document_date, as_of_vms, drift, told, document_key = 0 AS is_first, '=1+1' AS formula "
    sql += "FROM rec.documents LIMIT 1"
    [_, row] = csv.reader(io.StringIO(published.run("query", sql, "--format", "csv").out))
    told = '[bold]"a",\nb'
    assert row == [AMOUNT, "0.000000000000000000", "2026-11-02", "2026-11-02T08:00:00", "", told, "true", "'=1+1"]


@pytest.mark.parametrize("form", [("--json",), ("--format", "json")])
def test_json_is_one_object_with_exact_amounts(form: tuple[str, ...], published: Terminal) -> None:
    sql = "SELECT document_key, amount, rate, document_date, drift FROM rec.documents ORDER BY 1 LIMIT 2"
    told = published.run("query", sql, *form).json()
    assert told["columns"][1] == {"name": "amount", "type": "DECIMAL(38,4)"}
    assert told["rows"][0] == {
        "document_key": 0,
        "amount": AMOUNT,
        "rate": "0.000000000000000000",
        "document_date": "2026-11-02",
        "drift": None,
    }
    assert len(told["rows"]) == 2
    assert told["published"]["batch_id"] == "b1"


def test_json_gives_every_row(published: Terminal) -> None:
    assert len(published.run("query", "FROM rec.documents", "--json").json()["rows"]) == 250
    assert published.run("query", "FROM rec.documents WHERE FALSE", "--json").json()["rows"] == []


def test_parquet_keeps_decimals(published: Terminal) -> None:
    ended = published.run("query", "SELECT amount, rate FROM rec.documents", "--output", "answer.parquet")
    table = pq.read_table(published.folder / "answer.parquet")
    assert ended.code == 0
    assert table.schema.types == [pa.decimal128(38, 4), pa.decimal128(38, 18)]
    assert table.num_rows == 250
    assert table["amount"][0].as_py() == Decimal(AMOUNT)


def test_the_name_of_the_file_says_its_form(published: Terminal) -> None:
    assert published.run("query", "SELECT 1 AS one", "--output", "one.csv").out == ""
    published.run("query", "SELECT 1 AS one", "--output", "one.JSON")
    published.run("query", "SELECT 1.50 AS one UNION ALL SELECT 2.25 ORDER BY 1", "--output", "one.jsonl")
    published.run("query", "SELECT 1 AS one", "--output", "one.txt", "--format", "table")
    assert (published.folder / "one.csv").read_text("utf-8") == "one\n1\n"
    assert json.loads((published.folder / "one.JSON").read_text("utf-8"))["rows"] == [{"one": 1}]
    assert (published.folder / "one.jsonl").read_text("utf-8") == '{"one": "1.50"}\n{"one": "2.25"}\n'
    assert "│   1 │" in (published.folder / "one.txt").read_text("utf-8")


@pytest.mark.parametrize("name", ["one.xls", "one.txt", "one"])
def test_a_file_of_another_ending_is_refused(name: str, published: Terminal) -> None:
    ended = published.run("query", "SELECT 1 AS one", "--output", name)
    assert (ended.code, (published.folder / name).exists()) == (2, False)
    assert ".csv, .json, .jsonl, .parquet, .xlsx" in ended.err


def test_a_workbook_is_exact(published: Terminal) -> None:
    sql = (
        "SELECT amount, CAST(1234.5 AS DECIMAL(38,4)) AS small, CAST(0.094912 AS DECIMAL(38,18)) AS rate, "
        "document_key, 9007199254740993 AS big, document_date, as_of_vms, drift, told, '=1+1' AS formula, true AS flag "
        "FROM rec.documents ORDER BY document_key LIMIT 2"
    )
    ended = published.run("query", sql, "--output", "answer.xlsx")
    assert ended.code == 0
    book = load_workbook(published.folder / "answer.xlsx")
    names, first, second = book["Answer"].iter_rows(values_only=True)
    day = datetime(2026, 11, 2)  # noqa: DTZ001 Excel has no zones
    text = [
        AMOUNT,
        1234.5,
        0.094912,
        0,
        "9007199254740993",
        day,
        day.replace(hour=8),
        None,
        '[bold]"a",\nb',
        "=1+1",
        True,
    ]
    assert [*first] == text
    assert (names[0], second[3]) == ("amount", 1)
    assert book["Answer"]["C2"].number_format == "#,##0.000000_)"
    assert book["Answer"]["J2"].data_type == "s"
    assert (book["About"]["A1"].value, book["About"]["B1"].value) == ("Question", sql)


def test_more_rows_than_a_sheet_holds_are_refused(published: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_book, "MOST_ROWS", 249)
    ended = published.run("query", "FROM rec.documents", "--output", "answer.xlsx")
    assert (ended.code, "more than 249 rows" in ended.err, "answer.csv" in ended.err) == (2, True, False)
    assert not (published.folder / "answer.xlsx").exists()


def test_the_published_folder_is_enough(published: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NOWHERE:
        monkeypatch.delenv(name)
    assert published.run("query", "SELECT 1 AS one", "--format", "csv").out == "one\n1\n"
    (published.folder / "published").rename(published.folder / "elsewhere")
    assert published.run("query", "SELECT 1", "--published", "elsewhere").code == 0
    assert "--published FOLDER" in published.run("query", "SELECT 1").err
    (published.folder / "springline.toml").write_text('published = "elsewhere"\nunknown = 1', "utf-8")
    assert published.run("query", "SELECT 1").code == 0
    published.set(SPRINGLINE_PUBLISHED="nowhere")
    assert published.run("query", "SELECT 1").code == 2
    monkeypatch.delenv("SPRINGLINE_PUBLISHED")
    (published.folder / "springline.toml").write_text("published = 3", "utf-8")
    assert published.run("query", "SELECT 1").code == 10
    (published.folder / "springline.toml").write_text("published =", "utf-8")
    assert "is not TOML" in published.run("query", "SELECT 1").err


def test_a_question_may_stand_in_a_file_or_come_through_a_pipe(
    published: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    (published.folder / "one.sql").write_text("-- one\nSELECT 1 AS one;\n", "utf-8")
    assert published.run("query", "one.sql", "--format", "csv").out == "one\n1\n"
    monkeypatch.setattr("sys.stdin", io.StringIO("SELECT 2 AS two"))
    assert published.run("query", "-", "--format", "csv").out == "two\n2\n"
    ended = published.run("query", "two.sql")
    assert (ended.code, "two.sql cannot be read: No such file or directory" in ended.err) == (2, True)


def test_nothing_asked_lists_the_views_to_begin_with(published: Terminal) -> None:
    ended = published.run("query")
    assert ended.code == 0
    assert [line.split("│")[1:3] for line in ended.out.splitlines() if "analysis" in line] == [
        [" analysis.totals ", " How much is it? "]
    ]
    assert (
        "springline query rec\n  lists the tables of rec; behind the views there are 2 tables: ctl 1, rec 1"
        in ended.err
    )


def test_a_file_without_views_lists_what_people_read(published: Terminal) -> None:
    with duckdb.connect(str(published.folder / "published" / "springline.duckdb")) as connection:
        connection.execute("DROP VIEW analysis.totals")
    ended = published.run("query")
    assert "rec.documents" in ended.out
    assert "a release without first views" in ended.err


def test_a_name_shows_what_it_holds(published: Terminal) -> None:
    assert published.run("query", "rec", "--json").json()["rows"] == [
        {"name": "rec.documents", "one row is": "One document"}
    ]
    assert len(published.run("query", "rec.documents", "--json").json()["rows"]) == 250
    assert "did you mean analysis.totals?" in published.run("query", "analysis.total").err


@pytest.mark.parametrize(("table", "column"), [("rec.documents", "rate"), ("Analysis.Totals", "amount")])
def test_describe_says_what_columns_are(table: str, column: str, published: Terminal) -> None:
    ended = published.run("query", f"describe {table};", "--json")
    words = {row["column_name"]: row["what_it_is"] for row in ended.json()["rows"]}
    assert words[column] == {"rate": "how much of one is the other", "amount": "all of it"}[column]
    assert "One " in published.run("query", f"DESCRIBE {table}").err
    assert "did you mean rec.documents?" in published.run("query", "DESCRIBE rec.document").err


def test_a_row_too_wide_for_the_screen_has_a_line_a_field(published: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out, "_width", 80)
    ended = published.run("query", "FROM rec.documents ORDER BY document_key")
    lines = [line.rstrip() for line in ended.out.splitlines()]
    assert lines[:3] == ["row 1", "  document_key   0", f"  amount         {AMOUNT}"]
    assert "row 20" in lines
    assert "row 21" not in lines
    assert "The first 20 rows are shown and there are more" in ended.err
    assert max(map(len, lines)) <= 80


def test_a_long_text_is_folded_before_a_row_is_cut_up(published: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out, "_width", 80)
    shown = published.run("query", f"SELECT 1 AS one, '{'word ' * 30}' AS said").out
    assert "row 1" not in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_parquet_wants_a_file(published: Terminal) -> None:
    ended = published.run("query", "SELECT 1", "--format", "parquet")
    assert (ended.code, "--output answer.parquet" in ended.err) == (2, True)


def test_a_file_that_cannot_be_written_is_told(published: Terminal) -> None:
    ended = published.run("query", "SELECT 1", "--output", "nowhere/answer.csv")
    assert (ended.code, "nowhere/answer.csv cannot be written" in ended.err) == (2, True)


def test_an_answer_that_fails_leaves_the_file_alone(published: Terminal) -> None:
    (published.folder / "answer.csv").write_text("as it was", "utf-8")
    sql = "SELECT CAST(CASE WHEN document_key = 249 THEN 'x' ELSE '1' END AS INTEGER) FROM rec.documents"
    assert published.run("query", sql, "--output", "answer.csv").code == 2
    assert (published.folder / "answer.csv").read_text("utf-8") == "as it was"
    assert sorted(path.name for path in published.folder.iterdir() if "answer" in path.name) == ["answer.csv"]


def test_columns_of_one_name_are_told_apart(published: Terminal) -> None:
    assert published.run("query", "SELECT 1 AS a, 2 AS a", "--json").json()["rows"] == [{"a": 1, "a_2": 2}]
    published.run("query", "SELECT 1 AS a, 2 AS a", "--output", "a.parquet")
    assert pq.read_table(published.folder / "a.parquet").column_names == ["a", "a_2"]


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO rec.documents SELECT * FROM rec.documents",
        "UPDATE rec.documents SET amount = 0",
        "DELETE FROM rec.documents",
        "DROP TABLE rec.documents",
        "CREATE TABLE rec.mine AS SELECT 1",
        "CREATE TEMPORARY TABLE mine AS SELECT 1",
        "COPY rec.documents TO 'out.csv'",
        "COPY (SELECT 1) TO 'out.csv'",
        "EXPORT DATABASE 'out'",
        "ATTACH 'other.duckdb'",
        "DETACH springline",
        "SET enable_external_access = true",
        "RESET lock_configuration",
        "INSTALL httpfs",
        "LOAD httpfs",
        "CALL force_checkpoint()",
        "CHECKPOINT",
        "BEGIN",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE rec.documents",
        "",
        "-- nothing",
    ],
)
def test_whatever_does_more_than_read_is_refused(sql: str, published: Terminal) -> None:
    file = published.folder / "published" / "springline.duckdb"
    before = file.read_bytes()
    ended = published.run("query", sql)
    assert (ended.code, ended.out) == (2, "")
    assert "Traceback" not in ended.err
    assert file.read_bytes() == before
    assert sorted(path.name for path in published.folder.iterdir()) == ["published"]


@pytest.mark.parametrize(
    "sql",
    [
        "FROM read_csv('{file}')",
        "FROM read_text('{file}')",
        "FROM read_blob('{file}')",
        "FROM glob('{folder}/*')",
        "FROM '{file}'",
        "FROM read_parquet('http://127.0.0.1:9/x.parquet')",
        "FROM query('FROM read_text(''{file}'')')",
    ],
)
def test_nothing_outside_the_file_is_in_reach(sql: str, published: Terminal) -> None:
    secret = published.folder / "secret.csv"
    secret.write_text("password\nhunter2\n", "utf-8")
    ended = published.run("query", sql.format(file=secret, folder=published.folder))
    assert ended.code == 2
    assert "hunter2" not in ended.out + ended.err
    assert "secret.csv" not in ended.out


@pytest.mark.parametrize(
    "sql", ["DESCRIBE rec.documents", "SUMMARIZE rec.documents", "EXPLAIN SELECT 1", "SHOW TABLES"]
)
def test_questions_about_the_file_are_answered(sql: str, published: Terminal) -> None:
    assert published.run("query", sql).code == 0


def test_a_wrong_table_names_the_near_ones(published: Terminal) -> None:
    ended = published.run("query", "SELECT *\nFROM rec.document")
    assert ended.code == 2
    assert "line 2: FROM rec.document" in ended.err
    assert "did you mean rec.documents?" in ended.err


def test_a_wrong_column_is_shown_in_its_line(published: Terminal) -> None:
    lines = published.run("query", "SELECT\n    amonut\nFROM rec.documents").err.splitlines()
    place = lines.index("line 2:     amonut")
    assert lines[place + 1].index("^") == lines[place].index("amonut")
    assert 'Candidate bindings: "amount"' in lines[place + 2]


def test_what_is_no_sql_is_told(published: Terminal) -> None:
    ended = published.run("query", "SELCT 1", "--json")
    assert ended.code == 2
    assert 'syntax error at or near "SELCT"' in ended.json()["error"]


def test_a_file_of_another_program_is_refused(terminal: Terminal) -> None:
    (terminal.folder / "published").mkdir()
    with duckdb.connect(str(terminal.folder / "published" / "springline.duckdb")) as connection:
        connection.execute("CREATE TABLE a AS SELECT 1")
    assert "not published by Springline" in terminal.run("query", "SELECT 1").err


def test_a_file_that_is_no_database_is_told(terminal: Terminal) -> None:
    (terminal.folder / "published").mkdir()
    Path(terminal.folder / "published" / "springline.duckdb").write_bytes(b"no database" * 1000)
    ended = terminal.run("query", "SELECT 1")
    assert (ended.code, "cannot be read" in ended.err) == (2, True)


@pytest.mark.parametrize("ending", ["csv", "json", "jsonl", "xlsx", "parquet"])
def test_a_device_is_written_to_and_stays(ending: str, published: Terminal) -> None:
    # By a link: a fault may not cost this machine its device.
    for device, code in (("/dev/null", 0), ("/dev/full", 18)):
        link = published.folder / f"{Path(device).name}.{ending}"
        link.symlink_to(device)
        ended = published.run("query", "SELECT * FROM rec.documents", "--output", str(link))
        assert (ended.code, link.is_symlink()) == (code, True), ended.err
        assert "Traceback" not in ended.err


def test_a_name_that_is_too_long_is_told(published: Terminal) -> None:
    for options in (["--published", "x" * 300], ["--output", f"{'x' * 300}.csv"]):
        ended = published.run("query", "SELECT 1", *options)
        assert (ended.code, "Next: " in ended.err) == (2, True)
