"""How a file of sql/ becomes a model: header, columns with descriptions, what it reads, and what is refused."""

# ruff: noqa: S608 - the statements are the tests\' own

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.core.errors import ModelError, UsageError
from pipelines.core.table_ref import TableRef
from pipelines.models.header import read_header
from pipelines.models.model import Model
from pipelines.models.read import parse_models
from pipelines.models.sources import read_sources
from tests.models.small import KEPT, ROUNDED, TOTALS, source

HEAD = "-- One x.\n-- grain: document_key\n"


def _read(sql: str) -> Model:
    (model,) = parse_models([source("post.x", sql)])
    return model


def _faults(sql: str) -> list[str]:
    with pytest.raises(ModelError) as error:
        _read(sql)
    return [line.removeprefix("sql/post/x.sql:") for line in error.value.message.splitlines()[1:]]


def test_the_path_is_the_table_name(tmp_path: Path) -> None:
    folder = tmp_path / "sql"
    (folder / "post" / "vouchers").mkdir(parents=True)
    (folder / "control").mkdir()
    (folder / "post" / "vouchers" / "drafts.sql").write_text(f"{HEAD}SELECT 1 AS document_key;\n")
    (folder / "control" / "schema.sql").write_text("CREATE TABLE x (y TEXT)")
    (model,) = parse_models(read_sources(folder))
    assert (model.ref, model.path) == (TableRef("post", "drafts"), "sql/post/vouchers/drafts.sql")


def test_two_files_of_one_name_are_a_fault() -> None:
    twice = [source("post.x", f"{HEAD}SELECT 1 AS document_key")] * 2
    with pytest.raises(ModelError, match=r"post\.x is already sql/post/x\.sql"):
        parse_models(twice)


def test_the_header_says_what_one_row_is_and_its_grain() -> None:
    model = _read(ROUNDED)
    assert model.description == "One document with its amount in minor units. Rounded once."
    assert model.row_meaning == "One document with its amount in minor units"
    assert (model.grain, model.keep) == (("document_key",), "")


def test_a_directive_goes_on_over_indented_lines() -> None:
    header = read_header(KEPT)
    assert header.directives["keep"] == "document_key IN (SELECT document_key FROM ctl.outbox WHERE state = 'sent')"
    assert header.lines["keep"] == 3


def test_prose_with_a_colon_is_no_directive() -> None:
    header = read_header("-- One x.\n-- why: because\n-- grain: a, b\nSELECT 1")
    assert (header.description, header.grain, header.problems) == ("One x. why: because", ("a", "b"), [])


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("-- grian: a", "there is no directive grian (did you mean grain?)."),
        ("-- grain: a\n-- grain: b", "the directive grain stands here twice."),
    ],
)
def test_a_directive_that_cannot_be_is_named(line: str, problem: str) -> None:
    assert [message for _, message in read_header(f"-- One x.\n{line}\n").problems] == [problem]


def test_a_comment_behind_a_column_describes_it() -> None:
    columns = {column.name: column for column in _read(ROUNDED).columns}
    assert columns["document_key"].description == "the VMS's key"
    assert columns["document_no"].description == ""
    assert columns["amount"].description == "in document currency"
    assert columns["amount"].line == 6


@pytest.mark.parametrize(
    "projection",
    [
        "CASE\n  WHEN a.n > 0 THEN 1  -- inside\nEND AS n  -- behind",
        "a.n  -- behind",
        "a.m AS n  -- behind\n, a.o",
        "a.m AS n,  -- behind\n-- above the next one\na.o",
    ],
)
def test_only_the_comment_behind_the_name_counts(projection: str) -> None:
    model = _read(f"-- One x.\n-- grain: n\nSELECT\n{projection}\nFROM map.a AS a")
    assert model.columns[0].description == "behind"
    assert [column.description for column in model.columns[1:]] in ([], [""])


def test_a_column_passed_on_has_no_expression() -> None:
    model = _read(f"{HEAD}SELECT a.document_key, a.n AS m, a.n + 1 AS o FROM map.a AS a")
    assert [column.expression for column in model.columns] == ["", "a.n", "a.n + 1"]


def test_a_union_has_the_columns_of_its_first_select() -> None:
    model = _read(f"{HEAD}SELECT document_key, n FROM map.a UNION ALL SELECT k, m FROM map.b")
    assert [column.name for column in model.columns] == ["document_key", "n"]


def test_names_of_steps_are_no_tables() -> None:
    assert _read(TOTALS).reads == (TableRef("map", "rounded"), TableRef("stg_vms", "document_lines"))


def test_tables_in_subqueries_and_in_keep_are_read_too() -> None:
    assert TableRef("ctl", "outbox") in _read(KEPT).reads
    nested = f"{HEAD}SELECT k AS document_key FROM map.a WHERE EXISTS (SELECT 1 FROM map.b WHERE b.k = a.k)"
    assert _read(nested).reads == (TableRef("map", "a"), TableRef("map", "b"))


def test_a_model_that_keeps_does_not_read_itself() -> None:
    keep = f"{HEAD}-- keep: document_key > (SELECT MIN(document_key) FROM post.x)\nSELECT k AS document_key FROM map.a"
    assert _read(keep).reads == (TableRef("map", "a"),)


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        (f"{HEAD}CREATE TABLE y AS SELECT 1", "1:1: a model is one SELECT; this is CREATE."),
        (f"{HEAD}SELECT 1 AS document_key; SELECT 2", "1:1: a model is one SELECT; this file has 2 statements."),
        (
            f"{HEAD}SELECT document_key FROM map.a WHERE n > )",
            "3:42: Required keyword: 'expression' missing for <class 'sqlglot.expressions.core.GT'>, near ')'.",
        ),
        (f"{HEAD}SELECT FROM map.a", "1:1: a model has columns; this SELECT lists none."),
        (
            f"{HEAD}SELECT document_key FROM documents",
            "3:26: documents is no table of the warehouse; write schema.name.",
        ),
        (
            f"{HEAD}SELECT document_key FROM read_csv('x.csv')",
            "3:26: READ_CSV('x.csv') is no table of the warehouse; write schema.name.",
        ),
        (f"{HEAD}SELECT document_key, * FROM map.a", "3:22: the last SELECT lists its columns, each with a name."),
        (f"{HEAD}SELECT document_key, n + 1 FROM map.a", "3:22: the last SELECT lists its columns, each with a name."),
        (f"{HEAD}SELECT document_key, k AS document_key FROM map.a", "3:22: there are two columns document_key."),
        (
            "-- One x.\n-- grain: document_ky\nSELECT document_key FROM map.a",
            "2:1: the grain names document_ky, which is no column of this model (did you mean document_key?).",
        ),
        (
            "-- One x.\n-- keep: TRUE\nSELECT document_key FROM map.a",
            "2:1: keep needs a grain: new rows replace old ones of the same key.",
        ),
    ],
)
def test_what_is_no_model_is_refused_with_its_place(sql: str, fault: str) -> None:
    assert _faults(sql) == [fault]


def test_a_keep_that_is_no_condition_is_refused() -> None:
    (fault,) = _faults(f"{HEAD}-- keep: document_key IN (\nSELECT document_key FROM map.a")
    assert fault.startswith("3:1: keep is no condition: ")


def test_all_faults_of_all_files_are_told_at_once() -> None:
    files = [source("post.x", "SELECT (1"), source("post.y", "-- grain: n\nSELECT m FROM y")]
    with pytest.raises(ModelError) as error:
        parse_models(files)
    assert error.value.message.startswith("3 faults in the SQL models:")


def test_an_unknown_column_or_a_wrong_name_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"no column amout \(did you mean amount\?\)"):
        _read(ROUNDED).column("amout")
    with pytest.raises(UsageError, match="'vouchers' is no table name"):
        TableRef.parse("vouchers")
