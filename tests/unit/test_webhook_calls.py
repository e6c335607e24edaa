"""What a call of either side is read as, and who it is taken from."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest

from pipelines.batch.jobs import JOBS
from pipelines.watch.webhooks import calls
from pipelines.watch.webhooks.calls import (
    LEDGER_JOBS,
    VMS_JOBS,
    BasicSignIn,
    Signatures,
    UnreadableError,
    ledger_events,
    vms_events,
)
from pipelines.watch.webhooks.wanted import LEDGER_WANTED, VMS_WANTED
from tests.support.webhook_calls import TOKEN, VECTOR_BODY, VECTOR_SIGNATURE

AT = datetime(2024, 6, 10, 6, 13, 20, tzinfo=UTC)


def test_every_event_has_a_job_and_every_subscription_an_event() -> None:
    assert {*VMS_JOBS.values(), *LEDGER_JOBS.values()} <= JOBS.keys()
    assert {one.object_type for one in VMS_WANTED} <= VMS_JOBS.keys()
    assert {one.connection for one in LEDGER_WANTED} <= LEDGER_JOBS.keys()
    assert len({one.name for one in VMS_WANTED}) == len(VMS_WANTED)


def test_the_signature_is_that_of_the_reference() -> None:
    signatures = Signatures(TOKEN)
    assert signatures.sign(VECTOR_BODY, at=AT).decode() == VECTOR_SIGNATURE
    assert signatures.is_right([VECTOR_SIGNATURE + "="], VECTOR_BODY, at=AT)
    for given in ([], [VECTOR_SIGNATURE] * 2, [VECTOR_SIGNATURE[:-1]], [""], ["ø\udcff"]):
        assert not signatures.is_right(given, VECTOR_BODY, at=AT)


@pytest.mark.parametrize("dates", [[], ["Mon, 10 Jun 2024 06:13:20 GMT"] * 2, ["soon"], [""], ["1718000000"]])
def test_a_call_without_one_date_has_no_time(dates: list[str]) -> None:
    assert Signatures(TOKEN).sent_at(dates, now=AT) is None


def test_signatures_are_forgotten_when_their_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "MOST_SIGNATURES", 3)
    signatures = Signatures(TOKEN)
    for number in range(5):
        signatures.remember(b"%d" % number, at=AT, now=AT)
    assert [signatures.is_replay(b"%d" % number, at=AT) for number in range(5)] == [False, False, True, True, True]
    signatures.remember(b"later", at=AT, now=AT + timedelta(minutes=31))
    assert not signatures.is_replay(b"4", at=AT)


@pytest.mark.parametrize(
    ("header", "is_right"),
    [
        ("Basic " + base64.b64encode("kari:p:æ".encode()).decode(), True),
        ("basic  " + base64.b64encode("kari:p:æ".encode("latin-1")).decode(), True),
        ("Bearer " + base64.b64encode("kari:p:æ".encode()).decode(), False),
        ("Basic " + base64.b64encode(b"kari:p").decode(), False),
        ("Basic not base64", False),
        ("Basic", False),
        ("", False),
    ],
)
def test_a_sign_in_is_right_whole_or_not_at_all(header: str, is_right: bool) -> None:  # noqa: FBT001 a case
    sign_in = BasicSignIn("kari", "p:æ")
    assert sign_in.is_right([header]) is is_right
    assert not sign_in.is_right([header, header])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"id":"a","objectType":"Document","dataloyObject":5}', [("a", "documents", "Document 5")]),
        (b'{"id":7,"objectType":"Voyage","dataloyObject":"5"}', [("7", "master-data", "Voyage 5")]),
        (b'{"id":"a","objectType":"Vessel"}', [("a", "master-data", "Vessel")]),
        (b'{"id":"a","objectType":"Cargo","dataloyObject":5}', []),
    ],
)
def test_a_call_of_the_vms_is_one_event(body: bytes, expected: list[tuple[str, str, str]]) -> None:
    assert [(event.event_id, event.job, event.subject) for event in vms_events(body)] == expected


def test_an_event_without_an_id_of_use_is_known_by_its_hash() -> None:
    [nameless] = vms_events(b'{"objectType":"Vessel"}')
    [long] = vms_events(b'{"id":"%s","objectType":"Vessel"}' % (b"x" * 1000))
    [unkept] = vms_events(b'{"id":"a\\u0000b","objectType":"Vessel"}')
    assert {len(event.event_id) for event in (nameless, long, unkept)} == {40}


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b'{"objectType":5}', b'{"id":"a"}', b'{"objectType":"Vessel"} x']
)
def test_what_is_no_call_of_the_vms_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableError):
        vms_events(body)


def test_a_call_of_the_ledger_is_an_event_for_each_of_its_fields() -> None:
    edges = '{"edges":[{"syncVersion":"1","node":{"dbId":"4"}},{"syncVersion":"2","node":{"dbId":5}}]}'
    one = '{"edges":[{"node":{"dbId":"NO93 8601 1117 947"}}]}'
    body = f'{{"data":{{"suppliers":{edges},"exchangeRatesMutated":{one},"timesheets":{one},"projects":null}}}}'
    found = [(event.job, event.subject) for event in ledger_events(body.encode())]
    # What is no key is not kept: it may be anything.
    assert found == [("master-data", "2 suppliers, the last 5"), ("rates", "exchangeRates")]


@pytest.mark.parametrize("body", [b"", b"[]", b'{"data":[]}', b'{"data":{"projects":[]}}', b'{"data":{}} x'])
def test_what_is_no_call_of_the_ledger_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableError):
        ledger_events(body)


def test_a_delivery_that_comes_again_is_the_same_event() -> None:
    assert ledger_events(VECTOR_BODY) == ledger_events(VECTOR_BODY)
    assert ledger_events(VECTOR_BODY) != ledger_events(VECTOR_BODY.replace(b'"42"', b'"43"'))
