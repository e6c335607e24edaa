"""The HTTP caller: what is sent again, what is not, and what is known of the request's fate."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
import stamina

from pipelines.core.errors import Terminal, Transient, WireError
from pipelines.wire import http
from tests.support.wire_world import Reply, Wire, answer


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=5, cap=True):
        yield


def refused_connection() -> Exception:
    return httpx.ConnectError("connection refused")


@pytest.mark.parametrize("status", [429, 500, 502, 503, 529])
def test_a_read_is_sent_again_after_a_bad_status(status: int) -> None:
    wire = Wire([httpx.Response(status, text="<html>"), answer([])])
    assert list(wire.vms().pages("Vessel", fields=["vesselName"])) == []
    assert len(wire.sent) == len(wire.counted) == 2


@pytest.mark.parametrize(
    "error",
    [httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("closed"), httpx.ReadError("reset"), refused_connection()],
)
def test_a_read_is_sent_again_after_no_answer(error: Exception) -> None:
    wire = Wire([error, answer([])])
    wire.vms().find("Vessel", filters=[], fields=["vesselName"])
    assert len(wire.sent) == 2


@pytest.mark.parametrize(
    "reply", [httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("closed"), httpx.Response(500), httpx.Response(529)]
)
def test_a_write_of_unknown_fate_is_not_sent_again(reply: Reply) -> None:
    wire = Wire([reply] * 3)
    with pytest.raises(Transient) as caught:
        wire.vms(attempts=3).put("Document", 1, {"invoicingStatus": "POS"})
    assert caught.value.sent
    assert len(wire.sent) == 1


@pytest.mark.parametrize("reply", [refused_connection(), httpx.ConnectTimeout("slow"), httpx.Response(429)])
def test_a_write_that_never_arrived_is_sent_again(reply: Reply) -> None:
    wire = Wire([reply, answer({"key": 1})])
    assert wire.vms().put("Document", 1, {"invoicingStatus": "POS"}) == {"key": 1}
    assert len(wire.sent) == 2


def test_retries_are_bounded_and_say_the_address() -> None:
    wire = Wire(lambda _: refused_connection())
    with pytest.raises(Transient, match=r"No connection to https://tenant\.example.*connection refused") as caught:
        wire.vms(attempts=3).find("Vessel", filters=[], fields=[])
    assert not caught.value.sent
    assert len(wire.sent) == 3


@pytest.mark.parametrize(
    ("asked", "until"),
    [
        ("3600", "2026-11-02 10:00 (Oslo)"),
        ("Mon, 02 Nov 2026 09:00:00 GMT", "2026-11-02 10:00 (Oslo)"),
        ("Mon, 02 Nov 2026 09:00:00 -0000", "2026-11-02 10:00 (Oslo)"),
        ("Mon, 02 Nov 2026 12:00:00 +0300", "2026-11-02 10:00 (Oslo)"),
        ("9" * 400, "2126-11-03 09:00 (Oslo)"),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_long_retry_after_says_until_when(asked: str, until: str, status: int) -> None:
    wire = Wire([httpx.Response(status, headers={"Retry-After": asked})])
    with pytest.raises(Transient, match="asks for a pause") as caught:
        wire.vms().find("Vessel", filters=[], fields=[])
    assert str(caught.value).endswith(f"It asks for a pause until {until}. Next: run again after {until}.")
    assert caught.value.sent == (status == 503)


@pytest.mark.parametrize("asked", ["", "soon", "-5", "1.5", "²", "Mon, 02 Nov 2026 07:00:00 GMT", "Wed, 99 Oct"])
def test_a_retry_after_that_is_no_pause_is_tried_again(asked: str) -> None:
    headers = [(b"retry-after", asked.encode())]
    assert Wire([httpx.Response(429, headers=headers), answer([])]).vms().find("A", filters=[], fields=[]) == []


@pytest.mark.parametrize("body", [b"no gzip", b"", b"\x1f\x8b\x08\x00broken"])
def test_a_read_with_a_broken_encoding_is_tried_again(body: bytes) -> None:
    class Broken(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield body

    def broken() -> httpx.Response:
        return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=Broken())

    wire = Wire([broken(), answer([])])
    assert wire.vms().find("A", filters=[], fields=[]) == []
    empty = answer({"data": {"r0": {"edges": None}}})
    assert Wire([broken(), empty]).ledger().rows("suppliers", selection="dbId") == []
    with pytest.raises(WireError) as caught:
        Wire([broken()]).vms().put("Document", 1, {})
    assert caught.value.sent


def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LARGEST_ANSWER", 10)
    wire = Wire([answer(["x" * 100])])
    with pytest.raises(Terminal, match="page_size"):
        wire.vms().find("Vessel", filters=[], fields=[])


def test_an_address_that_is_none_is_terminal() -> None:
    wire = Wire([httpx.UnsupportedProtocol("no scheme")])
    with pytest.raises(Terminal, match="cannot be done"):
        wire.vms().get("System", 1)
