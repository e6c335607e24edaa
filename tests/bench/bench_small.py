"""Whether a small machine is enough: rec and close built anew and published, in a process that may use 1 GB.

Run as ``python -m tests.bench.bench_small``: 100,000 documents; with ``--full`` a million. The process is told its
limit as a control group would tell it, and each peak is of the resident set, which is what a group counts.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import Mock

from pipelines.contracts.declared import declared_tables
from pipelines.core.resources import sql_folder
from pipelines.models.build import build
from pipelines.models.store import open_catalog
from pipelines.publish.steps import publish_report, publish_tables, publish_workbook
from pipelines.stores import memory
from pipelines.stores.memory import MEBI
from tests.bench.bench_rec import FULL, FULL_SIZE, PEER_SIZE, apart
from tests.bench.bench_start import publish_file
from tests.bench.desk import say
from tests.support.landing import make_context

LIMIT = 1024 * MEBI
PRODUCTS = {"file": publish_file, "Parquet": publish_tables, "report": publish_report, "workbook": publish_workbook}


def work(folder: Path) -> None:
    """Build and publish in this process, and print the processor seconds and the peak megabytes of each step."""
    memory.usable_memory = Mock(return_value=LIMIT)
    ctx = make_context(folder, now=lambda: datetime(2026, 11, 2, 8, tzinfo=UTC))
    catalog = open_catalog(sql_folder(), declared_tables(), cache=folder / "models.json")
    for name in ("rec", "close", *PRODUCTS):
        spent = time.process_time()
        if name in PRODUCTS:
            PRODUCTS[name](ctx)
        else:
            build(ctx.warehouse, catalog.models, schemas=(name,))
        spent, peak = time.process_time() - spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        sys.stdout.write(json.dumps({"step": name, "processor": spent, "megabytes": peak}) + "\n")
        sys.stdout.flush()


def main() -> None:
    """Make a world without a limit, then build and publish it with one."""
    documents = FULL_SIZE if FULL in sys.argv[1:] else PEER_SIZE
    with tempfile.TemporaryDirectory() as name:
        apart("make", Path(name) / "springline.duckdb", documents)
        command = [sys.executable, "-m", "tests.bench.bench_small", name]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603 our own module
            for line in process.stdout or ():
                step = json.loads(line)
                say(
                    f"{documents:>9,} documents of 5 lines within {LIMIT // MEBI:,} MB, {step['step']}: "
                    f"{step['processor']:.1f} s of processor, peak until then {step['megabytes']:,} MB"
                )
        if process.returncode or step["megabytes"] * MEBI > LIMIT:
            raise AssertionError("it did not do within the limit")


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] != FULL:
        work(Path(sys.argv[1]))
    else:
        main()
