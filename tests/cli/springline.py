"""Runs the command line inside the test, over stores in a folder, as somebody at a terminal would."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from pipelines.cli.app import main
from pipelines.cli.common import out
from pipelines.stores.control import Control
from tests.support.control_rows import keep_row

if TYPE_CHECKING:
    from pathlib import Path

# Nothing listens there: these commands need the control store alone.
NOWHERE: Mapping[str, str] = {
    "SPRINGLINE_VMS__BASE_URL": "http://127.0.0.1:9/ws/rest",
    "SPRINGLINE_VMS__TOKEN_URL": "http://127.0.0.1:9/token",
    "SPRINGLINE_VMS__CLIENT_ID": "nobody",
    "SPRINGLINE_VMS__CLIENT_SECRET": "none",
    "SPRINGLINE_LEDGER__URL": "http://127.0.0.1:9/graphql",
    "SPRINGLINE_LEDGER__TOKEN": "none",
    "SPRINGLINE_OPERATOR": "kari",
}


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit code and what it printed."""

    code: int
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        """Read what --json printed; anything else on stdout is a fault."""
        return dict(json.loads(self.out))


class Terminal:
    """A terminal in a folder of its own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        monkeypatch.chdir(folder)
        self.folder = folder
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        self.set(**NOWHERE, SPRINGLINE_WAREHOUSE=str(folder / "springline.duckdb"))
        self.width = 120

    @property
    def width(self) -> int:
        """How many columns it has, whatever the terminal in which the tests run."""
        return out.width

    @width.setter
    def width(self, columns: int) -> None:
        self._monkeypatch.setattr(out, "width", columns)

    def set(self, **environ: str) -> None:
        for name, value in environ.items():
            self._monkeypatch.setenv(name, value)

    def run(self, *arguments: str) -> Ended:
        self._monkeypatch.setattr(sys, "argv", ["springline", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = self._capsys.readouterr()
        return Ended(int(ended.value.code or 0), shown.out, shown.err)

    def control(self) -> Control:
        return Control(self.folder / "springline.ctl.sqlite")

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        control = self.control()
        try:
            return [tuple(row) for row in control.read(statement)]
        finally:
            control.close()

    def keep(self, table: str, **columns: object) -> None:
        """Put a row into the control store."""
        control = self.control()
        try:
            keep_row(control, table, **columns)
        finally:
            control.close()


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Terminal]:
    yield Terminal(tmp_path, monkeypatch, capsys)
    # A command sends its log to the stream that pytest has put in place for this test alone.
    structlog.reset_defaults()
