"""Plays mutations: each in a copy of the tree, with the tests that are nearest to it; and says what came of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import cache_from_source
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.mutations.mutation import ROOT, Mutation, MutationFault

if TYPE_CHECKING:
    from collections.abc import Iterator

# Not needed, or made anew: a cache of the real tree must not stand in for the code of a copy.
LEFT_OUT = (".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", "node_modules", "dist", "screenshots")
# Where the nearest tests have found nothing (`--wide`), the cheapest of the others first.
FURTHER = (
    "tests/unit",
    "tests/models",
    "tests/expectations",
    "tests/property",
    "tests/cli",
    "tests/flow",
    "tests/storm",
)
# Seconds; a mutant that never comes to an end is no mutant that was caught.
LONGEST_RUN = 900


class Verdict(StrEnum):
    """What came of one mutation."""

    CAUGHT = "caught"
    LIVES = "LIVES"
    FELL = "FELL OVER"
    HANGS = "HANGS"
    MOVED = "NOT THERE"


@dataclass(frozen=True, slots=True)
class Played:
    """A mutation and what came of it; ``by`` is the test that caught it, else what stood in the way."""

    mutation: Mutation
    verdict: Verdict
    seconds: float = 0
    by: str = ""


class Copy:
    """A copy of the tree, in which one mutation at a time is played.

    The models that a session has verified, and all that it writes, lie in folders of its own: copies share nothing.
    """

    def __init__(self, folder: Path) -> None:
        self.root = folder / "tree"
        self._seen = folder / "seen.json"
        shutil.copytree(ROOT, self.root, ignore=shutil.ignore_patterns(*LEFT_OUT), symlinks=True)

    def play(self, mutation: Mutation, *, is_wide: bool) -> Played:
        """Make the change, run the tests, and take it back."""
        began = time.monotonic()
        try:
            with self._changed(mutation):
                verdict, by = self.run(mutation.test_ids(self.root))
                if is_wide and verdict is Verdict.LIVES:
                    verdict, by = self.run(FURTHER)
        except MutationFault as fault:
            verdict, by = Verdict.MOVED, str(fault)
        return Played(mutation, verdict, time.monotonic() - began, by)

    def run(self, tests: Sequence[str]) -> tuple[Verdict, str]:
        """Run tests in this copy; return what they say of it as it is, and which said so."""
        self._seen.unlink(missing_ok=True)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.mutations.witness"]
        # With those of `make test-system`, which the project's own options leave out.
        command += ["--witness", str(self._seen), "-m", "not browser and not office", *tests]
        process = subprocess.Popen(  # noqa: S603 our own
            command,
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": str(self.root)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            process.wait(LONGEST_RUN)
        except subprocess.TimeoutExpired:
            # With the servers and commands that its tests have started.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return Verdict.HANGS, f"no end after {LONGEST_RUN} seconds"
        seen = json.loads(self._seen.read_text("utf-8")) if self._seen.exists() else {}
        return judged(seen, process.returncode)

    @contextmanager
    def _changed(self, mutation: Mutation) -> Iterator[None]:
        place = self.root / mutation.file
        original = place.read_bytes()
        place.write_text(mutation.applied(self.root), "utf-8")
        try:
            yield
        finally:
            place.write_bytes(original)
            # Compiled code is known by size and second alone: two mutants of one file may share both.
            if place.suffix == ".py":
                Path(cache_from_source(str(place))).unlink(missing_ok=True)


def judged(seen: Mapping[str, Any], exit_code: int) -> tuple[Verdict, str]:
    """Say what a run proves by what the witness has seen of it: only an assertion that failed catches anything."""
    if seen.get("assertion"):
        return Verdict.CAUGHT, seen["assertion"]
    if exit_code == 0 and seen.get("ran"):
        return Verdict.LIVES, ""
    return Verdict.FELL, next(iter(seen.get("fell", ())), f"pytest ended with {exit_code}, and no test has run")
