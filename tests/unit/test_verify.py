"""What `verify` finds on one side alone of what has no document: rates, and master data of the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import duckdb
import pytest

from pipelines.load.ledger.master_data import STAGES
from pipelines.recovery.verify import master_data_gone
from pipelines.stores.control import Control, named_statements
from tests.support.control_rows import keep_row

if TYPE_CHECKING:
    from pipelines.step.context import Context

GONE = "sent, and the ledger does not have it"
TABLES = """
CREATE SCHEMA rec; CREATE SCHEMA ctl; CREATE SCHEMA stg_vms;
CREATE TABLE rec.documents (document_key INTEGER, document_no VARCHAR, state VARCHAR);
CREATE TABLE ctl.outbox (document_key INTEGER, kind VARCHAR, state VARCHAR);
CREATE TABLE rec.orphan_vouchers (voucher_no INTEGER, header_db_id INTEGER, document_no VARCHAR);
CREATE TABLE rec.payment_documents (payment_document_no VARCHAR, status VARCHAR);
CREATE TABLE ctl.actuals (document_no VARCHAR, state VARCHAR);
CREATE TABLE stg_vms.documents (document_key INTEGER, document_no VARCHAR, document_type VARCHAR, status_code VARCHAR);
CREATE SCHEMA stg_ledger;
CREATE TABLE stg_ledger.import_items (tr_reg_number INTEGER, ext_order_number VARCHAR, job_level INTEGER);
CREATE TABLE rec.exchange_rates AS SELECT * FROM (VALUES
    (DATE '2026-11-02', 'NOK', 'USD', 'only in ledger'),
    (DATE '2026-11-03', 'NOK', 'USD', 'agreed'),
    (DATE '2026-11-04', 'NOK', 'USD', 'only in ledger')
) AS v (rate_date, from_currency_code, to_currency_code, state);
CREATE TABLE ctl.rates AS SELECT * FROM (VALUES
    (DATE '2026-11-02', 'NOK', 'USD', 1, 'sent'),
    (DATE '2026-11-02', 'NOK', 'USD', 2, 'sent'),
    (DATE '2026-11-03', 'NOK', 'USD', 1, 'sent'),
    (DATE '2026-11-04', 'NOK', 'USD', 1, 'failed')
) AS v (rate_date, from_currency, to_currency, part_no, state);
"""


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    """Give a ledger that has one record of each kind, with the id 7."""
    with duckdb.connect() as warehouse, closing(Control(tmp_path / "springline.ctl.sqlite")) as control:
        warehouse.execute("CREATE SCHEMA stg_ledger")
        for stage in STAGES:
            warehouse.execute(f"CREATE TABLE {stage.staging} AS SELECT 7 AS {stage.db_id}")
        yield cast("Context", SimpleNamespace(warehouse=warehouse, control=control))


def keep(ctx: Context, kind: str, key: str, *ids: object, state: str = "sent") -> None:
    remote = json.dumps({"dbIds": [*ids]})
    about = {"document_key": 0, "target": "ledger", "natural_key": key}
    keep_row(ctx.control, "outbox", id=f"{kind} {key}", kind=kind, state=state, remote_ids=remote, **about)


@pytest.mark.parametrize("kind", [stage.kind for stage in STAGES])
def test_master_data_that_was_sent_and_is_gone_is_named(ctx: Context, kind: str) -> None:
    keep(ctx, kind, "28600:60501#1", "7")
    keep(ctx, kind, "28600:60502#1", "8")
    keep(ctx, kind, "28600:60503#1", "9", state="failed")
    assert list(master_data_gone(ctx)) == [{"what": kind.replace("_", " "), "subject": "28600:60502", "side": GONE}]


def test_the_last_version_says_where_it_stands(ctx: Context) -> None:
    # Deleted by somebody and added again: another id.
    for number, db_id in enumerate(["8"] * 9 + ["7"], start=1):
        keep(ctx, "supplier", f"28600:60501#{number}", db_id)
    assert list(master_data_gone(ctx)) == []


def test_an_item_that_waits_in_the_import_and_that_nobody_sent_is_named() -> None:
    with duckdb.connect() as warehouse:
        warehouse.execute(TABLES)
        warehouse.execute("DELETE FROM ctl.rates")
        for key, number in ((1, "A"), (2, "B"), (3, "C")):
            warehouse.execute("INSERT INTO stg_vms.documents VALUES (?, ?, 'INI', 'RFP')", [key, number])
        # Of the second it is known, the third is booked, and the last two are somebody else's.
        warehouse.execute("INSERT INTO ctl.outbox VALUES (2, 'voucher', 'unknown'), (1, 'voucher', 'failed')")
        for item in ((1, "A", 1), (1, "A", 1), (2, "B", 1), (3, "C", 3), (1, "Z", 1), (9, "A", 1)):
            warehouse.execute("INSERT INTO stg_ledger.import_items VALUES (?, ?, ?)", item)
        rows = warehouse.execute(named_statements("recovery", folder="questions")["on_one_side"]).fetchall()
    assert rows == [("import item", "A (document 1)", "waits in the ledger's import, and never sent by Springline")]


def test_a_rate_that_was_sent_and_is_gone_is_named_once() -> None:
    with duckdb.connect() as warehouse:
        warehouse.execute(TABLES)
        rows = warehouse.execute(named_statements("recovery", folder="questions")["on_one_side"]).fetchall()
    assert rows == [("rate", "2026-11-02 NOK:USD", "sent, and the VMS does not have it")]
