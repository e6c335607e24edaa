"""The command line killed with SIGKILL at random moments of a batch: nothing is lost, and nothing is there twice.

Run as ``python -m tests.bench.bench_run_kills [KILLS]``; two hundred take a quarter of an hour.
"""

from __future__ import annotations

import random
import signal
import subprocess
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
FIRST = 6_000_001
RUN = ("run", "documents")
# What is over, whatever people must still decide.
QUIET = {0, 14, 16}
BEGUN = "SELECT count(*) FROM batches"
CUT_SHORT = "SELECT count(*) FROM batches WHERE ended_at IS NULL"
IN_FLIGHT = "SELECT count(*) FROM outbox_events WHERE from_state = 'sending' AND to_state = 'unknown'"


def begin(harbour: World, key: int) -> subprocess.Popen[str]:
    """Make a document ready, start a run, and wait until its batch has begun."""
    [(before,)] = harbour.rows(BEGUN)
    harbour.change("Document", key, invoicingStatus="RFP")
    process = harbour.start(*RUN)
    until(lambda: harbour.rows(BEGUN) > [(before,)], alive=lambda: process.poll() is None)
    return process


def undisturbed(harbour: World, key: int) -> float:
    """Let a batch post one document, and give its seconds."""
    process, began = begin(harbour, key), time.monotonic()
    process.communicate(timeout=PATIENCE)
    return time.monotonic() - began


def killed_within(harbour: World, key: int, seconds: float) -> bool:
    """Kill a batch after so many seconds; tell whether it was still at work."""
    process = begin(harbour, key)
    time.sleep(seconds)
    process.kill()
    process.communicate(timeout=PATIENCE)
    return process.returncode == -signal.SIGKILL


def main() -> None:
    """Kill, let runs come to rest, and compare both sides."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else KILLS
    # The first one is posted undisturbed.
    keys, chance, began = range(FIRST, FIRST + kills + 1), random.Random(14), time.monotonic()  # noqa: S311 no secret
    documents = copies(len(keys), first_key=FIRST, invoicingStatus="INV")
    with tempfile.TemporaryDirectory() as name:
        begin_in(Path(name))
        with world(Path(name), {"vms/Document": documents}, SPRINGLINE_LEDGER__TIMEOUT="2") as harbour:
            # The first run reads both systems whole, which takes longer than any that follows.
            harbour.command("run")
            longest = undisturbed(harbour, keys[0])
            killed = sum(killed_within(harbour, key, chance.uniform(0, longest)) for key in keys[1:])
            sent = len(harbour.sent())
            ends = [harbour.command("run").exit_code for _ in range(3)]
            [(cut_short,)], [(in_flight,)] = harbour.rows(CUT_SHORT), harbour.rows(IN_FLIGHT)
            booked, statuses, control = harbour.booked(), set(harbour.statuses().values()), harbour.control()
            if booked != dict.fromkeys(keys, 1) or statuses != {"POS"} or verify_chain(control) or not {*ends} <= QUIET:
                raise AssertionError(booked, statuses, ends)
            control.close()
    say(
        f"the command line killed {killed} times in {kills} runs: {cut_short} batches cut short, {in_flight} writes in "
        f"flight, {sent} of {len(keys)} documents sent by batches that were killed; each is booked once and "
        f"acknowledged, {time.monotonic() - began:.0f} s"
    )


if __name__ == "__main__":
    main()
