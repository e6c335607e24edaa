"""Health and metrics over a real socket, and the dashboard and rules that are made for them."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
import yaml
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from pipelines.batch.jobs import JOBS
from pipelines.outbox.entry import Move
from pipelines.outbox.intent import Intent, Kind
from pipelines.outbox.states import State
from pipelines.outbox.store import Outbox
from pipelines.stores.control import Control, named_statements, utc_text
from pipelines.stores.copies import copy_store
from pipelines.stores.job_ends import note_job_ends
from pipelines.watch.observe.growing import PAGE
from pipelines.watch.observe.metrics import MOST_LABELS, OTHER
from pipelines.watch.observe.routes import observe_routes
from tests.support.control_rows import keep_row
from tests.support.delivery_world import make_settings

NOW = datetime(2026, 11, 11, 8, tzinfo=UTC)
HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"
# Words of PromQL that are no metric.
PROMQL = {
    "absent", "avg", "by", "histogram_quantile", "increase", "max", "on", "or", "rate", "sum", "topk", "up", "without",
}  # fmt: skip

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class World:
    """A control store whose health and metrics are served, and a clock that a test moves."""

    def __init__(self, folder: Path) -> None:
        self.now = NOW
        self.settings = make_settings(warehouse=folder / "springline.duckdb", published=folder)
        self.control = Control(self.settings.control_path)
        app = Starlette(routes=observe_routes(self.settings, now=lambda: self.now))
        self._server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off"))
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}")

    def close(self) -> None:
        self.client.close()
        self._server.should_exit = True
        self._thread.join()
        self.control.close()

    def keep(self, table: str, **columns: object) -> None:
        keep_row(self.control, table, **columns)

    def health(self) -> tuple[int, dict[str, Any]]:
        answer = self.client.get("/health")
        return answer.status_code, answer.json()

    def metrics(self) -> Samples:
        answer = self.client.get("/metrics")
        assert answer.status_code == 200
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }

    def batch(self, batch_id: str, *, seconds: float | None, exit_code: int = 0) -> None:
        """Note a batch that began ten seconds ago, with one step of documents."""
        began = self.now - timedelta(seconds=10)
        ended = None if seconds is None else utc_text(began + timedelta(seconds=seconds))
        times = {"batch_id": batch_id, "started_at": utc_text(began), "ended_at": ended}
        self.keep("batches", **times, today="", jobs="documents", operator="", exit_code=exit_code)
        self.keep("steps", **times, position=1, job="documents", step="build models", outcome="done")

    def send(self, *keys: int, batch_id: str, kind: Kind = Kind.VOUCHER) -> None:
        outbox = Outbox(self.control, batch_id=batch_id, now=lambda: self.now)
        intents = [Intent(kind, str(key), "ledger", "x", "s", document_key=key) for key in keys]
        ids = outbox.store_intents(intents)
        outbox.apply([Move(one, State.SENDING) for one in ids])
        self.now += timedelta(seconds=1)
        outbox.apply([Move(one, State.SENT) for one in ids])


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with closing(World(tmp_path)) as made:
        yield made


def of(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((f"springline_{name}", frozenset(labels.items())))


def test_health_is_ready_degraded_or_unable(world: World) -> None:
    assert world.health() == (
        200, {"state": "ready", "as_of": utc_text(NOW), "reasons": [], "watch_seen_seconds": None},
    )  # fmt: skip
    world.keep("holds", document_key=1, document_no="2707400", rule="x", message="INI 2707400 (Secret Shipping AS): no")
    code, found = world.health()
    assert (code, found["state"], [reason["text"] for reason in found["reasons"]]) == (
        200, "degraded", ["1 document held for more than 24 hours"],
    )  # fmt: skip
    assert not re.search("Secret|2707400", json.dumps(found))
    world.keep("watches", watch_id="w", started_at=utc_text(NOW), seen_at=utc_text(NOW), host="", pid=1, operator="")
    world.now += timedelta(seconds=119)
    assert (world.health()[0], world.health()[1]["watch_seen_seconds"]) == (200, 119)
    # A watch that hangs does not say that it is alive.
    world.now += timedelta(seconds=2)
    code, found = world.health()
    assert (code, found["state"], found["reasons"][0]["kind"]) == (503, "unable", "watch")


def test_a_store_that_cannot_be_read_is_an_answer(world: World) -> None:
    world.control.close()
    world.control.path.write_bytes(b"no store at all" * 100)
    code, found = world.health()
    assert (code, found["state"]) == (503, "unable")
    assert str(world.control.path) not in json.dumps(found)
    assert of(world.metrics(), "health", state="unable") == 1


def test_documents_are_timed_from_ready_to_accepted_and_acknowledged(world: World) -> None:
    world.metrics()
    world.batch("b1", seconds=None)
    world.send(1, batch_id="b1")
    world.send(1, batch_id="b1", kind=Kind.ACKNOWLEDGEMENT)
    samples = world.metrics()
    # Stored ten seconds behind the batch's start, and accepted a second later.
    assert of(samples, "ready_to_accepted_seconds_sum") == pytest.approx(11)
    assert of(samples, "ready_to_acknowledged_seconds_sum") == pytest.approx(12)
    assert [of(samples, "ready_to_accepted_seconds_bucket", le=le) for le in ("5.0", "12.0", "+Inf")] == [0, 1, 1]


@pytest.mark.parametrize(("held_until", "seconds"), [(None, 31), (20, 11), (40, 31)])
def test_a_call_of_the_vms_says_when_a_document_was_ready(world: World, held_until: int | None, seconds: float) -> None:
    world.metrics()
    for number, earlier in enumerate((600, 30, -5)):
        at = utc_text(NOW - timedelta(seconds=earlier))
        world.keep(
            "webhook_events", side="vms", event_id=str(number), received_at=at, job="documents", subject="Document 1"
        )
    if held_until is not None:
        until = utc_text(NOW - timedelta(seconds=held_until))
        world.keep("holds", document_key=1, rule="x", until=until)
    world.batch("b1", seconds=None)
    world.send(1, batch_id="b1")
    assert of(world.metrics(), "ready_to_accepted_seconds_sum") == pytest.approx(seconds)


def test_the_outbox_is_counted_as_it_moves(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.watch.observe.growing.PAGE", 4)
    assert PAGE > 4
    world.batch("b1", seconds=None)
    world.send(1, 2, batch_id="b1")
    assert of(world.metrics(), "outbox", kind="voucher", state="sent") == 2
    world.send(3, 4, 5, batch_id="b1")
    outbox = Outbox(world.control, batch_id="b1", now=lambda: world.now)
    (one,) = outbox.store_intents([Intent(Kind.RATE, "a", "vms", "1", "s")])
    samples = world.metrics()
    assert of(samples, "outbox", kind="voucher", state="sent") == 5
    assert of(samples, "outbox", kind="rate", state="todo") == 1
    outbox.apply([Move(one, State.SENDING), Move(one, State.UNKNOWN)])
    samples = world.metrics()
    (counted,) = (row[0] for row in world.control.read("SELECT count(*) FROM outbox"))
    assert sum(value for (name, _), value in samples.items() if name == "springline_outbox") == counted
    assert of(samples, "outbox", kind="rate", state="unknown") == 1


def test_a_backup_that_is_put_in_place_is_counted_anew(world: World, tmp_path: Path) -> None:
    world.batch("b1", seconds=None)
    world.send(1, batch_id="b1")
    copy_store(world.control.path, tmp_path / "copy.sqlite")
    world.send(2, 3, batch_id="b1")
    assert of(world.metrics(), "outbox", kind="voucher", state="sent") == 3
    world.control.close()
    (tmp_path / "copy.sqlite").replace(world.control.path)
    world.control.path.with_name(f"{world.control.path.name}-wal").unlink(missing_ok=True)
    assert of(world.metrics(), "outbox", kind="voucher", state="sent") == 1


def test_batches_and_steps_are_timed_once_they_have_ended(world: World) -> None:
    world.batch("b0", seconds=1)
    world.metrics()
    world.batch("b1", seconds=3, exit_code=14)
    world.batch("b2", seconds=None)
    samples = world.metrics()
    assert of(samples, "batch_seconds_sum", exit_code="14") == 3
    assert of(samples, "step_seconds_count", job="documents", step="build models") == 1
    # That one was killed: the next has begun.
    world.batch("b3", seconds=5)
    samples = world.metrics()
    assert of(samples, "batch_seconds_sum", exit_code="0") == 5
    assert of(samples, "step_seconds_count", job="documents", step="build models") == 2


def test_what_stands_is_counted_by_bounded_labels(world: World) -> None:
    for number in range(MOST_LABELS + 5):
        world.keep("holds", document_key=number, rule=f"rule {number}", since=utc_text(NOW))
    world.keep("breaks", kind="match undone", subject="a")
    world.keep("breaks", kind="match undone", subject="b", accepted_hash="f")
    row = {"month": "2026-11", "job": "documents", "operation": "query"}
    world.keep("requests", side="ledger", **row, request_count=40)
    world.keep("requests", side="vms", **row, request_count=7)
    note_job_ends(world.control, {"documents": None, "unknown job": None}, at=utc_text(NOW - timedelta(seconds=30)))
    samples = world.metrics()
    assert of(samples, "held_documents", rule=OTHER) == 5
    assert of(samples, "breaks", kind="match undone") == 1
    assert of(samples, "requests_this_month", side="vms") == 7
    assert of(samples, "requests_left", side="ledger") == world.settings.ledger.monthly_requests - 40
    assert of(samples, "job_last_good_age_seconds", job="documents") == 30
    assert {dict(labels)["job"] for name, labels in samples if name == "springline_job_failures"} <= JOBS.keys()


# Both go through all that was ever sent: without an index, or with the kind alone of one.
WHOLE = re.compile(r"SCAN (?:outbox|events|stored|steps|batches|requests)\b(?!.*USING)|outbox_by_state \(kind=\?\)")


@pytest.mark.parametrize("file", ["alerts", "observe"])
def test_no_statement_looks_at_all_that_was_sent(world: World, file: str) -> None:
    for name, statement in named_statements(file).items():
        values = dict.fromkeys(re.findall(r":(\w+)", statement), "1")
        plan = [row["detail"] for row in world.control.read(f"EXPLAIN QUERY PLAN {statement}", values)]
        assert [line for line in plan if WHOLE.search(line)] == [], name


def metrics_of(world: World) -> set[str]:
    """Give every metric there is, with something in each."""
    world.metrics()
    world.batch("b1", seconds=3)
    world.send(1, batch_id="b1")
    world.keep("holds", document_key=1, rule="x")
    world.keep("breaks", kind="match undone", subject="a")
    world.keep("watches", watch_id="w", started_at=utc_text(NOW), seen_at=utc_text(NOW), host="", pid=1, operator="")
    note_job_ends(world.control, {"documents": None}, at=utc_text(NOW))
    return {name for name, _ in world.metrics()}


def names_in(query: str) -> set[str]:
    """Give what a PromQL query names, without its labels and texts."""
    bare = re.sub(r"\"[^\"]*\"|\{[^}]*\}|\[[^\]]*\]|(?:by|without|on) \([^)]*\)", " ", query)
    return set(re.findall(r"[a-z_][a-z_0-9:]*", bare)) - PROMQL


def test_every_metric_of_the_dashboard_is_one(world: World) -> None:
    dashboard = json.loads((HOW_TO / "grafana-dashboard.json").read_text("utf-8"))
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    named = {name for query in queries for name in names_in(query)}
    assert named
    assert named - metrics_of(world) == set()
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def test_every_metric_of_the_rules_is_one(world: World) -> None:
    groups = yaml.safe_load((HOW_TO / "prometheus-rules.yml").read_text("utf-8"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert {frozenset(rule) for rule in rules} == {frozenset(("alert", "expr", "for", "labels", "annotations"))}
    named = {name for rule in rules for name in names_in(rule["expr"])}
    assert named - metrics_of(world) == set()
    for rule in rules:
        assert re.fullmatch(r"\d+[smh]", rule["for"])
        assert rule["expr"].count("(") == rule["expr"].count(")")
        assert {"summary", "description"} == rule["annotations"].keys()


def test_what_the_rules_miss_would_be_seen() -> None:
    assert names_in('sum by (kind) (rate(springline_gone{job="a b"}[5m])) > 1') == {"springline_gone"}
