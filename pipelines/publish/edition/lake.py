"""The published tables in the readers' lake: what the published file holds, with its comments and its views."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.core.literals import literal
from pipelines.publish.edition.database import statements_of_view
from pipelines.publish.edition.parts import PublishedTable, tables_of
from pipelines.stores.lake.attach import READERS
from pipelines.stores.lake.held import LakeTable
from pipelines.stores.lake.write import write_lake

if TYPE_CHECKING:
    import duckdb

    from pipelines.publish.edition.contents import Texts

EDITION = "edition"


def write_readers(warehouse: duckdb.DuckDBPyConnection, file: Path, *, texts: Texts, batch_id: str) -> int:
    """Bring the attached lake to what a published file holds, in one transaction; return the tables written.

    Columns of views have no comments there: DuckLake keeps none.
    """
    warehouse.execute(f"ATTACH {literal(file)} AS {EDITION} (READ_ONLY)")
    try:
        tables = {table.ref: _as_lake_table(table) for table in tables_of(warehouse, EDITION)}
        views = {ref: statements_of_view(ref, text)[:2] for ref, text in texts.items() if text.query}
        return write_lake(warehouse, tables, lake=READERS, batch_id=batch_id, database=EDITION, views=views)
    finally:
        warehouse.execute(f"DETACH {EDITION}")


def _as_lake_table(table: PublishedTable) -> LakeTable:
    texts = json.loads(table.texts)
    comments = [("", texts["about"]), *texts["columns"].items()]
    return LakeTable(table.ref, table.columns, [(name, words) for name, words in comments if words is not None])
