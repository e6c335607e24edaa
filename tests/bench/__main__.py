"""All benches, one after the other: ``make bench``."""

from __future__ import annotations

from tests.bench import bench_landing, bench_run

for bench in (bench_landing, bench_run):
    bench.main()
