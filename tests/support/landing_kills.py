"""Lands one world over another again and again, each time in a forked process that kills itself at another point.

Run as ``python -m tests.support.landing_kills FOLDER``; prints one JSON object: the points tried, and for each what was
staged after landing once more. Everything is imported before the first fork, so a kill costs no start.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import structlog
from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient

from pipelines.contracts.vms import DOCUMENTS
from pipelines.extract.land import land
from tests.support.landing import make_context, page, vms_document

BEFORE = page(*(vms_document(number, lines=3) for number in range(6)))
# One line fewer, other texts, one document new, one with no lines left.
AFTER = page(
    vms_document(0, lines=3),
    vms_document(1, lines=2),
    vms_document(2, lines=3, documentText="changed"),
    vms_document(3, lines=0),
    *(vms_document(number, lines=4) for number in range(4, 9)),
)
POINTS = 5


def main(folder: Path) -> None:
    """Try every point and print what came of it."""
    start = folder / "start"
    for name in _in_child(lambda: (_land(start, BEFORE), *sys.modules)).split("', '")[1:-1]:
        # dlt imports half of itself with its first run, which every child would do again.
        if name.startswith("dlt."):
            importlib.import_module(name)
    statements = int(_in_child(lambda: _land(_copied(start, folder / "whole"), AFTER, counting=True)))
    points = sorted({1 + (statements - 1) * place // (POINTS - 1) for place in range(POINTS)})
    found = {}
    for point in points:
        case = _copied(start, folder / f"killed-{point}")
        _in_child(lambda: _land(case, AFTER, kill_at=point), is_killed=True)  # noqa: B023 run at once
        _in_child(lambda: _land(case, AFTER))  # noqa: B023
        found[point] = _staged(case)
    sys.stdout.write(json.dumps({"whole": _staged(folder / "whole"), "killed": found}))


def _copied(source: Path, target: Path) -> Path:
    shutil.copytree(source, target)
    return target


def _in_child(work: Callable[[], object], *, is_killed: bool = False) -> str:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, str(work()).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as stream:
        text = stream.read()
    status = os.waitpid(child, 0)[1]
    if (os.waitstatus_to_exitcode(status) == -signal.SIGKILL) != is_killed:
        raise AssertionError(status)
    return text


def _land(folder: Path, pages: bytes, *, kill_at: int = 0, counting: bool = False) -> int:
    """Land, counting the statements of the merge; die just before the one that is named."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    statements = 0
    whole: Any = DuckDbSqlClient.execute_query

    def watched(self: DuckDbSqlClient, *arguments: Any, **more: Any) -> Iterator[object]:  # noqa: ANN401 dlt's own
        nonlocal statements
        statements += 1
        if statements == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        found: Iterator[object] = whole(self, *arguments, **more)
        return found

    if kill_at or counting:
        DuckDbSqlClient.execute_query = watched  # type: ignore[assignment, method-assign]
    ctx = make_context(folder, batch_id=f"b{os.getpid()}")
    land(ctx, DOCUMENTS, [pages], side="vms")
    ctx.warehouse.close()
    ctx.control.close()
    return statements


def _staged(folder: Path) -> list[list[object]]:
    """Return what the models see: each document with the lines of its own fetch."""
    with duckdb.connect(str(folder / "springline.duckdb"), read_only=True) as connection:
        rows = connection.execute(
            """
            SELECT document_key, document_text, list(line_key ORDER BY position)
            FROM stg_vms.documents LEFT JOIN stg_vms.document_lines USING (document_key, fetch_id)
            GROUP BY ALL ORDER BY document_key
            """
        ).fetchall()
    return [list(row) for row in rows]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
