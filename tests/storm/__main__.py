"""Runs storms: ``python -m tests.storm --seeds 100``, or one again with ``--seed 4711 --story``."""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any

import dlt
import dlt.destinations
import duckdb
import great_expectations
import great_expectations.expectations
import pandas as pd
import pyarrow.json
import structlog
from tqdm import tqdm  # type: ignore[import-untyped]

from pipelines.contracts.declared import declared_tables
from pipelines.core.resources import sql_folder
from pipelines.models.store import open_catalog
from tests.storm.databases import add_control, databases
from tests.storm.forks import die_with_parent, fork
from tests.storm.shrink import shrink
from tests.storm.storm import Base, storm
from tests.storm.story import FOCI, Story, draw

# Imported here so that no child has to: together they take ten seconds.
PRELOADED = (dlt, great_expectations, pd, pyarrow)
Json = dict[str, Any]
MEMORY = Path("/dev/shm")  # noqa: S108 each storm makes a folder of its own there


def main(arguments: list[str] | None = None) -> int:
    """Play the storms, print the figures and every violation with its seed; exit 1 when there is one."""
    parser = argparse.ArgumentParser(prog="python -m tests.storm", description=main.__doc__)
    parser.add_argument("--seeds", type=int, help="how many storms (20, or none beside --play)")
    parser.add_argument("--first", type=int, default=1, help="the first seed (1)")
    parser.add_argument("--seed", type=int, help="this storm alone")
    parser.add_argument("--play", type=Path, nargs="+", default=[], metavar="FILE", help="stories in YAML")
    parser.add_argument("--focus", choices=sorted(FOCI), help="what they are about, else by the seed")
    parser.add_argument("--story", action="store_true", help="tell each storm with a violation in order")
    parser.add_argument("--keep", action="store_true", help="leave the folders of the storms")
    parser.add_argument("--shrink", action="store_true", help="cut one story down, and print it as YAML")
    parser.add_argument("--minutes", type=float, default=600, help="begin no storm after so many (600)")
    parser.add_argument("--processes", type=int, default=2)
    add_control(parser)
    given = parser.parse_args(arguments)
    if given.shrink and given.seed is None and not given.play:
        parser.error("--shrink needs --seed or --play")
    stories = _stories(given)
    prepare()
    began = time.monotonic()
    # A storm that somebody stops may still be writing.
    with (
        tempfile.TemporaryDirectory(dir=memory(), ignore_cleanup_errors=True) as folder,
        databases(given.control, memory=memory()) as server,
    ):
        base = Base.make(Path(folder), verified(Path(folder)), server)
        gc.freeze()
        if given.shrink:
            return _shrink(next(stories)[1], Path(folder), base)
        results: list[Json] = []
        in_time = takewhile(lambda _: time.monotonic() - began < given.minutes * 60, stories)
        playing = _played(in_time, Path(folder), base, processes=given.processes, is_kept=given.keep)
        # Whoever has seen enough gets the figures of the storms that are over.
        with suppress(KeyboardInterrupt):
            for result in playing:
                results.append(result)
                _tell(result, is_whole=given.story)
    _figures(results, seconds=time.monotonic() - began)
    return 1 if any(result["violations"] for result in results) else 0


def prepare() -> None:
    """Make this process ready to be forked: no log, no hurried garbage collector, one thread a database."""
    os.environ |= {"GX_ANALYTICS_ENABLED": "false", "RUNTIME__DLTHUB_TELEMETRY": "false"}
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory(), processors=[lambda _1, _2, _3: ""])
    duckdb.connect = partial(duckdb.connect, config={"threads": 1})
    # Else a progress bar that nobody sees begins a thread, and what has threads should not be forked.
    tqdm.monitor_interval = 0
    gc.set_threshold(100_000, 20, 50)
    gc.freeze()


def memory() -> Path | None:
    """Give the file system in memory, where there is one."""
    return MEMORY if MEMORY.is_dir() else None


def verified(folder: Path) -> Path:
    """Verify the models once for all storms."""
    cache = folder / "models.json"
    open_catalog(sql_folder(), declared_tables(), cache=cache)
    return cache


def _stories(given: argparse.Namespace) -> Iterator[tuple[str, Story]]:
    """Give what is to be played, each with a name: files, then seeds."""
    for path in given.play:
        yield path.stem, Story.of_yaml(path.read_text("utf-8"))
    number = given.seeds if given.seeds is not None else 0 if given.play else 20
    seeds = [given.seed] if given.seed is not None else range(given.first, given.first + number)
    for seed in seeds:
        yield f"seed {seed}", draw(seed, focus=given.focus)


def _played(
    stories: Iterator[tuple[str, Story]], folder: Path, base: Base, *, processes: int, is_kept: bool
) -> Iterator[Json]:
    """Play storms in children, so many at a time, and give each result as it comes."""
    running: dict[int, str] = {}
    while True:
        while len(running) < processes and (named := next(stories, None)) is not None:
            name, story = named
            running[_begin(story, folder / f"{name}.json", base, is_kept=is_kept)] = name
        if not running:
            return
        pid, _ = os.wait()
        if (name := running.pop(pid, "")) != "":
            yield {"name": name, **json.loads((folder / f"{name}.json").read_text("utf-8"))}


def _begin(story: Story, told: Path, base: Base, *, is_kept: bool = False) -> int:
    pid = fork()
    if pid:
        return pid
    die_with_parent()
    result: Json
    try:
        lived = storm(story, base=base, memory=memory() if is_kept else told.parent, is_kept=is_kept)
        result = {**lived.as_dict(), "seconds": _seconds()}
    except BaseException as error:  # noqa: BLE001 a storm that cannot be played is told as a violation
        result = {"violations": [["harness", str(error), traceback.format_exc()]], "story": []}
    told.write_text(json.dumps(result), "utf-8")
    os._exit(0)


def play(story: Story, folder: Path, base: Base) -> Json:
    """Play one storm in a child and give its result."""
    told = folder / "played.json"
    os.waitpid(_begin(story, told, base), 0)
    result: Json = json.loads(told.read_text("utf-8"))
    return result


def _shrink(story: Story, folder: Path, base: Base) -> int:
    """Print the smallest story that breaks the same promise; exit 1, or 0 where none is broken."""
    broken = {promise for promise, _, _ in play(story, folder, base)["violations"]}

    def is_wrong(fewer: Story) -> bool:
        found = {promise for promise, _, _ in play(fewer, folder, base)["violations"]}
        sys.stderr.write(f"{len(fewer.steps)} steps: {', '.join(sorted(found)) or 'right'}\n")
        return bool(found & broken)

    if not broken:
        sys.stdout.write("violations: none\n")
        return 0
    sys.stdout.write(f"# {', '.join(sorted(broken))}\n{shrink(story, is_wrong=is_wrong).yaml()}")
    return 1


def _seconds() -> float:
    """Give the processor's seconds of this process and of all that it has waited for."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _tell(result: Json, *, is_whole: bool) -> None:
    out = sys.stdout.write
    violations = result["violations"]
    for invariant, subject, words in violations:
        out(f"{result['name']}: {invariant}: {subject}: {words}\n")
    if violations and is_whole:
        out("".join(f"    {line}\n" for line in result["story"]))
    sys.stdout.flush()


def _figures(results: list[Json], *, seconds: float) -> None:
    faults, deeds = Counter[str](), Counter[str]()
    for result in results:
        faults.update(result.get("faults", {}))
        deeds.update(result.get("deeds", {}))
    violations = Counter(invariant for result in results for invariant, _, _ in result["violations"])

    def total(name: str) -> float:
        return float(sum(result.get(name, 0) for result in results))

    sys.stdout.write(
        f"{len(results)} worlds, {total('runs'):.0f} runs, {total('documents_sent'):.0f} documents sent, "
        f"{total('payments'):.0f} payments, {faults.total()} faults, {total('kills'):.0f} kills, "
        f"{total('machines'):.0f} machines lost, "
        f"{total('second_runs'):.0f} second runs, {total('full'):.0f} full disks, {deeds.total()} deeds of people, "
        f"at most {max((result.get('look_ups', 0) for result in results), default=0)} look-ups of an unknown fate\n"
        f"{seconds:.0f} seconds, {total('seconds'):.0f} of the processor, "
        f"{total('seconds_of_runs'):.0f} of these by runs\n"
        f"faults: {_counted(faults)}\n"
        f"deeds: {_counted(deeds)}\n"
        f"violations: {_counted(violations) or 'none'}\n"
    )


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


if __name__ == "__main__":
    sys.exit(main())
