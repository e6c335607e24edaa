"""`springline check` says in one line each what must be right before going live, and what to fix, where."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO

import pytest
from rich.console import Console

from pipelines.going_live.check import CHECKS, check_readiness, show_readiness
from pipelines.going_live.check_line import CheckLine
from tests.flow.live_world import Live


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with Live(tmp_path_factory.mktemp("readiness"), (), VMS__ATTEMPTS="1") as live:
        yield live


@pytest.fixture(autouse=True)
def _as_before(live: Live) -> Iterator[None]:
    before = dict(live.environ)
    yield
    live.environ.clear()
    live.environ |= before
    live.sandbox.control("POST", "ledger/settings", {"denied_fields": []})
    live.sandbox.control("DELETE", "faults")


def _lines(live: Live) -> dict[str, CheckLine]:
    return {line.name: line for line in check_readiness(live.settings, now=live.now)}


def _change_company(live: Live, changed: str, **members: object) -> None:
    companies = json.loads(live.environ["SPRINGLINE_COMPANIES"])
    live.change_settings(
        COMPANIES=json.dumps([{**one, **(members if one["code"] == changed else {})} for one in companies])
    )


def test_the_sample_world_lacks_what_it_was_made_to_lack(live: Live) -> None:
    lines = _lines(live)
    assert {name: line.ok for name, line in lines.items()} == {
        "files": True,
        "mapping files": True,
        "VMS sign-in": True,
        # There is no document, but what partners of the sample lack is told.
        "VMS reading": None,
        "ledger token": True,
        "ledger reading": True,
        "ledger writing": True,
        "companies": None,
        "control accounts": None,
        "dimensions": True,
        "XGL": None,
        "voucher types": True,
        "tax rules": None,
        "VAT rows": True,
        "partner types": None,
        "rules off": True,
        "base currencies": True,
        "invoice files": True,
        "clocks": True,
    }
    told = "Company 28603 has no GL account in ARX, customer invoices will be held."
    assert lines["control accounts"].message == told
    # What it lacks holds a few documents and stops nothing: whoever goes on when nothing is wrong, goes on.
    assert {line.exit_code for line in lines.values()} == {0}


def test_a_company_without_control_accounts_is_told(live: Live) -> None:
    live.change_settings(COMPANIES='[{"code":"28777","owner":28601}]')
    line = _lines(live)["control accounts"]
    assert (line.ok, "28777 has no GL account in APX" in line.message) == (False, True)


def test_only_what_is_configured_is_demanded(live: Live) -> None:
    live.change_settings(COMPANIES='[{"code":"28601","owner":28601,"link":28600}]')
    lines = _lines(live)
    assert "28600, 28602" in lines["companies"].message
    assert (lines["companies"].ok, lines["control accounts"].ok, lines["dimensions"].ok) == (None, True, True)
    live.change_settings(COMPANIES_OTHERS="leave")
    assert _lines(live)["companies"].ok


def test_members_that_no_object_has_are_named(live: Live) -> None:
    live.sandbox.fault("vms", {"kind": "replace", "old": '"businessPartnerType":', "new": '"typ":'})
    line = _lines(live)["VMS reading"]
    # Supplier invoices stand on it.
    assert (line.ok, "businessPartnerType.businessPartnerType" in line.message) == (False, True)
    assert "Partner types cannot be read, so supplier invoices will be held." in line.message
    live.change_settings(POSTING__RULES_OFF="partner_is_charterer")
    lines = _lines(live)
    assert (lines["VMS reading"].ok, lines["rules off"].ok) == (None, None)
    assert "partner_is_charterer" in lines["rules off"].message


def test_remarks_are_asked_for_where_they_are_written(live: Live) -> None:
    live.sandbox.fault("vms", {"kind": "status", "status": 403}, match={"path": "/ws/rest/Remark"})
    assert _lines(live)["VMS reading"].ok is None
    live.change_settings(POSTING__REMARKS="true")
    line = _lines(live)["VMS reading"]
    assert (line.ok, "Remark: VMS: GET Remark is not allowed (403" in line.message) == (False, True)
    assert "posting.remarks = false" in line.next_step
    live.sandbox.control("DELETE", "faults")
    assert _lines(live)["VMS reading"].ok is None


def test_it_needs_few_of_the_ledgers_metered_requests(live: Live) -> None:
    live.sandbox.control("DELETE", "requests")
    _lines(live)
    assert sum(live.sandbox.control("GET", "requests")["ledger"].values()) <= 7


def test_a_gap_that_is_filled_is_no_longer_told(live: Live) -> None:
    _change_company(live, "28603", receivables_account="1500")
    assert _lines(live)["control accounts"].ok


def test_wrong_credentials_are_told_once_a_side(live: Live) -> None:
    live.change_settings(VMS__CLIENT_SECRET="wrong", LEDGER__TOKEN="nonsense")
    lines = _lines(live)
    assert {name for name, line in lines.items() if line.ok is False} == {"VMS sign-in", "ledger token"}
    assert lines["companies"].message == "not checked, because of: ledger token"
    assert lines["partner types"].message == "not checked, because of: VMS sign-in"
    assert list(lines) == list(CHECKS)


def test_a_side_that_is_not_there_is_told(live: Live) -> None:
    live.change_settings(
        VMS__BASE_URL="http://127.0.0.1:9/ws/rest", VMS__TOKEN_URL="http://127.0.0.1:9/token", VMS__ATTEMPTS="1"
    )
    lines = _lines(live)
    assert lines["VMS sign-in"].ok is False
    assert lines["ledger token"].ok


def test_a_missing_scope_names_its_connection(live: Live) -> None:
    live.sandbox.control("POST", "ledger/settings", {"denied_fields": ["projects"]})
    line = _lines(live)["ledger reading"]
    assert (line.ok, "projects" in line.message, "suppliers" in line.message) == (False, True, False)
    assert "scope" in line.next_step


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"owner": 99999}, "ledger has no entity 99999"),
        ({"link": 28602}, "does not see what is created in 28602"),
        ({"code": "28777"}, "VMS has no company 28777"),
    ],
)
def test_a_company_that_matches_nothing_is_told(live: Live, members: dict[str, object], told: str) -> None:
    _change_company(live, "28601", **members)
    line = _lines(live)["companies"]
    assert (line.ok, told in line.message) == (False, True)


def test_a_control_account_of_the_wrong_side_is_told(live: Live) -> None:
    _change_company(live, "28601", payables_account="1500", receivables_account="9999")
    message = _lines(live)["control accounts"].message
    assert "Account 1500 (APX of 28601) is of the ledger type AR" in message
    assert "The ledger has no account 9999 (ARX of 28601)" in message


def test_a_company_in_another_currency_is_told(live: Live) -> None:
    _change_company(live, "28602", owner=28601)
    assert "Company 28602 is in SGD, its entity 28601 in NOK" in _lines(live)["base currencies"].message


def test_a_partner_type_nobody_has_is_told(live: Live) -> None:
    live.change_settings(PARTNERS__SUPPLIER_TYPES='["AG","ZZ"]')
    line = _lines(live)["partner types"]
    assert (line.ok, "The VMS has no partner type ZZ" in line.message) == (False, True)


def test_where_no_type_is_mapped_those_of_the_vms_are_listed(live: Live) -> None:
    live.change_settings(PARTNERS__SUPPLIER_TYPES="[]", PARTNERS__CUSTOMER_TYPES="[]")
    line = _lines(live)["partner types"]
    assert (line.ok, "the VMS has AG (" in line.next_step, "CH (" in line.next_step) == (False, True, True)


def test_a_tax_rule_mapped_to_nothing_is_told(live: Live) -> None:
    path = live.folder / "rules.csv"
    path.write_text("vat_code,tax_rule\n31,nowhere\n", "utf-8")
    live.change_settings(POSTING__TAX_RULES=str(path))
    assert "31 is mapped to the tax rule nowhere" in _lines(live)["tax rules"].message


def test_voyage_charter_codes_are_looked_for_when_they_are_used(live: Live) -> None:
    live.change_settings(POSTING__XGL="isTc")
    assert _lines(live)["XGL"].message == "DLVMS, TC, VC"


def test_a_clock_that_differs_is_told(live: Live) -> None:
    live.sandbox.control("POST", "clock", {"advance_seconds": 900})
    line = _lines(live)["clocks"]
    live.sandbox.control("POST", "clock", {"advance_seconds": -900})
    assert line.ok is False
    assert "The clock of the VMS differs by" in line.message


def test_it_ends_with_what_to_fix_and_where(live: Live) -> None:
    _change_company(live, "28601", owner=99999)
    file = StringIO()
    show_readiness(check_readiness(live.settings, now=live.now), Console(file=file, width=200))
    shown = file.getvalue()
    assert "To fix:\n  companies: correct owner of company 28601 in [[companies]]" in shown
    assert "To look at:\n  VMS reading: where one of these is in use" in shown
    assert "  control accounts: set the GL account of ARX of that company in the VMS" in shown
