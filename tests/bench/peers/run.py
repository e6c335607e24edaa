"""Runs a peer on what the bench wrote, in the peer's own environment, and prints what it took as JSON.

Run as ``python -m tests.bench.peers.run MODULE WORLD RESULT [TIMES]``: the module's ``work`` is called on both paths
so many times. Seconds of processor include those of processes that the peer started. What it imports before that is
told beside them.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from pathlib import Path


def spent() -> float:
    """Return the seconds of processor so far, of this process and of those it waited for."""
    now = os.times()
    return now.user + now.system + now.children_user + now.children_system


def main(module: str, world: str, result: str, times: str = "1") -> None:
    """Let a peer work, and print the seconds of each time."""
    before = spent()
    peer = importlib.import_module(f"tests.bench.peers.{module}")
    imports = spent() - before
    took: list[tuple[float, float]] = []
    # What the peer's libraries print goes where the bench does not read.
    printed, sys.stdout = sys.stdout, sys.stderr
    for _ in range(int(times)):
        begin, before = time.perf_counter(), spent()
        peer.work(Path(world), Path(result))
        took.append((time.perf_counter() - begin, spent() - before))
    json.dump({"took": took, "imports": imports}, printed)


if __name__ == "__main__":
    main(*sys.argv[1:])
