"""The README says only what is true of the Makefile and the commands, and stays short."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

import pipelines
from pipelines.batch.jobs import JOBS
from pipelines.cli.app import app

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
COMMANDS = typer.main.get_group(app).commands
VERB = re.compile(r"`make ([\w-]+)`|^make ([\w-]+)$", re.MULTILINE)


def verbs(page: str) -> set[str]:
    """Return every `make VERB` a page names, in code or in a console block."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return {name for names in VERB.findall(text) for name in names if name}


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_verbs_are_make_targets(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    assert verbs(page) <= targets


def test_contributing_explains_every_verb() -> None:
    explained = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE)) - {"help", "install"}
    assert explained <= verbs("CONTRIBUTING.md")


def test_readme_lists_every_command() -> None:
    listed = set(re.findall(r"^\| `springline ([\w-]+)", README, re.MULTILINE))
    assert listed == set(COMMANDS)


@pytest.mark.parametrize("usage", re.findall(r"^\| `springline (.+?)` \|", README, re.MULTILINE))
def test_readme_options_exist(usage: str) -> None:
    command = COMMANDS[usage.split(maxsplit=1)[0]]
    if isinstance(command, TyperGroup):
        # `close PERIOD` is the command that its group carries out without a name.
        command = command.commands[getattr(command, "default", usage.split(maxsplit=2)[1])]
    known = {option for parameter in command.params for option in parameter.opts}
    assert set(re.findall(r"--[\w-]+", usage)) <= known


def test_readme_names_the_jobs_in_order() -> None:
    assert f"`{' '.join(JOBS)}`" in README


def test_package_and_project_have_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == pipelines.__version__
