"""Landing: what is known is left alone, what changed is replaced with its children, what vanished goes."""

# ruff: noqa: S608 numbers of the tests in SQL text

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.contracts.tables import create_staging_tables
from pipelines.contracts.vms import DOCUMENTS, SYSTEM, VESSELS
from pipelines.core.errors import ExtractError
from pipelines.extract import land as landing
from pipelines.extract import merge
from pipelines.extract.incoming import TableRows
from pipelines.extract.land import EVERYTHING, Arrival, land, land_together
from pipelines.extract.readings import forget_readings
from pipelines.step.context import Context
from tests.support.landing import HOST, make_context, page, ref, vms_document

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

KEY = 5_200_000


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    context = make_context(tmp_path_factory.mktemp("landing"))
    create_staging_tables(context.warehouse)
    yield context
    context.warehouse.close()
    context.control.close()


@pytest.fixture
def ctx(shared: Context) -> Context:
    """Return the shared context with nothing in it; a new warehouse for each test would cost a second each."""
    for table in ("documents", "document_lines", "document_payment_terms", "vessels", "system"):
        shared.warehouse.execute(f"DELETE FROM stg_vms.{table}")
        forget_readings(shared.warehouse, f"stg_vms.{table}")
    with shared.control.write() as connection:
        connection.execute("DELETE FROM rejected")
    return shared


def rows(ctx: Context, sql: str) -> list[tuple[Any, ...]]:
    return ctx.warehouse.execute(sql).fetchall()


def lines_of(ctx: Context, number: int) -> int:
    """Count the lines that belong to a document's own fetch, as the models do."""
    [(count,)] = rows(
        ctx,
        "SELECT count(*) FROM stg_vms.documents JOIN stg_vms.document_lines USING (document_key, fetch_id) "
        f"WHERE document_key = {KEY + number}",
    )
    return int(count)


def land_documents(ctx: Context, *pages: bytes, scope: str | None = None) -> landing.LandingResult:
    return land(ctx, DOCUMENTS, pages, side="vms", scope=scope)


def rejected(ctx: Context) -> list[tuple[Any, ...]]:
    found = ctx.control.read("SELECT object_key, member, until IS NULL FROM rejected ORDER BY rejected_id")
    return [tuple(row) for row in found]


def test_objects_land_with_their_children(ctx: Context) -> None:
    counts = land_documents(ctx, page(vms_document(1, lines=2), vms_document(2, lines=0))).counts
    assert (counts.fetched, counts.landed, counts.unchanged, counts.rejected) == (2, 2, 0, 0)
    assert (lines_of(ctx, 1), lines_of(ctx, 2)) == (2, 0)
    [row] = rows(ctx, f"SELECT modified_at, fetched_at FROM stg_vms.documents WHERE document_key = {KEY + 1}")
    assert [str(value) for value in row] == ["2026-11-02 08:11:12", "2026-11-02 08:00:00"]


def test_a_second_landing_changes_nothing(ctx: Context) -> None:
    pages = page(*(vms_document(number) for number in range(20)))
    land_documents(ctx, pages)
    before = rows(ctx, "SELECT * FROM stg_vms.documents ORDER BY ALL")
    counts = land_documents(ctx, pages).counts
    assert (counts.landed, counts.unchanged) == (0, 20)
    assert rows(ctx, "SELECT * FROM stg_vms.documents ORDER BY ALL") == before


def test_columns_are_those_of_the_contract(ctx: Context) -> None:
    before = rows(
        ctx,
        "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE schema_name = 'stg_vms' "
        "AND NOT starts_with(table_name, '_')",
    )
    land_documents(ctx, page(vms_document(1)))
    after = rows(
        ctx,
        "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE schema_name = 'stg_vms' "
        "AND NOT starts_with(table_name, '_')",
    )
    assert after == before


def test_a_table_gains_the_columns_its_contract_gained(ctx: Context) -> None:
    ctx.warehouse.execute("ALTER TABLE stg_vms.document_lines DROP COLUMN vessel_pool_code")
    # The release that knows the column is another process, with a connection of its own.
    ctx = replace(ctx, warehouse=ctx.warehouse.cursor())
    land_documents(ctx, page(vms_document(1, lines=1)))
    assert rows(ctx, "SELECT vessel_pool_code FROM stg_vms.document_lines") == [("SUPRA",)]


def test_a_removed_line_is_gone(ctx: Context) -> None:
    land_documents(ctx, page(vms_document(1, lines=3)))
    land_documents(ctx, page(vms_document(1, lines=2)))
    assert lines_of(ctx, 1) == 2
    land_documents(ctx, page(vms_document(1, lines=0)))
    assert lines_of(ctx, 1) == 0


def test_a_changed_line_makes_the_document_new(ctx: Context) -> None:
    document = vms_document(1, lines=2)
    land_documents(ctx, page(document))
    document["documentLines"][1]["vatRate"] = None
    assert land_documents(ctx, page(document)).counts.landed == 1


def test_a_new_unknown_member_changes_nothing(ctx: Context) -> None:
    land_documents(ctx, page(vms_document(1)))
    counts = land_documents(ctx, page(vms_document(1, invoicePdf="x", self=f"{HOST}/moved"))).counts
    assert counts.unchanged == 1


def test_a_document_of_which_the_time_alone_has_moved_is_known(ctx: Context) -> None:
    land_documents(ctx, page(vms_document(1)))
    before = rows(ctx, "SELECT * FROM stg_vms.documents")
    landed = land_documents(ctx, page(vms_document(1, modifiedDate="2026-11-02T09:30:00")))
    assert (landed.counts.landed, landed.counts.unchanged) == (0, 1)
    # As a cursor it counts: or the same would be read again for ever.
    assert str(landed.newest) == "2026-11-02 09:30:00"
    assert rows(ctx, "SELECT * FROM stg_vms.documents") == before


def test_the_hash_of_an_object_stays_what_it_was(ctx: Context) -> None:
    land_documents(ctx, page(vms_document(1)))
    # Another figure here means that every object lands anew once: say so in the changelog.
    assert rows(ctx, "SELECT content_hash FROM stg_vms.documents") == [("344dd5f75ea22f81f9dd567d2e098564",)]


def test_of_an_object_that_comes_twice_the_last_counts(ctx: Context) -> None:
    first, last = vms_document(1, lines=3), vms_document(1, lines=1, documentText="last")
    land_documents(ctx, page(first, vms_document(2)), page(last))
    assert rows(ctx, f"SELECT document_text FROM stg_vms.documents WHERE document_key = {KEY + 1}") == [("last",)]
    assert rows(ctx, f"SELECT count(*) FROM stg_vms.document_lines WHERE document_key = {KEY + 1}") == [(1,)]


def test_a_change_taken_back_meanwhile_lands_nothing(ctx: Context) -> None:
    land_documents(ctx, page(vms_document(1)))
    counts = land_documents(ctx, page(vms_document(1, documentText="new")), page(vms_document(1))).counts
    assert counts.landed == 0
    assert rows(ctx, "SELECT document_text FROM stg_vms.documents") == [("Port call",)]


def test_very_many_objects_land_in_several_merges(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landing, "CHUNK", 2)
    monkeypatch.setattr(landing, "LARGEST_MERGE", 3)
    pages = [page(vms_document(number, lines=1), vms_document(number + 1, lines=1)) for number in range(0, 8, 2)]
    counts = land_documents(ctx, *pages, page(vms_document(0, lines=2))).counts
    assert counts.landed == 9
    assert rows(ctx, "SELECT count(*) FROM stg_vms.documents") == [(8,)]
    assert lines_of(ctx, 0) == 2


def test_a_large_landing_leaves_memory_to_others(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[object] = []
    whole = merge.merge

    def watched(connection: DuckDBPyConnection, loads: Sequence[TableRows], *, schema: str, folder: Path) -> None:
        limits.append(connection.execute("SELECT current_setting('memory_limit')").fetchall())
        whole(connection, loads, schema=schema, folder=folder)

    monkeypatch.setattr(merge, "merge", watched)
    before = ctx.warehouse.execute("SELECT current_setting('memory_limit')").fetchall()
    land_documents(ctx, page(vms_document(1), vms_document(2)))
    monkeypatch.setattr(landing, "MANY", 2)
    land_documents(ctx, page(vms_document(3), vms_document(4)))
    assert limits == [before, [("128.0 MiB",)]]


def test_a_large_landing_lies_in_the_file_and_not_in_memory(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    log = ctx.settings.warehouse_path.with_name(f"{ctx.settings.warehouse_path.name}.wal")
    waiting: list[int] = []
    whole = merge.merge

    def watched(connection: DuckDBPyConnection, loads: Sequence[TableRows], *, schema: str, folder: Path) -> None:
        waiting.append(log.stat().st_size if log.exists() else 0)
        whole(connection, loads, schema=schema, folder=folder)

    monkeypatch.setattr(merge, "merge", watched)
    monkeypatch.setattr(landing, "CHUNK", 2)
    monkeypatch.setattr(landing, "LARGEST_MERGE", 3)
    monkeypatch.setattr(landing, "MANY", 2)
    land_documents(ctx, *(page(vms_document(number), vms_document(number + 1)) for number in range(0, 8, 2)))
    assert waiting[2:] == [0, 0]


def test_rows_that_are_merged_are_let_go_at_once(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    merged: list[weakref.ref[object]] = []
    whole = merge.merge

    def watched(connection: DuckDBPyConnection, loads: Sequence[TableRows], *, schema: str, folder: Path) -> None:
        merged.extend(weakref.ref(load.rows) for load in loads)
        whole(connection, loads, schema=schema, folder=folder)

    monkeypatch.setattr(merge, "merge", watched)
    gc.disable()
    try:
        land_documents(ctx, page(vms_document(1)))
        assert len(merged) == 4
        assert [rows for rows in merged if rows() is not None] == []
    finally:
        gc.enable()


def test_several_contracts_land_in_one_merge(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    merges: list[list[str]] = []
    whole = merge.merge

    def watched(connection: DuckDBPyConnection, loads: Sequence[TableRows], *, schema: str, folder: Path) -> None:
        merges.append([load.table for load in loads])
        whole(connection, loads, schema=schema, folder=folder)

    monkeypatch.setattr(merge, "merge", watched)
    vessel = page(ref("Vessel", 8, vesselName="Abra", vesselCodes=[], pool=None, modifiedDate="2026-11-02T08:00:00"))
    system = page(ref("System", 1, country={"currency": {"currencyCode": "USD"}}))
    found = land_together(ctx, [Arrival(VESSELS, [vessel]), Arrival(SYSTEM, [system])], side="vms")
    assert [landed.counts.landed for landed in found] == [1, 1]
    assert merges == [["vessels", "system"]]
    assert str(found[0].newest) == "2026-11-02 08:00:00"


def test_what_did_not_come_back_goes_with_its_children(ctx: Context) -> None:
    land_documents(ctx, page(*(vms_document(number, lines=1) for number in range(4))))
    counts = land_documents(ctx, page(vms_document(0, lines=1)), scope=f"document_key < {KEY + 3}").counts
    assert counts.removed == 2
    assert rows(ctx, "SELECT document_key FROM stg_vms.documents ORDER BY 1") == [(KEY,), (KEY + 3,)]
    assert rows(ctx, "SELECT document_key FROM stg_vms.document_lines ORDER BY 1") == [(KEY,), (KEY + 3,)]


def test_a_broken_object_is_no_vanished_one(ctx: Context) -> None:
    land_documents(ctx, page(vms_document(1), vms_document(2)))
    counts = land_documents(
        ctx, page(vms_document(1), vms_document(2, documentDate="31.10.2026")), scope=EVERYTHING
    ).counts
    assert (counts.removed, counts.rejected) == (0, 1)


def test_a_broken_object_is_set_aside_once(ctx: Context) -> None:
    bad = vms_document(1, documentAmount="abc")
    for _ in range(2):
        landed = land_documents(ctx, page(bad, vms_document(2)))
        assert landed.rejected_keys == {KEY + 1}
    assert rejected(ctx) == [(str(KEY + 1), "documentAmount", 1)]
    assert rows(ctx, "SELECT document_key FROM stg_vms.documents") == [(KEY + 2,)]


def test_another_fault_replaces_the_first(ctx: Context) -> None:
    land_documents(ctx, page(vms_document(1, documentAmount="abc")))
    land_documents(ctx, page(vms_document(1, documentDate=None)))
    assert rejected(ctx) == [(str(KEY + 1), "documentAmount", 0), (str(KEY + 1), "documentDate", 1)]


def test_a_repaired_object_closes_its_row(ctx: Context) -> None:
    land_documents(ctx, page(vms_document(1)))
    land_documents(ctx, page(vms_document(1, documentAmount="abc")))
    assert land_documents(ctx, page(vms_document(1))).counts.unchanged == 1
    assert rejected(ctx) == [(str(KEY + 1), "documentAmount", 0)]


def test_an_object_without_key_closes_with_the_next_whole_read(ctx: Context) -> None:
    land_documents(ctx, b"[null]")
    land_documents(ctx, page(vms_document(1)))
    assert rejected(ctx) == [(None, "", 1)]
    land_documents(ctx, page(vms_document(1)), scope=EVERYTHING)
    assert rejected(ctx) == [(None, "", 0)]


def test_a_long_body_is_kept_in_part(ctx: Context) -> None:
    land_documents(ctx, page(vms_document(1, documentAmount="abc", documentText="x" * 100_000)))
    assert ctx.control.one("SELECT length(body) FROM rejected") == 65_536


def test_a_parent_without_its_children_is_not_known(ctx: Context) -> None:
    land_documents(ctx, page(vms_document(1, lines=3)))
    # As a kill between two merges leaves it, which no reading of before outlives.
    ctx.warehouse.execute("DELETE FROM stg_vms.document_lines WHERE position = 0")
    forget_readings(ctx.warehouse, "stg_vms.documents")
    assert land_documents(ctx, page(vms_document(1, lines=3))).counts.landed == 1
    assert lines_of(ctx, 1) == 3


def test_rows_that_do_not_arrive_are_an_error(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merge, "merge", lambda *_, **__: None)
    with pytest.raises(ExtractError, match="1 rows were landed and 0 arrived"):
        land_documents(ctx, page(vms_document(1)))


def test_a_failed_merge_is_an_expected_error(ctx: Context) -> None:
    ctx.warehouse.execute("CREATE UNIQUE INDEX no_number_twice ON stg_vms.documents (document_no)")
    with pytest.raises(ExtractError, match="Landing in stg_vms failed"):
        land_documents(ctx, page(vms_document(1), vms_document(2, documentNo="2700001")))
    ctx.warehouse.execute("DROP INDEX stg_vms.no_number_twice")


def test_nothing_to_land_imports_nothing_heavy(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = page(*(vms_document(number) for number in range(3)), vms_document(9, documentAmount="abc"))
    land_documents(ctx, pages)
    for name in [name for name in sys.modules if name.split(".")[0] == "pandas"]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("pandas", "pyarrow.dataset", "pipelines.extract.merge"):
        monkeypatch.setitem(sys.modules, name, None)
    assert land_documents(ctx, pages).counts.unchanged == 3


def test_the_folder_of_a_killed_run_is_emptied(ctx: Context) -> None:
    left = ctx.settings.warehouse_path.with_name(".springline.duckdb.landing") / "stg_vms"
    left.mkdir(parents=True)
    (left / "state.json").write_text("{")
    land_documents(ctx, page(vms_document(1)))
    assert not left.parent.exists()


def test_no_row_is_copied_on_its_way(ctx: Context) -> None:
    land_documents(ctx, page(vms_document(1)))
    tables = "SELECT schema_name, table_name FROM duckdb_tables() WHERE contains(table_name, 'document_lines')"
    assert rows(ctx, tables) == [("stg_vms", "document_lines")]


def test_settings_of_dlt_for_other_pipelines_do_not_change_how_rows_land(
    ctx: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".dlt").mkdir()
    (tmp_path / ".dlt" / "config.toml").write_text("[normalize.parquet_normalizer]\nadd_dlt_load_id = true\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID", "true")
    before = rows(ctx, "DESCRIBE stg_vms.vessels")
    land(ctx, VESSELS, [page({"key": 77, "vesselName": "Nordic Star"})], side="vms")
    assert rows(ctx, "SELECT vessel_name FROM stg_vms.vessels WHERE vessel_key = 77") == [("Nordic Star",)]
    assert rows(ctx, "DESCRIBE stg_vms.vessels") == before
