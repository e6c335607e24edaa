"""Clients over a transport that answers from a script, with a clock and a sleep of their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
from pydantic import SecretStr

from pipelines.core.settings_systems import LedgerSettings, VmsSettings
from pipelines.wire.ledger import LedgerClient
from pipelines.wire.vms import VmsClient

BASE = "https://tenant.example/ws/rest"
NOW = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)

Reply = httpx.Response | Exception
Handler = Callable[[httpx.Request], Reply]


class AsSent(httpx.MockTransport):
    """Gives a reply as it comes over a socket: as a stream of bytes, packed where its headers say so."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        reply = super().handle_request(request)
        return httpx.Response(reply.status_code, headers=reply.headers, stream=reply.stream, request=request)


class Wire:
    """What was sent, counted and slept through; replies come from a handler or, in turn, from a list."""

    def __init__(self, replies: Handler | list[Reply]) -> None:
        self.sent: list[httpx.Request] = []
        self.counted: list[tuple[str, str]] = []
        self.slept: list[float] = []
        self.now = NOW
        self._replies = replies

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        reply = self._replies.pop(0) if isinstance(self._replies, list) else self._replies(request)
        if isinstance(reply, Exception):
            raise reply
        return reply

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)

    def count(self, side: str, operation: str) -> None:
        self.counted.append((side, operation))

    def vms(self, **settings: object) -> VmsClient:
        """Return a VMS client that signs in with user name and password unless told otherwise."""
        basic: dict[str, object] = {"username": "api", "password": "secret"}
        chosen = VmsSettings.model_validate(
            {"base_url": BASE, **(basic if "token_url" not in settings else {}), **settings}
        )
        return VmsClient(
            chosen,
            count=self.count,
            now=lambda: self.now,
            transport=AsSent(self.handle),
            sleep=self.sleep,
        )

    def ledger(self, **settings: object) -> LedgerClient:
        """Return a ledger client."""
        chosen = LedgerSettings.model_validate({"token": SecretStr("abc"), "page_size": 2, **settings})
        return LedgerClient(
            chosen,
            count=self.count,
            now=lambda: self.now,
            transport=AsSent(self.handle),
            sleep=self.sleep,
        )


def answer(body: object, status: int = 200, headers: dict[str, str] | None = None) -> httpx.Response:
    """Return a JSON answer."""
    return httpx.Response(status, json=body, headers=headers)
