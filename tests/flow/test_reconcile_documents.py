"""Both sides beside each other over real sockets: nothing differs, then what people did, then nothing again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from pipelines.batch.jobs import JOBS, RECONCILE
from tests.flow.drift import DRIFTS, Drift, Undo, edit_amount, move_to_voyage
from tests.flow.live_world import Live
from tests.support.sandbox_server import SAMPLE

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.batch.run import BatchResult

pytestmark = pytest.mark.system

# It has the external number of the document before it: both sides agree, and it may be a duplicate all the same.
USED_TWICE = "2707025"
DOCUMENTS = "SELECT * FROM rec.documents ORDER BY subject"
KINDS = {
    "amount differs": "document amount differs",
    "fields differ": "document fields differ",
    "only in VMS": "document only in VMS",
    "only in ledger": "document only in ledger",
}
BREAKS = "SELECT kind, subject FROM breaks WHERE until IS NULL AND kind LIKE 'document %' ORDER BY kind, subject"
TOTALS = "SELECT kind, subject FROM breaks WHERE until IS NULL AND kind LIKE 'control %' ORDER BY kind, subject"
Row = dict[str, Any]


@dataclass(slots=True)
class Seen:
    """The documents before, during and after the deeds, with the breaks that were open then."""

    live: Live
    clean: list[Row] = field(default_factory=list)
    drifted: list[Row] = field(default_factory=list)
    undone: list[Row] = field(default_factory=list)
    breaks: list[list[tuple[Any, ...]]] = field(default_factory=list)
    totals: list[tuple[Any, ...]] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)
    idle: BatchResult | None = None

    def look(self) -> list[Row]:
        """Read both sides back, and give what rec.documents shows."""
        self.live.batch(jobs=(RECONCILE,))
        return self.read()

    def read(self) -> list[Row]:
        self.breaks.append(self.live.ask(BREAKS))
        self.totals += self.live.ask(TOTALS)
        with duckdb.connect(str(self.live.settings.warehouse_path), read_only=True) as warehouse:
            cursor = warehouse.execute(DOCUMENTS)
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    lines = (SAMPLE / "vms" / "Document.jsonl").read_text("utf-8").splitlines()
    numbers = {json.loads(line)["documentNo"] for line in lines} - {USED_TWICE}
    with Live(tmp_path_factory.mktemp("reconcile"), numbers) as live:
        found = Seen(live)
        live.batch(jobs=[job for name, job in JOBS.items() if name in {"master-data", "documents"}])
        live.posted()
        live.batch(jobs=tuple(JOBS.values()))
        found.clean = found.read()
        found.keys = {drift.number: str(live.document(drift.number)["key"]) for drift in DRIFTS}
        undo = [drift.do(live, drift.number) for drift in DRIFTS]
        found.drifted = found.look()
        _undo(undo)
        found.undone = found.look()
        found.idle = live.batch(jobs=(RECONCILE,))
        yield found


def _undo(deeds: list[Undo]) -> None:
    for undo in deeds:
        undo()


def subject(seen: Seen, drift: Drift) -> Callable[[Row], bool]:
    """Tell which row is that of a deed: the document's, or the voucher's of the ledger alone."""
    key = seen.keys[drift.number]
    if drift.is_orphan:
        return lambda row: row["subject"].startswith("ledger:") and str(row["document_key"]) == key
    return lambda row: row["subject"] == key


def test_a_world_that_nobody_touched_agrees(seen: Seen) -> None:
    assert {row["state"] for row in seen.clean} == {"agreed", "held", "rejected"}
    assert not [row["reason"] for row in seen.clean if row["is_break"] or row["drift"]]
    agreed = [row for row in seen.clean if row["state"] == "agreed"]
    assert len(agreed) > 400
    assert {(row["amount_difference"], row["company_amount_difference"], row["reason"]) for row in agreed} == {
        (0, 0, None)
    }
    assert seen.breaks[0] == []


@pytest.mark.parametrize("drift", DRIFTS, ids=lambda drift: drift.do.__name__)
def test_a_deed_shows_as_what_it_is(seen: Seen, drift: Drift) -> None:
    (row,) = filter(subject(seen, drift), seen.drifted)
    assert (row["state"], row["drift"], row["is_break"]) == (drift.state, drift.drift, True)
    assert drift.reason in row["reason"]
    assert row["next_step"]
    assert (KINDS[drift.state], row["subject"]) in seen.breaks[1]


def test_nothing_else_shows(seen: Seen) -> None:
    assert sum(row["is_break"] for row in seen.drifted) == len(DRIFTS)
    assert len(seen.breaks[1]) == len(DRIFTS)
    moved = {seen.keys[drift.number] for drift in DRIFTS if not drift.is_orphan}
    states = {row["subject"]: row["state"] for row in seen.clean}
    others = {row["subject"]: row["state"] for row in seen.drifted if not row["subject"].startswith("ledger:")}
    assert {key: state for key, state in others.items() if key not in moved} == {
        key: state for key, state in states.items() if key not in moved
    }


def test_totals_and_control_accounts_tell_it_no_second_time(seen: Seen) -> None:
    assert seen.totals == []


def test_what_is_undone_closes_by_itself(seen: Seen) -> None:
    assert [(row["document_no"], row["state"], row["reason"]) for row in seen.undone if row["is_break"]] == []
    assert seen.breaks[2] == []
    states = {row["subject"]: row["state"] for row in seen.clean}
    assert {row["subject"]: row["state"] for row in seen.undone} == states


def test_an_idle_run_builds_nothing(seen: Seen) -> None:
    # Where the cursors were when both sides were compared last is copied by a comparison alone.
    assert seen.idle is not None
    with duckdb.connect(str(seen.live.settings.warehouse_path), read_only=True) as warehouse:
        compared = warehouse.execute("SELECT batch_id FROM ctl.cursors WHERE source = 'ledger.books'").fetchall()
    read = seen.live.ask("SELECT batch_id FROM cursors WHERE source = 'ledger.books'")
    assert read == [(seen.idle.batch_id,)]
    assert compared != read


def test_exit_code_and_status_go_by_what_is_accepted(tmp_path: Path) -> None:
    with Live(tmp_path, ["2706060"]) as live:
        live.batch(jobs=[job for name, job in JOBS.items() if name in {"master-data", "documents"}])
        live.posted()
        undo = move_to_voyage(live, "2706060")
        assert live.batch(jobs=(RECONCILE,)).exit_code == 16
        for row in json.loads(live.command("breaks", "list", "--json")[1])["breaks"]:
            assert live.command("breaks", "accept", f"no:{row['break_id']}", "--reason", "as agreed")[0] == 0
        assert live.batch(jobs=(RECONCILE,)).exit_code == 0
        assert json.loads(live.command("status", "--json")[1])["breaks"] == []
        undo()
        edit_amount(live, "2706060")
        assert live.batch(jobs=(RECONCILE,)).exit_code == 16
        (standing,) = json.loads(live.command("status", "--json")[1])["breaks"]
        assert (standing["kind"], standing["document_no"]) == ("document amount differs", "2706060")
