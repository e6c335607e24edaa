"""The models built by dbt-core with dbt-duckdb, each a table."""

from __future__ import annotations

from pathlib import Path

from tests.bench.peers.dbt_run import build


def work(project: Path, _database: Path) -> None:
    """Build all models."""
    build(project)
