"""What 10,000 hostile calls do to honest ones: nothing, and little to the time that these take.

Run as ``python -m tests.bench.bench_webhooks``. Honest calls go one after the other, first by themselves, then in
between 10,000 that are forged, replayed, stale, oversized or malformed, as fast as these can be sent. The store lies
where the working directory is, so that each event is flushed to a real disk.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import structlog

from tests.bench.desk import say
from tests.support.webhook_calls import (
    Call,
    Receiver,
    hostile,
    ledger_body,
    ledger_call,
    receiver,
    vms_body,
    vms_call,
)

HOSTILE, QUIET = 10_000, 250


def honest(running: Receiver, number: int) -> float:
    """Make an honest call, of either side in turn, and give the seconds that its answer took."""
    call = vms_call(vms_body(number)) if number % 2 else ledger_call(ledger_body(number))
    begun = time.perf_counter()
    if running.post(call).status != 200:
        raise AssertionError(call)
    return time.perf_counter() - begun


def attack(running: Receiver, replayed: Call) -> Counter[tuple[str, int]]:
    """Make all hostile calls, and count the answers; raises AssertionError for one that is not as it should be."""
    answers: Counter[tuple[str, int]] = Counter()
    for number in range(HOSTILE):
        name, call, may_be = hostile(number, replayed=replayed)
        status = running.post(call).status
        if status not in may_be:
            raise AssertionError(name, status)
        answers[name, status] += 1
    return answers


def main() -> None:
    """Measure honest calls by themselves and under attack, and print both."""
    # An event a line is what the watch logs; here it would hide the result.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder, receiver(Path(folder)) as running:
        numbers = count(1)
        quiet = [honest(running, next(numbers)) for _ in range(QUIET)]
        replayed = ledger_call(ledger_body(0))
        running.post(replayed)
        # In a process of its own, as attackers are: in this one they would keep the interpreter from the server.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            pool.submit(len, "").result()
            begun = time.perf_counter()
            attacker = pool.submit(attack, running, replayed)
            under_attack = []
            while not attacker.done():
                under_attack.append(honest(running, next(numbers)))
            answers = attacker.result()
        took = time.perf_counter() - begun
        # Before and after: a disk is not as quick at any time.
        quiet += [honest(running, next(numbers)) for _ in range(QUIET)]
        kept, sent = len(running.rows()), len(quiet) + len(under_attack) + 1
        if kept != sent or answers.total() != HOSTILE:
            raise AssertionError(kept, sent, answers)
    factor = median(under_attack) / median(quiet)
    say(
        f"webhooks: {HOSTILE:,} hostile calls in {took:.1f} s ({len(answers)} ways and answers), none had an effect; "
        f"median of an honest call {median(quiet) * 1000:.2f} ms by itself, {median(under_attack) * 1000:.2f} ms "
        f"in between ({len(under_attack):,} calls), a factor of {factor:.2f}"
    )
    if factor > 2:
        sys.exit("honest calls take more than twice as long")


if __name__ == "__main__":
    main()
