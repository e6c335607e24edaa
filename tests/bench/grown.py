"""A company that has grown: both sides' history of any size, and what comparing and publishing cost beside it.

Run as ``python -m tests.bench.grown TASK FOLDER DOCUMENTS``, a process a task, which prints seconds of processor by
part as JSON. Staging is made by DuckDB (`rec_world.sql`); what follows are the product's own steps, in the order of a
batch and on its own stores.
"""

from __future__ import annotations

import json
import sys
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from pipelines.core.log import configure_logging
from pipelines.models import steps as models
from pipelines.publish.edition.contents import DATABASE, REPORT, TABLES, WORKBOOK
from pipelines.reconcile import steps as reconcile
from pipelines.stores.warehouse import keep_digest
from tests.bench import bench_publish, bench_rec, rec_world
from tests.models.conftest import prepare
from tests.support.landing import make_context

if TYPE_CHECKING:
    from pipelines.step.context import Context
    from pipelines.step.counts import Counts

# What the control store keeps beside the outbox; the synthetic history has it in the warehouse's copy.
KEPT = {
    "holds": "company, document_key, document_no, rule, severity, message, since, 'b0' AS batch_id",
    "cursors": "source, moved_at, '' AS value, 'b0' AS batch_id",
}
LAST_EVENT = "SELECT event_no || ' ' || hash FROM outbox_events ORDER BY event_no DESC LIMIT 1"
# The steps of a batch behind the reading, by what is told together.
STEPS: Mapping[str, Sequence[Callable[[Context], Counts]]] = {
    "models": (models.build_models,),
    "rec": (models.build_comparison, reconcile.note_breaks),
    "close": (models.build_close, reconcile.note_stops, models.build_stops),
    **{product: (step,) for product, step in bench_publish.PRODUCTS.items()},
}
COMPARISON, PRODUCTS = ("models", "rec", "close"), tuple(bench_publish.PRODUCTS)

# An invoice that agrees, and a million more of it in the ledger: on its control row and on a line of it.
AGREED = """
SELECT document_no, header_db_id FROM rec.documents
WHERE state = 'agreed' AND document_type = 'INI' ORDER BY document_key DESC LIMIT 1
"""
READ_AGAIN = (
    "SET amount = amount + {1}, invoice_amount = invoice_amount + {1}, fetch_id = 'again', "
    "fetched_at = fetched_at + INTERVAL 2 HOUR WHERE header_db_id = {0}"
)
MORE = (
    ("ap_rows", "TRUE", -1_000_000),
    ("transactions", "is_balance_sheet", -1_000_000),
    ("transactions", "account_code = '4300'", 1_000_000),
)
STANDS = "SELECT count(*) FROM {} WHERE document_no = '{}' AND amount_ledger = amount_vms + 1000000"


def make(ctx: Context, documents: int) -> None:
    """Fill staging and the control store, and build what the jobs before the comparison have built."""
    ctx.warehouse.execute(f"SET threads = {bench_rec.THREADS}")
    prepare(ctx.warehouse, models.catalog_of_repository())
    rec_world.fill(ctx.warehouse, documents)
    bench_publish.fill_events(ctx.control, intents=documents * 2)
    for table, columns in KEPT.items():
        found = ctx.warehouse.execute(f"SELECT {columns} FROM ctl.{table}")  # noqa: S608 our own names
        names = [name for name, *_ in found.description or ()]
        with ctx.control.write() as control:
            control.executemany(
                f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",  # noqa: S608 ditto
                found.fetchall(),
            )
    # The warehouse has the whole outbox: it is not copied from the store, which has its events alone.
    keep_digest(ctx.warehouse, "moved", str(ctx.control.one(LAST_EVENT)))
    models.build_models(ctx)


def change_batch(ctx: Context, _documents: int) -> dict[str, float]:
    """Build and publish behind a batch of documents changed in the VMS and as many vouchers read again."""
    for statement in bench_rec.AFTER[:-1]:
        ctx.warehouse.execute(statement.format(batch=bench_rec.BATCH))
    took = spent(ctx, *COMPARISON, *PRODUCTS)
    [(changed,)] = ctx.warehouse.execute(bench_rec.COUNTED).fetchall()
    if changed != bench_rec.BATCH:
        raise AssertionError(changed)
    return took


def change_voucher(ctx: Context, _documents: int) -> dict[str, float]:
    """Build and publish behind one voucher that the ledger has changed, and see that it stands in each product."""
    [(document_no, header)] = ctx.warehouse.execute(AGREED).fetchall()
    for table, which, more in MORE:
        ctx.warehouse.execute(f"UPDATE stg_ledger.{table} {READ_AGAIN.format(header, more)} AND {which}")
    took = spent(ctx, *COMPARISON, *PRODUCTS)
    if lacking := [product for product, stands in read_back(ctx.settings.published, document_no).items() if not stands]:
        raise AssertionError(document_no, lacking)
    return took


def read_back(published: Path, document_no: str) -> dict[str, bool]:
    """Tell for each product whether what the ledger has changed stands in it: as figures, or among the differences."""
    with closing(duckdb.connect(str(published / DATABASE), read_only=True)) as connection:
        tables = {"file": "rec.documents", "Parquet": f"'{published / TABLES}/rec/documents/*.parquet'"}
        stands = {
            name: connection.execute(STANDS.format(table, document_no)).fetchall() == [(1,)]
            for name, table in tables.items()
        }
    with zipfile.ZipFile(published / WORKBOOK) as workbook:
        cells = "".join(workbook.read(name).decode() for name in workbook.namelist() if "/worksheets/sheet" in name)
    report = (published / REPORT).read_text("utf-8")
    return {**stands, "report": document_no in report, "workbook": f">{document_no}<" in cells}


def spent(ctx: Context, *names: str) -> dict[str, float]:
    """Take these steps, and return the seconds of processor of each."""
    took = {}
    for name in names:
        begin = time.process_time()
        for step in STEPS[name]:
            step(ctx)
        took[name] = time.process_time() - begin
    return took


TASKS: Mapping[str, Callable[[Context, int], dict[str, float] | None]] = {
    "make": make,
    "compare": lambda ctx, _: spent(ctx, *COMPARISON),
    "publish": lambda ctx, _: spent(ctx, *PRODUCTS),
    "batch": change_batch,
    "voucher": change_voucher,
}

if __name__ == "__main__":
    configure_logging(stream=sys.stderr)
    own = make_context(Path(sys.argv[2]))
    sys.stdout.write(json.dumps(TASKS[sys.argv[1]](own, int(sys.argv[3]))))
    own.warehouse.close()
    own.control.close()
