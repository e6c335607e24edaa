"""Calls of both sides' webhooks over a real socket: what is taken, what is refused, and what is on disk then."""

from __future__ import annotations

import socket
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pipelines.core.errors import SettingsError
from pipelines.core.settings_watch import WatchSettings
from pipelines.watch import server
from pipelines.watch.server import serve
from pipelines.watch.webhooks import events, receive
from pipelines.watch.webhooks.receive import routes
from tests.support.patience import PATIENCE
from tests.support.webhook_calls import (
    HOSTILE_WAYS,
    VECTOR_BODY,
    VECTOR_DATE,
    VECTOR_SIGNATURE,
    Answer,
    Call,
    Receiver,
    hostile,
    ledger_body,
    ledger_call,
    receiver,
    vms_body,
    vms_call,
    webhook_settings,
)

VECTOR = Call("/webhooks/ledger", VECTOR_BODY, {"Date": VECTOR_DATE, "X-XL-Webhook-Signature": VECTOR_SIGNATURE})
VECTOR_TIME = datetime(2024, 6, 10, 6, 13, 20, tzinfo=UTC)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Receiver]:
    with receiver(tmp_path) as made:
        yield made


def test_a_document_of_the_vms_waits_for_its_job(running: Receiver) -> None:
    assert running.post(vms_call(vms_body(5200777))) == Answer(200)
    assert running.rows() == [("vms", "documents", "Document 5200777")]
    assert len(running.woken) == 1


def test_the_vector_of_the_ledger_is_taken_once(tmp_path: Path) -> None:
    with receiver(tmp_path, now=lambda: VECTOR_TIME + timedelta(minutes=15)) as running:
        assert [running.post(VECTOR).status for _ in range(2)] == [200, 409]
        assert running.rows() == [("ledger", "master-data", "projects 101")]
        assert len(running.woken) == 1


@pytest.mark.parametrize("off", [timedelta(minutes=15, seconds=1), -timedelta(minutes=15, seconds=1)])
def test_a_call_of_another_time_is_refused(tmp_path: Path, off: timedelta) -> None:
    with receiver(tmp_path, now=lambda: VECTOR_TIME + off) as running:
        assert running.post(VECTOR).status == 401
        assert not running.control.exists()


def test_an_event_that_is_told_again_counts_once(running: Receiver) -> None:
    body = ledger_body(42, "suppliers")
    now = datetime.now(UTC)
    calls = [
        vms_call(vms_body(1)),
        vms_call(vms_body(1)),
        ledger_call(body),
        ledger_call(body, at=now + timedelta(minutes=1)),
    ]
    assert [running.post(call).status for call in calls] == [200] * 4
    assert running.rows() == [("vms", "documents", "Document 1"), ("ledger", "master-data", "suppliers 42")]
    assert len(running.woken) == 2


def test_what_no_job_looks_at_is_answered_and_not_kept(running: Receiver) -> None:
    assert running.post(vms_call(vms_body(1, "BunkerOrder"))).status == 200
    assert running.post(ledger_call(ledger_body(1, "timesheets"))).status == 200
    assert running.post(ledger_call(b'{"data":{"projects":{"edges":null}}}')).status == 200
    assert (running.control.exists(), running.woken) == (False, [])


def test_hostile_calls_have_no_effect_between_honest_ones(running: Receiver) -> None:
    accepted = ledger_call(ledger_body(1))
    assert running.post(accepted).status == 200
    for number in range(2 * HOSTILE_WAYS):
        name, call, may_be = hostile(number, replayed=accepted)
        assert (name, running.post(call).status in may_be) == (name, True)
        assert running.post(vms_call(vms_body(number + 1))).status == 200
    kept = Counter(job for _, job, _ in running.rows())
    assert kept == {"master-data": 1, "documents": 2 * HOSTILE_WAYS}
    assert len(running.woken) == 1 + 2 * HOSTILE_WAYS


def test_a_header_that_stands_twice_is_refused(running: Receiver) -> None:
    call = ledger_call(ledger_body(1))
    head = [f"{name}: {value}" for name, value in call.headers.items()]
    for doubled in range(len(head)):
        lines = ["POST /webhooks/ledger HTTP/1.1", "Host: x", *head, head[doubled], f"Content-Length: {len(call.body)}"]
        with _connected(running.address) as client:
            client.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + ledger_body(1))
            assert client.recv(1000).startswith(b"HTTP/1.1 401")


@pytest.mark.parametrize("head", ["POST /webhooks/vms HTTP/1.1\r\nHost: x\r\n", ""])
def test_a_slow_head_is_cut_off(monkeypatch: pytest.MonkeyPatch, running: Receiver, head: str) -> None:
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.2)
    with _connected(running.address) as client:
        client.sendall(head.encode())
        assert client.recv(1) == b""


def test_a_head_without_an_end_is_cut_off(running: Receiver) -> None:
    with _connected(running.address) as client:
        client.sendall(b"POST /webhooks/vms HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 20_000)
        assert client.recv(1000).startswith(b"HTTP/1.1 400")


def test_a_slow_body_is_cut_off(monkeypatch: pytest.MonkeyPatch, running: Receiver) -> None:
    monkeypatch.setattr(receive, "BODY_SECONDS", 0.2)
    head = "".join(f"{name}: {value}\r\n" for name, value in vms_call(b"").headers.items())
    with _connected(running.address) as client:
        client.sendall(f"POST /webhooks/vms HTTP/1.1\r\nHost: x\r\n{head}Content-Length: 100\r\n\r\n".encode())
        client.sendall(b"{")
        assert client.recv(1000).startswith(b"HTTP/1.1 408")
    assert not running.control.exists()


def test_more_than_may_wait_is_turned_away(monkeypatch: pytest.MonkeyPatch, running: Receiver) -> None:
    monkeypatch.setattr(events, "MOST_WAITING", 3)
    assert [running.post(vms_call(vms_body(number))).status for number in range(4)] == [200, 200, 200, 503]
    assert running.post(vms_call(vms_body(9))) == Answer(503, str(receive.RETRY_SECONDS))
    _change(running, "UPDATE webhook_events SET batch_id = 'b'")
    assert running.post(vms_call(vms_body(9))).status == 200


def test_a_store_that_another_program_holds_is_no_loss(monkeypatch: pytest.MonkeyPatch, running: Receiver) -> None:
    monkeypatch.setattr(events, "BUSY_SECONDS", 0.1)
    assert running.post(vms_call(vms_body(1))).status == 200
    with closing(sqlite3.connect(running.control, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert running.post(vms_call(vms_body(2))).status == 503
        other.execute("ROLLBACK")
    assert running.post(vms_call(vms_body(2))).status == 200


def test_old_events_are_forgotten(tmp_path: Path) -> None:
    clock = [datetime.now(UTC)]
    with receiver(tmp_path, now=lambda: clock[0]) as running:
        assert running.post(vms_call(vms_body(1))).status == 200
        clock[0] += timedelta(days=3, seconds=1)
        assert running.post(vms_call(vms_body(2))).status == 200
        assert running.rows() == [("vms", "documents", "Document 2")]


@pytest.mark.parametrize(
    ("webhooks", "statuses"),
    [({"url": None}, [404, 404]), ({"vms_password": None}, [404, 200])],
)
def test_a_side_whose_settings_lack_something_is_not_served(
    tmp_path: Path, webhooks: dict[str, object], statuses: list[int]
) -> None:
    with receiver(tmp_path, webhooks=webhooks) as running:
        assert [running.post(call).status for call in (vms_call(vms_body(1)), ledger_call(ledger_body(1)))] == statuses


def test_nothing_secret_is_logged(running: Receiver, capsys: pytest.CaptureFixture[str]) -> None:
    secret = ledger_body(1, "suppliers").replace(b'"dbId": 1', b'"dbId": 1, "bankAccount": "86011117947"')
    assert running.post(ledger_call(secret)).status == 200
    assert running.post(vms_call(vms_body(1), password="86011117947")).status == 401
    told = capsys.readouterr()
    assert "suppliers 1" in told.out + told.err
    assert "86011117947" not in told.out + told.err


def test_a_port_in_use_is_named(running: Receiver) -> None:
    port = urlsplit(running.address).port
    with pytest.raises(SettingsError, match=rf"watch\.port = {port}: another program answers") as told:
        _serve_nothing(port or 0)
    assert "set watch.port to a free port" in told.value.next_step


def test_an_address_of_another_machine_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    found = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("192.0.2.1", 0))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_named: [found])
    _refused("192.0.2.1", "this machine cannot answer there")


def test_a_name_that_nobody_knows_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_arguments: object, **_named: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    _refused("nobody", "there is no such address")


def _refused(host: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=f"watch.host = {host}: {reason}"), serve([], WatchSettings(host=host)):
        pass


def test_the_server_ends_though_a_call_is_open(tmp_path: Path) -> None:
    settings = webhook_settings(tmp_path)
    with serve(routes(settings, lambda: None), settings.watch) as address:
        client = _connected(address)
        head = "".join(f"{name}: {value}\r\n" for name, value in vms_call(b"").headers.items())
        client.sendall(f"POST /webhooks/vms HTTP/1.1\r\nHost: x\r\n{head}Content-Length: 9\r\n\r\n".encode())
        time.sleep(0.05)
        begun = time.monotonic()
    # It is built to end within a second; this machine may be loaded. To wait for the body would take ten.
    assert time.monotonic() - begun < receive.BODY_SECONDS / 2
    client.close()
    with pytest.raises(ConnectionRefusedError):
        _connected(address)


def _serve_nothing(port: int) -> None:
    with serve([], WatchSettings(port=port)):
        pass


def _connected(address: str) -> socket.socket:
    parts = urlsplit(address)
    return socket.create_connection((parts.hostname, parts.port or 0), timeout=PATIENCE)


def _change(running: Receiver, statement: str) -> None:
    with closing(sqlite3.connect(running.control)) as store, store:
        store.execute(statement)
