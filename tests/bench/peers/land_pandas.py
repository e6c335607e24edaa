"""Documents landed with pandas and DuckDB as an experienced developer would write it: three tables, merged by key."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path

import duckdb
import pandas as pd

CHILDREN = {"lines": "documentLines", "terms": "documentPaymentTerms"}


def work(pages: Path, database: Path) -> None:
    """Land all pages; amounts are floats, as pandas has them."""
    land(pages, database, number=float)


def land(pages: Path, database: Path, *, number: type) -> None:
    """Land all pages at once, with numbers of a type."""
    found = (json.loads(page.read_bytes(), parse_float=number) for page in sorted(pages.iterdir()))
    rows = list(chain.from_iterable(found))
    tables = {
        name: pd.json_normalize(rows, record_path=member, meta="key", meta_prefix="document.")
        for name, member in CHILDREN.items()
    }
    lines = tables["lines"]
    lines["vesselCode"] = lines.pop("voyage.vessel.vesselCodes").str[0].str.get("vesselCode")
    documents = pd.json_normalize(rows).drop(columns=list(CHILDREN.values()))
    documents["countryCode"] = (
        documents.pop("businessPartner.addresses").str[0].str.get("country").str.get("countryCode")
    )
    with duckdb.connect(str(database)) as connection:
        connection.begin()
        for name, table in {"documents": documents, **tables}.items():
            connection.register("landed", table)
            key = "document.key" if name in CHILDREN else "key"
            connection.execute(f"CREATE TABLE IF NOT EXISTS {name} AS SELECT * FROM landed LIMIT 0")  # noqa: S608
            connection.execute(f'DELETE FROM {name} WHERE "{key}" IN (SELECT "{key}" FROM landed)')  # noqa: S608
            connection.execute(f"INSERT INTO {name} BY NAME SELECT * FROM landed")  # noqa: S608 our own names
        connection.commit()
