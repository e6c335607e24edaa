"""Every next step stands in a table with its situation, and every command that is named anywhere is one.

What one does who follows a step to the letter was asked of each. A step that is new, or says something else now, fails
here until its situation is written beside it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.core.resources import seed_file
from tests.support.command_lines import fault_of
from tests.support.next_steps import ANYTHING, PACKAGE, found, situations

TABLE = Path(__file__).with_name("next_steps.yaml")
# These carry the situation of each step themselves: the title of a rule, the meaning of a break, the reason of a match.
OWN_TABLES = ("expectations/", "data/seeds/")
IN_TICKS = re.compile(r"`(springline [^`]+)`")
PLAIN = re.compile(r"(?<![`\w'])springline ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)?)")


def told() -> Iterator[tuple[str, str]]:
    yield from ((file, text) for file, texts in found().items() for text in sorted(texts))


def test_every_next_step_has_its_situation() -> None:
    table = situations(TABLE)
    steps = {file: texts for file, texts in found().items() if not file.startswith(OWN_TABLES)}
    new = {file: sorted(texts - table.get(file, {}).keys()) for file, texts in steps.items()}
    assert {file: texts for file, texts in new.items() if texts} == {}


def test_the_table_has_no_step_that_nobody_is_told() -> None:
    steps = found()
    gone = {file: sorted(texts.keys() - steps.get(file, set())) for file, texts in situations(TABLE).items()}
    assert {file: texts for file, texts in gone.items() if texts} == {}
    assert all(when.strip() for texts in situations(TABLE).values() for when in texts.values())


def test_seeds_say_when_a_step_is_told() -> None:
    assert all(row["meaning"] for row in seed_file("break_kinds"))
    assert all(row["reason"] for row in seed_file("match_reasons"))


def commands(text: str) -> Iterator[list[str]]:
    """Yield the words of each command that a text names."""
    for line in IN_TICKS.findall(text):
        # What is filled in when it is shown stands for one word; three dots for what a person writes.
        yield shlex.split(line.replace(ANYTHING, "X").replace("…", "TEXT"))[1:]
    for words in PLAIN.findall(IN_TICKS.sub("", text)):
        first, _, second = words.partition(" ")
        yield [first, second] if first == "breaks" and second else [first]


def test_every_command_that_a_next_step_names_is_taken() -> None:
    faults = {(file, text): fault for file, text in told() for words in commands(text) if (fault := fault_of(words))}
    assert faults == {}
    assert sum(1 for _, text in told() for _ in commands(text)) > 50


def test_every_command_in_code_models_and_suites_is_one() -> None:
    root = PACKAGE.parent
    files = [*PACKAGE.rglob("*.py"), *(root / "sql").rglob("*.sql"), *(root / "expectations").rglob("*.json")]
    texts = {path: path.read_text("utf-8") for path in files}
    # Braces are filled in when it is shown; a command that goes on in another literal is parsed as a next step above.
    named = {
        (path.relative_to(root).as_posix(), line)
        for path, text in texts.items()
        for line in IN_TICKS.findall(re.sub(r"\{[^{}`]*\}", ANYTHING, text))
        if "'" not in line and '"' not in line and "\n" not in line
    }
    faults = {
        place: fault for place in sorted(named) for words in commands(f"`{place[1]}`") if (fault := fault_of(words))
    }
    assert faults == {}


@pytest.mark.parametrize(
    "line",
    ["`springline relase 1`", "`springline breaks acept`", "`springline run reconcil`", "`springline hold 1`",
     "`springline status --all`", "springline statis shows it"],
)  # fmt: skip
def test_what_is_no_command_is_found(line: str) -> None:
    assert [fault for words in commands(line) if (fault := fault_of(words))]


@pytest.mark.parametrize(
    "line", ["`springline hold 1 --reason …`", "`springline run`", "springline breaks list shows it"]
)
def test_what_is_a_command_is_taken(line: str) -> None:
    assert [fault_of(words) for words in commands(line)] == [""]
