"""Payments and receipts on their way back: what the ledger says is settled, the VMS is told, once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from operator import itemgetter

import pytest

from tests.flow.returns_seed import FIRST_KEY, PARTNER_KEYS, PARTNERS, Invoice
from tests.flow.returns_world import MASTER_DATA, PAYMENTS, Returns

INVOICES = (
    Invoice("2701", "INI", ("950.00", "50.00"), external="F-1"),
    Invoice("2702", "INO", ("1000.00",)),
    Invoice("2703", "CRO", ("-200.00",)),
    Invoice("2704", "CRI", ("-300.00",), external="C-1"),
    Invoice("2705", "INI", ("500.00",), external="F-2"),
    Invoice("2706", "INI", ("700.00",), external="F-3"),
    Invoice("2707", "INO", ("400.00",)),
    Invoice("2708", "INI", ("100.00",), external="F-9"),
    Invoice("2709", "INI", ("100.00",), external="F-9"),
    Invoice("2710", "INO", ("60.00",)),
    Invoice("2711", "INI", ("80.00",), external="F-11", is_typed=True),
    Invoice("2712", "INO", ("90.00",)),
    Invoice("2713", "INI", ("300.00",), external="F-13"),
    Invoice("2714", "INI", ("40.00",), external="F-14"),
    Invoice("2715", "INO", ("70.00",)),
    Invoice("2716", "INO", ("30.00",)),
)
# To read all partners takes longer than a single write.
PATIENT = {"VMS__TIMEOUT": "20"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Returns]:
    folder = tmp_path_factory.mktemp("payments")
    with Returns(folder, INVOICES, PARTNERS__SUPPLIER_TYPES="AG", PARTNERS__CUSTOMER_TYPES="CH") as world:
        yield world


def test_an_invoice_in_two_terms_is_paid_by_one_document(world: Returns) -> None:
    paid = world.pay("1000.00", {"2701": "1000.00"}, company_amount="10050.00")
    assert world.run(PAYMENTS).exit_code == 0
    assert world.paid("2701") == [("PMO", "-1000.00", "-1000.00", "-10050.00")]
    [document] = [row for row in world.documents("PMO") if row["documentNo"] == f"XL{paid['payment']}-5200000"]
    assert document["externalDocumentNo"] == str(paid["payment"])
    assert document["documentDate"] == "2026-10-20T00:00:00"
    assert document["businessPartner"]["businessPartnerCode"] == "60526"
    assert document["documentLines"][0]["isAccountsPayable"] == 1
    assert document["documentLines"][0]["voyage"]["voyageHeader"]["referenceNo"] == "V001-2601"


def test_what_a_payment_nets_adds_up_to_the_payment(world: Returns) -> None:
    world.pay("800.00", {"2702": "1000.00", "2703": "200.00"}, source="OCR")
    world.pay("300.00", {"2704": "300.00"})
    charge = {"currency": "USD", "amount": "3.00", "company_amount": "30.00", "text": "bank charge"}
    world.pay("497.00", {"2705": "500.00"}, adjustments=[charge])
    assert world.run(PAYMENTS).exit_code == 0
    assert world.paid("2702") == [("PMI", "-1000.00", "-1000.00", "-10000.00")]
    assert world.paid("2703") == [("PMO", "200.00", "200.00", "2000.00")]
    assert world.paid("2704") == [("PMI", "300.00", "300.00", "3000.00")]
    assert world.paid("2705") == [("PMO", "-500.00", "-497.00", "-4970.00")]


def test_payments_in_other_currencies_share_by_company_amount(world: Returns) -> None:
    world.pay("1000.00", {"2713": "100.00"}, currency="NOK", company_amount="1000.00")
    world.pay("210.00", {"2713": "200.00"}, currency="EUR", company_amount="2500.00", date="2026-10-25")
    assert world.run(PAYMENTS).exit_code == 0
    # 300 x 1000 / 3500, and the rest.
    # Both are sent at the same time, so either may be the first to arrive.
    assert sorted(world.paid("2713"), reverse=True) == [
        ("PMO", "-85.71", "-1000.00", "-1000.00"),
        ("PMO", "-214.29", "-210.00", "-2500.00"),
    ]
    lines = sorted((row["documentLines"][0] for row in world.documents("PMO")[-2:]), key=itemgetter("exchangeRate"))
    assert [line["exchangeRate"] for line in lines] == [Decimal("0.979980400391992"), Decimal("11.667250029168125")]
    # The currency is the payment's, the day the document's, and the line names the partner as well.
    assert [line["sourceCurrencyCode"] for line in lines] == ["EUR", "NOK"]
    assert [line["exchangeRateDate"][:10] for line in lines] == ["2026-10-25", "2026-10-20"]
    assert [line["businessPartner"]["businessPartnerCode"] for line in lines] == ["60526", "60526"]


def test_a_match_that_grows_gives_a_second_document(world: Returns) -> None:
    paid = world.pay("700.00", side="AP")
    assert world.run(PAYMENTS).exit_code == 16
    assert any("not matched" in message for message in world.breaks()["payment not placed"])
    [row] = world.rows("2706")
    world.match(paid["payment"], row, settled={paid["payment"]: "400.00", row: "400.00"})
    assert world.run(PAYMENTS).exit_code == 0
    world.match(paid["payment"], row)
    result = world.run(PAYMENTS)
    assert (result.exit_code, result.jobs["payments"].sent) == (0, 1)
    assert world.paid("2706") == [("PMO", "-400.00", "-400.00", "-4000.00"), ("PMO", "-300.00", "-300.00", "-3000.00")]
    assert [row["documentNo"] for row in world.documents("PMO")][-1].endswith("-2")
    assert not world.breaks()


def test_a_match_undone_is_a_break_and_nothing_more(world: Returns) -> None:
    paid = world.pay("400.00", {"2707": "400.00"})
    assert world.run(PAYMENTS).exit_code == 0
    world.unmatch(paid["match_id"])
    other = world.pay("400.00", {"2707": "400.00"})
    result = world.run(PAYMENTS)
    assert (result.exit_code, result.jobs["payments"].sent) == (16, 0)
    [message] = world.breaks()["match undone"]
    assert "USD 400.00 of document 2707" in message
    assert len(world.paid("2707")) == 1
    world.unmatch(other["match_id"])
    world.sandbox.control("POST", "ledger/corrupt", {"voucher": other["voucher"], "delete": True})
    world.match(paid["payment"], *world.rows("2707"))
    assert world.run(PAYMENTS).exit_code == 0
    assert not world.breaks()


def test_the_header_text_tells_two_invoices_apart(world: Returns) -> None:
    first, second = world.rows("2708"), world.rows("2709")
    world.match(world.pay("100.00", side="AP")["payment"], *second)
    assert world.run(PAYMENTS).exit_code == 0
    assert (world.paid("2708"), len(world.paid("2709"))) == ([], 1)
    [voucher] = [v for v in world.sandbox.control("GET", "ledger/vouchers") if str(v["text"]).startswith("2708")]
    world.sandbox.control("POST", "ledger/corrupt", {"voucher": voucher["dbId"], "set": {"text": "edited"}})
    world.sandbox.control("POST", "ledger/corrupt", {"voucher": voucher["dbId"], "row": first[0], "set": {"text": "x"}})
    world.match(world.pay("100.00", side="AP")["payment"], *first)
    world.run(PAYMENTS)
    assert world.paid("2708") == [], "an edited text is no proof"
    assert "invoice not unique" in world.breaks()
    world.sandbox.control("POST", "ledger/corrupt", {"voucher": voucher["dbId"], "set": {"text": voucher["text"]}})
    world.sandbox.control("POST", "ledger/corrupt", {"voucher": voucher["dbId"], "row": first[0], "set": {"text": "y"}})
    assert world.run(PAYMENTS).exit_code == 0
    assert len(world.paid("2708")) == 1


def test_what_the_vms_refuses_is_told_in_its_words(world: Returns) -> None:
    world.sandbox.fault(
        "vms",
        {"kind": "status", "status": 400, "body": '{"statusCode":400,"message":"The period is locked."}'},
        match={"method": "POST", "path": "/ws/rest/Document"},
        times=1,
    )
    world.pay("60.00", {"2710": "60.00"})
    result = world.run(PAYMENTS)
    assert (result.exit_code, result.jobs["payments"].failed) == (15, 1)
    [(error,)] = world.ask("SELECT last_error FROM outbox WHERE kind = 'payment' AND state = 'failed'")
    assert "The period is locked." in error
    assert "of document 2710" in error
    assert world.run(PAYMENTS).exit_code == 0
    assert len(world.paid("2710")) == 1


def test_an_answer_that_was_lost_is_looked_up(world: Returns) -> None:
    world.sandbox.fault("vms", {"kind": "drop_after"}, match={"method": "POST", "path": "/ws/rest/Document"}, times=1)
    world.pay("90.00", {"2712": "90.00"})
    assert world.run(PAYMENTS).exit_code == 0
    assert len(world.paid("2712")) == 1
    [(state, ids)] = world.ask("SELECT state, remote_ids FROM outbox WHERE kind = 'payment' AND document_no = '2712'")
    assert (state, "key" in ids) == ("sent", True)


def test_after_a_longer_gap_the_full_window_is_read(world: Returns) -> None:
    paid = world.pay("80.00", {"2711": "80.00"})
    world.later += timedelta(days=4)
    world.sandbox.control("POST", "clock", {"advance_seconds": 4 * 86_400})
    world.sign_in()
    before = len(world.documents("PMI", "PMO"))
    result = world.run(PAYMENTS)
    assert result.exit_code == 0, result.problems
    assert world.paid("2711") == [("PMO", "-80.00", "-80.00", "-800.00")], paid
    assert len(world.documents("PMI", "PMO")) == before + 1


def test_a_payment_finds_its_invoice_under_another_number(world: Returns) -> None:
    key = FIRST_KEY + [*world.invoices].index("2714")
    world.vms.put(f"/Document/{key}", json={"documentNo": "2799"}).raise_for_status()
    partners = world.vms.get("/BusinessPartner", params={"filter": f"businessPartnerCode(EQ){PARTNERS['AP']}"}).json()
    renamed = {"businessPartnerCode": "60526-A"}
    world.vms.put(f"/BusinessPartner/{partners[0]['key']}", json=renamed).raise_for_status()
    world.pay("40.00", {"2714": "40.00"})
    result = world.run(PAYMENTS)
    assert result.exit_code == 0, result.problems
    assert world.paid("2799") == [("PMO", "-40.00", "-40.00", "-400.00")]


def test_receipts_of_a_renamed_customer_arrive(world: Returns) -> None:
    world.run(MASTER_DATA, **PATIENT)
    world.rename_customer(PARTNERS["AR"], "70001-X")
    # It adds the code of the VMS anew, for the documents to come: what is open stands under the other one.
    world.run(MASTER_DATA, **PATIENT)
    world.pay("70.00", {"2715": "70.00"}, subledger="70001-X")
    result = world.run(PAYMENTS)
    assert (result.exit_code, world.paid("2715")) == (0, [("PMI", "-70.00", "-70.00", "-700.00")]), result.problems
    # And renamed in the VMS as well.
    partner = {"businessPartnerCode": "70001-Y"}
    world.vms.put(f"/BusinessPartner/{PARTNER_KEYS['AR']}", json=partner).raise_for_status()
    world.run(MASTER_DATA, **PATIENT)
    first, second = world.breaks()["customer renamed"]
    assert first.startswith("The customer 70001 of the ledger is 70001-Y (70001) in the VMS now: ")
    assert second.startswith("The customer 70001-X of the ledger is 70001-Y ")
    world.pay("30.00", {"2716": "30.00"}, subledger="70001-X")
    result = world.run(PAYMENTS)
    assert (result.exit_code, world.paid("2716")) == (0, [("PMI", "-30.00", "-30.00", "-300.00")]), result.problems


def test_a_run_with_nothing_new_writes_nothing(world: Returns) -> None:
    before = world.documents("PMI", "PMO", "INI", "INO")
    requests = world.sandbox.control("GET", "requests")
    result = world.run(PAYMENTS)
    assert (result.exit_code, result.jobs["payments"].sent, result.jobs["payments"].extracted) == (0, 0, 0)
    assert world.documents("PMI", "PMO", "INI", "INO") == before
    after = world.sandbox.control("GET", "requests")
    asked = {name: count - requests["ledger"].get(name, 0) for name, count in after["ledger"].items()}
    assert sum(asked.values()) == 1, asked
