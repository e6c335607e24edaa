"""Answers that no system should give: each is a clear error, or one object set aside, in bounded memory."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable, Iterator

import httpx
import pytest
import stamina

from pipelines.contracts.vms import ALL
from pipelines.core.errors import SpringlineError, Terminal, Transient, Unclear
from pipelines.extract.parse import parse_page
from pipelines.wire import http
from pipelines.wire.twice import twice_in
from tests.support.wire_world import Wire, answer

VESSELS = next(contract for contract in ALL if contract.entity == "Vessel")
# As texts of one object: what stands twice, what is no text, no number, no JSON.
TWICE = [
    b'{"key":1,"key":2,"vesselName":"A","dbId":"7"}',
    b'{"key":1,"vesselName":"A","vesselName":"A","dbId":"7"}',
    b'{"key":1,"dbId":"7","vesselName":"A","pool":null,"pool":{"poolCode":"P"}}',
    b'{"key":1,"dbId":"7","vesselName":"A","pool":{"poolCode":"P","poolCode":"Q"}}',
    b'{"key":1,"dbId":"7","vesselName":"A","k\\u0065y":2}',
]
NO_TEXT = [
    b'{"key":1,"dbId":"7","vesselName":"\xff\xfe"}',
    b'{"key":1,"dbId":"7","vesselName":"\xc0\xaf"}',
    b'{"key":1,"dbId":"7","vesselName":"\xed\xa0\x80"}',
    b'{"key":1,"dbId":"7","vesselName":"\\ud800"}',
    b'{"key":1,"dbId":"7","vesselName":"\\udc00x"}',
    b'{"key":1,"dbId":"7","vesselName":"a\x00b"}',
    b'{"key":1,"dbId":"7","vesselName":"a\x1bb"}',
]
NO_NUMBER = [
    b'{"key":%b,"dbId":%b,"vesselName":"A"}' % (number, number)
    for number in (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"1.5", b"9" * 5000, b"true")
]
NO_JSON = [
    b"[" * 100_000,
    b"[" * 100_000 + b"]" * 100_000,
    b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    b'{"key":1,"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    '{"key":1}'.encode("utf-16"),
    b'\xef\xbb\xbf{"key":1}',
    b'{"key":1}]x[',
    b"{'key':1}",
    b'{"key":1/**/}',
]
UNUSABLE = [*TWICE, *NO_TEXT, *NO_JSON]
OBJECTS = [*TWICE, *NO_TEXT, *NO_NUMBER, *NO_JSON]


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=2, cap=True):
        yield


def wire(body: bytes, **headers: str) -> Wire:
    return Wire(lambda _: httpx.Response(200, stream=Raw(body), headers=headers))


@pytest.mark.parametrize("text", OBJECTS, ids=range(len(OBJECTS)))
def test_an_object_that_may_mean_two_things_lands_nowhere(text: bytes) -> None:
    page = b'[{"key":9,"vesselName":"good","modifiedDate":"2026-11-02T08:00:00"},' + text + b"]"
    # A page with one such object is cut into objects where it can be cut at all; else it is told as a whole.
    try:
        found = parse_page(next(wire(page).vms().pages("Vessel", fields=["vesselName"], is_parted=True)), VESSELS)
    except SpringlineError as error:
        told = error.next_step
    else:
        told = "".join(one.message for one in found.rejected)
        assert set(found.parents.column("vessel_key").to_pylist()) <= {9}
    assert told


@pytest.mark.parametrize("text", UNUSABLE, ids=range(len(UNUSABLE)))
def test_a_look_up_builds_on_no_such_object(text: bytes) -> None:
    with pytest.raises(SpringlineError) as told:
        wire(b"[" + text + b"]").vms().find("Vessel", filters=[], fields=["vesselName", "pool.poolCode"])
    assert told.value.next_step
    node = b'{"data":{"r0":{"edges":[{"node":' + text + b"}]}}}"
    with pytest.raises(SpringlineError) as told:
        wire(node).ledger().rows("suppliers", selection="dbId")
    assert told.value.next_step


@pytest.mark.parametrize("text", UNUSABLE, ids=range(len(UNUSABLE)))
def test_a_write_is_not_proven_by_such_an_answer(text: bytes) -> None:
    vms = wire(text)
    writes: list[Callable[[], object]] = [
        lambda: vms.vms().post("Payment", {"a": 1}),
        lambda: vms.vms().put("Payment", 1, {"a": 1}),
    ]
    for write in writes:
        with pytest.raises(Unclear) as told:
            write()
        assert told.value.sent
    # Once each: what may have been done is never sent again here.
    assert len(vms.sent) == 2


ENVELOPES = [
    b'{"errors":[{"message":"no"}],"errors":[],"data":{"a":1}}',
    b'{"errors":[],"errors":[{"message":"no"}],"data":{"a":1}}',
    b'{"data":null,"data":{"a":1}}',
    b'{"data":{"a":1},"data":null}',
    b'{"data":{"a":{"edges":[{"node":{"dbId":"1","dbId":"2"}}]}}}',
    b'{"errors":[{"message":"no","message":"yes"}]}',
]


@pytest.mark.parametrize("body", ENVELOPES, ids=range(len(ENVELOPES)))
def test_a_mutation_answered_twice_over_is_of_unknown_fate(body: bytes) -> None:
    told_by = wire(body)
    with pytest.raises(Terminal, match="twice") as told:
        told_by.ledger()._graphql.execute("mutation { a }", {}, operation="a", is_write=True)
    assert told.value.sent
    assert len(told_by.sent) == 1


def packed(size: int) -> bytes:
    packing = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([*(packing.compress(b"[" * 2**20) for _ in range(size)), packing.flush()])


BOMBS: dict[str, Callable[[], tuple[bytes, str]]] = {
    "gzip": lambda: (packed(200), "gzip"),
    "gzip under another name": lambda: (packed(200), "X-GZIP"),
    "deflate": lambda: (zlib.compress(b"[" * (200 * 2**20)), "deflate"),
    "packed twice": lambda: (gzip.compress(packed(200)), "gzip, gzip"),
    "brotli": lambda: (b"\x1b" * 1000, "br"),
    "zstd": lambda: (b"\x28\xb5\x2f\xfd" * 1000, "zstd"),
    "no packing at all": lambda: (b"[" * 3 * 2**20, ""),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_body_that_unpacks_to_anything_is_bounded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LARGEST_ANSWER", 2 * 2**20)
    body, encoding = BOMBS[name]()
    ask = wire(body, **({"Content-Encoding": encoding} if encoding else {}))
    calls: list[Callable[[], object]] = [
        lambda: ask.vms().find("Vessel", filters=[], fields=["vesselName"]),
        lambda: ask.ledger().rows("suppliers", selection="dbId"),
    ]
    tracemalloc.start()
    try:
        for call in calls:
            with pytest.raises((Terminal, Transient)) as told:
                call()
            assert told.value.next_step
        assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
    finally:
        tracemalloc.stop()


CUT = {
    "cut off": gzip.compress(b'[{"key":1}]' * 100)[:-12],
    "more behind it": gzip.compress(b"[]") + gzip.compress(b'[{"key":1}]'),
    "garbage behind it": gzip.compress(b"[]") + b"x",
    "changed": gzip.compress(b"[]")[:-8] + b"\0" * 8,
    "nothing": b"",
}


@pytest.mark.parametrize("name", CUT)
def test_half_a_packed_body_is_no_answer(name: str) -> None:
    def reply(_: httpx.Request) -> httpx.Response:
        return answer([]) if len(ask.sent) > 1 else httpx.Response(200, headers=PACKED, stream=Raw(CUT[name]))

    ask = Wire(reply)
    assert ask.vms().find("Vessel", filters=[], fields=["vesselName"]) == []
    assert len(ask.sent) == 2


PACKED = {"Content-Encoding": "gzip"}


class Raw(httpx.SyncByteStream):
    def __init__(self, body: bytes) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        yield self._body


@pytest.mark.parametrize("how", ["gzip", "deflate", "identity", ""])
def test_a_packed_answer_is_read(how: str) -> None:
    body = b'[{"key":1,"vesselName":"A"}]'
    body = gzip.compress(body) if how == "gzip" else zlib.compress(body) if how == "deflate" else body
    replies: list[httpx.Response | Exception] = [
        httpx.Response(200, headers={"Content-Encoding": how} if how else {}, stream=Raw(body)),
        answer([]),
    ]
    [found] = Wire(replies).vms().find("Vessel", filters=[], fields=["vesselName"])
    assert found["vesselName"] == "A"


def test_the_same_name_on_two_levels_is_no_fault() -> None:
    assert not twice_in(b'{"key":1,"pool":{"key":1},"all":[{"key":1},{"key":2}]}')
