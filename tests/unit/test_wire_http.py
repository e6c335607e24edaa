"""The HTTP caller: what is sent again, what is not, and what is known of the request's fate."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
import stamina

from pipelines.core.errors import Terminal, Transient
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
    wire = Wire([reply])
    with pytest.raises(Transient) as caught:
        wire.vms().put("Document", 1, {"invoicingStatus": "POS"})
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


def test_a_long_retry_after_is_left_to_the_caller() -> None:
    wire = Wire([httpx.Response(429, headers={"Retry-After": "3600"})])
    with pytest.raises(Transient) as caught:
        wire.vms().find("Vessel", filters=[], fields=[])
    assert caught.value.retry_after == 3600


def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LARGEST_ANSWER", 10)
    wire = Wire([answer(["x" * 100])])
    with pytest.raises(Terminal, match="page_size"):
        wire.vms().find("Vessel", filters=[], fields=[])


def test_an_address_that_is_none_is_terminal() -> None:
    wire = Wire([httpx.UnsupportedProtocol("no scheme")])
    with pytest.raises(Terminal, match="cannot be done"):
        wire.vms().get("System", 1)
