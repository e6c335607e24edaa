"""All benches, one after the other: ``make bench``; ``make bench ARGS=full`` takes the largest sizes too."""

from __future__ import annotations

import sys

from tests.bench import bench_landing, bench_rec, bench_run

bench_landing.main()
bench_run.main()
bench_rec.main(sys.argv[1:])
