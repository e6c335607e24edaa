"""Keeps what a bench measured in docs/performance, a file a bench, with when, at which commit and on what.

A table is a list of rows. A column is named as the page heads it, and its last word is the unit: seconds (`s`), `MB`,
or how many times as much as something else (`times`).
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from tests.bench.desk import say
from tests.support.sandbox_server import REPOSITORY

FOLDER = REPOSITORY / "docs" / "performance"
PEERS = Path(__file__).with_name("peers")
PACKAGES = ("duckdb", "dlt", "pyarrow", "sqlglot")

Row = Mapping[str, str | float | None]
Tables = Mapping[str, Sequence[Row]]


class Kept(NamedTuple):
    """What a bench measured last: its tables by name, and what they were measured on."""

    measured_at: str
    commit: str
    is_full: bool
    machine: Mapping[str, str | float]
    versions: Mapping[str, str]
    tables: Tables


def keep(bench: str, tables: Tables, *, is_full: bool = False, peers: Sequence[str] = ()) -> None:
    """Keep what a bench measured in place of what it measured before, but not less than a full one in place of that.

    ``peers`` name the environments whose versions count as well.
    """
    path = FOLDER / f"{bench}.json"
    if not is_full and path.exists() and read(path).is_full:
        say(f"not kept: {path.name} has what --full measured")
        return
    versions = {"Python": platform.python_version(), **{name: version(name) for name in PACKAGES}, **_pinned(peers)}
    made = Kept(f"{datetime.now(UTC):%Y-%m-%d}", _commit(), is_full, _machine(), versions, tables)
    FOLDER.mkdir(exist_ok=True)
    path.write_text(json.dumps(made._asdict(), indent=1) + "\n", "utf-8")


def read(path: Path) -> Kept:
    """Read what was kept."""
    return Kept(**json.loads(path.read_text("utf-8")))


def read_all() -> dict[str, Kept]:
    """Read all that was kept, by the bench."""
    return {path.stem: read(path) for path in sorted(FOLDER.glob("*.json"))}


def _pinned(peers: Sequence[str]) -> dict[str, str]:
    lines = [line for name in peers for line in (PEERS / f"{name}.txt").read_text("utf-8").splitlines()]
    return dict(line.split("==", 1) for line in lines if "==" in line)


def _commit() -> str:
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty=+"],  # noqa: S607 the bench runs in a checkout
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return found.stdout.strip() or "no checkout"


def _machine() -> dict[str, str | float]:
    """Tell the processor, how many of it, the memory, and how many processes wanted one over the last 15 minutes."""
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": model,
        "cores": len(os.sched_getaffinity(0)),
        "memory GB": round(memory / 2**30),
        "wanted": round(os.getloadavg()[2], 1),
    }
