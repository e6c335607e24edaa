"""Reasons of holds as remarks in the VMS: one a reason, changed with it, marked when it is over, never twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pipelines.core.errors import Forbidden, Refused, Transient
from pipelines.core.settings_books import PostingSettings
from pipelines.load.vms.remarks import write_remarks
from pipelines.outbox.intent import Kind
from pipelines.step.context import Context
from pipelines.stores.remarks_state import read_state
from tests.support.vms_in_memory import SETTINGS, Crash, World

ON = SETTINGS.model_copy(update={"posting": PostingSettings(remarks=True)})
KEY, OTHER = 5_200_777, 5_200_778
RULE, TITLE = "due_date_missing", "Springline: due_date_missing"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "ctl.sqlite")
    yield world
    world.control.close()
    world.warehouse.close()


def hold(
    world: World, message: str = "No due date.", *, key: int = KEY, rule: str = RULE, by: str = "critical"
) -> None:
    with world.control.write() as connection:
        connection.execute("DELETE FROM holds WHERE document_key = ? AND rule = ?", (key, rule))
        connection.execute(
            "INSERT INTO holds (company, document_key, document_no, rule, severity, message, since, batch_id) "
            "VALUES ('28601', ?, ?, ?, ?, ?, '2026-11-02', 'b1')",
            (key, f"N{key}", rule, by, message),
        )


def release(world: World, *, key: int = KEY, rule: str = RULE) -> None:
    with world.control.write() as connection:
        connection.execute("UPDATE holds SET until = '2026-11-03' WHERE document_key = ? AND rule = ?", (key, rule))


def run(world: World, *, later: timedelta = timedelta(0), is_on: bool = True) -> list[str]:
    """Run the step, and give what an operator is told."""
    world.at += later
    told: list[str] = []
    context: Context = replace(world.context(), settings=ON if is_on else SETTINGS, tell=told.append)
    write_remarks(context)
    return told


def remarks(world: World) -> list[tuple[int, str, str]]:
    found = world.vms.objects.get("Remark", [])
    return [(row["source"], row["remarkTitle"], row["remark"]) for row in found]


def test_the_setting_is_off_unless_set(world: World) -> None:
    hold(world)
    run(world, is_on=False)
    assert (world.vms.calls, world.states(Kind.REMARK)) == ([], {})


def test_each_critical_hold_is_one_remark(world: World) -> None:
    hold(world)
    hold(world, "Nobody has approved it.", rule="held_by_person")
    hold(world, "The date lies ahead.", rule="date_in_future", by="warning")
    hold(world, key=OTHER)
    assert run(world) == []
    assert sorted(remarks(world)) == [
        (KEY, TITLE, "No due date."),
        (KEY, "Springline: held_by_person", "Nobody has approved it."),
        (OTHER, TITLE, "No due date."),
    ]
    assert set(world.states(Kind.REMARK)) == {f"{KEY}:{RULE}#1", f"{KEY}:held_by_person#1", f"{OTHER}:{RULE}#1"}


def test_the_source_comes_first(world: World) -> None:
    hold(world)
    run(world)
    [row] = world.vms.objects["Remark"]
    assert list(row) == ["key", "source", "remarkTitle", "remark"]


def test_an_idle_run_asks_nothing(world: World) -> None:
    hold(world)
    run(world)
    calls = list(world.vms.calls)
    run(world, later=timedelta(days=1))
    assert world.vms.calls == calls


def test_a_changed_message_changes_the_remark(world: World) -> None:
    hold(world)
    run(world)
    hold(world, "Two due dates are missing.")
    run(world)
    assert remarks(world) == [(KEY, TITLE, "Two due dates are missing.")]
    assert world.states(Kind.REMARK) == {f"{KEY}:{RULE}#1": "sent", f"{KEY}:{RULE}#2": "sent"}


def test_a_hold_that_is_over_is_marked_done_and_opens_again(world: World) -> None:
    hold(world)
    run(world)
    release(world)
    run(world)
    assert remarks(world) == [(KEY, f"{TITLE} (done)", "No due date.")]
    hold(world, "Missing again.")
    run(world)
    assert remarks(world) == [(KEY, TITLE, "Missing again.")]


def test_a_hold_that_was_over_before_it_was_written_leaves_nothing(world: World) -> None:
    world.vms.is_silent = True
    hold(world)
    run(world)
    release(world)
    world.vms.is_silent = False
    run(world)
    assert remarks(world) == []
    assert world.states(Kind.REMARK) == {f"{KEY}:{RULE}#1": "sent"}


@pytest.mark.parametrize("is_after", [False, True])
def test_a_crash_at_the_call_writes_no_second(world: World, *, is_after: bool) -> None:
    def crash(_number: int) -> None:
        raise Crash

    setattr(world.vms, "after" if is_after else "before", crash)
    hold(world)
    with pytest.raises(Crash):
        run(world)
    world.vms.after = world.vms.before = lambda _: None
    run(world)
    # A call that may still be at work proves nothing yet: it is looked up again once it must be over.
    run(world, later=timedelta(seconds=SETTINGS.vms.timeout))
    assert remarks(world) == [(KEY, TITLE, "No due date.")]
    assert world.states(Kind.REMARK) == {f"{KEY}:{RULE}#1": "sent"}


@pytest.mark.parametrize("is_after", [False, True])
def test_a_hold_that_ends_while_its_remark_is_unknown(world: World, *, is_after: bool) -> None:
    def lost(_number: int) -> None:
        raise Transient("no answer")

    setattr(world.vms, "after" if is_after else "before", lost)
    hold(world)
    run(world)
    world.vms.after = world.vms.before = lambda _: None
    release(world)
    run(world)
    run(world, later=timedelta(seconds=SETTINGS.vms.timeout))
    assert remarks(world) == ([(KEY, f"{TITLE} (done)", "No due date.")] if is_after else [])
    assert set(world.states(Kind.REMARK).values()) == {"sent"}


def test_a_crash_is_seen_though_the_holds_are_as_before(world: World) -> None:
    run(world)

    def crash(_number: int) -> None:
        raise Crash

    world.vms.after = crash
    hold(world)
    with pytest.raises(Crash):
        run(world)
    world.vms.after = lambda _: None
    release(world)
    run(world)
    assert remarks(world) == [(KEY, f"{TITLE} (done)", "No due date.")]


def test_a_lost_control_store_finds_its_remarks(world: World, tmp_path: Path) -> None:
    hold(world)
    run(world)
    other = World(tmp_path / "new.sqlite", vms=world.vms)
    hold(other, "Another reason.")
    run(other)
    assert remarks(other) == [(KEY, TITLE, "Another reason.")]
    other.control.close()
    other.warehouse.close()


def test_a_remark_that_somebody_has_deleted_is_made_anew_when_its_reason_changes(world: World) -> None:
    hold(world)
    run(world)
    world.vms.objects["Remark"].clear()
    hold(world, "Another reason.")
    run(world)
    assert remarks(world) == [(KEY, TITLE, "Another reason.")]
    world.vms.objects["Remark"].clear()
    release(world)
    assert run(world) == []
    assert (remarks(world), set(world.states(Kind.REMARK).values())) == ([], {"sent"})


def test_without_the_right_it_is_told_once_and_tried_hourly(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def find(*_: object, **__: object) -> None:
        world.vms.calls.append("refused")
        raise Forbidden("VMS: GET Remark is not allowed (403: no).", sent=False)

    hold(world)
    with monkeypatch.context() as patched:
        patched.setattr("tests.support.vms_in_memory.FakeVms.find", find)
        [told] = run(world)
        assert "403" in told
        assert "posting.remarks" in told
        assert "403" in read_state(world.control).problem
        assert run(world, later=timedelta(minutes=30)) == []
        assert world.vms.calls == ["refused"]
        assert run(world, later=timedelta(minutes=31)) == []
        assert world.vms.calls == ["refused", "refused"]
    assert world.states(Kind.REMARK) == {f"{KEY}:{RULE}#1": "todo"}
    assert run(world, later=timedelta(hours=1)) == []
    assert remarks(world) == [(KEY, TITLE, "No due date.")]
    assert read_state(world.control).problem == ""


def test_a_refused_remark_is_told_and_does_not_keep_another(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    post = world.vms.post

    def refuse(_self: object, entity: str, body: dict[str, object]) -> object:
        if body["source"] == KEY:
            world.vms.calls.append("refused")
            raise Refused("VMS: no object has that key.", problems=(("404", "gone"),), status=404)
        return post(entity, body)

    hold(world)
    hold(world, key=OTHER)
    with monkeypatch.context() as patched:
        patched.setattr("tests.support.vms_in_memory.FakeVms.post", refuse)
        [told] = run(world)
        assert f"Remark {KEY}:{RULE}#1 of document N{KEY}" in told
        calls = list(world.vms.calls)
        assert (run(world), world.vms.calls) == ([], calls)
        assert calls.count("refused") == 1
    assert remarks(world) == [(OTHER, TITLE, "No due date.")]
    # Its document was deleted: the next run no longer holds it.
    release(world)
    assert run(world) == []
    assert set(world.states(Kind.REMARK).values()) == {"sent"}
