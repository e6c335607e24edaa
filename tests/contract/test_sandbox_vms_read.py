"""How the sandbox's VMS shows objects: stubs, the fields header, digits, paging (docs/systems/vms.md#1-3 to #1-7)."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.sandbox_vms_world import BROKEN_KEY, INVOICE_KEY, SALE_KEY, refusal, small_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with small_sandbox(tmp_path_factory.mktemp("vms")) as sandbox, sandbox.vms() as vms:
        yield vms


def _show(client: httpx.Client, path: str, fields: object) -> dict[str, Any]:
    answer = client.get(path, headers={"fields": json.dumps(fields)})
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def test_a_list_is_a_bare_array_of_minimised_objects(client: httpx.Client) -> None:
    rows = client.get("/Currency?sort=key(AS)").json()
    assert [row.keys() for row in rows] == [{"key", "self", "currencyCode"}] * 3
    assert rows[0]["self"] == f"{client.base_url}Currency/1000201"


def test_one_object_shows_every_member_with_stubs(client: httpx.Client) -> None:
    document = client.get(f"/Document/{INVOICE_KEY}").json()
    assert document["company"] == {
        "key": 1000501,
        "self": f"{client.base_url}Company/1000501",
        "companyCode": "28601",
        "companyName": "Springline Shipping AS",
    }
    assert document["issuingCompany"] is None
    assert document["codeProperty"] == "documentNo"
    assert [line.keys() for line in document["documentLines"]] == [{"key", "self"}] * 2
    assert "invoice" not in document


def test_fields_narrows_widens_and_expands(client: httpx.Client) -> None:
    fields = {
        "documentNo": "*",
        "businessPartner": {"addresses": {"country": {"countryCode": "*"}}, "bankAccount": {"bank": "*"}},
        "documentLines": {"glAccount": "*", "vatRate": {"vatRate": "*", "vat": {"vatCode": "*"}}, "voyage": "*"},
    }
    document = _show(client, f"/Document/{INVOICE_KEY}", fields)
    assert document.keys() == {"key", "self", "documentNo", "businessPartner", "documentLines"}
    assert document["businessPartner"]["addresses"][0]["country"]["countryCode"] == "NO"
    assert document["businessPartner"]["bankAccount"]["bank"].keys() == {"key", "self", "swiftAddress", "bankName"}
    line = document["documentLines"][0]
    assert line.keys() == {"key", "self", "glAccount", "vatRate", "voyage"}
    assert line["vatRate"]["vat"]["vatCode"] == "1"
    assert line["voyage"].keys() == {"key", "self"}


def test_fields_applies_to_lists_as_well(client: httpx.Client) -> None:
    fields = '{"vesselCodes":{"vesselCode":"*"},"pool":{"poolCode":"*"}}'
    rows = client.get("/Vessel?sort=key(AS)", headers={"fields": fields}).json()
    assert [[code["vesselCode"] for code in row["vesselCodes"]] for row in rows] == [["V001", "OLD1"], ["V002"]]
    assert rows[0]["pool"] == rows[1]["pool"]


@pytest.mark.parametrize(
    "fields", ["{", "[]", '{"company":1}', '{"documentNo":{"a":"*"}}', '{"nothing":"*"}', '{"company":{"no":"*"}}']
)
def test_a_wrong_fields_header_is_refused(client: httpx.Client, fields: str) -> None:
    assert "fields header" in refusal(client.get(f"/Document/{INVOICE_KEY}", headers={"fields": fields}))


def test_a_changed_name_shows_in_every_expansion(client: httpx.Client) -> None:
    fields = {"businessPartner": {"businessPartnerName": "*"}}
    before = _show(client, f"/Document/{SALE_KEY}", fields)["businessPartner"]["businessPartnerName"]
    client.put("/BusinessPartner/1100002", json={"businessPartnerName": "Renamed"})
    after = _show(client, f"/Document/{SALE_KEY}", fields)["businessPartner"]["businessPartnerName"]
    client.put("/BusinessPartner/1100002", json={"businessPartnerName": before})
    assert (before, after) == ("alpha Trading", "Renamed")


def test_invoice_is_a_pdf_for_printable_types_only(client: httpx.Client) -> None:
    document = _show(client, f"/Document/{INVOICE_KEY}", {"invoice": "*", "invoicePdf": "*"})
    assert base64.b64decode(document["invoice"]).startswith(b"%PDF-1.4")
    assert document["invoicePdf"] is None
    actual = {"documentType": "ACC", "documentNo": "B-1", "documentDate": "2026-10-01T00:00:00", "company": "28601"}
    amounts = {"documentAmount": 1, "companyCurrencyAmount": 1, "documentCurrency": "NOK"}
    posted = client.post("/Document", json=actual | amounts).json()
    assert _show(client, f"/Document/{posted['key']}", {"invoice": "*"})["invoice"] is None


def test_numbers_keep_their_digits_and_broken_values_stay(client: httpx.Client) -> None:
    text = client.get(f"/Document/{BROKEN_KEY}").text
    assert '"companyCurrencyAmount":123456789012345678901234567890.120' in text
    assert '"sourceCurrencyAmount":0.30000000000000004' in text
    assert '"documentAmount":"12,50"' in text
    assert '"documentDate":"no date"' in text
    assert '"documentCurrency":null' in text
    assert '"sandboxRemark":{"a":[1.10]}' in text


def test_a_seeded_child_moved_when_its_parent_did(client: httpx.Client) -> None:
    fields = {"addresses": {"modifiedDate": "*", "createdDate": "*"}}
    address = _show(client, "/BusinessPartner/1100001", fields)["addresses"][0]
    assert address["modifiedDate"] == address["createdDate"] == "2026-10-01T10:00:00"


def test_a_required_member_missing_in_the_seed_is_missing(client: httpx.Client) -> None:
    fields = {"documentLines": {"documentAmount": "*", "companyCurrencyAmount": "*", "quantity": "*", "glAccount": "*"}}
    line = _show(client, f"/Document/{BROKEN_KEY}", fields)["documentLines"][0]
    assert "documentAmount" not in line
    assert (line["companyCurrencyAmount"], line["quantity"], line["glAccount"]) == (100, None, 4300)


def test_a_written_number_comes_back_digit_by_digit(client: httpx.Client) -> None:
    body = b'{"exchangeRate":0.09523809523809523809523809523809,"currency":"USD","fromCurrency":"NOK",'
    body += b'"exchangeRateDate":"2026-10-09T00:00:00"}'
    answer = client.post("/ExchangeRate", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 201
    rate = json.loads(answer.text, parse_float=Decimal)["exchangeRate"]
    assert str(rate) == "0.09523809523809523809523809523809"


@pytest.mark.parametrize("path", ["/Nothing", "/document", "/Document/1", "/Document/x", "/Document/1/2/3"])
def test_what_is_not_there_is_404(client: httpx.Client, path: str) -> None:
    refusal(client.get(path), status=404)


def test_a_method_that_is_not_there_is_405(client: httpx.Client) -> None:
    refusal(client.patch("/Currency/1000201"), status=405)


def test_pages_and_the_total_header(client: httpx.Client) -> None:
    first = client.get("/DocumentType?sort=documentType(AS)&pageNumber=1&limit=4")
    last = client.get("/DocumentType?sort=documentType(AS)&pageNumber=3&limit=4")
    assert [row["documentType"] for row in first.json()] == ["ACC", "ACP", "ACR", "APR"]
    assert len(last.json()) == 2
    assert first.headers["totalObjectsNumber"] == "10"
    assert client.get("/DocumentType?pageNumber=9&limit=4").json() == []
    assert "totalObjectsNumber" not in client.get("/DocumentType").headers
    assert "totalObjectsNumber" not in client.get("/DocumentType?limit=4", headers={"noCount": "YES"}).headers


@pytest.mark.parametrize("query", ["limit=0", "limit=2001", "limit=x", "pageNumber=1", "limit=1&limit=2", "page=1"])
def test_a_wrong_page_is_refused(client: httpx.Client, query: str) -> None:
    refusal(client.get(f"/DocumentType?{query}"))


def test_without_sort_the_order_is_no_help(client: httpx.Client) -> None:
    keys = [row["key"] for row in client.get("/DocumentType").json()]
    assert keys == sorted(keys, reverse=True)


def test_more_than_2000_unpaged_objects_are_refused(client: httpx.Client) -> None:
    assert "too many objects requested" in refusal(client.get("/BunkerType")).lower()
    assert len(client.get("/BunkerType?limit=2000").json()) == 2000
    assert len(client.get("/BunkerType?filter=bunkerTypeCode(NE)T7").json()) == 2000
