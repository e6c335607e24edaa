"""What a held document says where it was entered, over real sockets: one remark a reason, which follows the hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from pipelines.batch.jobs import DOCUMENTS, MASTER_DATA, RECONCILE
from pipelines.wire.vms import VmsClient
from tests.flow.live_world import Live
from tests.support.delivery_seed import NO_LIMITS

if TYPE_CHECKING:
    from pipelines.batch.run import BatchResult

# An invoice that lacks its external number; three that nothing holds but people.
LACKING, GOOD, OTHER, THIRD = "2708004", "2706035", "2707400", "2708001"
RULE = "external_document_no_missing"
TITLE = f"Springline: {RULE}"
BY_PERSON = "Springline: held_by_person"
PATH = "/ws/rest/Remark"


class KilledError(BaseException):
    """The process ends here."""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    numbers = (LACKING, GOOD, OTHER, THIRD)
    with Live(tmp_path_factory.mktemp("remarks"), numbers, VMS__TIMEOUT="1") as live:
        live.sandbox.control("POST", "ledger/settings", NO_LIMITS)
        # The worst case: a remark counts as a change of its document.
        live.sandbox.control("POST", "vms/settings", {"child_moves_parent": True})
        for number in (GOOD, OTHER, THIRD):
            live.steer("hold", number, reason="price disputed")
        yield live


def _remarks(live: Live, number: str) -> dict[str, str]:
    """Give the remarks of a document by title; each title is there once."""
    fields = {"fields": '{"source":"*","remarkTitle":"*","remark":"*"}'}
    query = f"/Remark?filter=source(EQ){live.document(number)['key']}&sort=key(AS)"
    found = live.vms.get(query, headers=fields).raise_for_status().json()
    titles = {row["remarkTitle"]: row["remark"] for row in found}
    assert len(titles) == len(found)
    return titles


def _run(live: Live) -> tuple[BatchResult, dict[str, int], dict[str, int]]:
    """Read and post documents a minute later by the VMS's clock; give the result, and what was asked of either side."""
    live.sandbox.control("POST", "clock", {"advance_seconds": 60})
    live.sandbox.control("DELETE", "requests")
    result = live.batch(jobs=(DOCUMENTS,))
    asked = live.sandbox.control("GET", "requests")
    of_remarks = {name: count for name, count in asked.get("vms", {}).items() if PATH in name}
    return result, of_remarks, asked.get("ledger", {})


def _staged(live: Live) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(live.settings.warehouse_path), read_only=True) as connection:
        return connection.execute("SELECT document_no, fetch_id FROM stg_vms.documents ORDER BY 1").fetchall()


def _message(live: Live, number: str) -> str:
    [(message,)] = live.ask("SELECT message FROM holds WHERE document_no = ? AND until IS NULL", number)
    return str(message)


def test_none_is_written_unless_the_settings_say_so(live: Live) -> None:
    live.batch(jobs=(MASTER_DATA,))
    _, of_remarks, _ = _run(live)
    assert live.holds()[LACKING] == {RULE}
    assert (of_remarks, live.states("remark"), _remarks(live, LACKING)) == ({}, {}, {})


def test_a_dry_run_writes_none(live: Live) -> None:
    live.change_settings(POSTING__REMARKS="true")
    live.batch(is_dry_run=True)
    assert (_remarks(live, LACKING), live.states("remark")) == ({}, {})


def test_each_hold_is_told_on_its_document(live: Live) -> None:
    result, _, _ = _run(live)
    # Held, and nothing else: a remark is no delivery.
    assert (result.exit_code, result.jobs["documents"].sent) == (14, 0)
    assert _remarks(live, LACKING) == {TITLE: _message(live, LACKING)}
    assert _remarks(live, GOOD) == {BY_PERSON: _message(live, GOOD)}
    assert "price disputed" in _remarks(live, GOOD)[BY_PERSON]


def test_a_remark_is_no_change_of_its_document(live: Live) -> None:
    before = _staged(live)
    for _ in range(2):
        result, of_remarks, of_ledger = _run(live)
        assert (of_remarks, of_ledger, result.jobs["documents"].extracted) == ({}, {}, 0)
    assert _staged(live) == before


def test_explain_and_status_show_it(live: Live) -> None:
    _, text = live.command("explain", LACKING, "--json")
    [remark] = json.loads(text)["remarks"]
    assert (remark["rule"], remark["title"], remark["state"]) == (RULE, TITLE, "sent")
    assert remark["remark"] == _message(live, LACKING)
    _, shown = live.command("explain", LACKING, "--full")
    assert "Remarks in the VMS" in shown
    _, text = live.command("status", "--json")
    # A supplier is held too, for its bank account: that is no document.
    held = live.holds()
    number = sum(len(held[document]) for document in (LACKING, GOOD, OTHER, THIRD))
    assert (json.loads(text)["outbox"]["remark"], json.loads(text)["remarks_problem"]) == ({"sent": number}, "")


def test_a_message_that_changes_changes_the_remark(live: Live) -> None:
    live.steer("release", GOOD)
    live.steer("hold", GOOD, reason="waits for the captain")
    _, of_remarks, _ = _run(live)
    assert not any(name.startswith("POST") for name in of_remarks)
    assert _remarks(live, GOOD) == {BY_PERSON: _message(live, GOOD)}
    assert "waits for the captain" in _message(live, GOOD)


def test_a_hold_that_is_over_is_marked_done(live: Live) -> None:
    told = _remarks(live, LACKING)[TITLE]
    live.put(LACKING, externalDocumentNo="B-77")
    live.steer("release", GOOD)
    _run(live)
    assert (live.status(LACKING), live.status(GOOD)) == ("POS", "POS")
    assert _remarks(live, LACKING) == {f"{TITLE} (done)": told}
    assert [*_remarks(live, GOOD)] == [f"{BY_PERSON} (done)"]


def test_what_was_posted_does_not_differ_for_its_remark(live: Live) -> None:
    live.posted()
    live.sandbox.control("POST", "clock", {"advance_seconds": 60})
    live.batch(jobs=(DOCUMENTS, RECONCILE))
    with duckdb.connect(str(live.settings.warehouse_path), read_only=True) as connection:
        rows = connection.execute("SELECT document_no, state, drift FROM rec.documents ORDER BY 1").fetchall()
    assert {row for row in rows if row[0] in {LACKING, GOOD}} == {(LACKING, "agreed", None), (GOOD, "agreed", None)}
    staged = _staged(live)
    live.batch(jobs=(DOCUMENTS, RECONCILE))
    assert _staged(live) == staged


def test_killed_behind_the_call_it_writes_no_second(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    post = VmsClient.post

    def killed(self: VmsClient, entity: str, body: dict[str, object]) -> object:
        post(self, entity, body)
        raise KilledError

    live.put(OTHER, externalDocumentNo=None)
    with monkeypatch.context() as patched:
        patched.setattr(VmsClient, "post", killed)
        with pytest.raises(KilledError):
            _run(live)
    assert [*_remarks(live, OTHER)] == [BY_PERSON, TITLE]
    _, of_remarks, _ = _run(live)
    assert not any(name.startswith("POST") for name in of_remarks)
    assert _remarks(live, OTHER).keys() == {BY_PERSON, TITLE}
    assert {*dict(live.ask("SELECT natural_key, state FROM outbox WHERE kind = 'remark'")).values()} == {"sent"}


def test_without_the_right_it_is_told_once_and_stops_nothing(live: Live) -> None:
    live.sandbox.fault("vms", {"kind": "status", "status": 403}, match={"path": PATH})
    live.steer("release", OTHER)
    live.steer("hold", OTHER, reason="another reason")
    result, _, _ = _run(live)
    assert result.exit_code == 14
    [told] = [problem for problem in result.problems if "403" in problem]
    assert "set posting.remarks = false" in told
    _, text = live.command("status")
    assert "Reasons of holds are not written" in " ".join(text.split())
    result, of_remarks, _ = _run(live)
    assert (of_remarks, [problem for problem in result.problems if "403" in problem]) == ({}, [])
    live.sandbox.control("DELETE", "faults")


def test_an_ignored_and_a_deleted_document_are_settled(live: Live) -> None:
    key = live.document(THIRD)["key"]
    live.steer("ignore", OTHER)
    live.vms.delete(f"/Document/{key}").raise_for_status()
    result, _, _ = _run(live)
    assert {title.endswith("(done)") for title in _remarks(live, OTHER)} == {True}
    assert set(dict(live.ask("SELECT natural_key, state FROM outbox WHERE kind = 'remark'")).values()) == {"sent"}
    assert (result.exit_code, live.holds().keys() & {OTHER, THIRD}) == (0, set())
