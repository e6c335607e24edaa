"""The sandbox's ledger calls what was registered, signed as the vendor signs; `verify` names its states."""

from __future__ import annotations

import json
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from pipelines.core.settings import load_settings
from pipelines.stores.control import Control
from pipelines.watch.server import serve
from pipelines.watch.webhooks import subscriptions
from pipelines.watch.webhooks.receive import routes
from pipelines.watch.webhooks.wanted import LEDGER_WANTED
from pipelines.wire.ledger import LedgerClient
from tests.contract.ledger_world import NO_LIMITS, SEED
from tests.support.patience import PATIENCE
from tests.support.sandbox_server import running_sandbox, write_seed

PROJECTS = [{"clientId": code, "node": {"code": code, "description": f"Voyage {code}"}} for code in ("V1", "V2")]


def now() -> datetime:
    return datetime.now(UTC)


def test_a_change_in_the_ledger_wakes_its_job(tmp_path: Path) -> None:
    seed = write_seed(tmp_path / "seed", {}, {name: "\n".join(map(json.dumps, rows)) for name, rows in SEED.items()})
    woken = threading.Semaphore(0)
    with running_sandbox(tmp_path, seed) as sandbox:
        sandbox.control("POST", "ledger/settings", {**NO_LIMITS, "webhook_start_seconds": 0})
        own = {"SPRINGLINE_WAREHOUSE": str(tmp_path / "springline.duckdb"), "SPRINGLINE_WATCH__PORT": "0"}
        settings = load_settings(None, environ=sandbox.env | own | {"SPRINGLINE_WEBHOOKS__URL": "http://127.0.0.1:9"})
        with serve(routes(settings, woken.release), settings.watch) as address:
            settings = load_settings(None, environ=sandbox.env | own | {"SPRINGLINE_WEBHOOKS__URL": address})
            made = subscriptions.register(settings, ["ledger"], now=now)
            assert [one.done for one in made] == ["made"] * len(LEDGER_WANTED)
            with closing(LedgerClient(settings.ledger, count=lambda _side, _operation: None, now=now)) as ledger:
                ledger.mutate("addProjects", PROJECTS)
            assert woken.acquire(timeout=PATIENCE)
        for one, state in zip(made, ("FAULTED", "PAUSED"), strict=False):
            sandbox.control("POST", "ledger/webhooks", {"webhook": int(one.subscription), "state": state})
        found = {one.name: one.state for one in subscriptions.verify(settings, ["ledger"], now=now)}
        assert (found["suppliers"], found["customers"]) == ("FAULTED", "PAUSED")
        assert {one.done for one in subscriptions.remove(settings, ["ledger"], now=now)} == {"removed"}
        assert sandbox.control("GET", "ledger/webhooks") == []
    with closing(Control(settings.control_path)) as control:
        told = control.read(
            "SELECT subject FROM webhook_events WHERE subject LIKE '%projects%' AND subject NOT LIKE '%made'"
        )
        assert [row["subject"].partition(",")[0] for row in told] == ["2 projects"]
