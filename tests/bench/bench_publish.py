"""How long it takes to publish what a large company has, and to find out that nothing has changed.

Run as ``python -m tests.bench.bench_publish [--full]``; prints seconds for a first edition, for one after rec and
close were built anew, for one changed voucher, and for an idle run. The rows are made up, column by column: what they
say does not matter here, how many they are does.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from pipelines.contracts.declared import declared_tables
from pipelines.core.log import configure_logging
from pipelines.core.table_ref import TableRef
from pipelines.models.external import create_tables
from pipelines.models.steps import catalog_of_repository
from pipelines.publish import steps as publish_steps
from pipelines.publish.edition.contents import VIEWS
from pipelines.step.context import Context
from pipelines.stores.control import Control
from pipelines.stores.control_schema import warehouse_columns
from tests.support.landing import make_context

DOCUMENTS, ALL_DOCUMENTS = 100_000, 1_000_000
LINES = 5
# Rows a document of the tables that grow with the business; others have ROWS.
PER_DOCUMENT = {
    "map.subledger_rows": 2,
    "map.invoice_rows": 1,
    "map.sent_invoices": 1,
    "map.matched_invoices": 1,
    "post.vouchers": 1,
    "post.voucher_lines": LINES + 1,
    "rec.documents": 1,
    "rec.payments": 1,
    "rec.sent_vouchers": 1,
    "rec.ledger_vouchers": 1,
    "ctl.outbox": 2,
}
ROWS = 1_000
MONTHS = 24
EVENTS_PER_INTENT = 2
PRODUCTS = {
    "file": publish_steps.publish_database,
    "Parquet": publish_steps.publish_tables,
    "report": publish_steps.publish_report,
    "workbook": publish_steps.publish_workbook,
}

# What a made-up value of a type is, row by row.
VALUES = {
    "BIGINT": "i",
    "HUGEINT": "i",
    "INTEGER": "i % 100000",
    "BOOLEAN": "i % 7 = 0",
    "DATE": f"DATE '2026-10-15' - CAST((i * {MONTHS * 30}) // n AS INTEGER)",
    "TIMESTAMP": "TIMESTAMP '2026-10-15 08:00:00' - to_minutes(i % 500000)",
    "VARCHAR": "'text ' || (i % 997)",
}
CURRENCIES = "['NOK', 'USD', 'EUR', 'GBP', 'SEK', 'DKK', 'JPY', 'SGD', 'CNY', 'AUD'][i % 10 + 1]"
SIDES = "['AP', 'AR'][i // 10 % 2 + 1]"
KEYS = ("document_no", "subject", "header_text", "ext_order_number", "invoice_no", "natural_key", "id")


def fill_table(ctx: Context, ref: TableRef, columns: dict[str, str], *, rows: int) -> None:
    """Make a table of made-up rows."""
    values = ", ".join(f"CAST({_value(name, kind)} AS {kind}) AS {name}" for name, kind in columns.items())
    ctx.warehouse.execute(
        f"CREATE OR REPLACE TABLE {ref} AS SELECT {values} FROM (SELECT range AS i, {rows} AS n FROM range({rows}))"  # noqa: S608 our own names
    )


def _value(name: str, kind: str) -> str:
    if kind.startswith("DECIMAL"):
        return "(i * 7919 % 100000000) / CAST(100 AS DECIMAL(3, 0))" if "," in kind else "i"
    if kind == "VARCHAR" and name.endswith(("_at", "since")):
        return "strftime(TIMESTAMP '2026-10-15 08:00:00' - to_minutes(i % 500000), '%Y-%m-%dT%H:%M:%S.%f+00:00')"
    if kind == "VARCHAR" and (name == "side" or "currency" in name):
        # The workbook has a chart for each side and currency.
        return SIDES if name == "side" else CURRENCIES
    if kind == "VARCHAR" and name in KEYS:
        return "'27' || i"
    if kind == "VARCHAR" and name.endswith("hash"):
        return "sha256(CAST(i AS VARCHAR))"
    return VALUES.get(kind, "NULL")


def fill_events(control: Control, *, intents: int) -> None:
    """Write the history of the outbox, and a batch."""
    moment = "2026-10-15T08:00:00.000000+00:00"
    with control.write() as connection:
        connection.execute(
            "INSERT INTO batches (batch_id, started_at, today, jobs, operator) VALUES ('b0', ?, '2026-11-02', '', '')",
            (moment,),
        )
        connection.execute("PRAGMA defer_foreign_keys = ON")
        connection.executemany(
            "INSERT INTO outbox VALUES (?, 'voucher', ?, 'ledger', NULL, NULL, ?, NULL, 'sent', 1, NULL, '[]', '', '', "
            "NULL, NULL, NULL, NULL, 'b0', ?, ?, NULL)",
            ((f"i{n}", str(n), n, moment, moment) for n in range(ROWS)),
        )
        connection.execute(
            "WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?) "
            "INSERT INTO outbox_events "
            "(outbox_id, at, batch_id, from_state, to_state, payload_hash, previous_hash, hash) "
            "SELECT 'i' || (n % ?), ?, 'b0', 'todo', 'sent', '', '', printf('%064x', n) FROM numbers",
            (intents * EVENTS_PER_INTENT - 1, ROWS, moment),
        )


def make_world(ctx: Context, *, documents: int) -> None:
    """Fill every published table."""
    create_tables(ctx.warehouse, declared_tables())
    catalog = catalog_of_repository()
    tables = {model.ref: {column.name: column.type for column in model.columns} for model in catalog.models}
    for ref, columns in tables.items():
        if ref.schema == VIEWS:
            # Views of the published file: no table of the warehouse.
            continue
        fill_table(ctx, ref, columns, rows=documents * PER_DOCUMENT.get(str(ref), 0) or ROWS)
    for table, typed in warehouse_columns().items():
        ref = TableRef("ctl", table)
        fill_table(ctx, ref, dict(typed), rows=documents * PER_DOCUMENT.get(str(ref), 0) or ROWS)
    fill_events(ctx.control, intents=documents * 2)


def rebuild(ctx: Context) -> None:
    """Change what rec and close say of every object, and note that they were built."""
    for schema, table, told in ctx.warehouse.execute(
        "SELECT schema_name, table_name, max(column_name) FROM duckdb_columns() WHERE schema_name IN ('rec', 'close') "
        "AND column_name IN ('state', 'reason') GROUP BY ALL"
    ).fetchall():
        ctx.warehouse.execute(f"UPDATE {schema}.{table} SET {told} = coalesce({told}, '') || ' now'")  # noqa: S608 our own names
    note_built(ctx, "rec.built_from")


def change_voucher(ctx: Context) -> None:
    """Change one voucher, and note that the models were built."""
    ctx.warehouse.execute("UPDATE post.vouchers SET partner_name = 'another' WHERE document_key = 1")
    note_built(ctx, "models.built_from")


def note_built(ctx: Context, name: str) -> None:
    """Note that models were built from something else than before."""
    with ctx.control.write() as connection:
        connection.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, 'anew')", (name,))


def publish(ctx: Context, what: str, *, documents: int) -> None:
    """Publish, and print the seconds that each product takes."""
    took: dict[str, float] = {}
    for name, step in PRODUCTS.items():
        begin = time.perf_counter()
        step(ctx)
        took[name] = time.perf_counter() - begin
    listed = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in took.items())
    total = sum(took.values())
    sys.stdout.write(f"{documents:>9,} documents of {LINES} lines, {what}: {listed}, together {total:.1f} s\n")
    sys.stdout.flush()


def main(*, is_full: bool = False) -> None:
    """Publish everything, then what was built anew, then one changed voucher, then nothing."""
    documents = ALL_DOCUMENTS if is_full else DOCUMENTS
    configure_logging(stream=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        ctx = make_context(Path(folder), now=lambda: datetime(2026, 11, 2, 8, tzinfo=UTC))
        make_world(ctx, documents=documents)
        publish(ctx, "the first edition", documents=documents)
        rebuild(ctx)
        publish(ctx, "rec and close built anew", documents=documents)
        change_voucher(ctx)
        publish(ctx, "one voucher changed", documents=documents)
        publish(ctx, "nothing changed", documents=documents)
        size = (ctx.settings.published / "springline.duckdb").stat().st_size / 2**30
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        sys.stdout.write(f"springline.duckdb has {size:.2f} GiB; peak with the making of the world {peak:,.0f} MB\n")


if __name__ == "__main__":
    main(is_full="--full" in sys.argv[1:])
