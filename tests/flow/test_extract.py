"""Extraction over real sockets: the sample world, what changes in it, and answers that go wrong."""

# ruff: noqa: S608 numbers of the tests in SQL text

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import stamina

from pipelines.core.errors import ExtractError, Refused, SpringlineError, Terminal, Transient
from pipelines.core.settings import load_settings
from pipelines.extract import books, ledger, vms
from pipelines.extract.land import ReadCounts
from pipelines.step.context import Context
from pipelines.wire.ledger import LedgerClient
from pipelines.wire.vms import VmsClient
from tests.support.landing import NOW, make_context
from tests.support.sandbox_server import SAMPLE, Sandbox, running_sandbox

NO_LIMITS = {"burst_requests": None, "concurrency": None, "credits_per_hour": None, "posting_every_minutes": None}
OPEN = 5_200_110
WINDOW = date(2026, 6, 1)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        sandbox.control("POST", "ledger/settings", NO_LIMITS)
        sandbox.control("POST", "clock", {"now": NOW.isoformat()})
        yield sandbox


@pytest.fixture(autouse=True)
def _no_waiting(sandbox: Sandbox) -> Iterator[None]:
    with stamina.set_testing(True, attempts=3, cap=True):
        yield
    sandbox.control("DELETE", "faults")


@contextmanager
def connected(sandbox: Sandbox, folder: Path, **more: str) -> Iterator[Context]:
    """Give a context over real clients and a fresh warehouse."""
    environ = {**sandbox.env, "SPRINGLINE_LEDGER__BURST_REQUESTS": "10000", **more}
    settings = load_settings(None, environ=environ)
    vms_client = VmsClient(settings.vms, count=lambda _side, _operation: None, now=lambda: NOW)
    ledger_client = LedgerClient(
        settings.ledger, count=lambda _side, _operation: None, now=lambda: NOW, sleep=lambda _: None
    )
    context = make_context(folder, vms=vms_client, ledger=ledger_client)
    try:
        yield context
    finally:
        for opened in (context.warehouse, context.control, vms_client, ledger_client):
            opened.close()


@pytest.fixture(scope="module")
def ctx(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    """Return one context for all tests: what has landed already costs the next one nothing."""
    with connected(sandbox, tmp_path_factory.mktemp("warehouse")) as context:
        yield context


def value(ctx: Context, sql: str) -> Any:  # noqa: ANN401 any value of a table
    row = ctx.warehouse.execute(sql).fetchone()
    return row[0] if row else None


def status(ctx: Context, key: int) -> str | None:
    found: str | None = value(ctx, f"SELECT status_code FROM stg_vms.documents WHERE document_key = {key}")
    return found


def set_aside(ctx: Context, key: int) -> int:
    found: int = ctx.control.one("SELECT count(*) FROM rejected WHERE until IS NULL AND object_key = ?", [str(key)])
    return found


def test_the_sample_world_lands_as_it_was_made(sandbox: Sandbox, tmp_path: Path) -> None:
    expected = json.loads((SAMPLE / "expected.json").read_text(encoding="utf-8"))["documents"].values()
    broken = {document["key"] for document in expected if document["outcome"] == "rejected"}
    with connected(sandbox, tmp_path) as ctx:
        counts = vms.extract_open_documents(ctx)
        rejected = ctx.control.read("SELECT object_key FROM rejected WHERE until IS NULL")
        assert {int(row["object_key"]) for row in rejected} == broken
        assert counts.landed == counts.fetched - len(broken)
        assert value(ctx, "SELECT count(*) FROM stg_vms.documents WHERE partner_country_code = 'NO'") > 0
        assert value(ctx, "SELECT count(*) FROM stg_vms.document_line_vessel_codes WHERE vessel_code IS NOT NULL") > 0
        again = vms.extract_open_documents(ctx)
        assert (again.landed, again.rejected) == (0, len(broken))


@pytest.mark.parametrize("counts", [True, False])
def test_a_server_that_gives_short_pages_is_read_to_the_end(
    sandbox: Sandbox,
    tmp_path: Path,
    counts: bool,  # noqa: FBT001 a case
) -> None:
    with connected(sandbox, tmp_path) as ctx:
        sandbox.control("POST", "vms/settings", {"largest_page": 20, "counts_objects": counts})
        try:
            short = vms.extract_open_documents(ctx)
        finally:
            sandbox.control("POST", "vms/settings", {"largest_page": None, "counts_objects": True})
        everything = vms.extract_open_documents(ctx)
        assert short.fetched == everything.fetched > 20
        assert everything.landed == 0


READS: tuple[Callable[[Context], ReadCounts], ...] = (
    vms.extract_partners,
    vms.extract_vessels,
    vms.extract_voyages,
    vms.extract_control_accounts,
    vms.extract_system,
    lambda ctx: vms.extract_vms_exchange_rates(ctx, WINDOW),
    ledger.extract_master_data,
    lambda ctx: ledger.extract_ledger_rates(ctx, WINDOW),
    books.extract_books,
)


def test_everything_else_lands_once(ctx: Context) -> None:
    for read in READS:
        assert read(ctx).fetched, read
    assert [read(ctx).landed for read in READS] == [0] * len(READS)
    assert value(ctx, "SELECT base_currency_code FROM stg_vms.system") == "USD"
    assert value(ctx, "SELECT count(DISTINCT owner_db_id) FROM stg_ledger.transactions") > 1
    assert value(ctx, "SELECT count(*) FROM stg_ledger.entity_dimensions") > 0


def test_a_document_that_left_rfp_changes_here_too(ctx: Context, sandbox: Sandbox) -> None:
    vms.extract_open_documents(ctx)
    with sandbox.vms() as client:
        client.put(f"/Document/{OPEN}", json={"invoicingStatus": "POS"}).raise_for_status()
        client.delete(f"/Document/{OPEN + 1}").raise_for_status()
    counts = vms.extract_open_documents(ctx)
    assert counts.landed == 1
    assert (status(ctx, OPEN), status(ctx, OPEN + 1), status(ctx, OPEN + 2)) == ("POS", "GONE", "RFP")
    assert vms.extract_open_documents(ctx).landed == 0


def test_a_removed_line_is_gone_here_too(ctx: Context, sandbox: Sandbox) -> None:
    key = OPEN + 2
    own = "stg_vms.documents JOIN stg_vms.document_lines USING (document_key, fetch_id)"
    lines = f"SELECT count(*) FROM {own} WHERE document_key = {key}"
    vms.extract_open_documents(ctx)
    before = value(ctx, lines)
    with sandbox.vms() as client:
        first = client.get(f"/Document/{key}", headers={"fields": '{"documentLines":{"key":"*"}}'}).json()[
            "documentLines"
        ]
        kept = [{"key": line["key"]} for line in first[1:]]
        client.put(f"/Document/{key}", json={"documentLines": kept}).raise_for_status()
    vms.extract_open_documents(ctx)
    assert value(ctx, lines) == before - 1


def test_a_document_that_breaks_is_not_posted_from_its_old_text(ctx: Context, sandbox: Sandbox) -> None:
    vms.extract_documents_by_key(ctx, [OPEN + 3])
    number = value(ctx, f"SELECT document_no FROM stg_vms.documents WHERE document_key = {OPEN + 3}")
    sandbox.fault("vms", {"kind": "replace", "old": f'"documentNo":"{number}"', "new": '"documentNo":[5]'})
    assert vms.extract_documents_by_key(ctx, [OPEN + 3]).rejected == 1
    assert status(ctx, OPEN + 3) == "REJECTED"
    sandbox.control("DELETE", "faults")
    assert vms.extract_documents_by_key(ctx, [OPEN + 3]).landed == 1
    assert status(ctx, OPEN + 3) == "RFP"
    assert set_aside(ctx, OPEN + 3) == 0


def test_a_rejected_document_that_is_deleted_is_closed(ctx: Context, sandbox: Sandbox) -> None:
    sandbox.fault("vms", {"kind": "replace", "old": f'"key":{OPEN + 4},', "new": f'"key":{OPEN + 4},"documentNo":5,'})
    vms.extract_documents_by_key(ctx, [OPEN + 4])
    assert set_aside(ctx, OPEN + 4) == 1
    sandbox.control("DELETE", "faults")
    with sandbox.vms() as client:
        client.delete(f"/Document/{OPEN + 4}").raise_for_status()
    vms.extract_documents_by_key(ctx, [OPEN + 4])
    assert set_aside(ctx, OPEN + 4) == 0


def test_documents_not_ready_yet_are_read_for_preflight(ctx: Context) -> None:
    vms.extract_documents_by_status(ctx, ("PEN", "INV", "RFP"))
    found = ctx.warehouse.execute("SELECT DISTINCT status_code FROM stg_vms.documents").fetchall()
    assert {"PEN", "INV", "RFP"} <= {code for (code,) in found}


def test_every_document_is_read_whatever_its_status(sandbox: Sandbox, tmp_path: Path) -> None:
    with connected(sandbox, tmp_path) as ctx:
        vms.extract_documents(ctx)
        found = ctx.warehouse.execute("SELECT DISTINCT status_code FROM stg_vms.documents").fetchall()
        assert {code for (code,) in found} == {"PEN", "INV", "RFP", "POS"}
        assert vms.extract_documents(ctx).landed == 0


def test_a_posted_document_that_changes_is_read_again(ctx: Context, sandbox: Sandbox) -> None:
    vms.extract_documents(ctx)
    key = value(ctx, "SELECT max(document_key) FROM stg_vms.documents WHERE status_code = 'POS'")
    with sandbox.vms() as client:
        client.put(f"/Document/{key}", json={"documentText": "changed"}).raise_for_status()
    assert vms.extract_documents(ctx).landed == 1
    assert value(ctx, f"SELECT document_text FROM stg_vms.documents WHERE document_key = {key}") == "changed"


def test_a_changed_line_brings_its_document(ctx: Context, sandbox: Sandbox) -> None:
    vms.extract_documents(ctx)
    line = value(ctx, "SELECT max(line_key) FROM stg_vms.document_lines JOIN stg_vms.documents USING (fetch_id)")
    with sandbox.vms() as client:
        client.put(f"/DocumentLine/{line}", json={"documentLineText": "changed"}).raise_for_status()
    assert vms.extract_documents(ctx).landed == 1


@pytest.mark.parametrize("age", ["status_code = 'PEN'", "document_type = 'ACC' AND modified_at < '2026-09-01'"])
def test_a_deleted_document_is_gone_at_once(ctx: Context, sandbox: Sandbox, age: str) -> None:
    vms.extract_documents(ctx)
    key = value(ctx, f"SELECT min(document_key) FROM stg_vms.documents WHERE {age}")
    with sandbox.vms() as client:
        client.delete(f"/Document/{key}").raise_for_status()
    vms.extract_documents(ctx)
    assert status(ctx, key) == "GONE"
    sandbox.control("DELETE", "requests")
    assert vms.extract_documents(ctx).fetched < 100
    # What has changed, three ways, and the count.
    assert sandbox.control("GET", "requests")["vms"] == {"GET /ws/rest/Document": 4}


def test_a_vms_that_does_not_count_is_asked_once_a_day(
    ctx: Context, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(VmsClient, "count", lambda _self, _entity: None)
    vms.extract_documents(ctx)
    key = value(ctx, "SELECT min(document_key) FROM stg_vms.documents WHERE status_code = 'PEN'")
    with sandbox.vms() as client:
        client.delete(f"/Document/{key}").raise_for_status()
    vms.extract_documents(ctx)
    vms.extract_documents(ctx)
    assert status(ctx, key) == "PEN"
    vms.extract_documents(replace(ctx, today=date(2026, 11, 3)))
    assert status(ctx, key) == "GONE"


def test_a_warehouse_built_anew_reads_all_documents(ctx: Context) -> None:
    vms.extract_documents(ctx)
    ctx.warehouse.execute("DELETE FROM ctl.whole")
    assert vms.extract_documents(ctx).fetched > 100


def test_a_changed_address_brings_its_partner(ctx: Context, sandbox: Sandbox) -> None:
    vms.extract_partners(ctx)
    key = value(ctx, "SELECT partner_key FROM stg_vms.partners WHERE partner_code = '60526'")
    with sandbox.vms() as client:
        fields = {"fields": '{"addresses":{"key":"*"}}'}
        address = client.get(f"/BusinessPartner/{key}", headers=fields).json()["addresses"][0]["key"]
        client.put(f"/Address/{address}", json={"city": "Oslo"}).raise_for_status()
    assert vms.extract_partners(ctx).landed == 1
    assert value(ctx, "SELECT city FROM stg_vms.partners WHERE partner_code = '60526'") == "Oslo"


def test_a_child_that_cannot_be_asked_for_stops_nothing(ctx: Context, sandbox: Sandbox) -> None:
    vms.extract_partners(ctx)
    match = {"path": "/ws/rest/BusinessPartner", "contains": "contactInfo.modifiedDate"}
    sandbox.fault("vms", {"kind": "status", "status": 400, "body": '{"message":"not filterable"}'}, match=match)
    assert vms.extract_partners(ctx).fetched > 0
    sandbox.fault("vms", {"kind": "status", "status": 400, "body": "{}"}, match={"path": "/ws/rest/BusinessPartner"})
    with pytest.raises(Refused):
        vms.extract_partners(ctx)


def test_a_partner_that_was_deleted_goes_with_the_next_day(ctx: Context, sandbox: Sandbox) -> None:
    with sandbox.vms() as client:
        body = {"businessPartnerCode": "X9", "businessPartnerName": "X", "businessPartnerSort": "X9"}
        key = client.post("/BusinessPartner", json=body).raise_for_status().json()["key"]
        vms.extract_partners(ctx)
        client.delete(f"/BusinessPartner/{key}").raise_for_status()
    assert vms.extract_partners(ctx).removed == 0
    assert vms.extract_partners(replace(ctx, today=date(2026, 11, 3))).removed == 1


def test_a_period_that_is_opened_again_goes(ctx: Context, sandbox: Sandbox) -> None:
    period = {"owner": 28601, "period": "2026-06"}
    sandbox.control("POST", "ledger/periods", {**period, "closed": True})
    ledger.extract_master_data(ctx)
    closed = "SELECT count(*) FROM stg_ledger.period_status WHERE period_year = 2026 AND period_month = 6"
    assert value(ctx, closed) == 1
    sandbox.control("POST", "ledger/periods", {**period, "closed": False})
    assert ledger.extract_master_data(ctx).removed == 1
    assert value(ctx, closed) == 0


def test_rows_come_by_deltas_and_matches_with_them(ctx: Context, sandbox: Sandbox) -> None:
    books.extract_books(ctx)
    assert value(ctx, "SELECT count(*) FROM stg_ledger.ap_rows") > 0
    invoice = {
        "account": "2400",
        "currency": "NOK",
        "subledger": "60501",
        "invoiceNumber": "D-1",
        "dueDate": "2026-12-01",
    }
    lines = [
        {**invoice, "amount": "-500.00", "invoiceAmount": "-500.00", "dueDate": "2026-12-01", "text": "invoice"},
        {"account": "4300", "amount": "500.00", "invoiceAmount": "500.00", "currency": "NOK", "text": "cost",
         "glObject1": "V001", "project": "V001-2601"},
    ]  # fmt: skip
    sandbox.control(
        "POST", "ledger/vouchers", {"owner": 28601, "source": "AP", "postedDate": "2026-11-01", "lines": lines}
    )
    # One supplier row, and the two lines in the general ledger.
    assert books.extract_books(ctx).landed == 3
    paid = {
        "owner": 28601, "side": "AP", "source": "DR", "date": "2026-11-02", "currency": "NOK", "amount": "500.00",
        "company_amount": "500.00", "subledger": "60501", "match": [{"amount": "500.00", "invoice_number": "D-1"}],
    }  # fmt: skip
    match = sandbox.control("POST", "ledger/payments", paid)["match_id"]
    books.extract_books(ctx)
    matched = f"SELECT count(*) FROM stg_ledger.ap_rows WHERE match_id = {match}"
    assert value(ctx, matched) == 2
    sandbox.control("POST", "ledger/unmatch", {"match_id": match})
    books.extract_books(ctx)
    assert value(ctx, matched) == 0


def ledger_requests(sandbox: Sandbox) -> int:
    return sum(sandbox.control("GET", "requests")["ledger"].values())


def test_books_cost_few_requests(ctx: Context, sandbox: Sandbox) -> None:
    books.extract_books(ctx)
    sandbox.control("DELETE", "requests")
    assert books.extract_books(ctx).fetched == 0
    assert ledger_requests(sandbox) == 1
    ctx.warehouse.execute("DELETE FROM ctl.whole")
    assert books.extract_books(ctx).landed == 0
    # The newest change, and the first page of each of the three books.
    assert ledger_requests(sandbox) == 1 + 4


def test_a_voucher_that_was_deleted_goes_here_too(ctx: Context, sandbox: Sandbox) -> None:
    books.extract_books(ctx)
    header = value(ctx, "SELECT max(header_db_id) FROM stg_ledger.ap_rows WHERE imported_at IS NULL")
    rows = f"SELECT count(*) FROM stg_ledger.transactions WHERE header_db_id = {header}"
    assert value(ctx, rows) > 1
    sandbox.control("POST", "ledger/corrupt", {"voucher": header, "delete": True})
    sandbox.control("DELETE", "requests")
    assert books.extract_books(ctx).removed > 2
    assert ledger_requests(sandbox) == 1
    assert value(ctx, rows) == 0


def import_nodes(*numbers: int) -> list[dict[str, object]]:
    node = {
        "owner": {"ownerCode": 28601}, "transactionSource": {"code": "GL"}, "trItemNumber": 1,
        "postedDate": "2026-11-02", "account": {"code": "4300"}, "currency": {"code": "NOK"}, "amount": "5.00",
        "invoiceAmount": "5.00", "text": "alone", "jobLevel": {"dbSubId": 1},
    }  # fmt: skip
    return [{"clientId": str(number), "node": {**node, "trRegNumber": number}} for number in numbers]


def test_import_items_and_errors_are_read_back_and_go(ctx: Context, sandbox: Sandbox) -> None:
    [edge] = ctx.ledger.mutate("addGLImportItems", import_nodes(77))
    sandbox.control("POST", "ledger/post")
    ledger.extract_import_state(ctx, [77])
    assert value(ctx, "SELECT amount FROM stg_ledger.import_items") == 5
    assert value(ctx, "SELECT count(*) FROM stg_ledger.import_errors") > 0
    sandbox.control("POST", "ledger/import-items/remove", {"rows": [int(edge["node"]["dbId"])]})
    assert ledger.extract_import_state(ctx, [77]).removed == 1
    assert value(ctx, "SELECT count(*) FROM stg_ledger.import_items") == 0


def test_the_import_of_many_vouchers_is_read_by_lists(
    ctx: Context, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = range(70, 77)
    edges = ctx.ledger.mutate("addGLImportItems", import_nodes(*numbers))
    sandbox.control("POST", "ledger/post")
    monkeypatch.setattr(ledger, "LARGEST_LIST", 2)
    monkeypatch.setattr(ledger, "LANDED_AT_ONCE", 4)
    sandbox.control("DELETE", "requests")
    ledger.extract_import_state(ctx, numbers)
    # Four lists of two vouchers, and the errors of each two of them.
    assert ledger_requests(sandbox) == 4 + 2
    assert value(ctx, "SELECT count(*) FROM stg_ledger.import_items") == 7
    own = "import_item_db_id IN (SELECT import_item_db_id FROM stg_ledger.import_items)"
    assert value(ctx, f"SELECT count(DISTINCT import_item_db_id) FROM stg_ledger.import_errors WHERE {own}") == 7
    sandbox.control("POST", "ledger/import-items/remove", {"rows": [int(edge["node"]["dbId"]) for edge in edges[1:4]]})
    assert ledger.extract_import_state(ctx, numbers).removed == 3
    left = ctx.warehouse.execute("SELECT tr_reg_number FROM stg_ledger.import_items ORDER BY 1").fetchall()
    assert left == [(70,), (74,), (75,), (76,)]


def test_rates_of_the_window_follow_the_other_side(ctx: Context, sandbox: Sandbox) -> None:
    ledger.extract_ledger_rates(ctx, date(2026, 10, 26))
    rate = {
        "owner": 28600,
        "from": "USD",
        "to": "NOK",
        "unit": 1,
        "rate": "10.5",
        "fromDate": "2026-11-02",
        "toDate": None,
    }
    sandbox.control("POST", "ledger/rates", {**rate, "type": "DAILY"})
    assert ledger.extract_ledger_rates(ctx, date(2026, 10, 26)).landed >= 1


def test_a_deleted_rate_goes_when_its_day_is_read(ctx: Context, sandbox: Sandbox) -> None:
    vms.extract_vms_exchange_rates(ctx, WINDOW)
    key = value(ctx, "SELECT max_by(rate_key, rate_date) FROM stg_vms.exchange_rates")
    with sandbox.vms() as client:
        client.delete(f"/ExchangeRate/{key}").raise_for_status()
    assert vms.extract_vms_exchange_rates(ctx, date(2099, 1, 1)).removed == 0
    assert vms.extract_vms_exchange_rates(ctx, WINDOW).removed == 1


def test_a_page_that_fails_once_is_read_again(ctx: Context, sandbox: Sandbox) -> None:
    for action in ({"kind": "body", "body": "<html>"}, {"kind": "status", "status": 529}, {"kind": "drop_before"}):
        sandbox.fault("vms", action, match={"path": "/ws/rest/Vessel"}, times=1)
    assert vms.extract_vessels(ctx).fetched > 0


def test_a_page_that_stays_broken_stops_with_its_address(ctx: Context, sandbox: Sandbox) -> None:
    sandbox.fault("vms", {"kind": "body", "body": "<html>maintenance"}, match={"path": "/ws/rest/Vessel"})
    with pytest.raises(ExtractError, match=r"/ws/rest/Vessel.*page 1.*<html>maintenance") as caught:
        vms.extract_vessels(ctx)
    assert caught.value.exit_code == 11


@pytest.mark.parametrize(
    "action",
    [
        {"kind": "status", "status": 500, "body": "oops"},
        {"kind": "status", "status": 529, "body": "<html>"},
        {"kind": "drop_after"},
        {"kind": "graphql_error", "code": "BAD_REQUEST.BURST_RATE_LIMIT_REACHED", "message": "Too many requests"},
    ],
)
def test_a_ledger_that_stumbles_is_read_all_the_same(ctx: Context, sandbox: Sandbox, action: dict[str, object]) -> None:
    sandbox.fault("ledger", action, times=1)
    assert ledger.extract_master_data(ctx).fetched > 0


@pytest.mark.parametrize(
    ("action", "error"),
    [
        ({"kind": "body", "body": "<html>"}, Terminal),
        ({"kind": "status", "status": 503, "body": ""}, Transient),
        (
            {"kind": "graphql_error", "code": "BAD_REQUEST.INSUFFICIENT_CREDITS", "message": "Not enough credits"},
            Transient,
        ),
    ],
)
def test_a_ledger_that_stays_down_is_an_expected_error(
    ctx: Context, sandbox: Sandbox, action: dict[str, object], error: type[SpringlineError]
) -> None:
    sandbox.fault("ledger", action)
    with pytest.raises(error) as caught:
        ledger.extract_master_data(ctx)
    assert caught.value.exit_code == 11


def test_wrong_credentials_name_the_settings(sandbox: Sandbox, tmp_path: Path) -> None:
    wrong = {"SPRINGLINE_VMS__CLIENT_SECRET": "wrong", "SPRINGLINE_LEDGER__TOKEN": "d3Jvbmc"}
    with connected(sandbox, tmp_path, **wrong) as ctx:
        with pytest.raises(Terminal, match="SPRINGLINE_VMS__CLIENT_SECRET"):
            vms.extract_vessels(ctx)
        with pytest.raises(Terminal, match="SPRINGLINE_LEDGER__TOKEN"):
            ledger.extract_master_data(ctx)
