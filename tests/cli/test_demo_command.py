"""What the demonstration does before it starts, and the settings file it leaves."""

from __future__ import annotations

import json
import sys
import tomllib
from io import StringIO
from pathlib import Path

import pytest
from pydantic import SecretStr
from rich.console import Console

from pipelines.core.errors import SpringlineError
from pipelines.core.settings import Settings, load_settings
from pipelines.core.settings_books import CompanySettings
from pipelines.core.settings_systems import LedgerSettings, VmsSettings
from pipelines.demo import runs
from pipelines.demo.compare import Comparison
from pipelines.demo.left import leave_commands
from pipelines.demo.play import TODAY, DemoResult
from pipelines.demo.show import EVERYTHING, keep_everything, show_demo
from tests.cli.springline import Terminal


def test_a_folder_of_somebody_else_is_not_emptied(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    # The command sets both for its process, which is that of all tests here; so they are put back behind it.
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "*")
    mine = terminal.folder / "demo" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("kept")
    ended = terminal.run("demo", "--json")
    assert (ended.code, ended.json()["exit_code"], mine.read_text()) == (2, 2, "kept")


def test_the_settings_that_it_leaves_are_the_ones_it_had(tmp_path: Path) -> None:
    given = Settings(
        warehouse=Path("springline.duckdb"),
        vms=VmsSettings(base_url="http://127.0.0.1:1/ws/rest", username="u", password=SecretStr("hidden")),
        ledger=LedgerSettings(url="http://127.0.0.1:1/graphql", token=SecretStr("none")),
        companies=(CompanySettings(code="28601", owner=28601),),
    )
    leave_commands(tmp_path, given)
    file = tmp_path / "springline.toml"
    assert "hidden" not in file.read_text("utf-8")
    secrets = {"SPRINGLINE_VMS__PASSWORD": "hidden", "SPRINGLINE_LEDGER__TOKEN": "none"}
    read = load_settings(file, environ=secrets)
    assert read.model_dump() == given.model_dump()
    assert tomllib.loads(file.read_text("utf-8"))["companies"] == [{"code": "28601", "owner": 28601}]


class Told:
    """Keeps what it is told of."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, str, int, int]] = []
        self._job = ""

    def title(self, text: str, done: int, total: int) -> None: ...

    def begin(self, job: str, step: str) -> None:
        assert step
        self._job = job

    def report(self, what: str, done: int, total: int) -> None:
        self.steps.append((self._job, what, done, total))


def run_of(monkeypatch: pytest.MonkeyPatch, folder: Path, code: str, watcher: Told) -> dict[str, object]:
    """Run a program in the place of `springline run`."""
    monkeypatch.setattr(runs, "_COMMAND", (sys.executable, "-c", code))
    return runs.run_jobs(folder, environ={}, today=TODAY, watcher=watcher, options=())


def test_a_watcher_is_told_of_each_step_and_the_log_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    event = {"event": "step_begun", "job": "rates", "step": "note breaks", "before": 2, "steps": 4}
    code = f"""import sys
print("a library warns", file=sys.stderr)
print({json.dumps(event)!r}, file=sys.stderr)
print('{{"jobs": {{}}}}')"""
    watcher = Told()
    assert run_of(monkeypatch, tmp_path, code, watcher) == {"jobs": {}}
    assert watcher.steps == [("rates", "note breaks", 2, 4)]
    assert "a library warns" in (tmp_path / runs.LOG).read_text("utf-8")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise SystemExit(3)", "ended with exit code 3 and said nothing. Next: see runs.log"),
        ('print(\'{"error": "No room.", "next_step": "make some."}\')', "No room. Next: make some."),
    ],
)
def test_a_run_that_could_not_begin_is_told(
    code: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SpringlineError) as raised:
        run_of(monkeypatch, tmp_path, code, Told())
    assert words in str(raised.value)


def test_a_demonstration_that_went_wrong_says_how(tmp_path: Path) -> None:
    nothing = Comparison(counts=(), results=(), held=(), rejected=(), differences=())
    differences = tuple(f"rates: day {number} differs" for number in range(7))
    result = DemoResult(({"sent": {}, "problems": []},) * 4, 0, nothing, differences, tmp_path)
    out = StringIO()
    show_demo(result, Console(file=out, width=80, soft_wrap=True))
    first, *named = out.getvalue().splitlines()[:7]
    assert first.startswith("Both sides do not agree")
    assert named == [*(f"DIFFERENT: {difference}" for difference in differences[:5]), "… and 2 more."]
    keep_everything(result)
    assert all(difference in (tmp_path / EVERYTHING).read_text("utf-8") for difference in differences)
