"""A lake where its packages are not: told before anything is asked, and nothing of it elsewhere."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from pydantic import SecretStr

from pipelines.core.control_place import read_postgres
from pipelines.core.errors import SettingsError
from pipelines.core.lake_place import read_lake
from pipelines.core.settings import Settings
from pipelines.core.settings_systems import LedgerSettings, VmsSettings
from pipelines.core.table_ref import TableRef
from pipelines.stores.lake import attach
from pipelines.stores.lake.held import LARGE, LakeTable, Noted, contents, hashes, note_tables, noted_batch, noted_tables
from pipelines.stores.lake.write import is_large
from tests.support.sandbox_server import REPOSITORY

LINES = LakeTable(TableRef("post", "lines"), {"line_no": "BIGINT", "text": "VARCHAR"})


@pytest.fixture
def scratch() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA post")
        connection.execute("CREATE TABLE post.lines AS SELECT range AS line_no, 'x' || range AS text FROM range(5)")
        yield connection


def settings(folder: Path) -> Settings:
    return Settings(
        warehouse=read_lake("ducklake:postgresql://u:hidden-hidden@127.0.0.1:1/books?schema=a_lake"),
        control=read_postgres("postgresql://127.0.0.1:1/books?schema=a"),
        data=str(folder),
        vms=VmsSettings(base_url="https://vms.invalid"),
        ledger=LedgerSettings(token=SecretStr("none")),
    )


@pytest.mark.parametrize("is_other", [False, True], ids=["not installed", "of another release"])
def test_what_is_missing_is_named_with_the_way_to_install_it(
    is_other: bool,  # noqa: FBT001 a parameter
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    scratch: duckdb.DuckDBPyConnection,
) -> None:
    package = type("Package", (), {"origin": str(tmp_path / "__init__.py")}) if is_other else None
    monkeypatch.setattr(attach, "find_spec", lambda _name: package)
    with (
        pytest.raises(SettingsError, match="duckdb-extension-postgres-scanner is") as told,
        attach.attached(scratch, settings(tmp_path)),
    ):
        pytest.fail("it was attached")
    assert "pip install 'springline[lake]'" in told.value.next_step
    assert f"DuckDB {duckdb.__version__}" in told.value.message or not is_other
    assert [*tmp_path.iterdir()] == []


def test_a_release_of_duckdb_is_pinned_for_a_lake_alone() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    assert [name for name, listed in extras.items() if any("duckdb" in needed for needed in listed)] == ["lake"]
    assert not [needed for needed in project["dependencies"] if "extension" in needed or "psycopg" in needed]
    [pinned] = {needed.partition("==")[2] for needed in extras["lake"] if needed.startswith("duckdb")}
    assert pinned
    assert "duckdb-extension" not in (REPOSITORY / "requirements.txt").read_text("utf-8")


def test_a_batch_on_files_imports_nothing_of_postgres() -> None:
    code = "import sys, pipelines.batch.run; assert 'psycopg' not in sys.modules; assert 'pandas' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=REPOSITORY)  # noqa: S603 our own line


def test_notes_tell_what_a_lake_holds_of_which_batch(scratch: duckdb.DuckDBPyConnection) -> None:
    assert noted_batch(scratch, "working") is None
    rows = contents(scratch, [LINES], database="memory")[LINES.ref]
    noted = {LINES.ref: Noted(LINES.shape, "", rows)}
    large = {LINES.ref: hashes(LINES, "post.lines")}
    note_tables(scratch, "working", batch_id="b1", noted=noted, large=large)
    assert (noted_batch(scratch, "working"), noted_tables(scratch, "working")) == ("b1", noted)
    assert noted_tables(scratch, "published") == {}
    assert scratch.execute('SELECT count(*), sum(row_count) FROM held."working post.lines"').fetchall() == [(5, 5)]
    note_tables(scratch, "working", batch_id="b2", noted={}, large={})
    assert noted_tables(scratch, "working") == {}
    assert scratch.execute("SELECT table_name FROM duckdb_tables() WHERE table_name LIKE '%lines'").fetchall() == [
        ("lines",)
    ]


def test_a_table_has_other_contents_when_a_row_has(scratch: duckdb.DuckDBPyConnection) -> None:
    before = contents(scratch, [LINES], database="memory")
    scratch.execute("UPDATE post.lines SET text = text")
    assert contents(scratch, [LINES], database="memory") == before
    scratch.execute("UPDATE post.lines SET text = 'y' WHERE line_no = 3")
    assert contents(scratch, [LINES], database="memory") != before


def test_rows_are_noted_of_large_tables_alone() -> None:
    assert [is_large(Noted("", "", f"{count} 1")) for count in (0, LARGE - 1, LARGE)] == [False, False, True]
    assert is_large(Noted("", "", "view")) is False
