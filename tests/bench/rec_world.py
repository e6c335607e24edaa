"""A synthetic history of both sides, made straight as staging rows by DuckDB: documents, vouchers, payments.

Document number i is what it is by arithmetic on i alone, so that any size is a beginning of a larger one. Nine in ten
are invoices and credit notes of two companies in four currencies, one in ten accruals and their reversals; each has
five lines, a third of the invoices are paid, in full or by half. Some are wrong on purpose: see ``FAULTS``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

LINES = 5

# Which documents are wrong, and how: every so manieth.
FAULTS = {"held": 997, "waiting": 991, "changed": 10_007, "gone": 10_009, "undone": 10_037, "by_hand": 20_011}


def fill(connection: duckdb.DuckDBPyConnection, documents: int) -> None:
    """Fill the tables the models stand on, which are there and empty, with so many documents and what follows."""
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    connection.execute(statements.format(documents=documents, lines=LINES, **FAULTS))
