"""Models built in parts, or a stretch at a time, have the rows of ones built at once, whatever was edited before.

`FUZZ=50` plays a hundred days (`make fuzz`).
"""

# ruff: noqa: S608 - the statements are the test's own

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

import duckdb
import pytest

from pipelines.core.table_ref import TableRef
from pipelines.models import parts, slices
from pipelines.models.build import build
from pipelines.models.model import Catalog
from pipelines.models.moves import FOLLOWED
from pipelines.models.noted import FRAMES
from pipelines.models.parts import Parts
from pipelines.stores.moves import MOVED_BY_DOCUMENT
from tests.bench.rec_world import fill
from tests.models.conftest import prepare
from tests.support.verified import verified_models

DAYS = int(os.environ.get("FUZZ", "0")) * 2 or 3
DOCUMENTS, BUILDS = 300, 3
# As landing stamps what it writes.
VMS = "fetch_id = {fetch}, fetched_at = {now}"
LEDGER = "fetch_id = {fetch}, fetched_at = {now}"
SENT = "updated_at = {fetch}"


class Edit(NamedTuple):
    """What happens to all rows with one value of a column."""

    table: str
    column: str
    # Of an UPDATE; empty: they are deleted.
    change: str = ""
    # Which of them.
    where: str = "TRUE"


EDITS = (
    Edit("stg_vms.documents", "document_key", f"document_no = document_no || 'x', {VMS}"),
    Edit("stg_vms.documents", "document_key", f"document_amount = document_amount + 1, {VMS}"),
    Edit("stg_vms.documents", "document_key", f"status_code = 'RFP', {VMS}"),
    Edit("stg_vms.documents", "document_key", f"status_code = 'GONE', {VMS}"),
    Edit("stg_vms.documents", "document_key", f"company_code = 'other', {VMS}"),
    Edit("stg_vms.documents", "document_key", f"partner_code = '60001', {VMS}"),
    Edit("stg_vms.documents", "document_key"),
    Edit("stg_vms.document_payment_terms", "document_key", "due_date = due_date + 1, fetch_id = {fetch}"),
    Edit("stg_vms.document_line_vessel_codes", "document_key"),
    Edit("ctl.outbox", "document_key", f"state = 'unknown', last_error = 'lost', {SENT}", "kind = 'voucher'"),
    Edit("ctl.outbox", "document_key", f"state = 'failed', last_error = 'no', {SENT}", "kind = 'acknowledgement'"),
    Edit("ctl.outbox", "document_key"),
    Edit("ctl.sent_vouchers", "document_key", f"invoice_no = 'F-' || document_key // 2, {SENT}"),
    Edit("ctl.sent_vouchers", "document_key", f"header_text = 'another', header_db_id = NULL, {SENT}"),
    Edit("ctl.sent_vouchers", "document_key", f"state = 'failed', {SENT}"),
    Edit("ctl.sent_lines", "document_key", f"direction = -1, amount = amount + 1, {SENT}"),
    Edit("ctl.sent_lines", "document_key", f"tax_rule = '5', {SENT}", "NOT is_control"),
    Edit("ctl.sent_lines", "document_key", f"posted_date = posted_date + 1, {SENT}"),
    # As a correction changes them.
    Edit("ctl.sent_lines", "document_key", "invoice_amount = invoice_amount * 2, amount = amount * 2"),
    # What was adopted has none.
    Edit("ctl.sent_lines", "document_key"),
    Edit("stg_ledger.transactions", "header_db_id", f"invoice_amount = invoice_amount * 2, {LEDGER}"),
    Edit("stg_ledger.transactions", "header_db_id", f"account_code = '2700', {LEDGER}", "account_code = '4300'"),
    Edit("stg_ledger.transactions", "header_db_id", f"posted_date = posted_date + 31, {LEDGER}"),
    Edit("stg_ledger.transactions", "header_db_id", f"header_text = 'Reversal of ' || voucher_no, {LEDGER}"),
    Edit("stg_ledger.transactions", "header_db_id", f"header_db_id = header_db_id + 1, {LEDGER}"),
    Edit("stg_ledger.transactions", "header_db_id"),
    Edit("stg_ledger.ap_rows", "header_db_id", f"subledger_code = '60002', {LEDGER}"),
    Edit("stg_ledger.ap_rows", "header_db_id", f"due_date = due_date + 1, invoice_remaining = 0, {LEDGER}"),
    Edit("stg_ledger.ap_rows", "header_db_id"),
    Edit("stg_ledger.ar_rows", "header_db_id", f"invoice_amount = invoice_amount + 1, {LEDGER}"),
    # What actuals, payments and accruals go by.
    Edit("stg_ledger.transactions", "header_db_id", f"match_id = header_db_id % 5, {LEDGER}"),
    Edit("stg_ledger.transactions", "header_db_id", f"project_code = 'V001-2401', {LEDGER}", "NOT is_balance_sheet"),
    Edit("stg_ledger.transactions", "header_db_id", f"imported_at = NULL, {LEDGER}"),
    Edit("stg_ledger.ap_rows", "header_db_id", f"match_id = header_db_id % 5, invoice_remaining = 0, {LEDGER}"),
    Edit("stg_ledger.ar_rows", "header_db_id", f"header_db_id = header_db_id + 1, {LEDGER}"),
    Edit("stg_ledger.ar_rows", "header_db_id", f"header_db_id = NULL, {LEDGER}"),
    Edit("stg_vms.documents", "document_key", f"document_amount = -document_amount, {VMS}", "document_type = 'ACP'"),
    Edit("stg_vms.documents", "document_key", f"document_type = 'ACC', {VMS}", "document_type = 'ACP'"),
    Edit("stg_vms.documents", "document_key", f"document_type = 'PMI', {VMS}"),
    Edit("ctl.sent_vouchers", "document_key", f"header_db_id = 30000000 + document_key % 50, {SENT}"),
    Edit("ctl.payments", "document_key", "state = 'failed', updated_at = CAST({now} AS VARCHAR)"),
    Edit("ctl.payments", "document_key", "document_amount = document_amount * 2"),
    Edit("ctl.payments", "document_key"),
    Edit("stg_vms.voyages", "voyage_key", f"status_code = 'CLO', {VMS}"),
    Edit("stg_vms.voyages", "voyage_key", f"reference_no = 'V003-2401', {VMS}"),
    Edit("stg_vms.voyages", "voyage_key"),
    Edit("ctl.holds", "document_key", "until = '2026-11-02'"),
    Edit("ctl.holds", "document_key", "message = 'another'"),
)
# Beside what rows of a table undergo. {key} is of a document, {no} its number.
STATEMENTS = (
    "INSERT INTO ctl.holds BY NAME SELECT 900000 + {key} AS hold_id, {key} AS document_key, 'r' AS rule, "
    "'critical' AS severity, 'held' AS message",
    "INSERT INTO ctl.ignored BY NAME SELECT '{no}' AS document_no, 'by number' AS reason",
    "INSERT INTO ctl.ignored BY NAME SELECT {key} AS document_key, '{no}' AS document_no, 'by key' AS reason",
    "INSERT INTO ctl.rejected BY NAME SELECT {key} AS rejected_id, 'vms' AS side, 'Document' AS entity, "
    "'{key}' AS object_key, '{no}' AS document_no, 'is no date' AS message",
    "UPDATE ctl.cursors SET moved_at = '2026-11-02T08:{minute:02d}:00.000000+00:00'",
    "UPDATE seed.settings SET today = today + 1",
    # A document that is read again, with other lines.
    *(
        f"UPDATE stg_vms.documents SET {VMS} WHERE document_key = {{key}}; "
        f"UPDATE stg_vms.document_lines SET {change}, fetch_id = {{fetch}} WHERE document_key = {{key}}"
        for change in ("voyage_reference_no = 'V002-2401'", "gl_account = '4310'", "ref_document_no = '2700018'")
    ),
    "INSERT INTO ctl.actuals BY NAME SELECT 'a{key}' AS id, 28601 AS owner_code, DATE '2026-01-01' AS period_month, "
    "'V001-2401' AS voyage_no, '4310' AS account, 'USD' AS currency, 1 AS part_no, 5 AS document_amount, "
    "5 AS company_amount, 'sent' AS state",
    "UPDATE ctl.actuals SET state = 'failed'",
    "INSERT INTO ctl.sealed_entries BY NAME SELECT DATE '2025-01-01' AS period_month, 'accrual' AS side, "
    "company_code AS subject, voyage_no, account, company_amount FROM close.accrual_entries WHERE document_key % 7 = 0",
    "INSERT INTO seed.gl_sign BY NAME SELECT company_code, 'revenue' AS gl_sign FROM map.companies LIMIT 1",
    "INSERT INTO seed.vat_accounts BY NAME SELECT '4310' AS account",
    "INSERT INTO seed.reverse_charge BY NAME SELECT 'V{key}' AS vat_code",
    "UPDATE ctl.first_day SET today = DATE '2026-01-01'",
    "INSERT INTO map.left_companies BY NAME SELECT 'other' AS company_code",
    # A document comes that looks like another one, sent and booked as it is.
    "INSERT INTO stg_vms.documents SELECT * REPLACE (document_key + 700000 AS document_key, {now} AS fetched_at) "
    "FROM stg_vms.documents WHERE document_key = {key}",
    "INSERT INTO ctl.sent_vouchers SELECT * REPLACE (document_key + 700000 AS document_key, id || 'c' AS id) "
    "FROM ctl.sent_vouchers WHERE document_key = {key}",
    # Somebody books a voucher again, under the same text.
    "INSERT INTO stg_ledger.transactions SELECT * REPLACE (header_db_id + 5000000 AS header_db_id, "
    "transaction_db_id + 5000000 AS transaction_db_id, {now} AS fetched_at) FROM stg_ledger.transactions "
    "WHERE header_text LIKE '{no} %'",
    "INSERT INTO stg_ledger.import_items BY NAME SELECT {key} AS import_item_db_id, {key} AS tr_reg_number, "
    "'{no}' AS ext_order_number, 1 AS job_level, {now} AS fetched_at",
)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return verified_models()


@pytest.fixture
def world(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> Iterator[duckdb.DuckDBPyConnection]:
    monkeypatch.setattr(parts, "LEAST_ROWS", 0)
    with duckdb.connect(config={"threads": 1}) as connection:
        prepare(connection, catalog)
        fill(connection, DOCUMENTS)
        build(connection, catalog.models)
        yield connection


# The table of an edit, and how the copying of the control store notes what it writes.
WRITTEN = re.compile(r"(?:UPDATE|DELETE FROM|INSERT INTO) ([\w.]+).*?\b(\d{7})\b", re.DOTALL)
COPIED = "INSERT INTO ctl.moves SELECT coalesce(max(copy_no), 0) + 1, unnest([{0}, {0} + 700000]) FROM ctl.moves"
SCHEMAS = (("map", "post"), ("rec",), ("close",))


def _play(connection: duckdb.DuckDBPyConnection, statement: str) -> None:
    """Edit, and note it where the copying would."""
    connection.execute(statement)
    written = WRITTEN.match(statement)
    if written and TableRef.parse(written[1]) in MOVED_BY_DOCUMENT:
        connection.execute(COPIED.format(written[2]))


def _build(connection: duckdb.DuckDBPyConnection, catalog: Catalog, *, left_out: int = -1) -> None:
    """Build what the jobs of a batch build, in their order; one of them may not run."""
    for place, schemas in enumerate(SCHEMAS):
        if place != left_out:
            build(connection, catalog.models, schemas=schemas)


def _build_whole(connection: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    for notes in (FRAMES, FOLLOWED):
        connection.execute(f"DELETE FROM {notes.quoted}")
    _build(connection, catalog)


def _edit(rng: Random, connection: duckdb.DuckDBPyConnection, number: int) -> str:
    words: dict[str, object] = {
        "fetch": f"'edit-{number}'",
        "now": f"TIMESTAMP '2026-11-02 08:00:00' + INTERVAL {number} MINUTE",
        "minute": number % 60,
    }
    if rng.random() < 0.3:
        row = connection.execute(
            "SELECT document_key, document_no FROM stg_vms.documents ORDER BY hash(document_key + ?) LIMIT 1", [number]
        ).fetchone()
        assert row
        return rng.choice(STATEMENTS).format(key=row[0], no=row[1], **words)
    edit = rng.choice(EDITS)
    found = connection.execute(
        f"SELECT {edit.column} FROM {edit.table} WHERE {edit.where} AND {edit.column} IS NOT NULL "
        f"ORDER BY hash({edit.column} + ?) LIMIT 1",
        [number],
    ).fetchone()
    action = f"UPDATE {edit.table} SET {edit.change}" if edit.change else f"DELETE FROM {edit.table}"
    return f"{action} WHERE {edit.column} = {found[0] if found else -1} AND {edit.where}".format(**words)


def _rows(connection: duckdb.DuckDBPyConnection, catalog: Catalog) -> dict[TableRef, object]:
    return {
        model.ref: connection.execute(f"SELECT count(*), sum(hash(r)) FROM {model.ref.quoted} AS r").fetchone()
        for model in catalog.models
        if model.ref.schema in {schema for schemas in SCHEMAS for schema in schemas}
    }


@pytest.mark.parametrize("day", range(DAYS))
def test_built_in_parts_it_has_the_rows_of_one_built_whole(
    day: int, catalog: Catalog, world: duckdb.DuckDBPyConnection
) -> None:
    rng, done = Random(day), []  # noqa: S311 a test
    _build(world, catalog)
    for step in range(BUILDS):
        for number in range(rng.randint(1, 6)):
            done.append(_edit(rng, world, day * 1_000 + step * 10 + number))
            _play(world, done[-1])
        _build(world, catalog, left_out=rng.randint(-1, len(SCHEMAS) - 1) if step + 1 < BUILDS else -1)
    in_parts = _rows(world, catalog)
    _build_whole(world, catalog)
    whole = _rows(world, catalog)
    assert {ref for ref in whole if whole[ref] != in_parts[ref]} == set(), "\n".join(done)


@pytest.mark.parametrize("day", range(DAYS))
def test_built_a_stretch_at_a_time_it_has_the_same_rows(
    day: int, catalog: Catalog, world: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = Random(-day)  # noqa: S311 a test
    done = []
    for number in range(rng.randint(1, 12)):
        done.append(_edit(rng, world, day * 1_000 + number))
        _play(world, done[-1])
    _build_whole(world, catalog)
    at_once = _rows(world, catalog)
    counts: list[int] = []
    build_slices = slices.build_slices

    def counted(connection: object, model: object, stretches: list[slices.Slice], *, lane: int) -> int:
        counts.append(len(stretches))
        return build_slices(connection, model, stretches, lane=lane)  # type: ignore[arg-type]

    monkeypatch.setattr("pipelines.models.build.build_slices", counted)
    monkeypatch.setattr(slices, "SLICE_ROWS", rng.randint(100, 900))
    _build_whole(world, catalog)
    in_stretches = _rows(world, catalog)
    assert max(counts) > 1
    assert {ref for ref in at_once if at_once[ref] != in_stretches[ref]} == set(), "\n".join(done)


def test_one_changed_document_is_all_that_is_built(
    catalog: Catalog, world: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, int | None] = {}
    keys_of = Parts.keys_of

    def noted(self: Parts, connection: duckdb.DuckDBPyConnection, model: object) -> object:
        keys = keys_of(self, connection, model)  # type: ignore[arg-type]
        asked[str(model.ref)] = None if keys is None else len(keys)  # type: ignore[attr-defined]
        return keys

    monkeypatch.setattr(Parts, "keys_of", noted)
    _build(world, catalog)
    asked.clear()
    world.execute("UPDATE stg_vms.documents SET document_text = 'x', fetched_at = now() WHERE document_key = 5000007")
    _build(world, catalog)
    divided = {str(model.ref) for model in catalog.models if model.divided}
    assert {asked[name] for name in divided} <= {0, 1}
    assert asked["rec.document_changes"] == asked["rec.vms_documents"] == 1
    assert asked["rec.sent_details"] == asked["map.actual_rows"] == asked["close.accrual_positions"] == 0
