"""The checks run again when anything they follow from has changed, and not otherwise."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from pipelines.checks.frames import document_hashes
from pipelines.checks.hold import update_holds
from pipelines.checks.run import fingerprint
from pipelines.checks.verdicts import CheckResult
from tests.expectations.world import World, document, voucher
from tests.support.patience import PATIENCE

# Another process, since this one may have imported Great Expectations for other tests.
SCRIPT = """
import sys
from pathlib import Path
from pipelines.checks.hold import update_holds
from pipelines.checks.run import run_checks
from tests.expectations.world import World

world = World(Path(sys.argv[1]))
ready = update_holds(world.ctx, run_checks(world.ctx))
heavy = [name for name in ("great_expectations", "pandas", "pyarrow") if name in sys.modules]
sys.stdout.write(f"{sorted(ready)} {heavy}")
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.put(document(1), document(2))
    yield world
    world.close()


def _run(folder: Path) -> str:
    command = [sys.executable, "-c", SCRIPT, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE)  # noqa: S603 ours
    return done.stdout.splitlines()[-1]


def test_the_order_of_rows_does_not_matter(world: World) -> None:
    before = fingerprint(world.ctx)
    world.put(document(2), document(1), lines=voucher(2) + voucher(1))
    assert fingerprint(world.ctx) == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE post.document_checks SET ok_no_lines = FALSE WHERE document_key = 1",
        "UPDATE post.document_checks SET partner_name = 'Nordic Agency ASA' WHERE document_key = 1",
        "UPDATE post.draft_lines SET text = 'x' WHERE document_key = 1",
        "INSERT INTO post.draft_lines SELECT * FROM post.draft_lines",
        "DELETE FROM map.open_documents WHERE document_key = 1",
    ],
)
def test_a_changed_value_changes_the_fingerprint(world: World, statement: str) -> None:
    before = fingerprint(world.ctx)
    world.warehouse.execute(statement)
    assert fingerprint(world.ctx) != before


def test_another_day_changes_the_fingerprint(world: World) -> None:
    assert fingerprint(replace(world.ctx, today=date(2026, 11, 3))) != fingerprint(world.ctx)


def test_an_unchanged_world_is_not_checked_again(world: World, tmp_path: Path) -> None:
    update_holds(world.ctx, CheckResult({}, 2, fingerprint(world.ctx), document_hashes(world.ctx.warehouse)))
    world.close()
    assert _run(tmp_path) == "[1, 2] []"


def test_nothing_open_is_nothing_to_check(world: World, tmp_path: Path) -> None:
    world.put()
    world.close()
    assert _run(tmp_path) == "[] []"
