"""While a batch holds the warehouse, questions are answered from the published file, and say so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb
import pytest

from tests.cli.springline import NOWHERE, Terminal
from tests.support.demonstrated import Ended, demonstrate
from tests.support.patience import PATIENCE
from tests.support.published import start

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.system

HOLDER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.readline()
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    return demonstrate(tmp_path_factory)


@pytest.fixture
def terminal(demo: Ended, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    terminal = Terminal(demo.folder, monkeypatch, capsys)
    terminal.set(**NOWHERE, SPRINGLINE_PUBLISHED=str(demo.folder / "published"))
    return terminal


@contextmanager
def held(warehouse: Path) -> Iterator[None]:
    """Hold the warehouse in a process of its own, as a batch does."""
    batch = start(HOLDER, [str(warehouse)])
    assert batch.stdout is not None
    assert batch.stdout.readline() == "held\n"
    try:
        yield
    finally:
        batch.communicate("done\n", timeout=PATIENCE)


def test_a_document_is_explained_from_the_published_file(terminal: Terminal) -> None:
    free = terminal.run("explain", "2706046", "--json").json()
    with held(terminal.folder / "springline.duckdb"):
        busy = terminal.run("explain", "2706046", "--json").json()
    assert (free["as_of"]["origin"], busy["as_of"]["origin"]) == ("warehouse", "published file")
    assert busy["document_no"] == free["document_no"] == "2706046"
    assert "86011117947" not in json.dumps(busy)


@pytest.mark.parametrize("command", ["status", "breaks list", "explain F-881", "explain 2708001", "explain 2707025"])
def test_the_first_screen_fits_a_terminal(terminal: Terminal, command: str) -> None:
    terminal.width = 80
    lines = terminal.run(*command.split()).out.splitlines()
    assert 10 < len(lines) <= 24
    assert max(map(len, lines)) <= 80
    # Only the last column of a voucher's lines, their text, is cut, and shows that it is.
    assert all("…" not in line.rstrip()[:-1] for line in lines if not line.lstrip().startswith("… and "))


def test_a_payment_is_found_by_all_its_names(terminal: Terminal) -> None:
    with duckdb.connect(str(terminal.folder / "springline.duckdb"), read_only=True) as tables:
        (*names, key) = tables.execute(
            "SELECT min(document_no), payment_db_id, min(voucher_no), min(document_key) FROM ctl.payments INNER JOIN "
            "map.subledger_rows ON payment_db_id = row_db_id GROUP BY payment_db_id HAVING count(*) = 1 LIMIT 1"
        ).fetchall()[0]
    assert {terminal.run("explain", str(name), "--json").json()["document_key"] for name in names} == {key}


def test_the_file_can_be_asked_while_a_batch_runs(terminal: Terminal) -> None:
    with held(terminal.folder / "springline.duckdb"):
        rows = terminal.run("query", "SELECT count(*) AS n FROM rec.documents", "--json").json()["rows"]
    assert rows[0]["n"] > 500
