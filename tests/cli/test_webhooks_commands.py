"""webhooks: what is told where settings lack something, where nothing was made, and how states are shown."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipelines.stores.control import Control
from pipelines.watch.webhooks import subscriptions
from pipelines.watch.webhooks.noted import Notes
from pipelines.watch.webhooks.shown import Shown

if TYPE_CHECKING:
    import pytest

    from tests.cli.springline import Terminal

FOUND = [
    Shown("vms", "vessels: new", "7", "active"),
    Shown("ledger", "suppliers", "8", "FAULTED"),
    Shown("ledger", "projects", "9", "FAULTED"),
]


def test_what_is_missing_is_told_at_once_and_nothing_is_asked(terminal: Terminal) -> None:
    ended = terminal.run("webhooks", "register", "--json")
    assert ended.code == 10
    assert ended.json()["error"].splitlines() == [
        "Settings: 3 faults.",
        "- webhooks.url is missing: the address at which both systems reach us.",
        "- SPRINGLINE_WEBHOOKS__VMS_PASSWORD is missing: the password with which the VMS signs in to the watch.",
        "- webhooks.vms_subscriber is missing: the code of the VMS user who owns the subscriptions.",
    ]


def test_a_token_that_signs_nothing_is_told(terminal: Terminal) -> None:
    terminal.set(SPRINGLINE_LEDGER__TOKEN="!", SPRINGLINE_WEBHOOKS__URL="https://springline.example")
    ended = terminal.run("webhooks", "register", "--side", "ledger")
    assert (ended.code, "SPRINGLINE_LEDGER__TOKEN is no base64url text" in ended.err) == (10, True)


def test_a_list_asks_nobody(terminal: Terminal) -> None:
    assert "both systems are asked in turn" in terminal.run("webhooks", "list").out
    with closing(Control(terminal.folder / "springline.ctl.sqlite")) as control:
        notes = Notes(control, "ledger", now=lambda: datetime(2026, 11, 2, 8, 5, tzinfo=UTC))
        notes.made("suppliers", "8", state="RUNNING")
    [one] = terminal.run("webhooks", "list", "--json").json()["webhooks"]
    assert (one["side"], one["name"], one["subscription"], one["state"]) == ("ledger", "suppliers", "8", "RUNNING")
    shown = terminal.run("webhooks", "list").out
    assert all(text in shown for text in ("Xledger", "suppliers", "8", "RUNNING", "2026-11-02 09:05 (Oslo)"))


def test_a_state_is_explained_once_with_its_next_step(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "verify", lambda *_arguments, **_named: FOUND)
    ended = terminal.run("webhooks", "verify")
    assert ended.code == 15
    assert (
        ended.out.count("FAULTED: calls have failed for so long that Xledger has given up (suppliers, projects).") == 1
    )
    assert ended.out.count("Next: ") == 1
    assert [one["is_well"] for one in terminal.run("webhooks", "verify", "--json").json()["webhooks"]] == [
        True,
        False,
        False,
    ]
