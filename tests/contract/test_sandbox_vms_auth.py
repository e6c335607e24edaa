"""Who the sandbox's VMS lets in, and how it refuses the others (docs/systems/vms.md#1-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from pipelines.sandbox.vms.auth import CREDENTIALS
from tests.support.patience import PATIENCE
from tests.support.sandbox_vms_world import refusal, small_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.sandbox_server import Sandbox


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with small_sandbox(tmp_path_factory.mktemp("vms")) as running:
        yield running


def _request(**changes: str) -> dict[str, str]:
    return {
        "client_id": CREDENTIALS.client_id,
        "client_secret": CREDENTIALS.client_secret,
        "audience": CREDENTIALS.audience,
        "grant_type": "client_credentials",
    } | changes


def _get(sandbox: Sandbox, authorization: str | None) -> httpx.Response:
    headers = {} if authorization is None else {"Authorization": authorization}
    return httpx.get(sandbox.url("/ws/rest/Currency?filter=currencyCode(EQ)USD"), headers=headers, timeout=PATIENCE)


@pytest.mark.parametrize("form", ["json", "data"])
def test_a_token_is_granted_for_json_and_form_bodies(sandbox: Sandbox, form: str) -> None:
    url = sandbox.env["SPRINGLINE_VMS__TOKEN_URL"]
    answer = (
        httpx.post(url, json=_request(), timeout=PATIENCE)
        if form == "json"
        else httpx.post(url, data=_request(), timeout=PATIENCE)
    )
    granted = answer.json()
    assert (answer.status_code, granted["expires_in"], granted["token_type"]) == (200, 86400, "Bearer")
    assert _get(sandbox, f"Bearer {granted['access_token']}").status_code == 200


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"client_secret": "wrong"}, 401),
        ({"client_id": "nobody"}, 401),
        ({"audience": "https://elsewhere"}, 403),
        ({"grant_type": "password"}, 403),
    ],
)
def test_wrong_credentials_get_no_token(sandbox: Sandbox, changes: dict[str, str], status: int) -> None:
    answer = httpx.post(sandbox.env["SPRINGLINE_VMS__TOKEN_URL"], json=_request(**changes), timeout=PATIENCE)
    assert answer.status_code == status
    assert answer.json().keys() == {"error", "error_description"}


def test_a_token_request_that_is_no_json_is_refused(sandbox: Sandbox) -> None:
    assert httpx.post(sandbox.env["SPRINGLINE_VMS__TOKEN_URL"], content=b"{", timeout=PATIENCE).status_code == 403


def test_basic_credentials_let_in(sandbox: Sandbox) -> None:
    auth = (CREDENTIALS.username, CREDENTIALS.password)
    assert httpx.get(sandbox.url("/ws/rest/System/1000000"), auth=auth, timeout=PATIENCE).status_code == 200
    assert httpx.get(sandbox.url("/ws/rest/System/1000000"), auth=(auth[0], "no"), timeout=PATIENCE).status_code == 401


@pytest.mark.parametrize("authorization", [None, "Bearer", "Bearer a.b.c", "Basic ###", "Digest x"])
def test_without_valid_credentials_it_answers_401(sandbox: Sandbox, authorization: str | None) -> None:
    refusal(_get(sandbox, authorization), status=401)


def test_a_token_expires_after_24_hours(sandbox: Sandbox) -> None:
    with sandbox.vms() as client:
        sandbox.control("POST", "clock", {"advance_seconds": 86_399 - 5})
        assert client.get("/System/1000000").status_code == 200
        sandbox.control("POST", "clock", {"advance_seconds": 6})
        assert refusal(client.get("/System/1000000"), status=401) == "Token expired."
