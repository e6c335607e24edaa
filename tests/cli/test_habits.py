"""What people expect of any command line: -h, -v, -q, pipes that close, Ctrl-C, letters, and disks without room."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
import typer

from pipelines.cli.app import app
from pipelines.cli.common import Screen
from pipelines.reference.commands import every_command
from pipelines.steering import steer
from pipelines.stores.control import Control
from pipelines.stores.opening import open_for_question
from pipelines.stores.request_counts import RequestCounts
from tests.cli.springline import NOWHERE, Terminal

COMMANDS = [name.split()[1:] for name, _ in every_command(typer.main.get_group(app))]
Process = tuple[int, bytes, bytes]
PARTNER = "Ærø Østersøens Skibsmægleri"


def start(terminal: Terminal, *arguments: str, stdout: int | IO[bytes] = subprocess.PIPE, **environ: str) -> Process:
    """Run a command in a process of its own, and give how it ended and the bytes it wrote."""
    done = subprocess.run(  # noqa: S603 our own module
        [sys.executable, "-m", "pipelines.cli.app", *arguments],
        stdout=stdout,
        stderr=subprocess.PIPE,
        check=False,
        cwd=terminal.folder,
        env={**os.environ, **NOWHERE, "PYTHONPATH": str(Path(__file__).parents[2]), **environ},
    )
    return done.returncode, done.stdout, done.stderr


def keep_hold(terminal: Terminal, words: str = "document has no lines. In the VMS, enter them.") -> None:
    message = f"INI 2707400 ({PARTNER}): {words}"
    terminal.keep("holds", company="28601", document_key=1, document_no="2707400", rule="no_lines", message=message)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_help_fits_80_columns(words: list[str], terminal: Terminal) -> None:
    terminal.set(COLUMNS="80", TERMINAL_WIDTH="80")
    shown = terminal.run(*words, "-h").out
    assert max(map(len, shown.splitlines())) <= 80
    assert not [line for line in shown.splitlines()[1:] if line.endswith("...")]
    assert all(option in shown for option in ("-v, --verbose", "-q, --quiet", "-h, --help"))


def test_verbose_and_quiet_together_are_refused(terminal: Terminal) -> None:
    ended = terminal.run("status", "-v", "-q")
    assert (ended.code, "leave one of them out" in ended.err) == (2, True)


def test_completion_knows_the_commands(terminal: Terminal) -> None:
    code, out, _ = start(terminal, _SPRINGLINE_COMPLETE="complete_bash", COMP_WORDS="springline pre", COMP_CWORD="1")
    assert (code, out.split()) == (0, [b"preflight"])


@pytest.mark.parametrize("words", [["--version"], ["status", "--json"]], ids=" ".join)
def test_a_reader_that_has_gone_is_no_error(words: list[str], terminal: Terminal) -> None:
    keep_hold(terminal, "x" * 100_000)
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as gone:
        code, _, complaint = start(terminal, *words, stdout=gone)
    assert (code, complaint) == (141, b"")


def test_ctrl_c_ends_with_one_line_and_130(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(steer, "steer", stop)
    ended = terminal.run("hold", "2707400", "--reason", "price disputed")
    assert (ended.code, ended.out, len(ended.err.splitlines())) == (130, "", 1)


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_letters_of_any_name_are_written_as_utf_8(options: list[str], terminal: Terminal) -> None:
    keep_hold(terminal, f"{PARTNER} has sent no lines. In the VMS, enter them.")
    code, out, err = start(terminal, "status", "--full", *options, LC_ALL="C", PYTHONIOENCODING="ascii", COLUMNS="200")
    assert (code, err) == (0, b"")
    assert PARTNER in out.decode("utf-8")


def test_an_output_on_a_full_disk_ends_with_18(terminal: Terminal) -> None:
    with Path("/dev/full").open("wb") as full:
        code, _, err = start(terminal, "status", stdout=full)
    assert (code, err.startswith(b"A disk is full: "), b"Traceback" in err) == (18, True, False)


def test_a_control_store_on_a_full_disk_is_told(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_hold(terminal)
    fill(monkeypatch)
    # The pages that the store has take some more.
    endings = (terminal.run("hold", f"27074{number:02}", "--reason", "x" * 400, "--json") for number in range(50))
    ended = next(one for one in endings if one.code)
    assert ended.code == ended.json()["exit_code"] == 18
    assert "A disk is full" in ended.json()["error"]
    assert f"{terminal.folder} has " in ended.json()["error"]
    assert "Traceback" not in ended.err


def fill(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the control store have no page more than it has."""
    set_up = Control._set_up

    def without_room(control: Control) -> None:
        set_up(control)
        control._connection.execute("PRAGMA max_page_count = 1")

    monkeypatch.setattr(Control, "_set_up", without_room)


@pytest.fixture
def locked(terminal: Terminal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """Give a terminal of somebody who may read the stores' folder and not write it."""
    keep_hold(terminal)
    terminal.folder.chmod(0o555)
    (terminal.folder / "springline.ctl.sqlite").chmod(0o444)
    # Nothing is closed to root, so the test becomes nobody for a while; pytest's folders let only their owner through.
    is_root, base = os.geteuid() == 0, tmp_path_factory.getbasetemp()
    above = [folder for folder in (*terminal.folder.parents,) if folder.is_relative_to(base.parent)]
    modes = [folder.stat().st_mode for folder in above]
    if is_root:
        for folder in above:
            folder.chmod(0o755)
        os.seteuid(65534)
    yield terminal
    if is_root:
        os.seteuid(0)
    for folder, mode in zip(above, modes, strict=True):
        folder.chmod(mode)
    terminal.folder.chmod(0o755)


READING = [["status"], ["explain", "2707400"], ["breaks", "list"]]


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_questions_need_no_right_to_write(words: list[str], locked: Terminal) -> None:
    before = sorted(locked.folder.iterdir())
    ended = locked.run(*words, "--json")
    assert ended.code == 0
    assert sorted(locked.folder.iterdir()) == before
    if words != ["breaks", "list"]:
        assert PARTNER in json.dumps(ended.json(), ensure_ascii=False)


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_questions_leave_nothing_behind(words: list[str], terminal: Terminal) -> None:
    keep_hold(terminal)
    (terminal.folder / "springline.ctl.sqlite").rename(terminal.folder / "kept")
    terminal.run(*words)
    assert [path.name for path in terminal.folder.iterdir()] == ["kept"]


def test_a_decision_in_a_folder_that_may_not_be_written_says_so(locked: Terminal) -> None:
    ended = locked.run("hold", "2707400", "--reason", "price disputed")
    assert ended.code == 10
    assert ended.err.startswith("This user may not read or write a file: ")
    assert "springline.ctl.sqlite" in ended.err
    assert "Traceback" not in ended.err


def test_requests_that_cannot_be_counted_do_not_keep_the_answer_back(locked: Terminal) -> None:
    control = open_for_question(locked.folder / "springline.ctl.sqlite")
    counts = RequestCounts(control, month="2026-11")
    counts.count("ledger", "suppliers")
    counts.save("preflight")
    rows = control.read("SELECT count(*) FROM requests")
    control.close()
    assert [tuple(row) for row in rows] == [(0,)]


def test_help_imports_nothing_that_only_a_command_needs() -> None:
    heavy = "{'pydantic', 'duckdb', 'httpx', 'dlt', 'pandas', 'great_expectations'} & sys.modules.keys()"
    code = f"import sys; from pipelines.cli.app import app; print({heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 ours
    assert done.stdout == "set()\n"


@pytest.mark.parametrize("name", ["COLUMNS", "LINES"])
@pytest.mark.parametrize("value", ["²", "٣", "", "-1", "x", "9" * 5_000])
def test_a_width_that_is_none_is_left_aside(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    assert Screen().size == Screen().size


@pytest.mark.parametrize("words", [["explain"], ["hold", "--reason", "x"], ["query"], ["backup"], ["init"]])
def test_a_word_that_is_not_utf_8_is_told(words: list[str], terminal: Terminal) -> None:
    ended = terminal.run(*words, "a\udcff")
    assert (ended.code, ended.err.startswith("a\\udcff is not UTF-8. Next: ")) == (2, True)


@pytest.mark.parametrize("words", [["init"], ["init", "x"], ["status"], ["query"], ["check"]])
def test_a_folder_that_is_gone_is_told(words: list[str], terminal: Terminal) -> None:
    gone = terminal.folder / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    ended = terminal.run(*words)
    os.chdir(terminal.folder)
    assert (ended.code, "is gone. Next: " in ended.err) == (10, True)


def test_a_check_needs_no_right_to_write(locked: Terminal) -> None:
    before = sorted(locked.folder.iterdir())
    locked.set(SPRINGLINE_VMS__ATTEMPTS="1", SPRINGLINE_LEDGER__ATTEMPTS="1")
    ended = locked.run("check", "--json")
    assert "checks" in ended.json()
    assert sorted(locked.folder.iterdir()) == before
