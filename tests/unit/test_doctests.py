"""Every example in a docstring is true: readers trust it more than the sentence above it."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import pipelines

HOUSE = Path(pipelines.__file__).parent
MODULES = sorted(
    ".".join(("pipelines", *path.relative_to(HOUSE).with_suffix("").parts)).removesuffix(".__init__")
    for path in HOUSE.rglob("*.py")
    if ">>> " in path.read_text("utf-8")
)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_are_true(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    failed, tried = doctest.testmod(import_module(name))
    assert not failed, capsys.readouterr().out
    assert tried
