"""Documents landed with plain dlt, as its documentation shows it: dicts from JSON, merged by their key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt


def work(pages: Path, database: Path) -> None:
    """Land all pages; amounts are floats, as `json` and dlt's REST client make them."""
    land(pages, database, number=float)


def land(pages: Path, database: Path, *, number: type) -> None:
    """Land all pages, with numbers of a type."""

    def rows() -> Iterator[list[dict[str, Any]]]:
        for page in sorted(pages.iterdir()):
            yield json.loads(page.read_bytes(), parse_float=number)

    pipeline = dlt.pipeline(
        "peer",
        pipelines_dir=str(database.parent / "pipelines"),
        destination=dlt.destinations.duckdb(str(database)),
        dataset_name="vms",
    )
    pipeline.run(rows(), table_name="documents", write_disposition="merge", primary_key="key").raise_on_failed_jobs()
