"""A watch killed with SIGKILL at random moments and started again: nothing is lost, and nothing is there twice.

Run as ``python -m tests.bench.bench_watch_kills [KILLS]``; fifty take a quarter of an hour.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path

from pipelines.outbox.chain import verify_chain
from tests.bench.desk import say
from tests.flow.watching import Harbour, harbour_of
from tests.flow.world import copies
from tests.support.once import begin_in
from tests.support.patience import PATIENCE

KILLS = 50
# Seconds after its beginning in which a watch looks and posts: a kill comes at any moment of it.
LONGEST = 25.0
FIRST = 6_000_001


def kill_often(harbour: Harbour, *, kills: int, chance: random.Random) -> int:
    """Make a document ready in each life of the watch, kill it at a random moment, and give how many were ready."""
    cut_short = 0
    # The first life reads both systems whole, which takes longer than any of those that follow.
    harbour.start()
    harbour.until(lambda: harbour.batches("%documents%") > 0)
    harbour.kill()
    for _ in range(kills):
        number = harbour.make_ready()
        harbour.start()
        harbour.until(harbour.has_begun)
        time.sleep(chance.uniform(0, LONGEST))
        harbour.kill()
        cut_short += not harbour.is_posted(number)
    return cut_short


def main() -> None:
    """Kill, let one more watch come to rest, and compare both sides."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else KILLS
    keys = range(FIRST, FIRST + kills)
    documents = copies(kills, first_key=FIRST, invoicingStatus="INV")
    with tempfile.TemporaryDirectory() as name:
        begin_in(Path(name))
        with harbour_of(Path(name) / "world", documents, keys) as harbour:
            began = time.monotonic()
            cut_short = kill_often(harbour, kills=kills, chance=random.Random(13))  # noqa: S311 no secret
            harbour.start()
            harbour.until(lambda: set(harbour.world.statuses().values()) == {"POS"}, seconds=2 * PATIENCE)
            harbour.end()
            booked = harbour.world.booked()
            control = harbour.world.control()
            if booked != dict.fromkeys(keys, 1) or verify_chain(control):
                raise AssertionError(booked)
            lives = control.one("SELECT count(*) FROM watches")
            batches = control.one("SELECT count(*) FROM batches WHERE ended_at IS NULL")
            control.close()
            seconds = time.monotonic() - began
    say(
        f"watch killed {kills} times: {lives} lives, {batches} batches cut short, {cut_short} documents not yet "
        f"acknowledged; each is booked once and acknowledged, {seconds:.0f} s"
    )


if __name__ == "__main__":
    main()
