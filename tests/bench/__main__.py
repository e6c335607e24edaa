"""All benches, one after the other, or those that are named: ``make bench``, ``make bench ARGS="payments --full"``.

Each is a process of its own: what one has held in memory would show in the peaks that the next one measures.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

# Each with whether it takes --full.
BENCHES = {
    "landing": False,
    "peers": False,
    "path": False,
    "models": False,
    "start": False,
    "small": True,
    "idle": False,
    "tick": False,
    "scheduler": False,
    "run": False,
    "control": False,
    "recovery": False,
    "lake": False,
    "master-data": True,
    "payments": True,
    "rec": True,
    "publish": True,
    "growth": True,
    "webhooks": False,
    "watch": False,
    "watch-idle": False,
}

parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
parser.add_argument("bench", nargs="*", choices=("all", *BENCHES), default="all")
parser.add_argument("--full", action="store_true", help="200,000 partners, 100,000 invoices, 1,000,000 documents")
given = parser.parse_args()
for name, takes_full in BENCHES.items():
    if "all" in given.bench or name in given.bench:
        command = [sys.executable, "-m", f"tests.bench.bench_{name.replace('-', '_')}"]
        subprocess.run(command + ["--full"] * (takes_full and given.full), check=True)  # noqa: S603 our own module
# The page says what was kept, whichever of them ran.
subprocess.run([sys.executable, "-m", "tests.bench.report"], check=True)
