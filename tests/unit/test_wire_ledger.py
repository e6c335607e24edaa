"""The ledger client: errors before data, limits waited out, pages, changes and mutations."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import stamina

from pipelines.core.errors import ExtractError, Refused, Terminal, Transient
from pipelines.wire.http import Call
from pipelines.wire.ledger import Changes, whole_pages
from pipelines.wire.query import Reading, mutation_text
from pipelines.wire.upload import Upload
from tests.support.wire_world import Wire, answer

BURST = "BAD_REQUEST.BURST_RATE_LIMIT_REACHED"
CONCURRENCY = "BAD_REQUEST.CONCURRENCY_LIMIT_REACHED"
CREDITS = "BAD_REQUEST.INSUFFICIENT_CREDITS"


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=5, cap=True):
        yield


def page(nodes: list[dict[str, Any]] | None, *, more: bool = False, alias: str = "r0") -> httpx.Response:
    edges = nodes and [{"cursor": str(node["dbId"]), "node": node} for node in nodes]
    return answer({"data": {alias: {"edges": edges, "pageInfo": {"hasNextPage": more}}}})


def errors(*found: dict[str, object], status: int = 200) -> httpx.Response:
    return answer({"errors": list(found), "data": {"r0": None}}, status)


def limit(code: str, **extensions: object) -> httpx.Response:
    return errors({"message": "Too many requests", "code": code, "extensions": extensions})


def body(request: httpx.Request) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(request.content)
    return content


def test_pages_go_on_behind_the_last_cursor() -> None:
    wire = Wire([page([{"dbId": 1}, {"dbId": 2}], more=True), page([{"dbId": 3}])])
    [pages] = wire.ledger().read([Reading("suppliers", "dbId", {"code": "6"})])
    found = [json.loads(text) for text in pages]
    assert found == [[{"dbId": 1}, {"dbId": 2}], [{"dbId": 3}]]
    assert body(wire.sent[1])["variables"] == {"r0_after": "2", "r0_filter": {"code": "6"}}
    assert wire.sent[0].headers["Authorization"] == "token abc"
    assert wire.counted == [("ledger", "suppliers")] * 2


def test_edges_null_is_an_empty_connection() -> None:
    assert Wire([page(None)]).ledger().rows("suppliers", selection="dbId") == []


def test_a_cursor_that_stands_still_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.wire.ledger.MOST_PAGES", 5)
    wire = Wire(lambda _: page([{"dbId": 1}], more=True))
    with pytest.raises(ExtractError, match="does not get past"):
        wire.ledger().rows("suppliers", selection="dbId")
    assert len(wire.sent) == 2


def test_several_connections_begin_in_one_request() -> None:
    nodes = {"edges": [{"cursor": "1", "node": {"dbId": 1}}], "pageInfo": {"hasNextPage": False}}
    wire = Wire([answer({"data": {"r0": nodes, "r1": {"edges": None, "pageInfo": {"hasNextPage": False}}}})])
    pages = wire.ledger().read([Reading("suppliers", "dbId"), Reading("customers", "dbId")])
    assert [list(own) for own in pages] == [[b'[{"dbId":1}]'], []]
    assert wire.counted == [("ledger", "suppliers+customers")]


@pytest.mark.parametrize(("code", "seconds"), [(BURST, 5.0), (CONCURRENCY, 1.0)])
def test_a_limit_is_waited_out(code: str, seconds: float) -> None:
    wire = Wire([limit(code), page(None)])
    wire.ledger().rows("suppliers", selection="dbId")
    assert wire.slept == [seconds]


def test_credits_are_waited_for_until_their_norwegian_time() -> None:
    # 09:01:30 in Oslo is 08:01:30 UTC in November.
    wire = Wire([limit(CREDITS, resetAt="2026-11-02T09:01:30"), page(None)])
    wire.ledger(longest_wait=120).rows("suppliers", selection="dbId")
    assert wire.slept == [90.0]


@pytest.mark.parametrize(
    "reset_at", ["2026-11-02T10:00:00", "2026-11-02T09:00:00Z", "2026-11-02T12:00:00+03:00", None, "soon", "0000-00-00"]
)
def test_a_wait_too_long_is_left_to_the_next_run(reset_at: str | None) -> None:
    wire = Wire([limit(CREDITS, resetAt=reset_at)])
    with pytest.raises(
        Transient, match=r"nothing was sent; run again after 2026-11-02 (10:00|09:20) \(Oslo\)"
    ) as caught:
        wire.ledger(longest_wait=120).mutate("addSuppliers", [{"node": {}}])
    assert not caught.value.sent
    assert caught.value.retry_after in {3600.0, 1200.0}


def test_waiting_for_a_limit_comes_to_an_end() -> None:
    wire = Wire(lambda _: limit(BURST))
    with pytest.raises(Transient, match="takes no more requests"):
        wire.ledger(attempts=3).rows("suppliers", selection="dbId")
    assert len(wire.sent) == 3


@pytest.mark.parametrize("status", [200, 400])
def test_a_refusal_has_every_code_and_message(status: int) -> None:
    message = "project.code: No value matching owner 42365431, code 'V001-2601'."
    wire = Wire(
        [
            errors(
                {"message": message, "extensions": {"code": "INVALID_VALUE"}},
                {"message": "second", "code": "X"},
                status=status,
            )
        ]
    )
    with pytest.raises(Refused) as caught:
        wire.ledger().mutate("addGLImportItems", [{"node": {}}])
    assert caught.value.problems == (("INVALID_VALUE", message), ("X", "second"))


@pytest.mark.parametrize(
    "reply",
    [
        errors({"message": "Bad format for API Token. Expected …"}),
        errors({"message": "no"}, status=401),
        httpx.Response(403, text="no"),
    ],
)
def test_a_wrong_token_names_the_setting(reply: httpx.Response) -> None:
    with pytest.raises(Terminal, match="SPRINGLINE_LEDGER__TOKEN") as caught:
        Wire([reply]).ledger().rows("suppliers", selection="dbId")
    assert "abc" not in str(caught.value)


def test_a_read_that_timed_out_there_is_tried_again() -> None:
    wire = Wire([errors({"message": "Your query timed out."}), page(None)])
    wire.ledger().rows("suppliers", selection="dbId")
    assert len(wire.sent) == 2


@pytest.mark.parametrize(
    "reply",
    [
        errors({"message": "Your query timed out."}),
        errors({"message": "boom"}, status=500),
        httpx.Response(529, text="<html>"),
        httpx.ReadTimeout("slow"),
    ],
)
def test_a_mutation_of_unknown_fate_is_not_sent_again(reply: httpx.Response | Exception) -> None:
    wire = Wire([reply])
    with pytest.raises(Transient) as caught:
        wire.ledger().mutate("addGLImportItems", [{"node": {}}])
    assert caught.value.sent
    assert len(wire.sent) == 1


@pytest.mark.parametrize("text", ["<html>", "", "[]", "{}", '{"data":null}'])
def test_an_answer_that_is_no_graphql_is_terminal(text: str) -> None:
    with pytest.raises(Terminal, match="SPRINGLINE_LEDGER__URL"):
        Wire([httpx.Response(200, text=text)] * 2).ledger().rows("suppliers", selection="dbId")


def test_a_cut_answer_to_a_read_is_asked_for_once_more_and_no_write() -> None:
    cut = httpx.Response(200, text='{"data":{"r0":')
    assert Wire([cut, page(None)]).ledger().rows("suppliers", selection="dbId") == []
    with pytest.raises(Terminal) as caught:
        Wire([cut]).ledger().mutate("addSuppliers", [{"node": {}}])
    assert caught.value.sent


def test_a_connection_the_token_may_not_see_is_named() -> None:
    with pytest.raises(Terminal, match=r"without suppliers.*scopes"):
        Wire([answer({"data": {"r0": None}})]).ledger().rows("suppliers", selection="dbId")


def test_a_mutation_returns_its_edges() -> None:
    edges = [{"clientId": "0", "node": {"dbId": 7}}]
    wire = Wire([answer({"data": {"addSuppliers": {"edges": edges}}})])
    assert wire.ledger().mutate("addSuppliers", [{"node": {"code": "A"}}]) == edges
    assert body(wire.sent[0])["query"] == mutation_text("addSuppliers")


def test_a_mutation_of_too_many_is_not_sent() -> None:
    wire = Wire([])
    with pytest.raises(Terminal, match="501 inputs"):
        wire.ledger().mutate("addSuppliers", [{"node": {}}] * 501)


def test_a_deletion_wins_over_other_changes() -> None:
    deltas = [
        {"dbId": "811", "mutationType": "UPDATED"},
        {"dbId": 902, "mutationType": "ADDED"},
        {"dbId": "811", "mutationType": "DELETED"},
    ]
    edges = [{"cursor": str(number), "node": node} for number, node in enumerate(deltas, 5)]
    wire = Wire([answer({"data": {"r0": {"edges": edges, "pageInfo": {"hasNextPage": False}}}})])
    found = wire.ledger().changes({"apTransaction_deltas": "4"})
    assert found == {"apTransaction_deltas": Changes("7", frozenset({902}), frozenset({811}))}


@pytest.mark.parametrize("node", ["null", "7", '"a"', "[]"])
def test_a_node_that_is_no_object_is_an_error_of_reading(node: str) -> None:
    text = f'{{"data": {{"r0": {{"edges": [{{"cursor": "1", "node": {node}}}], "pageInfo": null}}}}}}'
    ledger = Wire(lambda _: httpx.Response(200, content=text.encode())).ledger()
    with pytest.raises(Terminal, match="suppliers"):
        ledger.rows("suppliers", selection="dbId")
    with pytest.raises(Terminal, match="apTransaction_deltas"):
        ledger.changes({"apTransaction_deltas": None})


def test_the_newest_change_is_none_where_there_is_none() -> None:
    wire = Wire([answer({"data": {"r0": {"edges": [{"cursor": "9"}]}, "r1": {"edges": None}}})])
    found = wire.ledger().newest_changes(["apTransaction_deltas", "arTransaction_deltas"])
    assert found == {"apTransaction_deltas": "9", "arTransaction_deltas": None}


def test_a_file_goes_in_a_part_with_its_own_name() -> None:
    edges = [{"clientId": "0", "node": {"dbId": 7}}]
    wire = Wire([answer({"data": {"addGLImportItems": {"edges": edges}}})])
    upload = Upload("f 1.pdf", "application/pdf", b"%PDF\r\n--\x00\xff")
    assert wire.ledger().mutate("addGLImportItems", [{"node": {"invoiceFile": "f 1.pdf"}}], [upload]) == edges
    [request] = wire.sent
    kind, _, boundary = request.headers["Content-Type"].partition("; boundary=")
    assert (kind, request.headers["Authorization"]) == ("multipart/form-data", "token abc")
    head, content, file, end = request.content.split(f"--{boundary}".encode())
    assert (head, end) == (b"", b"--\r\n")
    assert content.startswith(b'\r\nContent-Disposition: form-data; name="content"\r\nContent-Type: application/json')
    sent = json.loads(content.partition(b"\r\n\r\n")[2])
    assert sent == {
        "query": mutation_text("addGLImportItems"),
        "variables": {"inputs": [{"node": {"invoiceFile": "f 1.pdf"}}]},
    }
    assert file == (
        b'\r\nContent-Disposition: form-data; name="f 1.pdf"; filename="f 1.pdf"\r\n'
        b"Content-Type: application/pdf\r\n\r\n%PDF\r\n--\x00\xff\r\n"
    )
    assert "%PDF" not in repr(upload)
    assert "%PDF" not in repr(Call("POST", "http://ledger", "x", body=request.content))


def test_a_limit_on_a_file_is_waited_out_with_the_same_bytes() -> None:
    wire = Wire([limit(BURST), answer({"data": {"addGLImportItems": {"edges": []}}})])
    wire.ledger().mutate("addGLImportItems", [{"node": {}}], [Upload("f.pdf", "application/pdf", b"%PDF")])
    first, second = wire.sent
    assert first.content == second.content
    assert wire.slept == [5.0]


@pytest.mark.parametrize("status", [413, 415])
def test_a_body_with_a_file_that_is_not_taken_is_a_refusal(status: int) -> None:
    upload = Upload("f.pdf", "application/pdf", b"%PDF")
    with pytest.raises(Refused, match=f"is not taken \\({status}\\)"):
        Wire([httpx.Response(status, text="<html>")]).ledger().mutate("addGLImportItems", [{"node": {}}], [upload])


def test_a_call_with_a_file_of_unknown_fate_is_not_sent_again() -> None:
    wire = Wire([httpx.ReadTimeout("slow")])
    with pytest.raises(Transient) as caught:
        wire.ledger().mutate("addGLImportItems", [{"node": {}}], [Upload("f.pdf", "application/pdf", b"%PDF")])
    assert caught.value.sent
    assert len(wire.sent) == 1


def test_a_node_that_lands_has_all_that_was_asked_for() -> None:
    reading = Reading("projects", "dbId code glObject1 { dbId }")
    whole = b'[{"dbId":1,"code":null,"glObject1":null},null]'
    assert list(whole_pages([whole], reading)) == [whole]
    with pytest.raises(Terminal, match="projects was answered with an object without code, glObject1"):
        list(whole_pages([b'[{"dbId":1}]'], reading))
