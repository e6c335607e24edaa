"""Calls of both sides' webhooks, honest and hostile, to a receiver that runs on a real socket."""

from __future__ import annotations

import base64
import gzip
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, NamedTuple

from pipelines.core.settings import Settings
from pipelines.watch.server import serve
from pipelines.watch.webhooks.calls import Signatures
from pipelines.watch.webhooks.ready import LEDGER_PATH, VMS_PATH
from pipelines.watch.webhooks.receive import routes
from tests.support.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

# The test vector of the vendor's way to sign: token, time and body give the signature.
TOKEN = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA"
VECTOR_DATE = "Mon, 10 Jun 2024 06:13:20 GMT"
VECTOR_BODY = b'{"data":{"projects":{"edges":[{"syncVersion":"42","node":{"dbId":101,"code":"V001"}}]}}}'
VECTOR_SIGNATURE = "vwRWfu5R5R4_A_0LKZtfhlle8MiIWKj4G_mOdL3wrII"

USER, PASSWORD = "springline", "søt:hemmelighet"
# The connection was cut before an answer came.
CUT = 0


class Call(NamedTuple):
    """One request to the receiver."""

    path: str
    body: bytes | list[bytes]
    headers: Mapping[str, str]


class Answer(NamedTuple):
    """Its status, and when one may come again."""

    status: int
    retry_after: str | None = None


class Receiver(NamedTuple):
    """A receiver at work: where it answers, its control store, and how often it woke the watch."""

    address: str
    control: Path
    woken: list[None]

    def post(self, call: Call) -> Answer:
        """Call on a connection of its own."""
        with closing(HTTPConnection(self.address.removeprefix("http://"), timeout=PATIENCE)) as connection:
            is_parted = isinstance(call.body, list)
            # Refused before all of it was sent; the answer may still be there.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.request("POST", call.path, call.body, dict(call.headers), encode_chunked=is_parted)
            try:
                answer = connection.getresponse()
            except (HTTPException, OSError):
                return Answer(CUT)
            return Answer(answer.status, answer.headers["Retry-After"])

    def rows(self) -> list[tuple[str, str, str]]:
        """Return side, job and subject of every event on disk, in the order in which they came."""
        with closing(sqlite3.connect(self.control)) as store:
            return store.execute("SELECT side, job, subject FROM webhook_events ORDER BY rowid").fetchall()


def webhook_settings(folder: Path, **webhooks: object) -> Settings:
    """Return settings of a watch on a free port whose webhooks are complete."""
    given = {
        "warehouse": folder / "springline.duckdb",
        "vms": {"base_url": "https://tenant.example/ws/rest", "username": "api", "password": "secret"},
        "ledger": {"token": TOKEN},
        "watch": {"port": 0},
        "webhooks": {"url": "https://springline.example", "vms_username": USER, "vms_password": PASSWORD} | webhooks,
    }
    return Settings.model_validate(given)


@contextmanager
def receiver(
    folder: Path,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    webhooks: Mapping[str, object] | None = None,
) -> Iterator[Receiver]:
    """Serve the routes of both sides."""
    settings = webhook_settings(folder, **(webhooks or {}))
    woken: list[None] = []
    served = routes(settings, lambda: woken.append(None), now=now)
    with serve(served, settings.watch) as address:
        yield Receiver(address, settings.control_path, woken)


def vms_body(number: int, kind: str = "Document") -> bytes:
    """Write the notification of the documented sample, for one object."""
    at = "2026-11-02T09:00:00"
    body = {"id": f"{number}-244070007", "eventTime": at, "objectType": kind, "eventType": "U", "dataloyObject": number}
    body |= {"dataloyObjectSelf": f"https://tenant.example/ws/rest/{kind}/{number}", "subscription": {"key": 7}}
    return json.dumps(body).encode()


def vms_call(body: bytes | list[bytes], *, user: str = USER, password: str = PASSWORD, **headers: str) -> Call:
    """Sign in as the VMS does."""
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    return Call(VMS_PATH, body, {"Authorization": f"Basic {pair}"} | headers)


def ledger_body(number: int, field: str = "projects") -> bytes:
    """Write the result of a subscription with one change."""
    edges = [{"syncVersion": str(number), "node": {"dbId": number}}]
    return json.dumps({"data": {field: {"edges": edges}}}).encode()


def ledger_call(body: bytes, *, at: datetime | None = None, token: str = TOKEN) -> Call:
    """Sign as the ledger does."""
    at = (at or datetime.now(UTC)).replace(microsecond=0)
    signature = Signatures(token).sign(body, at=at).decode()
    return Call(LEDGER_PATH, body, {"Date": format_datetime(at, usegmt=True), "X-XL-Webhook-Signature": signature})


def hostile(number: int, *, replayed: Call) -> tuple[str, Call, frozenset[int]]:
    """Return one of the ways to do harm, by number: its name, the call, and how it may be answered.

    ``replayed`` is a call of the ledger that was accepted.
    """
    now = datetime.now(UTC)
    other = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8"
    document, project = vms_body(-number), ledger_body(-number)
    signed = ledger_call(project)
    no_key = document.replace(b'"dataloyObject": -', b'"dataloyObject": "DROP TABLE ')
    key, kind = str(-number).encode(), b'"Document"'
    ways: tuple[tuple[str, Call, set[int]], ...] = (
        ("forged: wrong password", vms_call(document, password="wrong"), {401}),
        ("forged: no sign-in", Call(VMS_PATH, document, {}), {401}),
        ("forged: another key", ledger_call(project, token=other), {401}),
        ("forged: no signature", Call(LEDGER_PATH, project, {"Date": signed.headers["Date"]}), {401}),
        ("forged: another body", signed._replace(body=project.replace(b"node", b"Node")), {401}),
        ("forged: another time", signed._replace(headers={**signed.headers, "Date": _date(now, -60)}), {401}),
        ("replayed", replayed, {409}),
        ("stale", ledger_call(project, at=now - timedelta(minutes=15, seconds=5)), {401}),
        ("dated ahead", ledger_call(project, at=now + timedelta(minutes=16)), {401}),
        ("oversized", vms_call(document + b" " * 70_000), {413, CUT}),
        ("oversized, in chunks", vms_call([document, *[b" " * 10_000] * 7]), {413, CUT}),
        ("oversized, signed", ledger_call(project + b" " * 600_000), {413, CUT}),
        ("malformed", vms_call(document[:-1]), {400}),
        ("malformed: no object", vms_call(b'["Document"]'), {400}),
        ("malformed: no key", vms_call(no_key), {400}),
        ("malformed: nested", ledger_call(b'{"data":' + b"[" * 10_000), {400}),
        ("malformed: no text", vms_call(b"\xff\xfe" + document), {400}),
        ("malformed: no number", vms_call(document.replace(key, b"NaN")), {400}),
        ("malformed: a number beyond any", vms_call(document.replace(key, b"9" * 5000)), {400}),
        ("malformed: an exponent beyond any", vms_call(document.replace(key, b"1e999999")), {400}),
        ("malformed: half a character", vms_call(document.replace(kind, b'"Docu\\ud800ment"')), {400}),
        ("malformed: a NUL", vms_call(document.replace(kind, b'"Document\\u0000"')), {200, 400}),
        ("malformed: packed without end", vms_call(BOMB, **{"Content-Encoding": "gzip"}), {400}),
        ("two meanings", vms_call(document.replace(kind, b'"Voyage","objectType":"Document"')), {400}),
        ("two meanings, signed", ledger_call(project.replace(b'{"edges"', b'{"edges":null,"edges"')), {400}),
        ("malformed, signed", ledger_call(project.replace(b"[", b"{")), {400}),
    )
    name, call, answers = ways[number % len(ways)]
    return name, call, frozenset(answers)


HOSTILE_WAYS = 26
BOMB = gzip.compress(b" " * 10_000_000 + b"{}")


def _date(now: datetime, seconds: int) -> str:
    return format_datetime((now + timedelta(seconds=seconds)).replace(microsecond=0), usegmt=True)
