"""Dagster runs six tenants on two machines: a run and a machine are killed, one token is wrong, a webhook calls."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator

import httpx
import pytest

from tests.support.patience import PATIENCE
from tests.tenants.harbour import Pace
from tests.tenants.many import FAILED, Day, Outcome, Plan, day, judge

pytestmark = pytest.mark.schedulers

PLAN = Plan(
    tenants=6,
    machines=2,
    cadence=120,
    seconds=300,
    kill_every=75,
    whole_every=2,
    documents=3,
    pace=Pace("*/2 * * * *", 15, 240),
)
CALLED = "tenant-01"


def call_webhook(played: Day) -> int:
    """Report a call as a reverse proxy does, to Dagster's web server; give the HTTP status."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = played.harbour.home
    command = [
        str(played.harbour.python),
        "-m",
        "dagster_webserver",
        "-w",
        str(home / "workspace.yaml"),
        "-p",
        str(port),
    ]
    with (home / "web.log").open("ab") as log:
        web = subprocess.Popen(command, env=played.harbour.environ, cwd=home, stdout=log, stderr=log)  # noqa: S603
    try:
        address = f"http://127.0.0.1:{port}"

        def answers() -> bool:
            assert web.poll() is None, (home / "web.log").read_text("utf-8")[-3000:]
            try:
                return httpx.get(f"{address}/server_info").is_success
            except httpx.TransportError:
                return False

        assert played.wait(answers, PATIENCE)
        path = f"/report_asset_materialization/springline_webhook?partition={CALLED}"
        return httpx.post(address + path, timeout=PATIENCE).status_code
    finally:
        web.kill()
        web.wait()


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    with day(tmp_path_factory.mktemp("day"), PLAN) as played:
        played.work()
        assert call_webhook(played) == httpx.codes.OK

        def is_called() -> bool:
            return any(run["by_sensor"] and run["ended"] for run in played.harbour.runs())

        assert played.wait(is_called, PATIENCE)
        assert played.wait(played.is_acknowledged, PATIENCE)
        yield judge(played)


def test_each_document_is_in_its_ledger_once(outcome: Outcome) -> None:
    assert outcome.violations == {}, outcome.told
    assert sum(len(entered) for entered in outcome.entered.values()) == PLAN.tenants * PLAN.documents


def test_the_tenant_with_the_wrong_token_alone_fails(outcome: Outcome) -> None:
    assert outcome.failing() == {outcome.wrong}
    assert {batch.exit_code for batch in outcome.records[outcome.wrong].batches} <= {11, None}


def test_workers_were_killed_in_the_middle_of_a_batch(outcome: Outcome) -> None:
    assert {words.split()[0] for words in outcome.killed} == {"run", "machine"}
    assert any(batch.ended_at is None for record in outcome.records.values() for batch in record.batches)
    # A run that was killed is a failure, and another one tries it again.
    tried = {run["retries"] for run in outcome.runs} - {None}
    assert any(run["id"] in tried and run["state"] == FAILED for run in outcome.runs)


def test_a_tenant_goes_from_one_machine_to_the_other(outcome: Outcome) -> None:
    places = {(run["tenant"], run["machine"]) for run in outcome.runs}
    assert len(places) > PLAN.tenants


def test_every_chain_of_events_is_whole(outcome: Outcome) -> None:
    assert [name for name, record in outcome.records.items() if record.chain] == []


def test_a_webhook_starts_the_tenant_that_it_names(outcome: Outcome) -> None:
    assert {run["tenant"] for run in outcome.runs if run["by_sensor"]} == {CALLED}
