"""All benches, one after the other, or those that are named: ``make bench``, ``make bench ARGS="payments --full"``."""

from __future__ import annotations

import argparse

from tests.bench import bench_idle, bench_landing, bench_master_data, bench_payments, bench_run

parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
parser.add_argument("bench", nargs="*", choices=["landing", "idle", "run", "master-data", "payments"])
parser.add_argument("--full", action="store_true", help="200,000 partners and 100,000 invoices instead of a quarter")
given = parser.parse_args()

benches = {
    "landing": bench_landing.main,
    "idle": bench_idle.main,
    "run": bench_run.main,
    "master-data": lambda: bench_master_data.main(is_full=given.full),
    "payments": lambda: bench_payments.main(is_full=given.full),
}
for name, bench in benches.items():
    if not given.bench or name in given.bench:
        bench()
