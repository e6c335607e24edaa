"""The command line killed with SIGKILL at random moments of a batch: nothing is lost, and nothing is there twice.

Run as ``python -m tests.bench.bench_run_kills [KILLS]``; two hundred take a quarter of an hour.
"""

from __future__ import annotations

import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from pipelines.outbox.chain import verify_chain
from tests.bench.desk import say
from tests.flow.world import World, copies, until, world
from tests.support.once import begin_in
from tests.support.patience import PATIENCE

KILLS = 200
# Seconds in which a batch looks, checks, posts and acknowledges: a kill comes at any moment of it.
LONGEST = 3.0
FIRST = 6_000_001
RUN = ("run", "documents")
# What is over, whatever people must still decide.
QUIET = {0, 14, 16}
BEGUN = "SELECT count(*) FROM batches"
CUT_SHORT = "SELECT count(*) FROM batches WHERE ended_at IS NULL"
IN_FLIGHT = "SELECT count(*) FROM outbox_events WHERE from_state = 'sending' AND to_state = 'unknown'"


def kill_once(harbour: World, *, chance: random.Random) -> bool:
    """Begin a run and kill it at a random moment of its batch; tell whether it was still at work."""
    [(before,)] = harbour.rows(BEGUN)
    process = harbour.start(*RUN)
    try:
        until(lambda: harbour.rows(BEGUN) > [(before,)], alive=lambda: process.poll() is None)
        time.sleep(chance.uniform(0, LONGEST))
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE)
    return process.returncode == -signal.SIGKILL


def main() -> None:
    """Kill, let runs come to rest, and compare both sides."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else KILLS
    keys, chance, began = range(FIRST, FIRST + kills), random.Random(14), time.monotonic()  # noqa: S311 no secret
    documents = copies(kills, first_key=FIRST, invoicingStatus="INV")
    with tempfile.TemporaryDirectory() as name:
        begin_in(Path(name))
        with world(Path(name), {"vms/Document": documents}, SPRINGLINE_LEDGER__TIMEOUT="2") as harbour:
            # The first run reads both systems whole, which takes longer than any that follows.
            harbour.command("run")
            killed = 0
            for key in keys:
                harbour.change("Document", key, invoicingStatus="RFP")
                killed += kill_once(harbour, chance=chance)
            ends = [harbour.command("run").exit_code for _ in range(3)]
            [(cut_short,)], [(in_flight,)] = harbour.rows(CUT_SHORT), harbour.rows(IN_FLIGHT)
            booked, statuses, control = harbour.booked(), set(harbour.statuses().values()), harbour.control()
            if booked != dict.fromkeys(keys, 1) or statuses != {"POS"} or verify_chain(control) or not {*ends} <= QUIET:
                raise AssertionError(booked, statuses, ends)
            control.close()
    say(
        f"the command line killed {killed} times in {kills} runs: {cut_short} batches cut short, {in_flight} writes in "
        f"flight; each of {kills} documents is booked once and acknowledged, {time.monotonic() - began:.0f} s"
    )


if __name__ == "__main__":
    main()
