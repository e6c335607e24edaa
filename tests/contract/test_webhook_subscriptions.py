"""Subscriptions of webhooks at the sandbox's VMS: made, told, switched off, made anew, removed; over real sockets."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.core.errors import SettingsError, Unclear
from pipelines.core.settings import Settings, load_settings
from pipelines.core.settings_watch import WebhookSettings
from pipelines.stores.control import Control
from pipelines.watch.server import serve
from pipelines.watch.webhooks import subscriptions
from pipelines.watch.webhooks.looking import Looking
from pipelines.watch.webhooks.receive import routes
from pipelines.watch.webhooks.wanted import VMS_WANTED
from pipelines.wire.vms import VmsClient
from tests.support.patience import PATIENCE
from tests.support.sandbox_vms_world import small_sandbox
from tests.support.webhook_calls import PASSWORD, USER

if TYPE_CHECKING:
    from tests.support.sandbox_server import Sandbox

WANTED = len(VMS_WANTED)


class World:
    """A sandbox, settings whose webhooks call a receiver of ours, and a clock that can be moved."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.moved = timedelta()
        self.asked: list[str] = []
        self._folder = folder
        self.address = "http://127.0.0.1:9"

    def now(self) -> datetime:
        return datetime.now(UTC) + self.moved

    def settings(self, **webhooks: str) -> Settings:
        given = {
            "url": self.address,
            "vms_subscriber": "ETL",
            "vms_username": USER,
            "vms_password": PASSWORD,
        } | webhooks
        environ = {f"SPRINGLINE_WEBHOOKS__{name}".upper(): value for name, value in given.items()}
        own = {"SPRINGLINE_WAREHOUSE": str(self._folder / "springline.duckdb"), "SPRINGLINE_WATCH__PORT": "0"}
        return load_settings(None, environ=self.sandbox.env | own | environ)

    def register(self, **webhooks: str) -> list[str]:
        found = subscriptions.register(self.settings(**webhooks), ["vms"], now=self.now)
        return [one.done for one in found]

    def look(self) -> dict[str, tuple[str, str]]:
        settings = self.settings()
        with closing(Control(settings.control_path)) as control:
            client = VmsClient(settings.vms, count=lambda _side, operation: self.asked.append(operation), now=self.now)
            with closing(client) as vms:
                found = subscriptions.look_at_vms(settings, control, vms, now=self.now)
        return {one.name: (one.state, one.done) for one in found}

    def there(self) -> list[dict[str, Any]]:
        with self.sandbox.vms() as vms:
            keys = [row["key"] for row in vms.get("/WebhookSubscription").json()]
            return [vms.get(f"/WebhookSubscription/{key}").json() for key in keys]

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.settings().control_path)) as store:
            return store.execute(statement).fetchall()


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with small_sandbox(tmp_path_factory.mktemp("vms")) as running:
        with running.vms() as vms:
            vms.post("/User", json={"userCode": "ETL"}).raise_for_status()
            for code in ("CAP", "CAR"):
                vms.post("/DocumentType", json={"documentType": code, "documentTypeDesc": code}).raise_for_status()
        yield running


@pytest.fixture
def world(sandbox: Sandbox, tmp_path: Path) -> Iterator[World]:
    made = World(sandbox, tmp_path)
    yield made
    with sandbox.vms() as vms:
        for row in made.there():
            vms.delete(f"/WebhookSubscription/{row['key']}")


def test_registering_twice_makes_nothing_twice(world: World) -> None:
    assert world.register() == ["made"] * WANTED
    before = {row["key"] for row in world.there()}
    assert world.register(vms_username="other", url="https://elsewhere.example") == ["was there"] * WANTED
    after = world.there()
    assert {row["key"] for row in after} == before
    # A changed name, password or address is brought to those that are there.
    assert {(row["webhookUsername"], row["url"]) for row in after} == {
        ("other", "https://elsewhere.example/webhooks/vms")
    }
    assert world.ask("SELECT count(*), count(removed_at) FROM webhooks") == [(WANTED, 0)]


def test_what_others_subscribed_to_is_left_alone(world: World) -> None:
    other = {"eventType": "U", "objectType": "Document", "user": "ETL", "url": "https://others.example/webhooks/vms"}
    with world.sandbox.vms() as vms:
        key = vms.post("/WebhookSubscription", json=other).json()["key"]
    world.register()
    subscriptions.remove(world.settings(), ["vms"], now=world.now)
    assert [row["key"] for row in world.there()] == [key]
    assert subscriptions.listed(world.settings()) == []


def test_documents_of_every_type_are_told_while_they_are_ready(world: World) -> None:
    settings = world.settings()
    woken = threading.Semaphore(0)
    served = routes(settings, woken.release)
    types = ("CAP", "CAR", "ACP", "INO")
    with serve(served, settings.watch) as address, world.sandbox.vms() as vms:
        world.address = address
        world.register()
        for document_type in types:
            vms.put("/Document/5200001", json={"documentType": document_type}).raise_for_status()
            assert woken.acquire(timeout=PATIENCE)
        # What we set to posted is no news to us. The partner comes behind it: whatever was told before has come.
        vms.put("/Document/5200001", json={"invoicingStatus": "POS"}).raise_for_status()
        vms.put("/BusinessPartner/1100001", json={"businessPartnerName2": "told"}).raise_for_status()
        assert woken.acquire(timeout=PATIENCE)
    rows = world.ask("SELECT job, subject FROM webhook_events ORDER BY rowid")
    assert rows == [("documents", "Document 5200001")] * len(types) + [("master-data", "BusinessPartner 1100001")]


def switch_off(world: World, key: str) -> None:
    with world.sandbox.vms() as vms:
        vms.put(f"/WebhookSubscription/{key}", json={"isActive": False}).raise_for_status()


def test_one_that_was_switched_off_is_made_anew_once_a_day(world: World) -> None:
    world.register()
    name = VMS_WANTED[0].name
    noted = f"SELECT subscription, state, removed_at IS NOT NULL FROM webhooks WHERE name = '{name}' ORDER BY rowid"  # noqa: S608 ours
    [(first, *_)] = world.ask(noted)
    assert set(world.look().values()) == {("active", "")}
    assert world.asked == ["sign in", "GET WebhookSubscription"]
    switch_off(world, first)
    state, done = world.look()[name]
    assert (state, done) == ("active", f"made anew in place of {first}, switched off")
    before, (second, *after) = world.ask(noted)
    assert (before, after) == ((first, "switched off", 1), ["active", 0])
    # What was not told meanwhile is looked at.
    assert ("documents",) in world.ask("SELECT job FROM webhook_events")
    switch_off(world, second)
    assert world.look()[name] == ("switched off", "")
    assert len(world.there()) == WANTED + 1
    world.moved = timedelta(days=1, seconds=1)
    assert world.look()[name][0] == "active"


def test_one_that_is_gone_is_noticed_and_made_anew(world: World) -> None:
    world.register()
    with world.sandbox.vms() as vms:
        vms.delete(f"/WebhookSubscription/{world.there()[0]['key']}").raise_for_status()
    assert {one.state for one in subscriptions.verify(world.settings(), ["vms"], now=world.now)} == {"active", "gone"}
    assert [done.rpartition(", ")[2] for _, done in world.look().values() if done] == ["gone"]
    assert len(world.there()) == WANTED


def test_one_that_a_killed_watch_has_made_is_found(world: World) -> None:
    world.register()
    [(key,)] = world.ask("SELECT subscription FROM webhooks ORDER BY rowid LIMIT 1")
    with closing(sqlite3.connect(world.settings().control_path)) as store, store:
        # As it was noted before the one that it replaces was switched off and removed.
        store.execute("UPDATE webhooks SET subscription = '1' WHERE subscription = ?", (key,))
    assert world.look()[VMS_WANTED[0].name] == ("active", "made anew in place of 1, gone")
    assert (len(world.there()), world.ask(f"SELECT state FROM webhooks WHERE subscription = '{key}'")) == (  # noqa: S608 ours
        WANTED,
        [("active",)],
    )


def test_an_unknown_user_is_named_before_anything_is_made(world: World) -> None:
    with pytest.raises(SettingsError, match=r"webhooks\.vms_subscriber = NOBODY: the VMS has no user"):
        world.register(vms_subscriber="NOBODY")
    assert world.there() == []


def test_a_subscription_whose_fate_is_unknown_is_looked_up(world: World) -> None:
    posted = {"method": "POST", "path": "/ws/rest/WebhookSubscription"}
    world.sandbox.fault("vms", {"kind": "drop_after"}, match=posted, after=2, times=1)
    world.sandbox.fault("vms", {"kind": "body", "body": "<html>"}, match=posted, after=5, times=1)
    assert world.register() == ["made"] * WANTED
    assert len(world.there()) == WANTED


def test_one_that_was_not_made_is_told_and_made_by_the_next_try(world: World) -> None:
    posted = {"method": "POST", "path": "/ws/rest/WebhookSubscription"}
    world.sandbox.fault("vms", {"kind": "status", "status": 502}, match=posted, after=2, times=1)
    with pytest.raises(Unclear, match=r"not known whether the webhook for partners: new was made") as told:
        world.register()
    assert "register` again" in told.value.next_step
    assert world.register() == ["was there"] * 2 + ["made"] * (WANTED - 2)


def test_what_the_settings_lack_is_told_all_at_once(world: World) -> None:
    settings = world.settings().model_copy(update={"webhooks": WebhookSettings()})
    with pytest.raises(SettingsError) as told:
        subscriptions.register(settings, ["vms", "ledger"], now=world.now)
    assert [line.partition(" is ")[0] for line in told.value.message.splitlines()] == [
        "Settings: 3 faults.",
        "- webhooks.url",
        "- SPRINGLINE_WEBHOOKS__VMS_PASSWORD",
        "- webhooks.vms_subscriber",
    ]
    assert world.there() == []


def test_the_watch_looks_every_few_minutes_and_not_more_often(world: World) -> None:
    world.register()
    settings, looking = world.settings(), Looking()
    asked = "SELECT sum(request_count) FROM requests WHERE operation = 'GET WebhookSubscription'"

    def asked_after(minutes: int) -> int:
        world.moved += timedelta(minutes=minutes)
        [(before,)] = world.ask(asked)
        with closing(Control(settings.control_path)) as control:
            looking(settings, control, world.now())
        [(after,)] = world.ask(asked)
        return int(after - before)

    assert [asked_after(minutes) for minutes in (1, 5, 1, 3, 1, -60)] == [0, 1, 0, 0, 1, 1]
    subscriptions.remove(settings, ["vms"], now=world.now)
    assert asked_after(60) == 0
