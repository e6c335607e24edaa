"""The VMS client: sign-in, paging by key, look-ups, writes and refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import httpx
import pytest
import stamina

from pipelines.core.errors import ExtractError, Forbidden, Refused, Terminal, Unclear
from pipelines.wire.pages import Unreadable
from tests.support.wire_world import Wire, answer

OAUTH = {"token_url": "https://login.example/oauth/token", "client_id": "me", "client_secret": "s3cret"}


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=5, cap=True):
        yield


class Store:
    """A VMS with objects of one entity; documents may leave between pages."""

    def __init__(self, keys: list[int]) -> None:
        self.keys = keys
        self.leaving: list[int] = []
        # Most objects of a page, and whether the number of those that match is told.
        self.largest = 1000
        self.counts = True

    def __call__(self, request: httpx.Request) -> httpx.Response:
        filters = request.url.params.get_list("filter")
        above = max((int(text.removeprefix("key(GT)")) for text in filters if text.startswith("key(GT)")), default=0)
        matching = [key for key in self.keys if key > above]
        chosen = matching[: min(self.largest, int(request.url.params["limit"]))]
        if self.leaving:
            self.keys.remove(self.leaving.pop())
        is_counted = self.counts and "noCount" not in request.headers
        total = {"totalObjectsNumber": str(len(matching))} if is_counted else None
        return answer([{"key": key} for key in chosen], headers=total)


def whole(objects: list[dict[str, int]]) -> httpx.Response:
    """Return a page that says that it is all there is."""
    return answer(objects, headers={"totalObjectsNumber": str(len(objects))})


def nothing(counted: int) -> httpx.Response:
    """Return a page without objects that says how many there are."""
    return answer([], headers={"totalObjectsNumber": str(counted)})


def read(pages: Iterator[bytes]) -> list[int]:
    return [item["key"] for page in pages for item in json.loads(page)]


def test_pages_go_on_above_the_last_key() -> None:
    wire = Wire(Store([1, 2, 3, 4, 5]))
    assert read(wire.vms(page_size=2).pages("Document", fields=["documentNo"])) == [1, 2, 3, 4, 5]
    assert [request.url.params.get("filter") for request in wire.sent] == [None, "key(GT)2", "key(GT)4"]
    # Counting costs a query of its own: it is asked for once a list.
    assert ["noCount" in request.headers for request in wire.sent] == [False, True, True]
    assert wire.sent[0].url.params["sort"] == "key(AS)"


@pytest.mark.parametrize(("counts", "requests"), [(True, 5), (False, 6)])
def test_a_page_may_be_shorter_than_was_asked_for(counts: bool, requests: int) -> None:  # noqa: FBT001 a case
    store = Store(list(range(1, 51)))
    store.largest, store.counts = 10, counts
    wire = Wire(store)
    assert read(wire.vms(page_size=20).pages("Document", fields=[])) == list(range(1, 51))
    assert len(wire.sent) == requests


def test_a_page_with_nothing_on_it_is_asked_for_once_more() -> None:
    store, empties = Store([1, 2, 3]), [1, 3]
    wire = Wire(lambda request: nothing(3) if len(wire.sent) in empties else store(request))
    assert read(wire.vms(page_size=2).pages("Document", fields=["key"])) == [1, 2, 3]
    # What comes twice is believed: they have left.
    wire = Wire(lambda request: answer([]) if len(wire.sent) > 1 else store(request))
    assert read(wire.vms(page_size=2).pages("Document", fields=["key"])) == [1, 2]
    assert len(wire.sent) == 3


def test_an_empty_list_needs_one_request() -> None:
    wire = Wire(Store([]))
    assert read(wire.vms().pages("Document", fields=[])) == []
    assert len(wire.sent) == 1


@pytest.mark.parametrize("counts", [True, False])
def test_short_pages_in_parts_are_read_to_the_end(counts: bool) -> None:  # noqa: FBT001 a case
    store = Store(list(range(1, 31)))
    store.largest, store.counts = 3, counts

    def reply(request: httpx.Request) -> httpx.Response:
        reply = store(request)
        # The object 15 is no JSON, and breaks each page it stands on.
        if '{"key":15}' in reply.text and json.loads(request.headers["fields"]) != {"key": "*"}:
            return httpx.Response(200, text=reply.text.replace('{"key":15}', "{bad}"), headers=reply.headers)
        return reply

    pages = list(Wire(reply).vms(page_size=20).pages("Document", fields=["documentNo"], is_parted=True))
    assert [page.key for page in pages if isinstance(page, Unreadable)] == [15]
    good = [page for page in pages if not isinstance(page, Unreadable)]
    assert read(iter(good)) == [key for key in range(1, 31) if key != 15]


def test_no_object_is_missed_when_others_leave_meanwhile() -> None:
    store = Store([1, 2, 3, 4, 5, 6])
    store.leaving = [2, 1]
    assert read(Wire(store).vms(page_size=2).pages("Document", fields=[])) == [1, 2, 3, 4, 5, 6]


def test_many_keys_are_read_fifty_at_a_time_in_order() -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        listed = request.url.params["filter"].removeprefix("key(IN)(").removesuffix(")")
        return whole([{"key": int(key)} for key in listed.split(",")])

    wire = Wire(reply)
    assert read(wire.vms(workers=4).pages_of("Document", "key", range(1, 1001), fields=[])) == list(range(1, 1001))
    assert len(wire.sent) == 20


def test_an_error_of_one_request_ends_the_reading() -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        is_refused = "(51," in request.url.params["filter"]
        return answer({"message": "no"}, 400) if is_refused else whole([{"key": 1}])

    wire = Wire(reply)
    with pytest.raises(Refused, match="no"):
        list(wire.vms(workers=4).pages_of("Document", "key", range(1, 1001), fields=[]))


def test_a_server_that_ignores_the_filter_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.wire.vms.MOST_PAGES", 5)
    wire = Wire(lambda _: answer([{"key": 1}, {"key": 2}]))
    with pytest.raises(ExtractError, match="no key above 2"):
        read(wire.vms(page_size=2).pages("Document", fields=[]))


def test_a_page_that_is_not_json_is_asked_for_once_more() -> None:
    wire = Wire([httpx.Response(200, text="<html>"), whole([{"key": 1}])])
    assert read(wire.vms().pages("Document", fields=[])) == [1]


def test_a_page_that_stays_no_json_names_address_and_text() -> None:
    wire = Wire(lambda _: httpx.Response(200, text="<html>\n" + "maintenance " * 50))
    with pytest.raises(ExtractError) as caught:
        read(wire.vms().pages("Document", fields=[], filters=["key(EQ)5"]))
    assert "/ws/rest/Document?" in caught.value.message
    assert "page 1" in caught.value.message
    assert "<html> maintenance" in caught.value.message
    assert len(wire.sent) == 2
    assert len(caught.value.message) < 500


def test_fields_are_written_nested() -> None:
    wire = Wire([answer([])])
    wire.vms().find("Document", filters=["a(EQ)1", "b(EQ)2"], fields=["documentNo", "company.country.countryCode"])
    assert json.loads(wire.sent[0].headers["fields"]) == {
        "documentNo": "*",
        "company": {"country": {"countryCode": "*"}},
    }
    assert wire.sent[0].url.params.get_list("filter") == ["a(EQ)1", "b(EQ)2"]
    assert wire.counted == [("vms", "GET Document")]


def test_found_decimals_are_exact() -> None:
    text, counted = '[{"key":1,"amount":0.30000000000000004}]', {"totalObjectsNumber": "1"}
    wire = Wire([httpx.Response(200, text=text, headers=counted)])
    assert wire.vms().find("Document", filters=[], fields=[])[0]["amount"] == Decimal("0.30000000000000004")


def test_a_look_up_has_a_limit() -> None:
    wire = Wire([answer([{"key": 1}, {"key": 2}])])
    with pytest.raises(ExtractError, match="More than 1"):
        wire.vms().find("Document", filters=["a(EQ)1"], fields=[], at_most=1)


def test_amounts_are_written_as_json_numbers() -> None:
    wire = Wire([answer({"key": 9}, 201)])
    assert wire.vms().post("Document", {"documentAmount": Decimal("-95000.00")}) == {"key": 9}
    assert wire.sent[0].content == b'{"documentAmount":-95000.00}'


NO_OBJECTS = [b"", b"<html>", b"[]", b"null", b'{"key":1', b'{"key":"\xff"}', b'{"a":' * 5_000]


@pytest.mark.parametrize("verb", ["PUT", "POST"])
@pytest.mark.parametrize("body", NO_OBJECTS)
def test_a_write_answered_with_no_object_is_unclear(body: bytes, verb: str) -> None:
    vms = Wire([httpx.Response(200, content=body)]).vms()
    with pytest.raises(Unclear, match="was answered \\(200\\) with no object") as caught:
        _ = vms.put("Document", 1, {}) if verb == "PUT" else vms.post("Document", {})
    assert caught.value.sent


# A text that only a lenient reader takes is set aside as an object where it is landed, as in a page.
NOT_ONE = [body for body in NO_OBJECTS if b"\xff" not in body]


@pytest.mark.parametrize("body", [*NOT_ONE, b"1", b'{"key":1},{"key":2}', b'{"key":1}]['])
def test_one_object_that_is_none_twice_is_an_error_of_reading(body: bytes) -> None:
    wire = Wire([httpx.Response(200, content=body)] * 2)
    with pytest.raises(ExtractError, match="no JSON object"):
        wire.vms().get("System", 1)
    passing = Wire([httpx.Response(200, content=body), httpx.Response(200, content=b'{"key":1}')])
    assert passing.vms().get("System", 1) == b'{"key":1}'


@pytest.mark.parametrize("body", [b"[1]", b"[null]", b'["a"]', b'[{"key": NaN}]', b"[[]]", b'[{"key":1},7]'])
def test_a_look_up_answered_with_no_objects_is_an_error_of_reading(body: bytes) -> None:
    wire = Wire(lambda _: httpx.Response(200, content=body))
    with pytest.raises(Terminal, match="Document"):
        wire.vms().find("Document", filters=[], fields=["key"])


def test_user_name_and_password_are_sent_as_basic() -> None:
    wire = Wire([answer({"key": 1})])
    wire.vms().get("System", 1)
    assert wire.sent[0].headers["Authorization"] == "Basic YXBpOnNlY3JldA=="


def test_one_token_serves_until_it_expires() -> None:
    wire = Wire(
        lambda request: answer({"access_token": "t", "expires_in": 3600} if "oauth" in str(request.url) else [])
    )
    client = wire.vms(**OAUTH)
    for minutes in (0, 58, 2):
        wire.now += timedelta(minutes=minutes)
        client.find("Vessel", filters=[], fields=[])
    assert [operation for _, operation in wire.counted].count("sign in") == 2
    assert wire.sent[1].headers["Authorization"] == "Bearer t"


def test_what_is_removed_is_named_by_its_key() -> None:
    wire = Wire([httpx.Response(204), answer({"message": "gone"}, 404)])
    client = wire.vms()
    client.delete("WebhookSubscription", 7)
    assert (wire.sent[0].method, wire.sent[0].url.path) == ("DELETE", "/ws/rest/WebhookSubscription/7")
    with pytest.raises(Refused) as told:
        client.delete("WebhookSubscription", 7)
    assert told.value.status == 404


def test_a_refused_token_is_asked_for_anew_once() -> None:
    wire = Wire([answer({"access_token": "old"}), answer({}, 401), answer({"access_token": "new"}), answer([])])
    wire.vms(**OAUTH).find("Vessel", filters=[], fields=[])
    assert wire.sent[3].headers["Authorization"] == "Bearer new"


@pytest.mark.parametrize("status", [401, 403])
def test_wrong_credentials_name_the_settings(status: int) -> None:
    wire = Wire(lambda _: answer({"message": "Token expired."}, status))
    with pytest.raises(Terminal, match=rf"{status}: Token expired.*SPRINGLINE_VMS__USERNAME") as caught:
        wire.vms().get("System", 1)
    assert not caught.value.sent
    # A missing right may concern one entity alone; whoever can go on without it must be able to tell.
    assert isinstance(caught.value, Forbidden) is (status == 403)


def test_a_token_that_is_not_given_names_the_settings() -> None:
    wire = Wire([answer({"error": "access_denied"}, 401)])
    with pytest.raises(Terminal, match="SPRINGLINE_VMS__CLIENT_ID") as caught:
        wire.vms(**OAUTH).get("System", 1)
    assert "s3cret" not in str(caught.value)


def test_a_refusal_carries_the_own_words_of_the_vms() -> None:
    wire = Wire([answer({"message": "Missing field(s) in json body."}, 400)])
    with pytest.raises(Refused) as caught:
        wire.vms().post("ExchangeRate", {})
    assert caught.value.problems == (("400", "Missing field(s) in json body."),)
    assert caught.value.status == 400


def test_an_answer_from_elsewhere_is_terminal() -> None:
    wire = Wire([httpx.Response(302, headers={"Location": "https://login.example"})])
    with pytest.raises(Terminal, match="SPRINGLINE_VMS__BASE_URL"):
        wire.vms().get("System", 1)
