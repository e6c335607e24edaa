"""An answer that names another address is not followed: the token goes to the address of the settings alone."""

from __future__ import annotations

import httpx
import pytest

from pipelines.core.errors import Terminal, WireError
from tests.support.wire_world import Wire, answer

ELSEWHERE = (
    "https://evil.example/steal",
    "//evil.example/steal",
    "http://tenant.example/ws/rest",
    "https://tenant.example.evil.example/",
    "https://api:secret@evil.example/",
    "javascript:alert(1)",
    "/login",
    "",
)
STATUSES = (301, 302, 303, 307, 308)


def moved(status: int, location: str) -> httpx.Response:
    return httpx.Response(status, headers={"Location": location}, text="<html>moved</html>")


@pytest.mark.parametrize("location", ELSEWHERE)
@pytest.mark.parametrize("status", STATUSES)
def test_the_vms_client_goes_nowhere_else(status: int, location: str) -> None:
    wire = Wire(lambda _: moved(status, location))
    for ask in (lambda: wire.vms().get("System", 1), lambda: wire.vms().put("Document", 1, {"x": 1})):
        with pytest.raises(Terminal, match=f"was sent elsewhere .{status}.*BASE_URL"):
            ask()
    assert {request.url.host for request in wire.sent} == {"tenant.example"}
    assert len(wire.sent) == 2


@pytest.mark.parametrize("location", ELSEWHERE)
@pytest.mark.parametrize("status", STATUSES)
def test_the_sign_in_goes_nowhere_else(status: int, location: str) -> None:
    wire = Wire(lambda _: moved(status, location))
    vms = wire.vms(token_url="https://auth.example/token", client_id="a", client_secret="s3cr3t")
    with pytest.raises(Terminal, match=f"gave no token.*answered {status}"):
        vms.get("System", 1)
    assert [request.url.host for request in wire.sent] == ["auth.example"]


@pytest.mark.parametrize("location", ELSEWHERE)
@pytest.mark.parametrize("status", STATUSES)
def test_the_ledger_client_goes_nowhere_else(status: int, location: str) -> None:
    wire = Wire(lambda _: moved(status, location))
    for is_write in (False, True):
        with pytest.raises(WireError, match=f"sends elsewhere .{status}.*LEDGER__URL"):
            wire.ledger()._graphql.execute("query { x }", {}, operation="x", is_write=is_write)
    assert {request.url.host for request in wire.sent} == {"www.xledger.net"}


def test_a_token_stays_where_it_was_asked_for() -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        return answer({"access_token": "t0ken"}) if request.url.path == "/token" else moved(307, "https://evil.example")

    wire = Wire(reply)
    with pytest.raises(Terminal):
        wire.vms(token_url="https://auth.example/token", client_id="a", client_secret="s3cr3t").get("System", 1)
    assert [(request.url.host, "authorization" in request.headers) for request in wire.sent] == [
        ("auth.example", False),
        ("tenant.example", True),
    ]
