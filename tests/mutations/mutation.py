"""A mutation: one change of one place of the product, and the tests that are nearest to it. All are in mutations.yaml.

Nothing is sent twice:                    what the group would break
  - name: …                               what the changed product does, at most 60 characters
    file: pipelines/load/delivery.py
    before: |-                            whole lines that stand there once; without their common indentation
    after: |-                             what takes their place, in the same indentation
    tests: […]                            files, `file::test`, or a folder of tests/models; the cheapest first
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

import yaml

ROOT = Path(__file__).parents[2]
FILE = Path(__file__).with_name("mutations.yaml")
CASES = Path("tests/models/test_cases.py")
CASE = "test_a_model_gives_the_rows_a_case_expects"
LONGEST_NAME = 60


class MutationFault(Exception):
    """The mutation itself is wrong: what it changes is not there once, or a test that it names is not there."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """One change of one place; ``before`` and ``after`` are lines without the indentation that they have in common."""

    group: str
    name: str
    file: str
    before: str
    after: str
    tests: Sequence[str]

    def applied(self, root: Path) -> str:
        """Return the changed text of its file; MutationFault where ``before`` does not stand there just once."""
        lines = (root / self.file).read_text("utf-8").splitlines()
        wanted = self.before.splitlines()
        found = [place for place in range(len(lines)) if lines[place : place + len(wanted)] == self._at(lines[place])]
        if len(found) != 1:
            raise MutationFault(f"{self.name}: what it changes stands {len(found)} times in {self.file}, not once.")
        [place] = found
        lines[place : place + len(wanted)] = indent(self.after, _blanks(lines[place])).splitlines()
        return "\n".join(lines) + "\n"

    def test_ids(self, root: Path) -> list[str]:
        """Return its tests as pytest is given them; MutationFault for one that is not there."""
        return [test for named in self.tests for test in self._ids(named, root)]

    def _ids(self, named: str, root: Path) -> list[str]:
        path, _, test = named.partition("::")
        place = root / path
        if place.is_dir() and path.startswith("tests/models/"):
            cases = sorted(place.rglob("*.yaml"))
            return [f"{CASES}::{CASE}[{case.relative_to(root / CASES.parent).with_suffix('')}]" for case in cases]
        if not place.is_file() or (test and f"def {test.partition('[')[0]}(" not in place.read_text("utf-8")):
            raise MutationFault(f"{self.name}: there is no test {named}.")
        return [named]

    def _at(self, line: str) -> list[str]:
        return indent(self.before, _blanks(line)).splitlines()


def _blanks(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def read_mutations(file: Path = FILE) -> list[Mutation]:
    """Read all mutations in their order."""
    return list(_read(file))


def _read(file: Path) -> Iterator[Mutation]:
    for group, members in yaml.safe_load(file.read_text("utf-8")).items():
        for member in members:
            yield Mutation(group=group, **member)
