"""Ten thousand documents, the control store lost in mid-batch: rebuilt from both systems, and restored from a copy.

Run as ``python -m tests.bench.bench_recovery``; another number of documents, and one of the two ways, may follow.
Judged by the sandbox's own books: each document once, none twice, quiet afterwards. Ends with an AssertionError where
that is not so.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import time
from pathlib import Path

import structlog

from tests.bench.desk import say
from tests.flow.losing import kill_in_mid_batch, lose_the_store, settle
from tests.flow.world import copies, world
from tests.support.once import begin_in

# 500 nodes a mutation, five lines a voucher.
DOCUMENTS, A_MUTATION = 10_000, 100
KEYS = range(6_000_001, 6_000_001 + DOCUMENTS)
LIMITS = {"SPRINGLINE_LEDGER__TIMEOUT": "30"}


def lose(folder: Path, way: str, *, documents: int) -> None:
    """Lose the store when half of the documents are sent, make it anew, and see what both sides have."""
    keys = KEYS[:documents]
    folder.mkdir()
    seed = {"vms/Document": copies(documents, first_key=keys[0])}
    with world(folder, seed, is_first_day=True, **LIMITS) as harbour:
        harbour.run("master-data")
        harbour.command("hold", f"N{keys[-1]}", "--reason", "price disputed")
        harbour.command("backup", "yesterday.sqlite")
        half = documents // 2 // A_MUTATION
        kill_in_mid_batch(harbour, mutations=half, vouchers=half * A_MUTATION)
        lose_the_store(harbour)
        begun = time.perf_counter()
        ended = harbour.command(*(["rebuild"] if way == "rebuild" else ["restore", "yesterday.sqlite"]), "--json")
        seconds = time.perf_counter() - begun
        assert ended.exit_code == 0, ended
        told = ended.json()
        settle(harbour, keys, held=keys[-1])
        say(
            f"{way}: {documents:,} documents, killed with {told['vouchers']:,} of them in the ledger; made anew in "
            f"{seconds:.0f} s, {told['held']:,} on hold until confirmed; 0 lost, 0 doubled, quiet"
        )


def main() -> None:
    """Lose it twice, and print how each was made anew."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    documents = int(sys.argv[1]) if len(sys.argv) > 1 else DOCUMENTS
    ways = sys.argv[2:] or ("rebuild", "restore")
    with tempfile.TemporaryDirectory(prefix="springline-recovery-") as folder:
        begin_in(Path(folder))
        for way in ways:
            lose(Path(folder) / way, way, documents=documents)


if __name__ == "__main__":
    main()
