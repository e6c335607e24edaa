"""Alerts: found in the control store, told once and once more when over, to addresses that answer and others."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import httpx
import pytest
import structlog

from pipelines.batch.run import chosen_jobs, run_batch
from pipelines.core.errors import SettingsError, WireError
from pipelines.stores.control import Control, utc_text
from pipelines.stores.job_ends import note_job_ends, note_look
from pipelines.stores.open_tables import PUBLISHED_FILE
from pipelines.watch.alerts import kinds, tell
from pipelines.watch.alerts.conditions import find_conditions
from pipelines.watch.alerts.message import trial
from pipelines.watch.alerts.post import post, read_addresses
from pipelines.wire.http import Call, HttpCaller
from pipelines.wire.limiter import RateLimiter
from tests.support.alert_server import SECRET, Told, alert_server
from tests.support.control_rows import keep_row
from tests.support.delivery_world import make_settings
from tests.support.wire_world import AsSent

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.core.settings import Settings

NOW = datetime(2026, 11, 11, 8, tzinfo=UTC)
ACCOUNT, IBAN = "8601 11 17947", "NO9386011117947"
NO_CONNECTION = "No connection to http://127.0.0.1:1/ws/rest/Document: refused"


def ago(**time: float) -> str:
    return utc_text(NOW - timedelta(**time))


class World:
    """A control store, an address that is told, and a clock that a test moves."""

    def __init__(self, folder: Path, told: Told, *urls: str, **alerts: object) -> None:
        self.told, self.now = told, NOW
        self.settings: Settings = make_settings(
            alerts={"urls": " ".join((told.url, *urls)), **alerts},
            warehouse=folder / "springline.duckdb",
            published=folder,
        )
        self.control = Control(self.settings.control_path)

    def keep(self, table: str, **columns: object) -> None:
        keep_row(self.control, table, **columns)

    def hold(self, key: int, **columns: object) -> None:
        self.keep("holds", document_key=key, document_no=f"27{key:05}", rule="x", **{"since": ago(hours=30), **columns})

    def end_hold(self, key: int) -> None:
        with self.control.write() as connection:
            connection.execute("UPDATE holds SET until = ? WHERE document_key = ?", (utc_text(self.now), key))

    def found(self) -> dict[tuple[str, str], str]:
        return {one.key: one.text for one in find_conditions(self.settings, self.control, now=self.now)}

    def tell(self, **later: float) -> None:
        self.now += timedelta(**later)
        assert tell.tell_alerts(self.settings, self.control, self.now).wait()


@pytest.fixture
def told() -> Iterator[Told]:
    with alert_server() as server:
        yield server


@pytest.fixture
def world(tmp_path: Path, told: Told) -> Iterator[World]:
    made = World(tmp_path, told)
    with closing(made.control):
        yield made


def test_a_document_held_for_long_is_one_whatever_rules_hold_it(world: World) -> None:
    world.hold(1, message="INI 2700001: no supplier.")
    world.keep("holds", document_key=1, document_no="2700001", rule="y", since=ago(hours=2), message="later")
    world.hold(2, since=ago(hours=2))
    world.hold(3, severity="warning")
    world.hold(4, until=ago(hours=1))
    assert world.found() == {
        (kinds.HELD, "2700001 key:1"): "Held since 2026-11-10 03:00 (Oslo): INI 2700001: no supplier."
    }


def test_what_is_not_delivered_is_told_by_its_state(world: World) -> None:
    late, young = {"updated_at": ago(minutes=31)}, {"updated_at": ago(minutes=29)}
    for key, (state, attempts, since) in enumerate(
        [("failed", 1, young), ("unknown", 1, late), ("sending", 1, late), ("unknown", 1, young), ("todo", 2, late),
         ("todo", 0, late), ("sent", 1, late)], start=1,
    ):  # fmt: skip
        world.keep("outbox", document_key=key, document_no=f"D{key}", state=state, attempts=attempts, **since)
    assert sorted(world.found()) == [
        (kinds.FAILING, "voucher 1"), (kinds.FAILING, "voucher 5"), (kinds.UNKNOWN, "voucher 2"),
        (kinds.UNKNOWN, "voucher 3"),
    ]  # fmt: skip


def test_breaks_count_by_their_own_amount_and_stay_told(world: World, tmp_path: Path) -> None:
    file = tmp_path / PUBLISHED_FILE
    for key in "abcd":
        accepted = {"accepted_hash": "f"} if key == "d" else {}
        world.keep("breaks", kind="document amount differs", subject=key, message=f"of {key}", **accepted)
    assert world.found() == {}
    with duckdb.connect(str(file)) as made:
        made.execute("CREATE SCHEMA rec")
        made.execute(
            "CREATE TABLE rec.breaks AS SELECT 'document amount differs' AS kind, * FROM (VALUES "
            "('a', -10000.01::DECIMAL(38, 4), 'USD'), ('b', 10000, 'JPY'), ('d', 99999, 'NOK')) "
            "AS found (subject, amount, currency_code)"
        )
    wanted = {(kinds.BREAK, "break 1"): "Break 1 (document amount differs), USD -10,000.01: of a"}
    assert world.found() == wanted
    world.tell()
    # An edition that is not there just now ends nothing.
    file.unlink()
    assert [*world.found()] == [*wanted]


def test_a_month_to_be_closed_is_told_from_its_day_on_until_it_is_sealed(world: World) -> None:
    world.keep("breaks", kind="k", subject="a", period_month="2026-10-01")
    world.now = datetime(2026, 11, 3, 22, 59, tzinfo=UTC)
    assert world.found() == {}
    # Midnight of the fourth in Oslo: three days after the end of the month.
    world.now += timedelta(minutes=1)
    assert [*world.found()] == [(kinds.CLOSING, "2026-10")]
    world.keep("closes", period="2026-10", state="sealed", version=1, opened_at="", updated_at="")
    assert world.found() == {}


def test_a_bank_account_that_waits_is_named_by_its_supplier_alone(world: World) -> None:
    world.keep(
        "bank_changes",
        partner_code="60504",
        old_account=ACCOUNT,
        new_account=IBAN,
        seen_at=ago(hours=5),
        seen_by="schedule",
    )
    world.keep("bank_changes", partner_code="60505", old_account="1", new_account="2", seen_at=ago(hours=3))
    world.keep("bank_changes", partner_code="60506", new_account="2", decision="confirm", seen_at=ago(hours=5))
    (text,) = world.found().values()
    assert text.startswith("Supplier 60504: another bank account in the VMS since 2026-11-11 04:00 (Oslo).")
    assert "until a second person has asked" in text
    with world.control.write() as connection:
        connection.execute("UPDATE bank_changes SET seen_by = 'kari'")
    assert "until somebody other than kari has asked" in next(iter(world.found().values()))
    assert ACCOUNT not in text
    assert IBAN not in text


def test_requests_run_out_by_their_pace(world: World) -> None:
    included = world.settings.ledger.monthly_requests
    # On the eleventh at nine in Oslo 10.375 of 30 days are over.
    row = {"month": "2026-11", "side": "ledger", "job": "documents", "operation": "query"}
    world.keep("requests", **row, request_count=round(included * 0.26))
    assert world.found() == {}
    with world.control.write() as connection:
        connection.execute("UPDATE requests SET request_count = ?", (round(included * 0.28),))
    assert [*world.found()] == [(kinds.REQUESTS, "2026-11")]
    world.tell()
    with world.control.write() as connection:
        connection.execute("UPDATE requests SET request_count = ?", (round(included * 0.26),))
    # A little slower is not over yet.
    assert [*world.found()] == [(kinds.REQUESTS, "2026-11")]


def test_a_webhook_that_the_other_side_has_stopped_is_gone(world: World) -> None:
    for number, state in enumerate(("active", "RUNNING", "RECOVERING", "PAUSED", "FAULTED", "gone")):
        world.keep(
            "webhooks", side="ledger", name=state, subscription=str(number), registered_at="", state=state,
            checked_at=ago(minutes=1), removed_at=None,
        )  # fmt: skip
    assert [subject for _, subject in world.found()] == ["ledger FAULTED", "ledger PAUSED", "ledger gone"]


def test_a_job_is_told_after_so_many_failures_in_a_row(world: World) -> None:
    for _ in range(3):
        assert world.found() == {}
        note_job_ends(world.control, {"actuals": f"Model x is wrong for {ACCOUNT}."}, at=ago(hours=1))
    assert world.found() == {
        (kinds.JOB, "actuals"): "actuals: failed 3 times since 2026-11-11 08:00 (Oslo). Model x is wrong for ***."
    }


def test_a_watch_that_lives_and_does_not_run_a_job_is_told(world: World) -> None:
    # Of documents a watch with nothing to do makes no run, but looks.
    note_job_ends(world.control, {"documents": None, "rates": None, "payments": None}, at=ago(hours=2))
    note_look(world.control, "documents", None, now=NOW - timedelta(minutes=5))
    assert world.found() == {}
    world.keep("watches", watch_id="w", started_at=ago(days=1), seen_at=ago(seconds=5), host="", pid=1, operator="")
    assert world.found() == {(kinds.JOB, "documents"): "documents: it has not run since 2026-11-11 08:55 (Oslo)."}


def test_behind_a_long_batch_no_job_is_late(world: World) -> None:
    note_look(world.control, "documents", None, now=NOW - timedelta(minutes=30))
    world.keep("watches", watch_id="w", started_at=ago(days=1), seen_at=ago(seconds=5), host="", pid=1, operator="")
    world.keep("batches", batch_id="b1", started_at=ago(minutes=29), today="", jobs="reconcile", operator="")
    assert world.found() == {}
    with world.control.write() as connection:
        connection.execute("UPDATE batches SET ended_at = ?", (ago(seconds=20),))
    assert world.found() == {}
    # A short one explains nothing.
    with world.control.write() as connection:
        connection.execute("UPDATE batches SET started_at = ?", (ago(seconds=22),))
    assert [*world.found()] == [(kinds.JOB, "documents")]


def test_an_outage_is_one_alert_whatever_follows_from_it(world: World) -> None:
    world.keep("outbox", document_key=1, state="unknown", attempts=1, updated_at=ago(hours=1))
    note_job_ends(world.control, {"actuals": "Model x is wrong."}, at=ago(hours=1))
    for _ in range(3):
        note_job_ends(world.control, {"documents": NO_CONNECTION, "payments": NO_CONNECTION}, at=ago(minutes=1))
    (text,) = world.found().values()
    assert "No answer of the VMS since 2026-11-11 08:59 (Oslo); jobs that wait: documents, payments." in text
    note_job_ends(world.control, {"documents": None, "payments": None}, at=ago(minutes=0))
    assert [*world.found()] == [(kinds.UNKNOWN, "voucher 1")]


def test_what_cannot_be_looked_at_waits_as_well(world: World) -> None:
    note_job_ends(world.control, {"documents": None}, at=ago(minutes=10))
    for minutes in (3, 2, 1):
        note_look(world.control, "documents", NO_CONNECTION, now=NOW - timedelta(minutes=minutes))
        note_look(world.control, "master-data", NO_CONNECTION, now=NOW - timedelta(minutes=minutes))
    ((key, text),) = world.found().items()
    assert key == (kinds.AWAY, "systems")
    assert "since 2026-11-11 08:57 (Oslo); jobs that wait: documents, master-data." in text


def test_an_hour_without_both_systems_is_one_alert_and_one_note(world: World) -> None:
    once = {"attempts": 1, "timeout": 1}
    sections = {"vms": once, "ledger": once, "warehouse": world.settings.warehouse, "alerts": world.settings.alerts}
    world.settings = make_settings(**sections)
    jobs = chosen_jobs(["documents", "master-data", "payments"])
    for _ in range(4):
        run_batch(world.settings, jobs=jobs, operator="watch", now=lambda: world.now)
        world.tell(minutes=15)
    note_job_ends(world.control, dict.fromkeys((job.name for job in jobs), None), at=utc_text(world.now))
    world.tell(minutes=5)
    assert world.told.titles == ["Springline: 1 system fault keeps jobs waiting", "Springline: 1 matter is over"]
    assert "No answer of the VMS and Xledger since 2026-11-11 09:00 (Oslo)" in world.told.bodies[0]
    assert "No answer of" not in world.told.bodies[1]


@pytest.mark.parametrize("answer", [httpx.ConnectError("refused"), httpx.ReadTimeout("late"), 503, 429])
def test_what_the_wire_says_of_a_side_that_is_away_is_known(world: World, answer: Exception | int) -> None:
    def answered(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer, request=request)

    caller = HttpCaller(
        "ledger", timeout=1, attempts=1, limiter=RateLimiter(9, seconds=1), count=lambda _side, _operation: None,
        connections=1, now=lambda: NOW, transport=AsSent(answered),
    )  # fmt: skip
    with closing(caller), pytest.raises(WireError) as raised:
        caller.call(Call("GET", world.settings.ledger.url, operation="query"))
    for _ in range(3):
        note_job_ends(world.control, {"payments": str(raised.value)}, at=ago(minutes=1))
    ((key, text),) = world.found().items()
    assert key == (kinds.AWAY, "systems")
    assert "No answer of Xledger since" in text


def test_all_that_is_new_is_one_message_and_is_told_once(world: World) -> None:
    for key in range(1, 14):
        world.hold(key)
    world.keep("outbox", document_key=1, document_no="2700001", state="failed", last_error=f"to {IBAN}")
    world.tell()
    world.tell(minutes=10)
    (body,) = world.told.bodies
    assert world.told.titles == ["Springline: 1 object that cannot be delivered, and 1 more"]
    assert "13 documents held for more than 24 hours:" in body
    assert (body.count("Held since"), "and 3 more" in body) == (10, True)
    assert "More: springline status --full" in body
    assert IBAN not in body


def test_what_is_over_is_told_once_and_may_come_again(world: World) -> None:
    world.hold(1)
    world.tell()
    world.end_hold(1)
    world.tell(minutes=10)
    world.tell(minutes=10)
    assert world.told.titles == ["Springline: 1 document held for more than 24 hours", "Springline: 1 matter is over"]
    assert "2700001 key:1, from 2026-11-11 09:00 (Oslo) to 2026-11-11 09:10 (Oslo)" in world.told.bodies[1]
    world.hold(1)
    world.tell(minutes=10)
    assert len(world.told.messages) == 3


def test_what_comes_shortly_after_a_message_goes_with_the_next(world: World) -> None:
    world.hold(1)
    world.tell()
    for key in (2, 3):
        world.hold(key)
        world.tell(minutes=2)
    assert len(world.told.messages) == 1
    world.tell(minutes=2)
    assert world.told.titles[1:] == ["Springline: 2 documents held for more than 24 hours"]


def test_nothing_is_over_in_the_middle_of_a_batch(world: World) -> None:
    world.hold(1)
    world.tell()
    world.keep("batches", batch_id="b2", started_at=utc_text(world.now), today="", jobs="documents", operator="")
    world.end_hold(1)
    world.tell(minutes=10)
    assert len(world.told.messages) == 1
    # That batch was killed.
    world.tell(hours=6)
    assert world.told.titles[1:] == ["Springline: 1 matter is over"]


def test_a_batch_from_before_the_watch_was_killed(world: World) -> None:
    world.hold(1)
    world.keep("batches", batch_id="b2", started_at=ago(minutes=3), today="", jobs="documents", operator="")
    world.tell()
    world.end_hold(1)
    times = {"started_at": ago(minutes=2), "seen_at": utc_text(NOW + timedelta(minutes=10))}
    world.keep("watches", watch_id="w", host="", pid=1, operator="", **times)
    world.tell(minutes=10)
    assert world.told.titles[1:] == ["Springline: 1 matter is over"]


def test_processes_that_tell_at_once_tell_once(world: World) -> None:
    for key in range(1, 4):
        world.hold(key)
    controls = [Control(world.settings.control_path) for _ in range(6)]
    together = threading.Barrier(len(controls))

    def tell_one(control: Control) -> None:
        together.wait()
        assert tell.tell_alerts(world.settings, control, NOW).wait()

    threads = [threading.Thread(target=tell_one, args=(control,)) for control in controls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for control in controls:
        control.close()
    assert [body.count("Held since") for body in world.told.bodies] == [3]


def test_what_nobody_took_is_tried_again_with_longer_waits(world: World) -> None:
    world.told.status = 500
    world.hold(1)
    tried: list[int] = []
    for minute in range(16):
        world.tell(minutes=1)
        if tell.read_delivery(world.control).tries > len(tried):
            tried.append(minute)
    assert tried == [0, 1, 3, 7, 15]
    assert tell.read_delivery(world.control).problems == ["address 1 of 1 (JSON) answered 500"]
    world.told.status = 200
    world.end_hold(1)
    world.tell(minutes=16)
    assert "it could not be told while it lasted" in world.told.bodies[0]
    assert tell.read_delivery(world.control).problems == []
    world.tell(minutes=16)
    assert len(world.told.messages) == 1


def test_an_address_that_fails_keeps_nothing_from_the_other(tmp_path: Path, told: Told) -> None:
    with ExitStack() as stack:
        other = stack.enter_context(alert_server())
        world = World(tmp_path, told, other.url)
        stack.enter_context(closing(world.control))
        other.status = 401
        for key in (1, 2):
            world.hold(key)
            world.tell(minutes=6)
        assert (len(told.messages), tell.read_delivery(world.control).problems) == (
            2, ["address 2 of 2 (JSON) answered 401"],
        )  # fmt: skip
        other.status = 200
        world.tell(minutes=40)
        assert other.bodies == told.bodies


def test_an_address_without_an_answer_keeps_nobody_waiting(world: World) -> None:
    world.told.goes_on.clear()
    world.hold(1)
    began = time.monotonic()
    telling = tell.tell_alerts(world.settings, world.control, world.now)
    assert time.monotonic() - began < 1
    # While it is at work nobody else begins, and neither does this process.
    assert tell.tell_alerts(world.settings, world.control, world.now + timedelta(seconds=1)).thread is None
    world.told.goes_on.set()
    assert telling.wait()
    assert len(world.told.messages) == 1


def test_a_call_that_does_not_come_back_ends_at_its_deadline_and_is_not_doubled(world: World) -> None:
    world.told.goes_on.clear()
    addresses = read_addresses(world.settings)
    began, threads = time.monotonic(), threading.active_count()
    (first,) = post(trial(), addresses, deadline=0.2)
    assert first.problem == "gave no answer within 0.2 seconds"
    for _ in range(20):
        (again,) = post(trial(), addresses, deadline=0.2)
    assert again.problem == "has not answered the call before this one"
    assert time.monotonic() - began < 3
    assert threading.active_count() <= threads + 2
    world.told.goes_on.set()


def test_without_an_address_all_is_noted_and_the_past_is_nobodys(world: World) -> None:
    settings = world.settings
    world.settings = settings.model_copy(update={"alerts": settings.alerts.model_copy(update={"urls": None})})
    world.hold(1)
    world.hold(2)
    world.tell()
    world.end_hold(1)
    world.tell(minutes=1)
    world.settings = settings
    world.tell(minutes=1)
    assert [body.count("Held since") for body in world.told.bodies] == [1]


def test_an_address_that_is_none_is_a_fault_that_shows_no_secret(
    tmp_path: Path, told: Told, capfd: pytest.CaptureFixture[str]
) -> None:
    world = World(tmp_path, told, f"fax://{SECRET}", SECRET)
    with closing(world.control), structlog.testing.capture_logs() as logs:
        with pytest.raises(SettingsError) as raised:
            read_addresses(world.settings)
        assert "Apprise does not understand address 2 of 3; Apprise does not understand address 3" in str(raised.value)
        # The watch tells those that it understands.
        world.hold(1)
        told.status = 500
        world.tell()
        told.status = 200
        world.tell(minutes=2)
    assert len(told.messages) == 1
    kept: list[Any] = [row["value"] for row in Control(world.settings.control_path).read("SELECT value FROM meta")]
    shown = (*capfd.readouterr(), str(raised.value), str(logs), str(kept), str(told.messages))
    assert not any(SECRET in text for text in shown)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("jsons://hook.example/x?verify=no", "verify=no"),
        ("json://127.0.0.1:1/x?verify=off", "verify=no"),
        ("mailtos://u:p@mail.example?verify=0", "verify=no"),
        ("json://hook.example/x", "has no TLS"),
        ("JSON://hook.example/x", "has no TLS"),
        ("mailto://u:p@mail.example", "has no TLS"),
        ("mailtos://u:p@mail.example?mode=insecure", "has no TLS"),
        ("mailto://u:p@127.0.0.1?smtp=mail.example&from=a@mail.example", "has no TLS"),
        ("rsyslog://log.example", "has no TLS"),
    ],
)
def test_an_address_that_others_could_read_is_refused(tmp_path: Path, told: Told, url: str, words: str) -> None:
    world = World(tmp_path, told, url)
    with closing(world.control), pytest.raises(SettingsError, match=rf"address 2 of 2 \(.*\) .*{words}") as raised:
        read_addresses(world.settings)
    assert "example/x" not in str(raised.value)


@pytest.mark.parametrize(
    "url", ["jsons://hook.example/x", "mailtos://u:p@mail.example", "mailto://u:p@gmail.com", "ntfy://topic"]
)
def test_an_address_with_tls_is_taken(tmp_path: Path, told: Told, url: str) -> None:
    world = World(tmp_path, told, url)
    with closing(world.control):
        assert len(read_addresses(world.settings)) == 2


def test_a_setting_lets_an_address_without_tls_and_none_without_a_certificate(tmp_path: Path, told: Told) -> None:
    world = World(tmp_path, told, "json://hook.example/x", "jsons://hook.example/x?verify=no", plain=True)
    with closing(world.control), pytest.raises(SettingsError, match=r"URLS: address 3 of 3 \(JSON\) has verify=no"):
        read_addresses(world.settings)


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSLKEYLOGFILE"])
def test_a_variable_that_breaks_or_opens_tls_is_told(world: World, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for other in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, "/nowhere/bundle.pem")
    with pytest.raises(SettingsError, match=name):
        read_addresses(world.settings)


def test_a_message_is_not_sent_on(world: World) -> None:
    world.told.status = 302
    world.hold(1)
    world.tell()
    [outcome] = post(trial(), read_addresses(world.settings))
    assert outcome.problem == "answered 302"
