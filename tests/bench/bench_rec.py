"""How fast rec and close are built anew, how much memory that takes, and the same comparison by what else there is.

Run as ``python -m tests.bench.bench_rec``: 100,000 documents, SQL and the peers in environments of their own, results
compared cell by cell before a time is printed. pandas and polars find what rec.documents and rec.payments say, reladiff
which documents are not the same on both sides. With the argument ``--full`` it builds a million documents of five lines
with 300,000 payments as well. Each build is a process of its own on two threads, so that its peak memory is its own;
the clock includes the commit.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import duckdb

from pipelines.contracts.declared import declared_tables
from pipelines.core.resources import sql_folder
from pipelines.core.table_ref import TableRef
from pipelines.models.build import build
from pipelines.models.model import Catalog
from pipelines.models.store import open_catalog
from tests.bench.bench_peers import run_peer
from tests.bench.desk import say
from tests.bench.kept import Row, keep
from tests.bench.rec_world import fill
from tests.models.conftest import prepare

PEER_SIZE = 100_000
FULL_SIZE = 1_000_000
THREADS = 2
FULL = "--full"
# The models that say what the peers say.
COMPARED = ("rec.documents", "rec.payments")
ASKED_FOR_A_TASK = 4
# Documents that people change in the VMS, and as many vouchers that are read again.
BATCH = 100
CHANGED = "document_key IN (SELECT document_key FROM stg_vms.documents WHERE fetch_id = 'next')"
AFTER = (
    "UPDATE stg_vms.documents SET fetch_id = 'next', fetched_at = fetched_at + INTERVAL 1 HOUR, "
    "partner_name = 'Another' "
    "WHERE document_key IN (SELECT document_key FROM rec.sent_vouchers ORDER BY document_key DESC LIMIT {batch})",
    *(
        f"UPDATE stg_vms.{table} SET fetch_id = 'next' WHERE {CHANGED}"  # noqa: S608 our own names
        for table in ("document_lines", "document_line_vessel_codes", "document_payment_terms")
    ),
    "UPDATE stg_ledger.transactions SET fetch_id = 'next', fetched_at = fetched_at + INTERVAL 1 HOUR "
    "WHERE header_db_id IN (SELECT header_db_id FROM rec.booked_vouchers ORDER BY document_key DESC LIMIT {batch})",
    "UPDATE ctl.cursors SET moved_at = '2026-11-02T09:00:00.000000+00:00'",
)
COUNTED = "SELECT count(*) FILTER (partner_name = 'Another') FROM rec.documents"

DOCUMENTS = """
SELECT
    document_key, CAST(amount_vms * 100 AS BIGINT) AS units_vms, CAST(amount_ledger * 100 AS BIGINT) AS units_ledger,
    CAST(company_amount_vms * 100 AS BIGINT) AS company_units_vms,
    CAST(company_amount_ledger * 100 AS BIGINT) AS company_units_ledger, state
FROM rec.documents
"""
PAYMENTS = """
SELECT
    document_key, CAST(amount_vms * 100 AS BIGINT) AS units, CAST(amount_ledger * 100 AS BIGINT) AS amount_ledger,
    CAST(paid_vms * 100 AS BIGINT) AS paid_vms, CAST(paid_ledger * 100 AS BIGINT) AS paid_ledger,
    CAST(open_ledger * 100 AS BIGINT) AS open_ledger, state
FROM rec.payments WHERE amount_ledger IS NOT NULL
"""
DIFFERING = f"""
SELECT document_key, units_vms, company_units_vms, units_ledger, company_units_ledger
FROM ({DOCUMENTS}) WHERE state <> 'agreed'
"""  # noqa: S608 our own names
# The tables of each peer's result, and what they must be equal to.
_STATES = {"documents": DOCUMENTS, "payments": PAYMENTS}
PEERS = {"pandas": _STATES, "polars": _STATES, "reladiff": {"differing": DIFFERING}}


def open_world(path: Path) -> duckdb.DuckDBPyConnection:
    """Open the file of a world as a batch would, on two threads."""
    return duckdb.connect(str(path), config={"threads": THREADS})


def make_world(path: Path, documents: int) -> None:
    """Write a world and what the jobs before the comparison have built on it: schemas map and post."""
    catalog = open_catalog(sql_folder(), declared_tables())
    with open_world(path) as connection:
        prepare(connection, catalog)
        fill(connection, documents)
        build(connection, catalog.models)


def build_comparison(path: Path) -> dict[str, float]:
    """Build what says what the peers say, the rest of rec, then close; return what each took, and the peak of all.

    Seconds by the clock and of the processor, resident megabytes.
    """
    catalog = open_catalog(sql_folder(), declared_tables())
    compared = {ref for ref in ancestors(catalog, *map(TableRef.parse, COMPARED)) if ref.schema == "rec"}
    parts = {
        "compared": compared,
        "rest": {model.ref for model in catalog.models if model.ref.schema == "rec"} - compared,
        "close": {model.ref for model in catalog.models if model.ref.schema == "close"},
    }
    measured: dict[str, float] = {}
    with open_world(path) as connection:
        for name, refs in parts.items():
            begin, spent = time.perf_counter(), time.process_time()
            build(connection, catalog.models, only=refs)
            measured[name] = time.perf_counter() - begin
            measured[f"{name} processor"] = time.process_time() - spent
    for unit in ("", " processor"):
        measured[f"rec{unit}"] = measured[f"compared{unit}"] + measured[f"rest{unit}"]
    measured["megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return measured


def build_after(path: Path) -> dict[str, float]:
    """Build rec and close as the next run does, behind one that changed a batch of documents on both sides."""
    catalog = open_catalog(sql_folder(), declared_tables())
    with open_world(path) as connection:
        # As the run before has left it: with notes of what it was built from.
        build(connection, catalog.models, schemas=("rec",))
        [before] = connection.execute(COUNTED).fetchall()
        for statement in AFTER:
            connection.execute(statement.format(batch=BATCH))
        measured: dict[str, float] = {}
        for schema in ("rec", "close"):
            begin, spent = time.perf_counter(), time.process_time()
            build(connection, catalog.models, schemas=(schema,))
            measured[schema] = time.perf_counter() - begin
            measured[f"{schema} processor"] = time.process_time() - spent
        [after] = connection.execute(COUNTED).fetchall()
        if after[0] - before[0] != BATCH:
            raise AssertionError(before, after)
    return measured


def ancestors(catalog: Catalog, *last: TableRef) -> set[TableRef]:
    """Return these models and all that they are made of."""
    wanted = set(last)
    for model in reversed(catalog.models):
        wanted |= set(model.reads) if model.ref in wanted else set()
    return wanted


def apart(task: str, path: Path, documents: int) -> dict[str, float]:
    """Do a task in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.bench_rec", task, str(path), str(documents)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)  # noqa: S603 our own module
    return dict(json.loads(done.stdout))


def compare_with_peer(path: Path, built: dict[str, float], peer: str) -> Row | None:
    """Let a peer compare the same rows, and print what it took; AssertionError where it found something else."""
    result = path.parent / peer / "result.duckdb"
    cost = run_peer(f"rec_{peer}", peer, path, result)
    if cost is None:
        say(f"{'':>9} {peer} left out: its packages could not be installed")
        return None
    with open_world(path) as connection:
        connection.execute(f"ATTACH '{result}' AS peer (READ_ONLY)")
        alike = ", ".join(f"{_alike(connection, query, table):,} {table}" for table, query in PEERS[peer].items())
    [[seconds, spent]] = cost.report["took"]
    say(
        f"{'':>9} {peer} {seconds:.1f} s ({spent:.1f} s of processor), peak {cost.megabytes:,.0f} MB; SQL takes "
        f"{built['compared'] / seconds:.2f} of its time, {built['compared processor'] / spent:.2f} of its processor's; "
        f"{alike} alike"
    )
    times = round(spent / built["compared processor"], 2)
    return row_of(peer, seconds, spent, **{"of ours times": times, "peak MB": round(cost.megabytes)})


def row_of(what: str, clock: float, processor: float, **more: float) -> Row:
    """Give a row of what something took."""
    return {"what": what, "processor s": round(processor, 2), "clock s": round(clock, 2), **more}


def _alike(connection: duckdb.DuckDBPyConnection, query: str, table: str) -> int:
    """Return how many rows a peer and the models have alike; pandas may keep whole cents as floats."""
    columns = ", ".join(
        name if name == "state" else f"CAST({name} AS BIGINT)"
        for name, *_ in connection.execute(f"DESCRIBE {query}").fetchall()
    )
    theirs = f"SELECT {columns} FROM peer.{table}"  # noqa: S608 our own names
    apart = connection.execute(
        f"(({query}) EXCEPT ALL ({theirs})) UNION ALL (({theirs}) EXCEPT ALL ({query})) LIMIT 3"
    ).fetchall()
    if apart:
        raise AssertionError(table, apart)
    return len(connection.execute(theirs).fetchall())


def measure(documents: int, *, with_peers: bool) -> None:
    """Measure one size and write what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "world.duckdb"
        apart("make", path, documents)
        built = apart("build", path, documents)
        total, spent = built["rec"] + built["close"], built["rec processor"] + built["close processor"]
        say(
            f"{documents:>9,} documents of 5 lines: rec {built['rec']:.1f} s and close {built['close']:.1f} s, "
            f"together {total:.1f} s ({spent:.1f} s of processor), peak {built['megabytes']:,.0f} MB"
        )
        after = apart("after", path, documents)
        say(
            f"{'':>9} after a batch of {BATCH}: "
            f"rec {after['rec']:.1f} s ({after['rec processor']:.1f} s of processor), "
            f"close {after['close']:.1f} s ({after['close processor']:.1f} s)"
        )
        if with_peers:
            compared = partial(compare_with_peer, path, built)
            say(
                f"{'':>9} documents and payments alone: SQL {built['compared']:.1f} s "
                f"({built['compared processor']:.1f} s of processor)"
            )
            keep("rec", {"compared": [*rows_of(built, after), *filter(None, map(compared, PEERS))]}, peers=tuple(PEERS))


def rows_of(built: dict[str, float], after: dict[str, float]) -> list[Row]:
    """Give a row for each of what was built."""
    clock, spent = (sum(built[f"{name}{unit}"] for name in ("rec", "close")) for unit in ("", " processor"))
    compared = built["compared"], built["compared processor"]
    return [
        row_of("Springline: all of rec and close", clock, spent, **{"peak MB": round(built["megabytes"])}),
        row_of("Springline: what the others say", *compared, **{"of ours times": 1.0}),
        *(
            row_of(f"Springline: {name} behind {BATCH}", after[name], after[f"{name} processor"])
            for name in ("rec", "close")
        ),
    ]


def main(arguments: Sequence[str] = ()) -> None:
    """Measure the small size beside the peer, and the full one where it is asked for."""
    measure(PEER_SIZE, with_peers=True)
    if FULL in arguments:
        measure(FULL_SIZE, with_peers=False)


def run_task(task: str, path: Path, documents: int) -> None:
    """Do a task here and print what it measured, for the process that asked."""
    if task == "make":
        make_world(path, documents)
    tasks = {"make": lambda _path: {}, "build": build_comparison, "after": build_after}
    sys.stdout.write(json.dumps(tasks[task](path)))


if __name__ == "__main__":
    if len(sys.argv) == ASKED_FOR_A_TASK:
        run_task(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main(sys.argv[1:])
