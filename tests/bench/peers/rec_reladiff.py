"""Documents beside their vouchers by reladiff: both sides as tables of a key and two amounts, and what differs.

It reads the same rows as rec_pandas and finds the documents alone that are not the same on both sides, not why.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
from reladiff import connect_to_table, diff_tables  # type: ignore[import-not-found]

from tests.bench.peers.rec_rows import PAYMENTS, QUERIES

AMOUNTS = ("units", "company_units")
SIDES = {
    "vms": f"SELECT document_key, units, company_units FROM documents WHERE document_type NOT IN {PAYMENTS}",  # noqa: S608
    "ledger": """
        SELECT
            document_key,
            CASE voucher_type WHEN 'AR' THEN 1 ELSE -1 END * sum(units) AS units,
            CASE voucher_type WHEN 'AR' THEN 1 ELSE -1 END * sum(company_units) AS company_units
        FROM vouchers
        JOIN (SELECT document_key, min(account) AS account FROM controls GROUP BY ALL) USING (document_key)
        JOIN books ON vouchers.header_db_id = books.header_db_id AND account = account_code
        GROUP BY document_key, voucher_type
    """,
}


def work(world: Path, result: Path) -> None:
    """Compare a world, and write the documents that differ with the amounts of both sides."""
    with duckdb.connect(str(result)) as connection:
        connection.execute(f"ATTACH '{world}' AS world (READ_ONLY)")
        connection.execute("USE world")
        tables = ", ".join(f'"{name}" AS ({query})' for name, query in QUERIES.items())
        for side, query in SIDES.items():
            connection.execute(f"CREATE TABLE {result.stem}.{side} AS WITH {tables} {query}")
    of = {"driver": "duckdb", "filepath": str(result)}
    sides = [connect_to_table(of, side, "document_key") for side in SIDES]
    # A row that differs comes twice: with - as the first table has it, with + as the second.
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for sign, (key, *amounts) in diff_tables(*sides, extra_columns=AMOUNTS):
        found.setdefault(key, {})[sign] = tuple(amounts)
    nothing = (None, None)
    rows = [(key, *has.get("-", nothing), *has.get("+", nothing)) for key, has in found.items()]
    with duckdb.connect(str(result)) as connection:
        listed = ", ".join(f"{name}_{side} BIGINT" for side in SIDES for name in AMOUNTS)
        connection.execute(f"CREATE TABLE differing (document_key BIGINT, {listed})")
        connection.executemany("INSERT INTO differing VALUES (?, ?, ?, ?, ?)", rows)
