"""The pages for analysts: every question, every example and the notebook, on what the sample world publishes."""

from __future__ import annotations

import json
import re
import shutil
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from tests.support.demonstrated import demonstrate
from tests.support.sandbox_server import SAMPLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

pytestmark = pytest.mark.system

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"
QUESTIONS = dict(
    re.findall(r"^## (.+?)$.*?```sql\n(.+?)```", (HOW_TO / "questions.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
)
EXAMPLES = re.findall(r"```(sql|python)\n(.+?)```", (HOW_TO / "README.md").read_text("utf-8"), re.DOTALL)
CELLS = [
    "".join(cell["source"])
    for cell in json.loads((HOW_TO / "analysis.ipynb").read_text("utf-8"))["cells"]
    if cell["cell_type"] == "code"
]
DECIMALS = (pa.decimal128(38, 4), pa.decimal128(38, 18))

# What the sample world does not show: what would have to be so, and a value of the row that then answers.
WOULD_BE = {
    "Which voyages were over-accrued in September?": (
        "UPDATE close.accruals_vs_actuals SET state = 'over-accrued', difference = 12.34, voyage_no = 'V-OVER' "
        "WHERE period_month = DATE '2026-09-01'",
        "V-OVER",
    ),
    "Which documents are posted in the VMS and not in the ledger?": (
        "UPDATE rec.documents SET voucher_no_ledger = NULL, state = 'only in VMS' WHERE document_no = '2706046'",
        "2706046",
    ),
    "Which control accounts do not tie?": (
        "UPDATE rec.control_accounts SET state = 'differs', difference = 0.01, reason = 'one cent too much'",
        "one cent too much",
    ),
    "Which accruals are not reversed?": (
        "INSERT INTO close.unreversed_accruals (document_no, period_month, unreversed_amount) "
        "VALUES ('2799999', DATE '2026-09-01', 12.34)",
        "2799999",
    ),
    "Who accepted which break, and why?": (
        "INSERT INTO ctl.break_decisions SELECT 1, min(break_id), 'accept', 'as agreed with the agent', '', 'kari', "
        "TIMESTAMP '2026-11-02 09:00:00' FROM ctl.breaks",
        "as agreed with the agent",
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder in which the demonstration has left `published`."""
    return demonstrate(tmp_path_factory).folder


@pytest.fixture
def published(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[duckdb.DuckDBPyConnection]:
    monkeypatch.chdir(folder)
    with duckdb.connect("published/springline.duckdb", read_only=True) as connection:
        yield connection


def test_the_requests_of_a_month_are_found_in_its_first_hour_too(folder: Path, tmp_path: Path) -> None:
    """The month begins at midnight in Norway, an hour or two before it does in UTC, in which editions are dated."""
    shutil.copy(folder / "published" / "springline.duckdb", tmp_path)
    question = QUESTIONS["How many requests has the ledger been asked this month, by job?"]
    with duckdb.connect(str(tmp_path / "springline.duckdb")) as connection:
        connection.execute("UPDATE ctl.requests SET month = '2026-12'")
        connection.execute("INSERT INTO ctl.requests BY NAME SELECT * REPLACE ('2026-11' AS month) FROM ctl.requests")
        connection.execute("UPDATE ctl.published SET published_at = TIMESTAMP '2026-11-30 23:20'")
        assert {month for month, _, _ in connection.execute(question).fetchall()} == {"2026-12"}


def test_there_are_questions_of_every_kind() -> None:
    assert len(QUESTIONS) >= 12
    schemas = set(re.findall(r"\b(analysis|rec|close|map|ctl)\.", "".join(QUESTIONS.values())))
    assert schemas == {"analysis", "rec", "close", "map", "ctl"}
    assert set(WOULD_BE) <= set(QUESTIONS)


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_has_an_answer(question: str, folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "published" / "springline.duckdb", tmp_path)
    change, told = WOULD_BE.get(question, ("", ""))
    with duckdb.connect(str(tmp_path / "springline.duckdb")) as connection:
        if change:
            connection.execute(change)
        answer = connection.execute(QUESTIONS[question])
        types = [str(column[1]) for column in answer.description or ()]
        rows = answer.fetchall()
    assert rows
    assert not any(kind in {"DOUBLE", "FLOAT"} for kind in types)
    assert not told or any(told in map(str, row) for row in rows)


# Each view beside the table, or the other view, that must come to the same.
TOTALS = {
    "voyages, as the books": (
        "SELECT owner_code, sum(result_booked) FROM analysis.voyage_results",
        "SELECT owner_code, sum(-company_amount) FROM map.actual_rows",
    ),
    "vessels, as voyages": (
        "SELECT owner_code, sum(result) FROM analysis.vessel_results",
        "SELECT owner_code, sum(result_booked) FROM analysis.voyage_results",
    ),
    "ageing, as payments": (
        "SELECT owner_code, currency_code, sum(open_in_all) FROM analysis.ageing_by_partner",
        "SELECT owner_code, currency_code, sum(coalesce(open_ledger, open_vms)) FROM rec.payments "
        "WHERE coalesce(open_ledger, open_vms) <> 0",
    ),
    "its buckets, as their sum": (
        "SELECT owner_code, currency_code, sum(not_due + overdue_1_to_30 + overdue_31_to_60 + overdue_61_to_90 "
        "+ overdue_over_90 + without_due_date) FROM analysis.ageing_by_partner",
        "SELECT owner_code, currency_code, sum(open_in_all) FROM analysis.ageing_by_partner",
    ),
    "weeks, as ageing": (
        "SELECT owner_code, currency_code, sum(open_amount) FROM analysis.cash_due",
        "SELECT owner_code, currency_code, sum(open_in_all) FROM analysis.ageing_by_partner",
    ),
    "accruals, as the roll-forward": (
        "SELECT company_code, sum(accrued_now) FROM analysis.accruals_by_voyage",
        "SELECT company_code, sum(posted + reversed) FROM close.accrual_rollforward WHERE family = 'accrual'",
    ),
    "holds, as the control store": (
        "SELECT rule, sum(hold_count), sum(open_count) FROM analysis.holds_by_rule",
        "SELECT rule, count(*), count(*) FILTER (until IS NULL) FROM ctl.holds",
    ),
}


@pytest.mark.parametrize("total", TOTALS)
def test_a_view_leaves_nothing_out(total: str, published: duckdb.DuckDBPyConnection) -> None:
    view, other = (published.execute(f"{sql} GROUP BY ALL ORDER BY ALL").fetchall() for sql in TOTALS[total])
    assert view == other
    assert view


def test_a_question_is_answered_the_same_every_time(published: duckdb.DuckDBPyConnection) -> None:
    for question, sql in QUESTIONS.items():
        assert published.execute(sql).fetchall() == published.execute(sql).fetchall(), question


@pytest.mark.parametrize("example", [text for language, text in EXAMPLES if language == "sql"])
def test_an_example_in_sql_runs(example: str, published: duckdb.DuckDBPyConnection) -> None:
    assert published.execute(example).fetchall()


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("example", [text for language, text in EXAMPLES if language == "python"])
def test_an_example_in_python_runs(example: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(example, "README.md", "exec"), {})  # noqa: S102 our own page
    assert capsys.readouterr().out


def test_no_example_turns_amounts_into_floats() -> None:
    code = "\n".join([*CELLS, *(text for _, text in EXAMPLES)])
    assert not re.search(r"\.(df|fetchdf|fetchnumpy)\(", code)


@pytest.mark.usefixtures("published")
def test_the_notebook_runs_and_keeps_decimals() -> None:
    names: dict[str, Any] = {}
    for number, cell in enumerate(CELLS):
        exec(compile(cell, f"analysis.ipynb[{number}]", "exec"), names)  # noqa: S102 our own notebook
    for name, columns in {
        "held": ["amount_vms"],
        "open_items": ["open_ledger"],
        "by_month": ["difference", "actual_to_date"],
    }.items():
        frame = names[name]
        assert len(frame)
        for column in columns:
            assert isinstance(frame[column].dtype, pd.ArrowDtype)
            assert frame[column].dtype.pyarrow_dtype in DECIMALS


def test_the_notebook_tells_what_the_file_holds(published: duckdb.DuckDBPyConnection) -> None:
    names: dict[str, Any] = {}
    for cell in CELLS:
        exec(cell, names)  # noqa: S102 our own notebook
    expected = published.execute(
        "SELECT side, currency_code, sum(open_ledger) FROM rec.payments WHERE open_ledger <> 0 GROUP BY ALL"
    ).fetchall()
    totals = {key: sum(row.dropna(), Decimal(0)) for key, row in names["ageing"].iterrows()}
    assert totals == {(side, currency): total for side, currency, total in expected}
    posted = published.execute("SELECT sum(accrual_posted) FROM close.accruals_vs_actuals").fetchone()
    assert posted == (names["by_month"]["accrual_posted"].sum(),)


def test_no_bank_account_is_published(published: duckdb.DuckDBPyConnection, folder: Path) -> None:
    accounts = set(_accounts_of_sample())
    assert len(accounts) > 40
    texts = published.execute(
        "SELECT schema_name, table_name, column_name FROM duckdb_columns() WHERE data_type LIKE '%VARCHAR%'"
    ).fetchall()
    published.execute("CREATE TEMPORARY TABLE accounts AS SELECT unnest(?) AS account", [sorted(accounts)])
    found = [
        f"{schema}.{table}.{column}"
        for schema, table, column in texts
        if published.execute(
            f"""
            SELECT 1 FROM (SELECT DISTINCT regexp_replace(CAST("{column}" AS VARCHAR), '[ .]', '', 'g') AS told
            FROM "{schema}"."{table}" WHERE "{column}" IS NOT NULL), accounts WHERE contains(told, account) LIMIT 1
            """  # noqa: S608 names come from the catalogue
        ).fetchone()
    ]
    assert found == []
    pages = [folder / "published" / "report.html"]
    assert [a for a in accounts for page in pages if a in page.read_text("utf-8").replace(" ", "")] == []


@pytest.mark.parametrize(
    "column",
    [
        "port_call_key",
        "port_call_sequence",
        "port_name",
        "claim_no",
        "offhire_key",
        "bill_of_lading_no",
        "business_unit_code",
        "quantity",
        "quantity_unit",
        "unit_price",
    ],
)
def test_lines_can_be_cut_by_all_that_they_belong_to(column: str, published: duckdb.DuckDBPyConnection) -> None:
    values = published.execute(
        f"SELECT DISTINCT {column} FROM rec.document_lines WHERE {column} IS NOT NULL AND state = 'agreed'"  # noqa: S608
    ).fetchall()
    assert len(values) > 1


def test_lines_come_to_what_their_document_does(published: duckdb.DuckDBPyConnection) -> None:
    # The VMS rounds each line and the whole by themselves.
    differing = published.execute(
        """
        SELECT documents.document_no, documents.amount_vms, sum(lines.amount)
        FROM rec.documents AS documents
        LEFT JOIN rec.document_lines AS lines ON documents.document_key = lines.document_key
        WHERE documents.state = 'agreed'
        GROUP BY ALL
        HAVING coalesce(abs(sum(lines.amount) - documents.amount_vms), 1000) > 0.5 * count(*)
        """
    ).fetchall()
    assert differing == []


def _accounts_of_sample() -> Iterable[str]:
    """Give every bank account of the sample world, of both sides, without blanks; of Norwegian IBANs the number too."""
    for path in sorted(SAMPLE.rglob("*.jsonl")):
        text = path.read_text("utf-8")
        for account in re.findall(r'"(?:iban|bankAccountNo|bankAccount)":\s*"([^"]{8,})"', text):
            compact = re.sub(r"[ .]", "", account)
            yield compact
            if compact.startswith("NO"):
                yield compact[4:]
