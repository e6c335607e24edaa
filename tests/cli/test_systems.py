"""A control store is of one VMS and one ledger: no tenant works on that of another, whose documents have its keys."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.core.errors import SettingsError
from pipelines.stores.opening import open_store
from pipelines.stores.systems import keep_to_systems
from tests.cli.springline import Terminal
from tests.support.control_stores import KINDS, new_place
from tests.support.delivery_world import make_settings

EXIT_SETTINGS = 10
ACME = {"base_url": "https://acme.example/ws/rest"}
NEXT = "Only where the same system has a new address: `springline control systems --moved`, and do it again."


@pytest.fixture
def at_acme(terminal: Terminal) -> Terminal:
    """Give a terminal in the folder of a tenant that has run."""
    with closing(terminal.control()) as control:
        keep_to_systems(control, make_settings(vms=ACME))
    return terminal


@pytest.mark.parametrize("kind", KINDS)
def test_a_store_is_of_the_systems_that_it_worked_with_first(kind: str, tmp_path: Path) -> None:
    with closing(open_store(new_place(kind, tmp_path))) as control:
        keep_to_systems(control, make_settings(vms=ACME))
        # As somebody else writes the same address.
        keep_to_systems(control, make_settings(vms={"base_url": "https://ACME.example:443/ws/rest/"}))
        # A stand-in of the ledger has another port each time it is started.
        keep_to_systems(control, make_settings(vms=ACME, ledger={"url": "http://localhost:40321/graphql"}))
        with pytest.raises(SettingsError) as refused:
            keep_to_systems(control, make_settings(vms={"base_url": "https://beta.example/ws/rest"}))
        assert refused.value.message == (
            f"The control store {control.place} has worked with the VMS acme.example/ws/rest, and the settings name "
            "beta.example/ws/rest: what it has sent there would count as sent here."
        )
        with pytest.raises(SettingsError, match="with the ledger this machine/graphql, and the settings name ledger"):
            keep_to_systems(control, make_settings(vms=ACME, ledger={"url": "https://ledger.example/graphql"}))


@pytest.mark.parametrize("command", ["run documents", "run --dry-run", "preflight", "check", "verify"])
def test_nobody_asks_another_system(at_acme: Terminal, command: str) -> None:
    ended = at_acme.run(*command.split())
    assert ended.code == EXIT_SETTINGS, ended
    assert "has worked with the VMS acme.example/ws/rest" in ended.err
    assert NEXT in " ".join(ended.err.split())


def test_no_backup_of_another_tenant_is_put_in_place(at_acme: Terminal) -> None:
    """What it has would count as sent here."""
    at_acme.run("backup", "acme.sqlite")
    (at_acme.folder / "springline.ctl.sqlite").unlink()
    ended = at_acme.run("restore", "acme.sqlite")
    assert ended.code == EXIT_SETTINGS, ended
    assert NEXT in " ".join(ended.err.split())
    assert not (at_acme.folder / "springline.ctl.sqlite").exists()


def test_a_system_that_has_moved_is_told(at_acme: Terminal) -> None:
    before = at_acme.run("control", "systems")
    assert before.out.splitlines() == [
        "VMS     acme.example/ws/rest; the settings name this machine/ws/rest",
        "ledger  this machine/graphql",
    ]
    moved = at_acme.run("control", "systems", "--moved", "--json")
    assert json.loads(moved.out)["known"]["VMS"] == "this machine/ws/rest"
    # It goes on, as far as it comes where nothing listens.
    assert "has worked with" not in at_acme.run("run", "documents").err


def test_a_store_without_a_batch_is_of_none(terminal: Terminal) -> None:
    assert terminal.run("control", "systems").out.splitlines()[0] == (
        "VMS     none yet; the settings name this machine/ws/rest"
    )
