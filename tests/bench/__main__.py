"""All benches, one after the other, or those that are named: ``make bench``, ``make bench ARGS="payments --full"``."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

from tests.bench import (
    bench_idle,
    bench_landing,
    bench_master_data,
    bench_payments,
    bench_publish,
    bench_rec,
    bench_run,
)

BENCHES: Mapping[str, Callable[[bool], None]] = {
    "landing": lambda _: bench_landing.main(),
    "idle": lambda _: bench_idle.main(),
    "run": lambda _: bench_run.main(),
    "master-data": lambda is_full: bench_master_data.main(is_full=is_full),
    "payments": lambda is_full: bench_payments.main(is_full=is_full),
    "publish": lambda is_full: bench_publish.main(is_full=is_full),
    "rec": lambda is_full: bench_rec.main(["full"] if is_full else []),
}

parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
parser.add_argument("bench", nargs="*", choices=("all", *BENCHES), default="all")
parser.add_argument("--full", action="store_true", help="200,000 partners, 100,000 invoices and 1,000,000 documents")
given = parser.parse_args()
for name, bench in BENCHES.items():
    if "all" in given.bench or name in given.bench:
        bench(given.full)
