"""Inserts, partial updates, links and deletes in the sandbox's VMS (docs/systems/vms.md#1-3, #1-8, #3-6, #3-7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.sandbox_vms_world import INVOICE_KEY, SALE_KEY, refusal, small_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.support.sandbox_server import Sandbox

RATE = {"currency": "EUR", "fromCurrency": "USD", "exchangeRate": 0.74042, "exchangeRateDate": "2026-10-20T00:00:00"}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with small_sandbox(tmp_path_factory.mktemp("vms")) as running:
        yield running


@pytest.fixture(scope="module")
def client(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with sandbox.vms() as vms:
        yield vms


def _partner(code: str, **members: object) -> dict[str, object]:
    return {"businessPartnerCode": code, "businessPartnerName": code, "businessPartnerSort": code} | members


def _insert(client: httpx.Client, entity: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(f"/{entity}", json=body)
    assert answer.status_code == 201, answer.text
    inserted: dict[str, Any] = answer.json()
    return inserted


def _addresses(client: httpx.Client, source: int) -> list[dict[str, Any]]:
    query = f"/Address?filter=source(EQ){source}&sort=key(AS)"
    rows: list[dict[str, Any]] = client.get(query, headers={"fields": '{"city":"*"}'}).json()
    return rows


def test_post_answers_201_with_the_whole_object(client: httpx.Client) -> None:
    partner = _insert(client, "BusinessPartner", _partner("P1", payee="60526", bankAccount=None))
    assert partner["codeProperty"] == "businessPartnerCode"
    assert partner["payee"]["key"] == 1100001
    assert partner["createdDate"] == partner["modifiedDate"]
    assert partner["externalObjectKey"] is None
    assert client.get(f"/BusinessPartner/{partner['key']}").json() == partner


def test_a_reference_takes_a_code_a_key_or_a_stub(client: httpx.Client) -> None:
    for number, value in enumerate(("60526", 1100001, {"key": 1100001, "self": "http://elsewhere"})):
        partner = _insert(client, "BusinessPartner", _partner(f"R{number}", payee=value))
        assert partner["payee"]["key"] == 1100001


@pytest.mark.parametrize(
    ("members", "names"),
    [
        ({"payee": "nobody"}, "'payee': there is no BusinessPartner with the code 'nobody'"),
        ({"payee": 1}, "'payee': there is no BusinessPartner with the key 1"),
        ({"payee": True}, "payee"),
        ({"businessPartnerCode": "1234567890123"}, "businessPartnerCode' can have at most 12"),
        ({"businessPartnerSort": "123456789012345678901"}, "businessPartnerSort' can have at most 20"),
        ({"businessPartnerCode": "60526"}, "'businessPartnerCode' must be unique"),
        ({"businessPartnerSort": "NORDIC"}, "'businessPartnerSort' must be unique"),
        ({"businessPartnerName": None}, "businessPartnerName of BusinessPartner"),
        ({"isInterCompany": "yes"}, "'isInterCompany' must be true, false, 0 or 1"),
        ({"maxAdvancePaymentPercent": 1.5}, "'maxAdvancePaymentPercent' must be a whole number"),
        ({"addresses": {}}, "'addresses' of BusinessPartner must be an array"),
        ({"addresses": [1]}, "'addresses' must be an object"),
        ({"addresses": [{"country": "XX"}]}, "'country': there is no Country with the code 'XX'"),
        ({"companyName": "x"}, "Unknown field 'companyName'"),
    ],
)
def test_a_wrong_partner_is_refused_by_member(client: httpx.Client, members: dict[str, object], names: str) -> None:
    assert names in refusal(client.post("/BusinessPartner", json=_partner("WRONG") | members))
    assert client.get("/BusinessPartner?filter=businessPartnerSort(EQ)WRONG").json() == []


def test_a_body_that_is_no_json_object_is_refused(client: httpx.Client) -> None:
    headers = {"Content-Type": "application/json"}
    assert "Cannot read json body" in refusal(client.post("/Currency", content=b"{", headers=headers))
    assert "must be an object" in refusal(client.post("/Currency", content=b"[]", headers=headers))
    assert "Content-Type" in refusal(client.post("/Currency", content=b"{}"), status=415)


@pytest.mark.parametrize("missing", sorted(RATE))
def test_an_exchange_rate_needs_all_four_fields(client: httpx.Client, missing: str) -> None:
    body = {name: value for name, value in (RATE | {"currency": "NOK"}).items() if name != missing}
    assert refusal(client.post("/ExchangeRate", json=body)) == (
        "Missing field(s) in json body. All fields are required."
    )


def test_an_unknown_currency_is_named(client: httpx.Client) -> None:
    assert "'currency': there is no Currency with the code 'EUR'" in refusal(client.post("/ExchangeRate", json=RATE))
    wrong_date = RATE | {"currency": "NOK", "exchangeRateDate": "20.10.2026"}
    assert "exchangeRateDate' must be a date" in refusal(client.post("/ExchangeRate", json=wrong_date))


def test_put_changes_only_what_it_names(client: httpx.Client) -> None:
    partner = _insert(client, "BusinessPartner", _partner("PUT1", vatNumber="NO1", addresses=[{"city": "Bergen"}]))
    changed = client.put(f"/BusinessPartner/{partner['key']}", json={"vatNumber": "NO2"}).json()
    moved = {"vatNumber": "NO2", "modifiedDate": changed["modifiedDate"]}
    assert changed == partner | moved


def test_put_on_the_collection_finds_the_key_in_the_body(client: httpx.Client) -> None:
    partner = _insert(client, "BusinessPartner", _partner("PUT2"))
    answer = client.put("/BusinessPartner", json={"key": partner["key"], "businessPartnerName2": "second"})
    assert answer.json()["businessPartnerName2"] == "second"
    assert "'key'" in refusal(client.put("/BusinessPartner", json={"businessPartnerName2": "second"}))
    refusal(client.put("/BusinessPartner/1", json={}), status=404)


def test_an_array_in_put_inserts_updates_and_removes(client: httpx.Client) -> None:
    towns = [{"city": "Bergen"}, {"city": "Oslo"}]
    partner = _insert(client, "BusinessPartner", _partner("ARR", addresses=towns))
    kept, gone = (row["key"] for row in partner["addresses"])
    body = {"addresses": [{"key": kept, "city": "Voss"}, {"city": "Molde"}]}
    client.put(f"/BusinessPartner/{partner['key']}", json=body)
    rows = _addresses(client, partner["key"])
    assert [(row["key"] == kept, row["city"]) for row in rows] == [(True, "Voss"), (False, "Molde")]
    refusal(client.get(f"/Address/{gone}"), status=404)
    client.put(f"/BusinessPartner/{partner['key']}", json={"vatNumber": "leaves the array alone"})
    assert len(_addresses(client, partner["key"])) == 2
    stranger = {"addresses": [{"key": gone, "city": "x"}]}
    assert "no element with the key" in refusal(client.put(f"/BusinessPartner/{partner['key']}", json=stranger))


def test_a_refused_put_leaves_everything_as_it_was(client: httpx.Client) -> None:
    partner = _insert(client, "BusinessPartner", _partner("UNDO", addresses=[{"city": "Bergen"}]))
    body = {"businessPartnerName": "changed", "addresses": [{"city": "new"}], "payee": "nobody"}
    refusal(client.put(f"/BusinessPartner/{partner['key']}", json=body))
    assert client.get(f"/BusinessPartner/{partner['key']}").json() == partner
    assert [row["city"] for row in _addresses(client, partner["key"])] == ["Bergen"]


def test_bank_accounts_are_linked_created_and_unlinked(client: httpx.Client) -> None:
    account = _insert(client, "BankAccount", {"bankAccountNo": "111"})["key"]
    accounts = [account, {"bankAccountNo": 1234567890}]
    partner = _insert(client, "BusinessPartner", _partner("BANK", bankAccounts=accounts))
    assert partner["bankAccounts"][0]["key"] == account
    created = partner["bankAccounts"][1]["key"]
    assert client.get(f"/BankAccount/{created}").json()["bankAccountNo"] == "1234567890"
    path = f"/BusinessPartner/{partner['key']}/BankAccount/{account}"
    assert len(client.post(f"{path}/unlink").json()["bankAccounts"]) == 1
    assert client.get(f"/BankAccount/{account}").status_code == 200
    assert len(client.post(f"{path}/link").json()["bankAccounts"]) == 2
    refusal(client.post(f"/BusinessPartner/{partner['key']}/BankAccount/1/link"), status=404)
    refusal(client.post(f"/BusinessPartner/{partner['key']}/Currency/1000201/link"), status=404)


def test_a_child_posted_by_itself_joins_its_source(client: httpx.Client) -> None:
    partner = _insert(client, "BusinessPartner", _partner("SRC"))["key"]
    address = _insert(client, "Address", {"source": partner, "city": "Bodo", "country": "NO"})["key"]
    assert [row["key"] for row in client.get(f"/BusinessPartner/{partner}").json()["addresses"]] == [address]
    assert client.delete(f"/Address/{address}").status_code == 204
    assert client.get(f"/BusinessPartner/{partner}").json()["addresses"] == []
    assert "'source'" in refusal(client.post("/Address", json={"source": 1, "city": "x"}))


def test_a_remark_names_its_source_before_attachments(client: httpx.Client) -> None:
    attachments = [{"file": "aGVp", "fileName": "test1.txt"}]
    remark = {"remarkTitle": "test 1", "source": INVOICE_KEY, "attachments": attachments}
    assert len(_insert(client, "Remark", remark)["attachments"]) == 1
    reordered = {"attachments": attachments, "source": INVOICE_KEY}
    assert "'source' must stand before" in refusal(client.post("/Remark", json=reordered))


def test_remarks_are_found_by_their_source_and_changed_in_part(client: httpx.Client) -> None:
    keys = [_insert(client, "Remark", {"source": SALE_KEY, "remarkTitle": t, "remark": "x"})["key"] for t in "AB"]
    changed = client.put(f"/Remark/{keys[0]}", json={"remarkTitle": "A (done)"}).json()
    assert (changed["key"], changed["source"], changed["remark"]) == (keys[0], SALE_KEY, "x")
    fields = {"fields": '{"source":"*","remarkTitle":"*","remark":"*"}'}
    query = f"/Remark?filter=source(IN)({SALE_KEY},1)&sort=key(AS)"
    found = client.get(query, headers=fields).raise_for_status().json()
    assert [(row["key"], row["source"], row["remarkTitle"], row["remark"]) for row in found] == [
        (keys[0], SALE_KEY, "A (done)", "x"),
        (keys[1], SALE_KEY, "B", "x"),
    ]
    assert "'source'" in refusal(client.post("/Remark", json={"source": 1, "remarkTitle": "of nothing"}))
    refusal(client.put("/Remark/1", json={"remarkTitle": "gone"}), status=404)


@pytest.mark.parametrize("moves", [False, True])
def test_a_remark_moves_its_document_by_switch(sandbox: Sandbox, client: httpx.Client, *, moves: bool) -> None:
    before = client.get(f"/Document/{INVOICE_KEY}").json()["modifiedDate"]
    sandbox.control("POST", "vms/settings", {"child_moves_parent": moves})
    sandbox.control("POST", "clock", {"advance_seconds": 60})
    remark = _insert(client, "Remark", {"source": INVOICE_KEY, "remarkTitle": "held"})
    posted = client.get(f"/Document/{INVOICE_KEY}").json()["modifiedDate"]
    sandbox.control("POST", "clock", {"advance_seconds": 60})
    client.put(f"/Remark/{remark['key']}", json={"remark": "no due date"})
    put = client.get(f"/Document/{INVOICE_KEY}").json()["modifiedDate"]
    assert ((posted > before), (put > posted)) == (moves, moves)


def test_what_is_still_used_cannot_be_deleted(client: httpx.Client) -> None:
    partner = _insert(client, "BusinessPartner", _partner("DEL", addresses=[{"city": "x"}]))
    assert "still used" in refusal(client.delete("/BusinessPartner/1100001"))
    assert client.delete(f"/BusinessPartner/{partner['key']}").status_code == 204
    refusal(client.get(f"/BusinessPartner/{partner['key']}"), status=404)
    refusal(client.get(f"/Address/{partner['addresses'][0]['key']}"), status=404)
    refusal(client.delete(f"/BusinessPartner/{partner['key']}"), status=404)


def test_each_changed_attribute_leaves_an_audit_row(client: httpx.Client) -> None:
    partner = _insert(client, "BusinessPartner", _partner("AUD"))["key"]
    client.put(f"/BusinessPartner/{partner}", json={"vatNumber": "N1", "payee": "60526", "isInterCompany": False})
    fields = '{"attributeName":"*","newValue":"*","oldValue":"*","entryText":"*","user":{"userName":"*"},'
    fields += '"action":{"actionName":"*"}}'
    rows = client.get(f"/AuditLog?filter=source(EQ){partner}&sort=attributeName(AS)", headers={"fields": fields}).json()
    assert [(row["attributeName"], row["oldValue"], row["newValue"]) for row in rows] == [
        ("isInterCompany", None, "false"),
        ("payee", None, "60526"),
        ("vatNumber", None, "N1"),
    ]
    assert rows[0]["entryText"] == "Field update: isInterCompany"
    assert rows[0]["action"]["actionName"] == "EDIT"
    assert rows[0]["user"]["userName"] == "Integration"


def test_modified_date_moves_with_each_write(sandbox: Sandbox, client: httpx.Client) -> None:
    partner = _insert(client, "BusinessPartner", _partner("MOD", addresses=[{"city": "x"}]))
    sandbox.control("POST", "clock", {"advance_seconds": 60})
    after = client.put(f"/BusinessPartner/{partner['key']}", json={"vatNumber": "x"}).json()["modifiedDate"]
    assert after > partner["modifiedDate"]
    since = client.get(f"/BusinessPartner?filter=modifiedDate(GTE){after}").json()
    assert [row["key"] for row in since] == [partner["key"]]


@pytest.mark.parametrize("moves", [False, True])
def test_a_childs_change_moves_its_parent_by_switch(sandbox: Sandbox, client: httpx.Client, *, moves: bool) -> None:
    partner = _insert(client, "BusinessPartner", _partner(f"CH{moves:d}", addresses=[{"city": "x"}]))
    sandbox.control("POST", "vms/settings", {"child_moves_parent": moves})
    sandbox.control("POST", "clock", {"advance_seconds": 60})
    client.put(f"/Address/{partner['addresses'][0]['key']}", json={"city": "y"})
    now = client.get(f"/BusinessPartner/{partner['key']}").json()["modifiedDate"]
    assert (now > partner["modifiedDate"]) is moves


def test_times_are_local_in_the_zone_of_the_switch(sandbox: Sandbox, client: httpx.Client) -> None:
    sandbox.control("POST", "clock", {"now": "2026-11-02T08:00:00Z"})
    sandbox.control("POST", "vms/settings", {"time_zone": "Europe/Oslo"})
    assert _insert(client, "BusinessPartner", _partner("ZONE"))["createdDate"].startswith("2026-11-02T09:00:0")
    with pytest.raises(ValueError, match="no time zone"):
        sandbox.control("POST", "vms/settings", {"time_zone": "Europe/Nowhere"})
