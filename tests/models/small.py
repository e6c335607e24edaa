"""Two staging tables and a few models over them, for tests of how models are read, verified, built and shown."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from pipelines.core.table_ref import TableRef
from pipelines.models.external import create_tables
from pipelines.models.model import Catalog, Columns
from pipelines.models.read import parse_models
from pipelines.models.sources import Source
from pipelines.models.verify import verify

DOCUMENTS = TableRef("stg_vms", "documents")
LINES = TableRef("stg_vms", "document_lines")
OUTBOX = TableRef("ctl", "outbox")

EXTERNAL: Mapping[TableRef, Columns] = {
    DOCUMENTS: {
        "document_key": "BIGINT",
        "document_no": "VARCHAR",
        "amount": "DECIMAL(38,18)",
        "document_date": "DATE",
    },
    LINES: {"document_key": "BIGINT", "line_key": "BIGINT", "amount": "DECIMAL(38,18)"},
    OUTBOX: {"document_key": "BIGINT", "state": "VARCHAR"},
}

ROUNDED = """\
-- One document with its amount in minor units. Rounded once.
-- grain: document_key
SELECT
    documents.document_key,  -- the VMS's key
    documents.document_no,
    CAST(ROUND(documents.amount, 2) AS DECIMAL(18, 4)) AS amount  -- in document currency
FROM stg_vms.documents AS documents
"""

TOTALS = """\
-- One document with what its lines come to.
-- grain: document_key
WITH totals AS (
    SELECT
        document_key,
        SUM(amount) AS total
    FROM stg_vms.document_lines
    GROUP BY document_key
)

SELECT
    rounded.document_key,
    rounded.amount,
    totals.total,  -- of the lines
    rounded.amount - totals.total AS difference
FROM map.rounded AS rounded
LEFT JOIN totals
    ON rounded.document_key = totals.document_key
"""

KEPT = """\
-- One document that was sent or is about to be.
-- grain: document_key
-- keep: document_key IN (SELECT document_key FROM ctl.outbox
--       WHERE state = 'sent')
SELECT
    document_key,
    amount
FROM map.rounded
"""

SMALL = {"map.rounded": ROUNDED, "post.totals": TOTALS, "post.kept": KEPT}


def source(name: str, sql: str) -> Source:
    """Return a model's text as if it lay in sql/."""
    ref = TableRef.parse(name)
    return Source(ref, f"sql/{ref.schema}/{ref.name}.sql", sql)


def catalog(models: Mapping[str, str] | None = None, *, external: Mapping[TableRef, Columns] = EXTERNAL) -> Catalog:
    """Read and verify models given by name."""
    given = SMALL if models is None else models
    return verify(parse_models(source(name, sql) for name, sql in given.items()), external)


def warehouse(external: Mapping[TableRef, Columns] = EXTERNAL) -> duckdb.DuckDBPyConnection:
    """Return a database in memory with the external tables and two documents."""
    connection = duckdb.connect()
    create_tables(connection, external)
    connection.execute(
        "INSERT INTO stg_vms.documents VALUES (1, '2707400', 12.345, '2026-11-02'), (2, '2707401', 7, '2026-11-03')"
    )
    connection.execute("INSERT INTO stg_vms.document_lines VALUES (1, 11, 10), (1, 12, 2.345)")
    return connection
