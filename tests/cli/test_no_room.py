"""Every command where nothing can be written: in a folder that is closed, and on a disk without room. None crashes."""

from __future__ import annotations

import importlib
import pkgutil
import resource
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

import pipelines
from tests.cli.springline import Terminal
from tests.cli.test_habits import COMMANDS, keep_hold, locked

__all__ = ["locked"]
pytestmark = pytest.mark.system

# What a command needs beside its name. Those that serve until somebody stops them have tests of their own.
WORDS: Mapping[str, str] = {
    "run": "rates",
    "status": "",
    "backup": "copy.sqlite",
    "hold": "2707400 --reason x",
    "release": "2707400 --reason x",
    "ignore": "2707400 --reason x",
    "retry": "2707400 --reason x",
    "explain": "2707400",
    "preflight": "",
    "query": "",
    "verify": "",
    "restore": "springline.ctl.sqlite",
    "rebuild": "",
    "confirm": "--reason x",
    "control copy": "other.ctl.sqlite",
    "control systems": "--moved",
    "init": "",
    "check": "",
    "adopt": "--before 2026-10-01 --acknowledge",
    "alerts list": "",
    "alerts tell": "",
    "alerts test": "",
    "breaks list": "",
    "breaks accept": "1 --reason x",
    "breaks reopen": "1 --reason x",
    "breaks comment": "1 --text x",
    "breaks ignore-subject": "supplier 60502 --reason x",
    "breaks restore-subject": "supplier 60502 --reason x",
    "breaks ignored": "",
    "close": "2026-10",
    "close reopen": "2026-10 --reason x",
    "webhooks register": "",
    "webhooks list": "",
    "webhooks verify": "",
    "webhooks remove": "",
}
# `models` reads the release alone, for ten seconds.
OTHERS = {"watch", "sandbox", "demo", "models"}
NO_WAITING = {"SPRINGLINE_VMS__ATTEMPTS": "1", "SPRINGLINE_LEDGER__ATTEMPTS": "1"}


@pytest.fixture(autouse=True, scope="module")
def at_home() -> None:
    """Import all that a command may need: nobody, whom a test becomes for a while, may not read root's own Python."""
    "".encode("idna")
    for module in pkgutil.walk_packages(pipelines.__path__, "pipelines."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


@contextmanager
def no_room() -> Iterator[None]:
    """Let no file of this process grow beyond its first page, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def test_every_command_is_tried() -> None:
    assert {" ".join(words) for words in COMMANDS} - OTHERS == WORDS.keys()


@pytest.mark.parametrize("command", WORDS)
def test_a_closed_folder_crashes_nothing(locked: Terminal, command: str) -> None:
    locked.set(**NO_WAITING)
    told(locked, command)


@pytest.mark.parametrize("command", WORDS)
def test_a_disk_without_room_crashes_nothing(terminal: Terminal, command: str) -> None:
    keep_hold(terminal)
    terminal.set(**NO_WAITING)
    with no_room():
        told(terminal, command)


def told(terminal: Terminal, command: str) -> None:
    """Run a command; what it cannot do it says in words, with what to do."""
    ended = terminal.run(*command.split(), *WORDS[command].split())
    assert "Traceback" not in ended.err
    # 1 is a fault of Springline.
    assert ended.code != 1, ended.err
    # A check says what to do below its table.
    assert ended.code == 0 or command == "check" or "Next: " in ended.err + ended.out, ended
