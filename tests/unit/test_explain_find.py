"""One name may mean several documents, or a row of the ledger: each is told apart, with the command that means it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb
import pytest

from pipelines.core.errors import UsageError
from pipelines.questions.explain.find import find
from pipelines.stores.control import Control
from pipelines.stores.open_tables import PUBLISHED, WAREHOUSE, Tables

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENTS = """
CREATE SCHEMA stg_vms; CREATE SCHEMA post; CREATE SCHEMA map; CREATE SCHEMA ctl;
CREATE TABLE stg_vms.documents AS
SELECT key AS document_key, no AS document_no, type AS document_type, '28601' AS company_code, '60526' AS partner_code,
    partner AS partner_name, DATE '2026-10-20' AS document_date, CAST(amount AS DECIMAL(38, 18)) AS document_amount,
    'USD' AS currency_code, external AS external_document_no, 'f1' AS fetch_id
FROM (VALUES
    (1, '2707024', 'INI', 'Nordic', 95, 'K-1 | 77'), (2, '2707025', 'INI', 'Nordic', 1250, 'K-1'),
    (3, '2707026', 'INI', 'Nordic', 500, '2707024'), (4, 'PAY-9', 'PMO', 'Nordic', -95, '20009'),
    (5, 'PAY-10', 'PMO', 'Nordic', -95, NULL)
) AS given (key, no, type, partner, amount, external);
CREATE TABLE stg_vms.document_lines AS SELECT 4 AS document_key, 'f1' AS fetch_id, '2707024' AS ref_document_no;
CREATE TABLE post.vouchers AS
SELECT document_key, document_no, document_type, company_code, partner_code, partner_name, document_date,
    document_amount AS currency_amount, currency_code AS currency, 'K-1' AS invoice_no, '77' AS x_identifier
FROM stg_vms.documents WHERE document_key = 1;
CREATE TABLE map.subledger_rows AS
SELECT 'AP' AS side, 20009 AS row_db_id, 120560 AS voucher_no, 'BA' AS source_code, '60526' AS subledger_code
UNION ALL SELECT 'AR', 20010, 120561, 'BA', '61011';
CREATE TABLE ctl.payments AS SELECT 'XL20009-2' AS document_no, 20009 AS payment_db_id, 2 AS document_key;
"""


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    with closing(Control(tmp_path / "control.sqlite")) as control:
        yield control


@pytest.fixture
def tables() -> Iterator[Tables]:
    with duckdb.connect() as connection:
        connection.execute(DOCUMENTS)
        yield Tables(connection, WAREHOUSE, datetime.now(UTC))


def refusal(name: str, control: Control, tables: Tables, *, is_full: bool = False) -> UsageError:
    with pytest.raises(UsageError) as refused:
        find(name, control=control, tables=tables, is_full=is_full)
    return refused.value


def test_several_are_listed_by_what_tells_them_apart(control: Control, tables: Tables) -> None:
    # Partner, company and day are those of both, and are not said; the larger amount comes first.
    assert refusal("K-1", control, tables).message.splitlines() == [
        "K-1 means 2 documents:",
        "  springline explain key:2  INI 2707025, USD 1,250.00",
        "  springline explain key:1  INI 2707024, USD 95.00",
    ]
    assert str(refusal("K-1", control, tables)).endswith("\nNext: run one of these commands.")


def test_a_long_list_is_cut_and_says_how_to_see_the_rest(control: Control, tables: Tables) -> None:
    tables.connection.execute(
        "INSERT INTO stg_vms.documents SELECT 100 + n, 'N' || n, 'INI', '28601', '60526', 'Nordic', DATE '2026-10-20', "
        "n, 'USD', 'K-1', 'f1' FROM range(30) AS many (n)"
    )
    lines = refusal("K-1", control, tables).message.splitlines()
    assert (lines[0], len(lines)) == ("K-1 means 32 documents:", 22)
    assert lines[-1] == "  … and 12 more: springline explain K-1 --full"
    assert len(refusal("K-1", control, tables, is_full=True).message.splitlines()) == 33


def test_a_documents_own_number_comes_first(control: Control, tables: Tables) -> None:
    found, others = find("2707024", control=control, tables=tables)
    assert (found.document.key, found.what) == (1, "document number")
    assert [(other.what, other.command) for other in others] == [("invoice number", "springline explain key:3")]


@pytest.mark.parametrize("name", ["PAY-9", "pay-9"])
def test_a_payment_leads_to_its_invoice(control: Control, tables: Tables, name: str) -> None:
    found, _ = find(name, control=control, tables=tables)
    assert (found.document.key, found.what) == (1, "payment")


def test_a_payment_that_pays_nothing_known_is_itself(control: Control, tables: Tables) -> None:
    assert find("PAY-10", control=control, tables=tables)[0].document.key == 5
    assert find("key:4", control=control, tables=tables)[0].document.key == 4


@pytest.mark.parametrize("name", ["XL20009-2", "20009", "120560"])
def test_a_transferred_payment_leads_to_its_invoice(control: Control, tables: Tables, name: str) -> None:
    assert find(name, control=control, tables=tables)[0].document.key == 2


def test_a_row_of_the_ledger_that_pays_nothing_is_told_as_that(control: Control, tables: Tables) -> None:
    told = refusal("120561", control, tables)
    assert "AR row 20010 of voucher 120561, source BA, partner 61011" in told.message
    assert told.next_step == "see the voucher in Xledger."


def test_the_published_file_knows_documents_by_their_vouchers(control: Control, tables: Tables) -> None:
    published = Tables(tables.connection, PUBLISHED, tables.as_of)
    for name in ("K-1", "77", "60526 K-1"):
        assert find(name, control=control, tables=published)[0].document.key == 1


def test_a_partners_code_alone_lists_its_documents(control: Control, tables: Tables) -> None:
    first, *lines = refusal("60526", control, tables).message.splitlines()
    assert (first, len(lines)) == ("60526 means 3 documents:", 3)


def test_a_suppliers_code_says_first_that_its_account_waits(control: Control, tables: Tables) -> None:
    with control.write() as connection:
        connection.execute(
            "INSERT INTO holds (document_no, rule, severity, message, since, batch_id) "
            "VALUES ('60526', 'bank_change', 'critical', 'Supplier 60526: its account changes.', '2026-11-02', 'b1')"
        )
    first, second, *_ = refusal("60526", control, tables).message.splitlines()
    assert (first, second) == ("Supplier 60526: its account changes.", "60526 means 3 documents:")


def test_what_a_break_is_about_leads_to_it(control: Control, tables: Tables) -> None:
    with control.write() as connection:
        connection.execute(
            "INSERT INTO breaks (kind, subject, message, next_step, figures_hash, since, batch_id) VALUES "
            "('voyage unknown in VMS', '28601:OFFICE-2026', 'No voyage has this code.', 'correct the project.', 'h', "
            "'2026-11-02', 'b1')"
        )
    told = refusal("28601:OFFICE-2026", control, tables)
    assert told.message.splitlines() == [
        "28601:OFFICE-2026 is no document.",
        "Break no:1 (voyage unknown in VMS): No voyage has this code.",
    ]
    assert told.next_step == "correct the project."


def test_nothing_found_says_where_it_looked(control: Control, tables: Tables) -> None:
    told = refusal("no such thing", control, tables)
    assert "Looked in the warehouse and the control store, by document number, key, supplier's invoice" in told.message
    assert "springline preflight" in told.next_step
    with pytest.raises(UsageError, match="Looked in the control store alone"):
        find("404", control=control, tables=None)


@pytest.mark.parametrize(("name", "near"), [("K1", "invoice number K-1"), ("707025", "document number 2707025")])
def test_a_near_miss_names_the_nearest(control: Control, tables: Tables, name: str, near: str) -> None:
    told = refusal(name, control, tables)
    assert any(line.endswith(f"  {near}") for line in told.message.splitlines())
    assert told.next_step.startswith("run one of these commands")
