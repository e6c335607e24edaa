"""The control API, faults, persistence and admin page of the sandbox."""

from __future__ import annotations

import json
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from pipelines.sandbox.gate import root_field, spoilt
from pipelines.sandbox.vms.errors import SeedError
from tests.support.patience import PATIENCE
from tests.support.sandbox_server import running_sandbox, sandbox_process, write_seed
from tests.support.sandbox_vms_world import INVOICE_KEY, WORLD, small_sandbox, small_vms

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.sandbox_server import Sandbox


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with small_sandbox(tmp_path_factory.mktemp("vms")) as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with sandbox.vms() as vms:
        sandbox.control("DELETE", "requests")
        yield vms
        sandbox.control("DELETE", "faults")


def _graphql(sandbox: Sandbox, query: str) -> httpx.Response:
    return httpx.post(sandbox.env["SPRINGLINE_LEDGER__URL"], json={"query": query}, timeout=PATIENCE)


def test_a_status_fault_answers_and_does_nothing(sandbox: Sandbox, client: httpx.Client) -> None:
    sandbox.fault("vms", {"kind": "status", "status": 529, "body": "<html>busy</html>"}, times=1)
    answer = client.put(f"/Document/{INVOICE_KEY}", json={"documentText": "not kept"})
    assert (answer.status_code, answer.text) == (529, "<html>busy</html>")
    assert answer.headers["content-type"].startswith("text/html")
    assert client.get(f"/Document/{INVOICE_KEY}").json()["documentText"] is None


@pytest.mark.parametrize(("kind", "text"), [("drop_before", None), ("drop_after", "kept")])
def test_a_dropped_connection_gives_no_answer(
    sandbox: Sandbox, client: httpx.Client, kind: str, text: str | None
) -> None:
    sandbox.fault("vms", {"kind": kind}, times=1, match={"method": "PUT"})
    with pytest.raises(httpx.RemoteProtocolError):
        client.put(f"/Document/{INVOICE_KEY}", json={"documentText": "kept"})
    assert client.get(f"/Document/{INVOICE_KEY}").json()["documentText"] == text
    client.put(f"/Document/{INVOICE_KEY}", json={"documentText": None})


def test_an_answer_is_replaced_as_a_whole_or_in_part(sandbox: Sandbox, client: httpx.Client) -> None:
    sandbox.fault("vms", {"kind": "body", "body": "<html>no page"}, times=1)
    assert client.get("/Currency").text == "<html>no page"
    sandbox.fault("vms", {"kind": "replace", "old": '"NOK"', "new": "NaN"}, times=1)
    assert '"currencyCode":NaN' in client.get("/Currency").text
    assert '"currencyCode":"NOK"' in client.get("/Currency").text


def test_an_answer_is_spoilt_in_each_way(sandbox: Sandbox, client: httpx.Client) -> None:
    whole = client.get("/Currency").content
    found = {}
    for how in ("cut", "doubled", "emptied", "bared", "nulled"):
        sandbox.fault("vms", {"kind": "spoil", "how": how}, times=1)
        found[how] = client.get("/Currency").content
    keys = [row["key"] for row in json.loads(whole)]
    assert found.pop("cut") == whole[: len(whole) // 2]
    assert [row["key"] for row in json.loads(found.pop("doubled"))] == keys * 2
    assert json.loads(found.pop("bared")) == [{"key": key} for key in keys]
    assert found == {"emptied": b"[]", "nulled": b"null"}


@pytest.mark.parametrize(("how", "expected"), [("doubled", [1, 1]), ("emptied", None), ("nulled", "no connection")])
def test_a_ledger_answer_is_spoilt_in_each_way(how: str, expected: object) -> None:
    answer = b'{"data":{"r0":{"edges":[1]},"r1":{"edges":null},"r2":null}}'
    data = json.loads(spoilt(answer, how))["data"]
    assert (data["r0"]["edges"] if data["r0"] else "no connection") == expected
    assert data["r2"] is None
    assert spoilt(b'{"errors":[]}', how) == b'{"errors":[]}'
    edges = b'{"data":{"r0":{"edges":[{"cursor":"9","node":{"dbId":1,"code":"A"}}]}}}'
    bared = {"cursor": "9", "node": {"dbId": 1}}
    assert json.loads(spoilt(edges, "bared"))["data"]["r0"]["edges"] == [bared]
    assert spoilt(b"<html>", how) == b"<html>"


def test_a_stalled_answer_comes_after_the_work_was_done(sandbox: Sandbox, client: httpx.Client) -> None:
    stalled = {"kind": "delay", "seconds": 1.0, "is_done_first": True}
    sandbox.fault("vms", stalled, times=1, match={"method": "PUT"})
    with pytest.raises(httpx.ReadTimeout):
        client.put(f"/Document/{INVOICE_KEY}", json={"documentText": "stalled"}, timeout=0.3)
    assert client.get(f"/Document/{INVOICE_KEY}").json()["documentText"] == "stalled"
    client.put(f"/Document/{INVOICE_KEY}", json={"documentText": None})


def test_a_delay_only_delays(sandbox: Sandbox, client: httpx.Client) -> None:
    sandbox.fault("vms", {"kind": "delay", "seconds": 0.2}, times=1)
    before = time.monotonic()
    assert client.get("/Currency").status_code == 200
    assert time.monotonic() - before >= 0.2


def test_a_rule_meets_what_it_names(sandbox: Sandbox, client: httpx.Client) -> None:
    match = {"method": "GET", "path": "/ws/rest/Document", "contains": "documentNo(EQ)270"}
    sandbox.fault("vms", {"kind": "status", "status": 500}, match=match, after=1, times=2)
    wanted = {"filter": "documentNo(EQ)2707400"}
    codes = [client.get("/Document", params=wanted).status_code for _ in range(4)]
    assert codes == [200, 500, 500, 200]
    sandbox.fault("vms", {"kind": "status", "status": 500}, match={"path": "/ws/rest/Document"})
    paths = ("/Document", f"/Document/{INVOICE_KEY}", "/DocumentType", "/Currency")
    assert [client.get(path).status_code for path in paths] == [500, 500, 200, 200]
    assert len(sandbox.control("GET", "faults")["faults"]) == 1


def test_a_ledger_fault_meets_an_operation(sandbox: Sandbox, client: httpx.Client) -> None:
    action = {"kind": "graphql_error", "code": "BAD_REQUEST.BURST_RATE_LIMIT_REACHED", "message": "Too many requests"}
    sandbox.fault("ledger", action, match={"operation": "addGLImportItems"}, times=1)
    assert "BURST" not in _graphql(sandbox, "{ currencies(first:1){ edges{ node{ code } } } }").text
    answer = _graphql(sandbox, "mutation Add($n:[X!]!){ a: addGLImportItems(inputs:$n){ edges{ node{ dbId } } } }")
    assert answer.status_code == 200
    assert answer.json()["errors"] == [{"message": action["message"], "code": action["code"]}]
    assert client.get("/Currency").status_code == 200


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("{ a { b } }", "a"),
        ("query { x: a(first: 1) { b } }", "a"),
        ('query Q($s: String = "(", $n: [Int!]) @d { a }', "a"),
        ("# a comment {\nmutation M { addSuppliers(inputs: []) { edges { node { dbId } } } }", "addSuppliers"),
        ("fragment F on T { b } query { a { ...F } }", "a"),
        ("", ""),
    ],
)
def test_the_root_field_of_a_document_is_found(query: str, field: str) -> None:
    assert root_field(json.dumps({"query": query}).encode()) == field


@pytest.mark.parametrize(
    "rule",
    [
        {"side": "both", "action": {"kind": "drop_before"}},
        {"side": "vms", "action": {"kind": "explode"}},
        {"side": "vms", "action": {"kind": "status"}},
        {"side": "vms", "action": {"kind": "drop_before"}, "matches": {}},
    ],
)
def test_a_wrong_rule_is_refused(sandbox: Sandbox, rule: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="error"):
        sandbox.control("POST", "faults", rule)


def test_requests_are_counted_per_side_and_path(sandbox: Sandbox, client: httpx.Client) -> None:
    client.get("/Currency?limit=1")
    client.get("/Currency/1000201")
    client.get("/Currency/1000202")
    _graphql(sandbox, "{ currencies(first:1){ edges{ node{ code } } } }")
    assert sandbox.control("GET", "requests") == {
        "vms": {"GET /ws/rest/Currency": 1, "GET /ws/rest/Currency/{key}": 2},
        "ledger": {"POST currencies": 1},
    }
    assert sandbox.control("DELETE", "requests") == {"vms": {}, "ledger": {}}


def test_the_clock_is_set_and_goes_on(sandbox: Sandbox, client: httpx.Client) -> None:
    assert sandbox.control("POST", "clock", {"now": "2031-05-06T07:08:09Z"})["now"].startswith("2031-05-06T07:08:09")
    assert sandbox.control("POST", "clock", {"advance_seconds": 86_400})["now"].startswith("2031-05-07T07:08")
    with sandbox.vms() as vms:
        assert vms.get("/Currency").headers["date"].startswith("Wed, 07 May 2031 07:08")
    with pytest.raises(ValueError, match="zone"):
        sandbox.control("POST", "clock", {"now": "2031-05-06T07:08:09"})
    assert client.get("/Currency").status_code == 401


def test_the_admin_page_shows_both_sides(sandbox: Sandbox) -> None:
    with sandbox.vms() as vms:
        vms.get("/Nothing")
    page = httpx.get(sandbox.base_url, timeout=PATIENCE)
    assert page.headers["content-type"].startswith("text/html")
    assert "<td>INI</td><td>RFP</td><td>USD</td><td>1</td><td>1250.00</td>" in page.text
    assert "There is no resource &#x27;Nothing&#x27;." in page.text
    assert "<h2>Ledger</h2>" in page.text
    assert sandbox.control("GET", "health")["status"] == "ok"


def test_a_killed_process_loses_nothing_it_answered(tmp_path: Path) -> None:
    running = sandbox_process(tmp_path, small_vms(tmp_path / "seed"))
    running.control("POST", "clock", {"now": "2031-01-01T00:00:00Z"})
    with running.vms() as vms:
        body = {"currencyCode": "XTS", "currencyName": "written before the kill"}
        key = vms.post("/Currency", json=body).json()["key"]
        vms.put(f"/Document/{INVOICE_KEY}", json={"invoicingStatus": "POS"}).raise_for_status()
        token = vms.headers["Authorization"]
        running.kill()
    with running_sandbox(tmp_path, small_vms(tmp_path / "seed")) as again:
        headers = {"Authorization": token}
        currency = httpx.get(again.url(f"/ws/rest/Currency/{key}"), headers=headers, timeout=PATIENCE).json()
        assert currency["currencyName"] == body["currencyName"]
        document = httpx.get(again.url(f"/ws/rest/Document/{INVOICE_KEY}"), headers=headers, timeout=PATIENCE).json()
        assert document["invoicingStatus"]["key"] == 1000304
        assert again.control("GET", "clock")["now"].startswith("2031-01-01T00:0")
        assert (
            httpx.get(again.url("/ws/rest/Document"), headers=headers, timeout=PATIENCE).text.count('"documentNo"') == 4
        )
        with again.vms() as vms:
            assert vms.post("/Currency", json={"currencyCode": "XUA"}).json()["key"] > key


@pytest.mark.parametrize("is_done_first", [False, True])
def test_a_power_cut_keeps_what_was_done_and_no_more(tmp_path: Path, is_done_first: bool) -> None:  # noqa: FBT001
    seed = write_seed(tmp_path / "seed", WORLD)
    with sandbox_process(tmp_path, seed) as sandbox, sandbox.vms() as vms:
        sandbox.fault("vms", {"kind": "die", "is_done_first": is_done_first}, match={"method": "PUT"})
        with pytest.raises(httpx.HTTPError):
            vms.put(f"/Document/{INVOICE_KEY}", json={"documentText": "kept"})
        assert sandbox.process.wait(PATIENCE) == -signal.SIGKILL
    with running_sandbox(tmp_path, None) as again, again.vms() as vms:
        assert vms.get(f"/Document/{INVOICE_KEY}").json()["documentText"] == ("kept" if is_done_first else None)


def test_the_printed_settings_include_the_seeds(tmp_path: Path) -> None:
    seed = write_seed(tmp_path / "seed", {})
    (seed / "settings.env").write_text("# of the world\nSPRINGLINE_POSTING__XGL=poolCode\n", "utf-8")
    with running_sandbox(tmp_path, seed) as running:
        assert running.env["SPRINGLINE_POSTING__XGL"] == "poolCode"
        assert running.env["SPRINGLINE_VMS__BASE_URL"] == running.url("/ws/rest")


@pytest.mark.parametrize(
    ("files", "names"),
    [
        ({"Nothing": "{}"}, "no such entities: Nothing"),
        ({"Currency": "{"}, "Currency.jsonl:1: "),
        ({"Currency": "[]"}, "Currency.jsonl:1: Currency must be an object"),
        ({"Currency": '{"key":1}\n{"key":1}'}, "Currency.jsonl:2: the key 1"),
        ({"Country": '{"key":7,"currency":"USD"}'}, "Country.jsonl:1: 'currency' of Country 7 points to 'USD'"),
        ({"Vessel": '{"vesselCodes":7}'}, "Vessel.jsonl:1: 'vesselCodes' of Vessel must be an array"),
        ({"BusinessPartner": '{"bankAccounts":["7"]}'}, "BusinessPartner.jsonl:1: 'bankAccounts'"),
    ],
)
def test_a_seed_that_cannot_be_loaded_names_its_line(tmp_path: Path, files: dict[str, str], names: str) -> None:
    with pytest.raises(SeedError) as raised:
        running_sandbox(tmp_path, write_seed(tmp_path / "seed", files))
    assert names in str(raised.value)


def test_keys_beyond_32_bits_do_not_drag_new_ones(tmp_path: Path) -> None:
    documents = WORLD["Document"].replace('"key":5200009', '"key":5200000009')
    seed = write_seed(tmp_path / "seed", {**WORLD, "Document": documents})
    with running_sandbox(tmp_path, seed) as running, running.vms() as vms:
        assert vms.post("/Currency", json={"currencyCode": "XTS"}).json()["key"] < 2**31


def test_parallel_acknowledgements_all_arrive(sandbox: Sandbox) -> None:
    with sandbox.vms() as vms:
        keys = [vms.post("/Currency", json={"currencyCode": f"C{number:02d}"}).json()["key"] for number in range(40)]

        def rename(key: int) -> int:
            return vms.put(f"/Currency/{key}", json={"currencyName": str(key)}).status_code

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(rename, keys)) == {200}
        rows = vms.get(f"/Currency?filter=key(GTE){keys[0]}", headers={"fields": '{"currencyName":"*"}'}).json()
        assert {row["currencyName"] for row in rows} == {str(key) for key in keys}
