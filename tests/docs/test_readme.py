"""The README says only what is true of the Makefile, the commands, the settings and the tree."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Union, get_args, get_origin

import pytest
import typer
from pydantic import BaseModel
from typer.core import TyperGroup

import pipelines
from pipelines.cli.app import app
from pipelines.core.errors import SpringlineError
from pipelines.core.settings import Settings

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted(chain(ROOT.glob("*.md"), (ROOT / "docs").rglob("*.md")))
PLACE = re.compile(r"`((?:pipelines|sql|expectations|data|docs|tests)(?:/[\w./-]+)?)`")
COMMANDS = typer.main.get_group(app).commands


def section(heading: str) -> str:
    """Return the text under a heading of the second level."""
    return README.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def rows(heading: str) -> list[list[str]]:
    """Return the cells of every table row under a heading, without table heads."""
    lines = [line for line in section(heading).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if not line.startswith("| Setting")]


def models_in(annotation: object) -> Iterator[type[BaseModel]]:
    """Yield the settings section an annotation names, alone or inside a tuple."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in {tuple, Union, UnionType}:
        for inner in get_args(annotation):
            yield from models_in(inner)


def fields_of(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Yield every setting with its dotted name."""
    for name, field in model.model_fields.items():
        inner = list(models_in(field.annotation))
        for section_model in inner:
            yield from fields_of(section_model, f"{prefix}{name}.")
        if not inner:
            yield prefix + name, field


SETTINGS = dict(fields_of(Settings))
TOLD = {row[0].removesuffix(" *").strip("`"): row[1] for row in rows("Settings")}


def as_told(value: object) -> str:
    """Write a default as the README does."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(value)
    return value.strftime("%H:%M") if hasattr(value, "strftime") else str(value)


@pytest.mark.parametrize("verb", sorted(set(re.findall(r"`make (\w+)|^make (\w+)", README, re.MULTILINE))), ids=str)
def test_readme_verb_is_a_make_target(verb: tuple[str, str]) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{''.join(verb)}:", makefile, re.MULTILINE)


def test_readme_lists_every_command() -> None:
    told = {found[1] for row in rows("Commands") if (found := re.match(r"`springline ([\w-]+)", row[0]))}
    assert told == set(COMMANDS)


@pytest.mark.parametrize("usage", re.findall(r"^\| `springline (.+?)` \|", README, re.MULTILINE))
def test_readme_options_exist(usage: str) -> None:
    command = COMMANDS[usage.split(maxsplit=1)[0]]
    if isinstance(command, TyperGroup):
        command = command.commands[usage.split(maxsplit=2)[1]]
    known = {option for parameter in command.params for option in parameter.opts}
    assert set(re.findall(r"--[\w-]+", usage)) <= known


def test_readme_lists_every_setting() -> None:
    assert set(TOLD) == set(SETTINGS)


@pytest.mark.parametrize("name", SETTINGS)
def test_readme_gives_the_default(name: str) -> None:
    field = SETTINGS[name]
    if field.is_required():
        assert TOLD[name] == "required" or name.startswith("companies.")
    elif field.default_factory is None and field.default not in {None, ()}:
        assert TOLD[name] == f"`{as_told(field.default)}`"


def test_readme_explains_every_exit_code() -> None:
    told = {int(row[0]) for row in rows("Commands") if row[0].isdigit()}
    pending = [SpringlineError]
    while pending:
        error = pending.pop()
        assert error.exit_code in told, error
        pending += error.__subclasses__()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_paths_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = {page.parent / link.split("#")[0] for link in re.findall(r"\]\((?!https?://)([^)#][^)]*)\)", text)}
    paths = {ROOT / place for place in PLACE.findall(text)}
    assert sorted(str(path) for path in links | paths if not path.exists()) == []


def test_assumptions_name_known_settings() -> None:
    places = " ".join(row[2] for row in rows("Assumptions") if len(row) == 3)
    named = set(re.findall(r"`([a-z]+\.[a-z_]+)`", places))
    assert named <= set(SETTINGS)


def test_every_decision_page_is_in_the_index() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    pages = {page.name for page in folder.glob("*.md")} - {"README.md"}
    assert [name for name in sorted(pages) if f"({name})" not in index] == []


def test_package_and_project_have_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == pipelines.__version__
