"""Plays the mutations: ``python -m tests.mutations``, or some with ``--only rate``; exit 1 when one is not caught."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, groupby
from operator import attrgetter
from pathlib import Path
from queue import SimpleQueue
from textwrap import indent

from tests.mutations.mutation import ROOT, Mutation, read_mutations
from tests.mutations.play import Copy, Played, Verdict

MEMORY = Path("/dev/shm")  # noqa: S108 each copy lies in a folder of its own there
NEXT = "Next: write the test that fails with it; `--wide` tries all others first."


def main(arguments: Sequence[str] | None = None) -> int:
    """Change the product in one place at a time, and see that a test fails each time."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=main.__doc__)
    parser.add_argument("--only", default="", help="those whose name, file or group has these words")
    parser.add_argument("--wide", action="store_true", help="run all tests where the nearest ones find nothing")
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args(arguments)
    mutations = [one for one in read_mutations() if given.only in f"{one.group} {one.name} {one.file}"]
    began = time.monotonic()
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        copies: SimpleQueue[Copy] = SimpleQueue()
        for number in range(given.processes):
            (own := Path(folder) / str(number)).mkdir()
            copies.put(Copy(own))
        if failing := _failing_already(mutations, copies, given.processes):
            sys.stdout.write(f"Fails without any mutation, so it proves nothing: {failing}\n")
            return 2
        played = list(_played(mutations, copies, processes=given.processes, is_wide=given.wide))
    sys.stdout.write(table(played, seconds=time.monotonic() - began))
    return 0 if all(one.verdict is Verdict.CAUGHT for one in played) else 1


def _failing_already(mutations: Sequence[Mutation], copies: SimpleQueue[Copy], processes: int) -> str:
    """Run all tests that are named in copies as they are; return one that fails, empty where none does."""
    tests = {test for one in mutations for test in one.test_ids(ROOT)}
    # Of a file that is named whole none twice; and a file in one process, for its world is made once.
    files: dict[str, list[str]] = {}
    for test in sorted(tests):
        if test.partition("::")[0] not in tests or "::" not in test:
            files.setdefault(test.partition("::")[0], []).append(test)
    shares = [list(chain(*own)) for n in range(processes) if (own := [*files.values()][n::processes])]

    def run(tests: Sequence[str]) -> str:
        copy = copies.get()
        try:
            verdict, by = copy.run(tests)
        finally:
            copies.put(copy)
        return "" if verdict is Verdict.LIVES else by

    with ThreadPoolExecutor(processes) as pool:
        return "; ".join(filter(None, pool.map(run, shares)))


def _played(
    mutations: Sequence[Mutation], copies: SimpleQueue[Copy], *, processes: int, is_wide: bool
) -> Iterator[Played]:
    """Play all, so many at a time, and give them in their order; each is told on stderr when it is over."""

    def play(mutation: Mutation) -> Played:
        copy = copies.get()
        try:
            played = copy.play(mutation, is_wide=is_wide)
        finally:
            copies.put(copy)
        sys.stderr.write(_line(played))
        sys.stderr.flush()
        return played

    with ThreadPoolExecutor(processes) as pool:
        yield from pool.map(play, mutations)


def table(played: Sequence[Played], *, seconds: float) -> str:
    """Write the answer, what came of each mutation, and of each that was not caught what it was and what to do."""
    caught = sum(one.verdict is Verdict.CAUGHT for one in played)
    answer = f"All {caught}" if caught == len(played) else f"{caught} of {len(played)}"
    text = f"{answer} mutations are caught, in {seconds:.0f} seconds.\n"
    for group, members in groupby(played, key=attrgetter("mutation.group")):
        text += f"\n{group}\n" + "".join(map(_line, members))
    return text + "".join(f"\n{_told(one)}" for one in played if one.verdict is not Verdict.CAUGHT)


def _line(played: Played) -> str:
    return f"  {played.verdict:<9} {played.seconds:4.0f} s  {played.mutation.name}\n"


def _told(played: Played) -> str:
    mutation = played.mutation
    change = indent(mutation.before, "  - ") + "\n" + indent(mutation.after, "  + ")
    tests = "".join(f"  {test}\n" for test in mutation.tests)
    by = f"  {played.by}\n" if played.by else ""
    return f"{played.verdict}: {mutation.name}, in {mutation.file}\n{change}\n{by}{tests}  {NEXT}\n"


if __name__ == "__main__":
    sys.exit(main())
