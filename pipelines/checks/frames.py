"""The tables the suites check, read from the warehouse into Arrow, so that an amount stays a decimal."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

from pipelines.checks.messages import LABEL_COLUMNS
from pipelines.core.errors import CheckError
from pipelines.core.identifiers import is_iban, is_payment_reference, masked_account
from pipelines.stores.rows import rows_of

if TYPE_CHECKING:
    import pyarrow as pa

    from pipelines.stores.rows import Row

# Counted where post.document_checks takes its documents from, so that a join that loses or doubles one is noticed.
OPEN_COUNT = "SELECT count(*) FROM map.open_documents"

# In all of these $held are the keys of documents that are not to be checked (again).
# A row without a key is always read: it is a fault of the model, and the suite has to find it.
DOCUMENTS = """
    SELECT * FROM post.document_checks
    WHERE document_key IS NULL OR document_key NOT IN (SELECT unnest(CAST($held AS BIGINT[])))
    ORDER BY document_key
"""

# Each document with a hash of all that its verdicts follow from.
HASHES = """
    SELECT documents.document_key, hash(documents) || '-' || coalesce(lines.line_hash, 0)
    FROM post.document_checks AS documents
    LEFT JOIN (
        SELECT draft_lines.document_key, sum(hash(draft_lines)) AS line_hash
        FROM post.draft_lines AS draft_lines GROUP BY draft_lines.document_key
    ) AS lines ON documents.document_key = lines.document_key
    WHERE documents.document_key IS NOT NULL
"""

# Each voucher line with what names its document.
LINES = """
    SELECT lines.*, documents.document_no, documents.document_type, documents.partner_name
    FROM post.draft_lines AS lines
    INNER JOIN post.document_checks AS documents ON lines.document_key = documents.document_key
    WHERE lines.document_key NOT IN (SELECT unnest(CAST($held AS BIGINT[])))
    ORDER BY lines.document_key, lines.tr_item_number
"""

# Without the join of LINES, so that a line which that join loses or doubles is noticed.
LINE_COUNT = """
    SELECT count(*) FROM post.draft_lines
    WHERE document_key NOT IN (SELECT unnest(CAST($held AS BIGINT[])))
        AND document_key IN (SELECT document_key FROM post.document_checks)
"""

TOTALS = """
    SELECT * FROM post.draft_totals
    WHERE document_key NOT IN (SELECT unnest(CAST($held AS BIGINT[])))
    ORDER BY document_key
"""


def document_frame(warehouse: duckdb.DuckDBPyConnection, *, known: Collection[int] = ()) -> pa.Table:
    """Return one row per open document that is not ``known``: post.document_checks with the verdicts SQL cannot give.

    Adds ``ok_kid_invalid`` and ``ok_iban_invalid``. The IBAN itself is left out, so that no message can show it;
    ``iban_end`` has what may be shown. Raises CheckError when the table cannot be read.
    """
    import pyarrow as pa  # noqa: PLC0415 an idle run checks nothing

    table = _read(warehouse, DOCUMENTS, held=known)
    if absent := {"x_identifier", "partner_iban"} - set(table.column_names):
        message = f"post.document_checks has no column {', '.join(sorted(absent))}."
        raise CheckError(message, next_step="correct sql/post/document_checks.sql; nothing was sent.")
    ok_kid = _compute(table, "x_identifier", lambda kid: not kid or is_payment_reference(kid))
    ok_iban = _compute(table, "partner_iban", lambda iban: not iban or is_iban(iban))
    iban_end = _compute(table, "partner_iban", lambda iban: masked_account(iban) if iban else None)
    return (
        table.append_column("ok_kid_invalid", pa.array(ok_kid, pa.bool_()))
        .append_column("ok_iban_invalid", pa.array(ok_iban, pa.bool_()))
        .append_column("iban_end", pa.array(iban_end, pa.string()))
        .drop_columns("partner_iban")
    )


def line_frame(warehouse: duckdb.DuckDBPyConnection, *, held: Collection[int]) -> pa.Table:
    """Return one row per voucher line of the documents that are not held; raises CheckError."""
    return _read(warehouse, LINES, held=held)


def total_frame(warehouse: duckdb.DuckDBPyConnection, *, held: Collection[int]) -> pa.Table:
    """Return one row per document that is not held, with counts and sums over its voucher lines; raises CheckError."""
    return _read(warehouse, TOTALS, held=held)


def count_open_documents(warehouse: duckdb.DuckDBPyConnection) -> int:
    """Return how many documents are open, counted where post.document_checks takes them from; raises CheckError."""
    with _reading():
        return int(warehouse.execute(OPEN_COUNT).fetchall()[0][0])


def count_lines(warehouse: duckdb.DuckDBPyConnection, *, held: Collection[int]) -> int:
    """Return how many voucher lines the documents have that are not held; raises CheckError."""
    with _reading():
        return int(warehouse.execute(LINE_COUNT, {"held": list(held)}).fetchall()[0][0])


def open_documents(warehouse: duckdb.DuckDBPyConnection) -> dict[int, Row]:
    """Return by document key what names each open document: the columns of LABEL_COLUMNS; raises CheckError."""
    with _reading():
        rows = rows_of(warehouse.execute(f"SELECT {', '.join(LABEL_COLUMNS)} FROM post.document_checks"))  # noqa: S608
    return {row["document_key"]: row for row in rows}


def document_hashes(warehouse: duckdb.DuckDBPyConnection) -> dict[int, str]:
    """Return by document key a hash of all that its verdicts follow from; raises CheckError."""
    with _reading():
        return dict(warehouse.execute(HASHES).fetchall())


def left_alone(warehouse: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Return by company how many documents are ready and left alone, in the order of companies; raises CheckError."""
    query = "SELECT company_code, ready_count FROM map.left_companies WHERE ready_count > 0 ORDER BY company_code"
    with _reading():
        return dict(warehouse.execute(query).fetchall())


def note_ready(warehouse: duckdb.DuckDBPyConnection, keys: Collection[int]) -> None:
    """Keep the keys of the documents that are ready for as long as the warehouse is open: all a dry run may leave."""
    warehouse.execute("CREATE OR REPLACE TEMP TABLE ready_documents (document_key BIGINT)")
    warehouse.execute("INSERT INTO ready_documents SELECT unnest(CAST($keys AS BIGINT[]))", {"keys": list(keys)})


def noted_ready(warehouse: duckdb.DuckDBPyConnection) -> frozenset[int]:
    """Return the keys that ``note_ready`` has kept; CheckError when it has not."""
    with _reading():
        return frozenset(key for (key,) in warehouse.execute("SELECT document_key FROM ready_documents").fetchall())


def content_hash(warehouse: duckdb.DuckDBPyConnection, table: str) -> str:
    """Return a hash over all rows of a table that does not depend on their order; raises CheckError."""
    # The sum stands beside the exclusive or because two equal rows cancel out in the latter.
    query = f"SELECT count(*), bit_xor(hash(whole_row)), sum(hash(whole_row)) FROM {table} AS whole_row"  # noqa: S608
    with _reading():
        return "-".join(str(value) for value in warehouse.execute(query).fetchall()[0])


def _compute(table: pa.Table, column: str, verdict: Callable[[str | None], object]) -> list[object]:
    """Apply a function once to each of a column's values, and return the result per row."""
    values = table.column(column).to_pylist()
    verdicts = {value: verdict(value) for value in set(values)}
    return [verdicts[value] for value in values]


def _read(warehouse: duckdb.DuckDBPyConnection, query: str, *, held: Collection[int]) -> pa.Table:
    with _reading():
        return warehouse.execute(query, {"held": list(held)}).to_arrow_table()


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        message = f"The tables to check cannot be read: {error}"
        raise CheckError(message, next_step="build the models again; nothing was sent.") from error
