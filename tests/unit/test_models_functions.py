"""The functions of sql/functions.sql: figures in SQL have the text that core/words.py gives them."""

# ruff: noqa: S608 - the statements are the tests' own

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.core import words
from pipelines.core.money import minor_unit_table
from pipelines.models.dialect import transpile
from pipelines.models.functions import create_functions, functions_sql, is_function, write_out
from pipelines.models.lineage import lineage_lines
from pipelines.models.lint.lint_rules import RULES
from pipelines.models.syntax import parse_query
from tests.models.small import SMALL, catalog

AMOUNTS = (
    None, "0", "-0", "0.0000", "-0.0000", "95", "-95", "999", "1000", "-1000", "1250.5", "-1250.50", "125000", "0.0049",
    "-0.0049", "0.5", "12345.678", "12345.6789", "1234567.1", "12345678901234567.89", "-99999999999999999999.9999",
)  # fmt: skip
CURRENCIES = (None, "", "XYZ", *minor_unit_table())


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as made:
        create_functions(made)
        yield made


@pytest.mark.parametrize("data_type", ["DECIMAL(38, 4)", "DECIMAL(38, 18)"])
def test_amounts_have_the_text_of_words(data_type: str, connection: duckdb.DuckDBPyConnection) -> None:
    rows = [(amount, currency) for amount in AMOUNTS for currency in CURRENCIES]
    connection.execute("CREATE OR REPLACE TEMPORARY TABLE figures (amount VARCHAR, currency VARCHAR)")
    connection.executemany("INSERT INTO figures VALUES (?, ?)", rows)
    written = connection.execute(
        "SELECT amount, currency, COALESCE(AMOUNT_TEXT(value, currency), ''),"
        " COALESCE(NUMBER_TEXT(value, currency), '')"
        f" FROM (SELECT *, CAST(amount AS {data_type}) AS value FROM figures)"
    ).fetchall()
    assert len(written) == len(rows)
    for amount, currency, with_currency, alone in written:
        value = None if amount is None else Decimal(amount)
        assert (with_currency, alone) == (words.amount(value, currency), words.number(value, currency))


@given(
    value=st.decimals(min_value=-(10**19), max_value=10**19, places=4),
    currency=st.sampled_from(CURRENCIES),
)
def test_any_amount_has_the_text_of_words(
    value: Decimal, currency: str | None, connection: duckdb.DuckDBPyConnection
) -> None:
    written = connection.execute("SELECT AMOUNT_TEXT(CAST(? AS DECIMAL(38, 4)), ?)", [str(value), currency]).fetchone()
    assert written == (words.amount(value, currency),)


@given(count=st.integers(min_value=-(2**63) + 1, max_value=2**63 - 1))
def test_any_count_has_the_text_of_words(count: int, connection: duckdb.DuckDBPyConnection) -> None:
    written = connection.execute("SELECT COUNT_TEXT(CAST(? AS HUGEINT)) || ' items'", [count]).fetchone()
    assert written == (words.plural(count, "items", "items"),)


def test_a_rate_keeps_its_decimals_and_no_idle_zeros(connection: duckdb.DuckDBPyConnection) -> None:
    sql = "SELECT RATE_TEXT(CAST(x AS DECIMAL(38, 15))) FROM (VALUES ('10'), ('0.1230'), ('1234.5'), ('100')) AS v (x)"
    assert [text for (text,) in connection.execute(sql).fetchall()] == ["10", "0.123", "1234.5", "100"]


@pytest.mark.parametrize(
    ("spelled", "plain"),
    [
        ("F-0881", "F881"), ("f 881", "F881"), ("F\u2013881", "F881"), ("F\u2212881", "F881"),
        ("f\u00ad\u200b881", "F881"),
        ("\t000123\n", "123"), ("2026/0017", "20260017"), ("\u00c5-007", "\u00c57"), ("F-8081", "F8081"), ("--", "--"),
        ("000", "000"), (None, None), ("'0'", "'0'"),
    ],
)  # fmt: skip
def test_spellings_of_a_number_have_one_form(
    spelled: str | None, plain: str | None, connection: duckdb.DuckDBPyConnection
) -> None:
    assert connection.execute("SELECT SAME_NUMBER(CAST(? AS VARCHAR))", [spelled]).fetchone() == (plain,)


@pytest.mark.parametrize("call", ["AMOUNT_TEXT(a, c)", "COUNT_TEXT(a)", "RATE_TEXT(a)", "SAME_NUMBER(a)"])
def test_functions_are_made_of_what_every_engine_has(call: str) -> None:
    written = write_out(parse_query(f"SELECT {call} AS x FROM map.y").copy())
    assert [remark for node in written.walk() for rule in RULES for remark in rule(node)] == []


def test_a_translation_has_no_call_left() -> None:
    for target in ("postgres", "spark"):
        written = transpile("SELECT NUMBER_TEXT(a, AMOUNT_TEXT(b, c)) AS x FROM map.y", target)
        assert "_TEXT" not in written
        assert "CURRENCY_DECIMALS" not in written


def test_only_declared_functions_may_be_called() -> None:
    assert is_function("AMOUNT_TEXT")
    assert is_function("number_text")
    assert not is_function("MONEY_TEXT")
    assert "KWD" in functions_sql()


def test_the_lineage_goes_through_a_function() -> None:
    select = "SELECT document_key, AMOUNT_TEXT(amount, document_no) AS words FROM map.rounded"
    made = catalog({**SMALL, "post.told": f"-- One x.\n-- grain: document_key\n{select}"})
    found = [line.column for line in lineage_lines(made, "post.told", "words")]
    assert found == [
        "post.told.words",
        "map.rounded.amount",
        "stg_vms.documents.amount",
        "map.rounded.document_no",
        "stg_vms.documents.document_no",
    ]


def test_functions_leave_nothing_in_the_warehouse(connection: duckdb.DuckDBPyConnection) -> None:
    # A published file is a copy of the database: an older DuckDB must be able to open it.
    kept = "SELECT COUNT(*) FROM duckdb_functions() WHERE NOT internal AND database_name <> 'temp'"
    assert connection.execute(kept).fetchone() == (0,)
