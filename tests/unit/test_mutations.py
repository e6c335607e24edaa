"""Every mutation can be made and names tests that are there; what is caught is told apart from what fell over."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from tests.mutations.__main__ import table
from tests.mutations.mutation import LONGEST_NAME, ROOT, Mutation, MutationFault, read_mutations
from tests.mutations.play import Played, Verdict, judged

MUTATIONS = read_mutations()
SOURCE = "def total(amounts):\n    if amounts:\n        return sum(amounts)\n    return 0\n"


def mutation(before: str, after: str = "", *, tests: tuple[str, ...] = ("test_product.py",)) -> Mutation:
    return Mutation("money", "a total", "product.py", before, after, tests)


@pytest.mark.parametrize("one", MUTATIONS, ids=lambda one: one.name)
def test_a_mutation_can_be_made_and_its_tests_are_there(one: Mutation) -> None:
    changed = one.applied(ROOT)
    assert changed != (ROOT / one.file).read_text("utf-8")
    assert one.test_ids(ROOT)
    # What cannot be read would fail any test.
    if one.file.endswith(".py"):
        ast.parse(changed)
    elif one.file.endswith(".json"):
        json.loads(changed)


def test_each_mutation_has_a_name_of_its_own_that_fits() -> None:
    names = [one.name for one in MUTATIONS]
    assert len({*names}) == len(names)
    assert max(map(len, names)) <= LONGEST_NAME


def test_a_change_keeps_the_indentation_of_its_place(tmp_path: Path) -> None:
    (tmp_path / "product.py").write_text(SOURCE, "utf-8")
    before = "if amounts:\n    return sum(amounts)"
    changed = mutation(before, before.replace("sum", "-sum")).applied(tmp_path)
    assert changed == SOURCE.replace("return sum", "return -sum")
    assert mutation(before).applied(tmp_path) == "def total(amounts):\n    return 0\n"


@pytest.mark.parametrize("before", ["return sum(amounts", "if amount:", "return 0\nreturn 0"])
def test_what_is_not_there_once_is_told(tmp_path: Path, before: str) -> None:
    (tmp_path / "product.py").write_text(SOURCE, "utf-8")
    with pytest.raises(MutationFault, match=r"stands 0 times in product\.py"):
        mutation(before).applied(tmp_path)


@pytest.mark.parametrize("named", ["tests/unit/test_nothing.py", "tests/unit/test_mutations.py::test_nothing"])
def test_a_test_that_is_not_there_is_told(named: str) -> None:
    with pytest.raises(MutationFault, match="there is no test"):
        mutation("", tests=(named,)).test_ids(ROOT)


@pytest.mark.parametrize(
    ("seen", "exit_code", "verdict"),
    [
        ({"ran": 3, "assertion": "test_x.py::test_y", "fell": []}, 1, Verdict.CAUGHT),
        ({"ran": 3, "assertion": "", "fell": []}, 0, Verdict.LIVES),
        # What cannot be imported, or breaks off in the middle, proves nothing about any test.
        ({"ran": 0, "assertion": "", "fell": []}, 2, Verdict.FELL),
        ({"ran": 0, "assertion": "", "fell": []}, 5, Verdict.FELL),
        ({"ran": 3, "assertion": "", "fell": ["test_x.py::test_y: KeyError: 'x'"]}, 1, Verdict.FELL),
        ({}, 4, Verdict.FELL),
    ],
)
def test_only_an_assertion_catches(seen: dict[str, object], exit_code: int, verdict: Verdict) -> None:
    assert judged(seen, exit_code)[0] is verdict


def test_the_answer_comes_first_in_eighty_columns() -> None:
    played = [Played(one, Verdict.CAUGHT, 123.4, "test") for one in MUTATIONS]
    assert table(played, seconds=600).startswith(f"All {len(played)} mutations are caught, in 600 seconds.\n")
    assert max(map(len, table(played, seconds=600).splitlines())) <= 80
    text = table([*played[:2], Played(mutation("x", "y"), Verdict.LIVES)], seconds=6)
    assert text.startswith("2 of 3 mutations are caught, in 6 seconds.\n")
    assert "\nLIVES: a total, in product.py\n  - x\n  + y\n  test_product.py\n  Next: " in text
