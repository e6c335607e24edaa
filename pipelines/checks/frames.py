"""The tables the suites check, read from the warehouse into Arrow, so that an amount stays a decimal."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

from pipelines.core.errors import CheckError
from pipelines.core.identifiers import is_iban, is_payment_reference, masked_account
from pipelines.stores.control import named_statements
from pipelines.stores.rows import number_of, rows_of

if TYPE_CHECKING:
    import pyarrow as pa

    from pipelines.stores.rows import Row


def document_frame(warehouse: duckdb.DuckDBPyConnection, *, known: Collection[int] = ()) -> pa.Table:
    """Return one row per open document that is not ``known``: post.document_checks with the verdicts SQL cannot give.

    Adds ``ok_kid_invalid`` and ``ok_iban_invalid``. The IBAN itself is left out, so that no message can show it;
    ``iban_end`` has what may be shown. Raises CheckError when the table cannot be read.
    """
    import pyarrow as pa  # noqa: PLC0415 an idle run checks nothing

    table = read_table(warehouse, "documents", held=known)
    if absent := {"x_identifier", "partner_iban"} - set(table.column_names):
        message = f"post.document_checks has no column {', '.join(sorted(absent))}."
        raise CheckError(message, next_step="nothing was sent; go back to the release before and report it.")
    # Nothing given is no fault here: whether a KID or an IBAN is needed is another rule's question.
    ok_kid = _compute(table, "x_identifier", lambda kid: not kid or is_payment_reference(kid))
    ok_iban = _compute(table, "partner_iban", lambda iban: not iban or is_iban(iban))
    iban_end = _compute(table, "partner_iban", lambda iban: masked_account(iban) if iban else None)
    return (
        table.append_column("ok_kid_invalid", pa.array(ok_kid, pa.bool_()))
        .append_column("ok_iban_invalid", pa.array(ok_iban, pa.bool_()))
        .append_column("iban_end", pa.array(iban_end, pa.string()))
        .drop_columns("partner_iban")
    )


def read_table(warehouse: duckdb.DuckDBPyConnection, name: str, *, held: Collection[int]) -> pa.Table:
    """Return what a statement of sql/steps/checks.sql gives for the documents that are not held; raises CheckError."""
    with _reading():
        return warehouse.execute(_statement(name), [list(held)]).to_arrow_table()


def count_open_documents(warehouse: duckdb.DuckDBPyConnection) -> int:
    """Return how many documents are open, counted where post.document_checks takes them from; raises CheckError."""
    with _reading():
        return number_of(warehouse.execute(_statement("open_count")))


def count_lines(warehouse: duckdb.DuckDBPyConnection, *, held: Collection[int]) -> int:
    """Return how many voucher lines the documents have that are not held; raises CheckError."""
    with _reading():
        return number_of(warehouse.execute(_statement("line_count"), [list(held)]))


def open_documents(warehouse: duckdb.DuckDBPyConnection) -> dict[int, Row]:
    """Return by document key what names each open document: raises CheckError."""
    with _reading():
        return {row["document_key"]: row for row in rows_of(warehouse.execute(_statement("labels")))}


def document_hashes(warehouse: duckdb.DuckDBPyConnection) -> dict[int, str]:
    """Return by document key a hash of all that its verdicts follow from; raises CheckError."""
    with _reading():
        return dict(warehouse.execute(_statement("hashes")).fetchall())


def left_alone(warehouse: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Return by company how many documents are ready and left alone, in the order of companies; raises CheckError."""
    query = "SELECT company_code, ready_count FROM map.left_companies WHERE ready_count > 0 ORDER BY company_code"
    with _reading():
        return dict(warehouse.execute(query).fetchall())


def note_ready(warehouse: duckdb.DuckDBPyConnection, keys: Collection[int]) -> None:
    """Keep the keys of the documents that are ready for as long as the warehouse is open: all a dry run may leave."""
    warehouse.execute("CREATE OR REPLACE TEMP TABLE ready_documents (document_key BIGINT)")
    warehouse.execute("INSERT INTO ready_documents SELECT unnest(CAST($keys AS BIGINT[]))", {"keys": list(keys)})


def note_held(warehouse: duckdb.DuckDBPyConnection, holds: Iterable[Sequence[object]]) -> None:
    """Keep what would be held, and warned of, likewise: document key, rule, severity, why, next step, since (text)."""
    warehouse.execute(
        "CREATE OR REPLACE TEMP TABLE held_documents (document_key BIGINT, rule VARCHAR, severity VARCHAR, "
        "why VARCHAR, next_step VARCHAR, since VARCHAR)"
    )
    if rows := [list(hold) for hold in holds]:
        warehouse.executemany("INSERT INTO held_documents VALUES (?, ?, ?, ?, ?, ?)", rows)


def noted_ready(warehouse: duckdb.DuckDBPyConnection) -> frozenset[int]:
    """Return the keys that ``note_ready`` has kept; CheckError when it has not."""
    with _reading():
        return frozenset(key for (key,) in warehouse.execute(_statement("noted_ready")).fetchall())


def content_hash(warehouse: duckdb.DuckDBPyConnection, table: str) -> str:
    """Return a hash over all rows of a table that does not depend on their order; raises CheckError."""
    # The sum stands beside the exclusive or because two equal rows cancel out in the latter.
    query = f"SELECT count(*), bit_xor(hash(whole_row)), sum(hash(whole_row)) FROM {table} AS whole_row"  # noqa: S608
    with _reading():
        return "-".join(str(value) for value in warehouse.execute(query).fetchall()[0])


def _compute(table: pa.Table, column: str, verdict: Callable[[str | None], object]) -> list[object]:
    """Apply a function once to each of a column's values, and return the result per row."""
    values = table.column(column).to_pylist()
    # Many documents share a partner, and with it the IBAN: each value is judged once.
    verdicts = {value: verdict(value) for value in set(values)}
    return [verdicts[value] for value in values]


def _statement(name: str) -> str:
    return named_statements("checks", folder="steps")[name]


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        message = f"The tables to check cannot be read: {error}"
        raise CheckError(
            message, next_step="nothing was sent; `springline run documents` builds the models anew."
        ) from error
