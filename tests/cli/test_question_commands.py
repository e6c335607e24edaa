"""explain, preflight, check and adopt from the command line: one JSON object on stdout, and the right exit code."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.cli.springline import Terminal
from tests.flow.live_world import part_of_sample
from tests.support.sandbox_server import Sandbox, running_sandbox

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Serve the sample world without a document: nothing to map and nothing to check."""
    folder: Path = tmp_path_factory.mktemp("commands")
    with running_sandbox(folder, part_of_sample(folder / "seed", ())) as sandbox:
        yield sandbox


@pytest.fixture
def served(terminal: Terminal, sandbox: Sandbox) -> Terminal:
    terminal.set(**sandbox.env)
    return terminal


def test_check_prints_every_line_and_exits_0(served: Terminal) -> None:
    ended = served.run("check", "--json")
    checks = {line["name"]: line["ok"] for line in ended.json()["checks"]}
    assert (ended.code, checks["VMS sign-in"], checks["control accounts"]) == (0, True, None)


def test_check_for_people_ends_with_what_to_fix(served: Terminal) -> None:
    served.set(SPRINGLINE_LEDGER__TOKEN="wrong")
    ended = served.run("check")
    assert (ended.code, "To fix:\n  ledger token:" in ended.out) == (10, True)


@pytest.mark.parametrize("period", ["2026-13", "2026", "october", "2026-10-01"])
def test_preflight_of_what_is_no_period_is_refused(served: Terminal, period: str) -> None:
    ended = served.run("preflight", period, "--json")
    assert (ended.code, ended.json()["next_step"]) == (2, "write it as 2026-10.")


@pytest.mark.parametrize("day", ["tomorrow", "9999-01-01"])
def test_adopting_before_what_is_no_day_yet_is_refused(served: Terminal, day: str) -> None:
    assert served.run("adopt", "--before", day, "--json").json()["exit_code"] == 2


def test_a_system_that_is_not_there_is_told_in_words(terminal: Terminal) -> None:
    terminal.set(SPRINGLINE_VMS__ATTEMPTS="1", SPRINGLINE_LEDGER__ATTEMPTS="1")
    ended = terminal.run("preflight")
    assert (ended.code, "Traceback" in ended.err) == (11, False)


def test_explain_of_nothing_seen_says_where_to_look(terminal: Terminal) -> None:
    ended = terminal.run("explain", "404", "--json")
    assert (ended.code, "No document 404 has been read yet" in ended.json()["error"]) == (2, True)


def test_explain_works_from_the_control_store_alone(terminal: Terminal) -> None:
    message = "INI 2707400: document has no lines. In the VMS, enter them."
    terminal.keep("holds", company="28601", document_key=1, document_no="2707400", rule="no_lines", message=message)
    told = terminal.run("explain", "2707400", "--json").json()
    assert (told["as_of"]["origin"], told["stands"]) == ("control store alone", "Held: document has no lines.")
    shown = terminal.run("explain", "2707400").out
    assert "Held: document has no lines.\nNext: in the VMS, enter them. By: operations." in shown


def test_explain_finds_what_was_sent_from_the_control_store_alone(terminal: Terminal) -> None:
    look_up = '{"invoice_number": "F-881", "subledger": "60526"}'
    terminal.keep("outbox", document_key=1, document_no="2707400", state="sent", look_up=look_up)
    payment = {"kind": "payment", "target": "vms", "natural_key": "XL9-1"}
    terminal.keep("outbox", document_key=1, document_no="2707400", state="sent", **payment)
    for name in ("F-881", "f-881", "60526 F-881", "60526/F-881", "XL9-1"):
        assert terminal.run("explain", name, "--json").json()["document_no"] == "2707400"
    assert terminal.run("explain", "60527 F-881", "--json").code == 2


def test_explain_of_a_break_is_that_of_its_document(terminal: Terminal) -> None:
    terminal.keep("outbox", document_key=1, document_no="2707400", state="sent")
    row = {
        "kind": "match undone",
        "figures_hash": "",
        "since": "2026-11-01",
        "batch_id": "b1",
        "next_step": "match it.",
    }
    terminal.keep("breaks", subject="XL9-1", document_key=1, message="It settles nothing.", **row)
    terminal.keep("breaks", subject="AP 9", message="Row 9 is not matched.", **row)
    told = terminal.run("explain", "no:1", "--json").json()
    assert (told["document_no"], told["stands"], told["who_acts"]) == ("2707400", "It settles nothing.", "accounting")
    refused = terminal.run("explain", "no:2", "--json").json()
    assert ("belongs to no document. Row 9" in refused["error"], refused["next_step"]) == (True, "match it.")
    assert "There is no break 3." in terminal.run("explain", "no:3").err


def test_settings_that_are_wrong_are_told_together(terminal: Terminal) -> None:
    terminal.set(SPRINGLINE_VMS__PAGE_SIZE="0", SPRINGLINE_LEDGER__NODES_PER_MUTATION="501")
    ended = terminal.run("check", "--json")
    assert ended.code == 10
    assert "PAGE_SIZE" in ended.json()["error"]
    assert "NODES_PER_MUTATION" in ended.json()["error"]


def test_init_writes_settings_that_check_tells_to_fill_in(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SPRINGLINE_")]:
        monkeypatch.delenv(name)
    assert "run `springline init`" in terminal.run("check").err
    assert terminal.run("init").code == 0
    ended = terminal.run("check", "--json")
    assert (ended.code, "line 1, " in ended.err) == (10, False)
    assert '[vms] client_id = "<client id>": still holds <client id> of the example' in ended.json()["error"]
    assert (terminal.run("init").code, "nothing was written" in terminal.run("init", "--json").out) == (2, True)


@pytest.mark.parametrize(("side", "name"), [("ledger", "currencies"), ("vms", "Currency")])
def test_a_seed_that_is_no_text_is_told_by_file_and_line(side: str, name: str, terminal: Terminal) -> None:
    (terminal.folder / side).mkdir()
    (terminal.folder / side / f"{name}.jsonl").write_bytes(b'\n{"code": "\xe5"}\n')
    ended = terminal.run("sandbox", "--seed", str(terminal.folder))
    assert (ended.code, f"{name}.jsonl" in ended.err, "Traceback" in ended.err) == (10, True, False)


@pytest.mark.parametrize(
    "command", [("check",), ("run", "documents"), ("preflight",), ("adopt", "--before", "2026-01-01")]
)
def test_a_proxy_that_cannot_be_used_is_named_in_one_line(command: tuple[str, ...], terminal: Terminal) -> None:
    terminal.set(ALL_PROXY="socks5://127.0.0.1:1080")
    ended = terminal.run(*command)
    assert (ended.code, "ALL_PROXY names a SOCKS proxy" in ended.err, len(ended.err.splitlines())) == (10, True, 1)
