"""What the sandbox's VMS checks on documents, payments and actuals (docs/systems/vms.md#3-1 to #3-4, #3-9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.sandbox_vms_world import INVOICE_KEY, SALE_KEY, payment, refusal, small_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.support.sandbox_server import Sandbox

INVOICE = {
    "documentType": "INI",
    "documentDate": "2026-10-15T00:00:00",
    "documentAmount": 100,
    "companyCurrencyAmount": 1050,
    "documentCurrency": "USD",
    "company": "28601",
    "businessPartner": "60526",
    "documentPaymentTerms": [{"dueDate": "2026-11-15T00:00:00", "percentage": 100}],
}
LINE = {"documentAmount": 100.00, "companyCurrencyAmount": 1050.00, "glAccount": "4300", "isAccountsPayable": 1}
SHOWN = (
    '{"documentNo":"*","documentAmount":"*","documentType":{"documentType":"*"},"reversed":"*",'
    '"invoicingStatus":{"statusTypeCode":"*"},"documentPaymentTerms":{"dueDate":"*"},"documentLines":{"documentAmount":"*",'
    '"quantity":"*","isAccountsPayable":"*","refDocument":{"documentNo":"*"},"voyage":{"voyageHeader":{"referenceNo":"*"}}}}'
)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with small_sandbox(tmp_path_factory.mktemp("vms")) as running:
        yield running


@pytest.fixture(scope="module")
def client(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with sandbox.vms() as vms:
        yield vms


def _insert(client: httpx.Client, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.post("/Document", json=body)
    assert answer.status_code == 201, answer.text
    return _show(client, answer.json()["key"])


def _invoice(
    number: str, status: str = "RFP", *, voyage: str | None = "V001-2601", **members: object
) -> dict[str, Any]:
    line = LINE | {"voyage": voyage, "quantity": 2}
    return {**INVOICE, "documentNo": number, "invoicingStatus": status, "documentLines": [line], **members}


def _show(client: httpx.Client, key: int) -> dict[str, Any]:
    document: dict[str, Any] = client.get(f"/Document/{key}", headers={"fields": SHOWN}).json()
    return document


def _status(document: dict[str, Any]) -> str:
    return str(document["invoicingStatus"]["statusTypeCode"])


def test_an_acknowledgement_answers_with_the_document(client: httpx.Client) -> None:
    key = _insert(client, _invoice("ACK"))["key"]
    answer = client.put(f"/Document/{key}", json={"invoicingStatus": "POS"})
    assert answer.status_code == 200
    assert answer.json()["invoicingStatus"]["key"] == 1000304
    assert client.put(f"/Document/{key}", json={"invoicingStatus": "POS"}).status_code == 200


@pytest.mark.parametrize(
    ("old", "new", "works"),
    [
        ("PEN", "INV", True),
        ("INV", "PEN", True),
        ("INV", "RFP", True),
        ("INV", "POS", True),
        ("RFP", "POS", True),
        ("PEN", "RFP", False),
        ("PEN", "POS", False),
        ("RFP", "PEN", False),
        ("RFP", "INV", False),
        ("POS", "RFP", False),
        ("POS", "PEN", False),
    ],
)
def test_a_status_changes_only_along_its_life_cycle(client: httpx.Client, *, old: str, new: str, works: bool) -> None:
    key = _insert(client, _invoice(f"{old}-{new}", old))["key"]
    answer = client.put(f"/Document/{key}", json={"invoicingStatus": new})
    if works:
        assert _status(_show(client, key)) == new
    else:
        assert f"cannot change from {old} to {new}" in refusal(answer)
        assert _status(_show(client, key)) == old


def test_a_new_document_without_status_is_pending(client: httpx.Client) -> None:
    body = _invoice("NOSTATUS")
    del body["invoicingStatus"]
    assert _status(_insert(client, body)) == "PEN"


def test_a_closed_voyage_blocks_the_users_steps_only(client: httpx.Client) -> None:
    assembled = _insert(client, _invoice("CLOSED", "INV", voyage="V002-2601"))["key"]
    answer = client.put(f"/Document/{assembled}", json={"invoicingStatus": "RFP"})
    assert "Voyage V002-2601 of Document CLOSED is closed" in refusal(answer)
    waiting = _insert(client, _invoice("CLOSED2", "RFP", voyage="V002-2601"))["key"]
    assert client.put(f"/Document/{waiting}", json={"invoicingStatus": "POS"}).status_code == 200


def test_a_status_of_another_class_is_refused(client: httpx.Client) -> None:
    assert "wrong status class" in refusal(client.put(f"/Document/{INVOICE_KEY}", json={"invoicingStatus": "OPR"}))
    assert "wrong status class" in refusal(client.put("/VoyageHeader/1300001", json={"voyageStatus": "RFP"}))
    assert "no StatusType" in refusal(client.put("/VoyageHeader/1300001", json={"voyageStatus": "XXX"}))


def test_number_type_and_company_are_unique_together(client: httpx.Client) -> None:
    _insert(client, _invoice("DUP"))
    assert "'documentNo': 'DUP' of type INI exists already" in refusal(client.post("/Document", json=_invoice("DUP")))
    _insert(client, _invoice("DUP", documentType="CRI"))
    _insert(client, _invoice("DUP", company="28602"))
    other = _insert(client, _invoice("DUP2"))["key"]
    assert "exists already" in refusal(client.put(f"/Document/{other}", json={"documentNo": "DUP"}))


@pytest.mark.parametrize("missing", ["documentType", "documentNo", "documentDate", "documentAmount", "company"])
def test_a_missing_member_is_named(client: httpx.Client, missing: str) -> None:
    body = {name: value for name, value in _invoice("MISSING").items() if name != missing}
    assert refusal(client.post("/Document", json=body)) == f"Missing field(s) in json body: {missing} of Document."


@pytest.mark.parametrize(
    ("document_type", "reversing"), [("INI", "CRI"), ("INO", "CRO"), ("CRI", "INI"), ("CRO", "INO"), ("ACC", "ACC")]
)
def test_reverse_negates_and_refers_to_the_original(client: httpx.Client, document_type: str, reversing: str) -> None:
    number = f"REV-{document_type}"
    original = _insert(client, _invoice(number, documentType=document_type))
    answer = client.post(f"/Document/{original['key']}/reverse", json={"reason": "wrong voyage"})
    assert answer.status_code == 200, answer.text
    document = _show(client, answer.json()["key"])
    assert (document["documentType"]["documentType"], _status(document)) == (reversing, "RFP")
    assert (document["documentAmount"], document["documentLines"][0]["documentAmount"]) == (-100, -100.00)
    assert document["documentLines"][0]["quantity"] == -2
    assert document["documentLines"][0]["refDocument"]["documentNo"] == number
    assert document["documentPaymentTerms"][0]["dueDate"] == "2026-11-15T00:00:00"
    assert _show(client, original["key"])["reversed"] is not None
    assert "is reversed already" in refusal(client.post(f"/Document/{original['key']}/reverse"))


def test_only_a_posted_document_is_reversed(client: httpx.Client) -> None:
    key = _insert(client, _invoice("REV-INV", "INV"))["key"]
    assert "not posted" in refusal(client.post(f"/Document/{key}/reverse"))
    closed = _insert(client, _invoice("REV-CLO", voyage="V002-2601"))["key"]
    assert "is closed" in refusal(client.post(f"/Document/{closed}/reverse"))
    receipt = _insert(client, payment("REV-PMI"))["key"]
    assert "cannot be reversed" in refusal(client.post(f"/Document/{receipt}/reverse"))
    refusal(client.post("/Currency/1000201/reverse"), status=404)


def test_only_an_assembled_document_is_dissolved(client: httpx.Client) -> None:
    key = _insert(client, _invoice("DIS", "INV"))["key"]
    assert client.post(f"/Document/{key}/dissolve").status_code == 200
    assert _status(_show(client, key)) == "PEN"
    assert "is not assembled" in refusal(client.post(f"/Document/{key}/dissolve"))


def test_a_payment_takes_over_the_invoices_voyage(client: httpx.Client) -> None:
    receipt = _insert(client, payment("XL1"))
    line = receipt["documentLines"][0]
    assert line["voyage"]["voyageHeader"]["referenceNo"] == "V002-2601"
    assert line["isAccountsPayable"] is False
    assert line["refDocument"]["documentNo"] == "2707374"


def test_a_payment_says_what_it_was_paid_in(client: httpx.Client) -> None:
    amounts = {"documentAmount": -100, "companyCurrencyAmount": -1050, "sourceCurrencyAmount": -1050}
    paid = {"sourceCurrencyCode": "NOK", "exchangeRate": 10.5, "exchangeRateDate": "2026-10-12T00:00:00"}
    named = {"businessPartner": "60527", "documentCurrency": "USD"}
    receipt = _insert(client, payment("XL-NOK", **amounts, line={**amounts, **paid, **named}))
    line = client.get(f"/DocumentLine/{receipt['documentLines'][0]['key']}").json()
    assert {name: line[name] for name in paid} == paid
    assert line["businessPartner"]["businessPartnerCode"] == "60527"


def test_the_invoice_may_be_named_by_its_key(client: httpx.Client) -> None:
    assert _insert(client, payment("XL2", line={"refDocument": SALE_KEY}))["documentNo"] == "XL2"


def test_part_payments_may_share_an_invoice(client: httpx.Client) -> None:
    part = {"documentAmount": -10, "companyCurrencyAmount": -105, "sourceCurrencyAmount": -10}
    _insert(client, payment("XL3-1", **part, line=part))
    _insert(client, payment("XL3-2", **part, line=part))
    query = "/DocumentLine?filter=refDocument.documentNo(EQ)2707374&filter=document.documentNo(LIKE)XL3%25"
    assert len(client.get(query).json()) == 2


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"documentLines": []}, "exactly one line, not 0"),
        ({"documentLines": [LINE, LINE]}, "exactly one line, not 2"),
        ({"invoicingStatus": "RFP"}, "must be POS"),
        ({"line": {"refDocument": "nothing"}}, "'refDocument': there is no Document"),
        ({"line": {"refDocument": None}}, "'refDocument' and 'isAccountsPayable' are required"),
        ({"line": {"isAccountsPayable": None}}, "'refDocument' and 'isAccountsPayable' are required"),
        ({"line": {"isAccountsPayable": 1}}, "'isAccountsPayable' is 1"),
        ({"line": {"refDocument": "2707401"}}, "no posted invoice but a INI in INV"),
        ({"line": {"refDocument": "2707400"}}, "'businessPartner' is not that of the invoice"),
        ({"company": "28602"}, "'company' is not that of the invoice"),
        ({"businessPartner": "60526"}, "'businessPartner' is not that of the invoice"),
        ({"documentCurrency": "NOK"}, "'documentCurrency' is not that of the invoice"),
        ({"documentAmount": -1}, "'documentAmount' of a PMI is -1, of its only line -95000.0"),
        ({"sourceCurrencyAmount": None}, "'sourceCurrencyAmount' is required"),
        ({"line": {"documentCurrency": "NOK"}}, "'documentCurrency' is not that of the invoice"),
        ({"line": {"businessPartner": "60526"}}, "'businessPartner' is not that of the invoice"),
        ({"line": {"sourceCurrencyCode": "XYZ"}}, "'sourceCurrencyCode': there is no Currency with the code 'XYZ'"),
        ({"line": {"exchangeRateDate": "12 October"}}, "'exchangeRateDate'"),
        ({"line": {"exchangeRate": 0.1}}, "'exchangeRate' 0.1 makes 'documentAmount'"),
        ({"line": {"invoicingStatus": "RFP"}}, "of its line must be POS, not RFP"),
        ({"line": {"invoicingStatus": "OPR"}}, "the status 'OPR' is of the wrong status class"),
    ],
)
def test_a_wrong_payment_is_refused_by_member(client: httpx.Client, changes: dict[str, Any], names: str) -> None:
    assert names in refusal(client.post("/Document", json=payment("WRONG", **changes)))
    assert client.get("/Document?filter=documentNo(EQ)WRONG").json() == []


@pytest.mark.parametrize(
    ("document_type", "reference", "payable", "sign"),
    [("PMI", 5200002, 0, -1), ("PMO", 5200002, 0, 1), ("PMI", 5200001, 1, 1), ("PMO", 5200001, 1, -1)],
)
def test_the_sign_follows_side_and_direction(
    client: httpx.Client, document_type: str, reference: int, payable: int, sign: int
) -> None:
    partner = "60527" if reference == SALE_KEY else "60526"

    def body(number: str, amount: int) -> dict[str, object]:
        amounts = dict.fromkeys(("documentAmount", "companyCurrencyAmount", "sourceCurrencyAmount"), amount)
        line = {**amounts, "refDocument": reference, "isAccountsPayable": payable}
        return payment(number, documentType=document_type, businessPartner=partner, line=line, **amounts)

    number = f"S-{document_type}-{payable}"
    wanted = "positive" if sign > 0 else "negative"
    assert f"must be {wanted}" in refusal(client.post("/Document", json=body(number, -sign * 7)))
    _insert(client, body(number, sign * 7))


def test_a_wrong_sign_is_only_a_warning_by_switch(sandbox: Sandbox, client: httpx.Client) -> None:
    sandbox.control("POST", "vms/settings", {"sign_matrix": "warn"})
    amounts = dict.fromkeys(("documentAmount", "companyCurrencyAmount", "sourceCurrencyAmount"), 5)
    answer = client.post("/Document", json=payment("WARN", line=amounts, **amounts))
    sandbox.control("POST", "vms/settings", {"sign_matrix": "refuse"})
    assert answer.status_code == 201
    assert "must be negative" in answer.headers["warning"]


def _actual(number: str, **line: object) -> dict[str, Any]:
    amounts = {"documentAmount": 10000.00, "companyCurrencyAmount": 10000.00, "sourceCurrencyAmount": 10000.00}
    head = {"documentType": "ACC", "documentNo": number, "company": "28601", "invoicingStatus": "POS"}
    day = {"documentDate": "2026-10-01T00:00:00", "documentCurrency": "NOK", "glAccount": "1000"}
    only = {**amounts, "exchangeRate": 1, "invoicingStatus": "POS", "voyage": "V001-2601", "glAccount": "4300"}
    return {**amounts, **head, **day, "documentLines": [{**only, **line}]}


def test_an_actual_has_one_line_with_voyage_and_account(client: httpx.Client) -> None:
    assert _status(_insert(client, _actual("ACT1"))) == "POS"
    assert "'voyage' is required" in refusal(client.post("/Document", json=_actual("ACT2", voyage=None)))
    assert "'glAccount' is required" in refusal(client.post("/Document", json=_actual("ACT2", glAccount=None)))
    assert "no Voyage with the code" in refusal(client.post("/Document", json=_actual("ACT2", voyage="V009")))
    late = _actual("ACT2") | {"documentDate": "2026-10-02T00:00:00"}
    assert "first of its month" in refusal(client.post("/Document", json=late))
    lines = _actual("ACT2")["documentLines"] * 2
    assert "exactly one line" in refusal(client.post("/Document", json=_actual("ACT2") | {"documentLines": lines}))
    assert "exists already" in refusal(client.post("/Document", json=_actual("ACT1")))
