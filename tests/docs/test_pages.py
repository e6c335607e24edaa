"""The pages of docs are true: links and anchors lead somewhere, names of files and rooms exist, nothing is left out."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

import pytest

from pipelines.core.settings import Settings, load_settings
from pipelines.reference.commands import exit_codes
from pipelines.reference.settings import setting_names

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(chain(ROOT.glob("*.md"), DOCS.rglob("*.md")))
PLACE = re.compile(r"`((?:pipelines|sql|expectations|data|docs|tests)(?:/[\w./-]+)?)`")
# Where something is named that is gone, or that a reader makes himself.
NO_LONGER_THERE = {DOCS / "graveyard.md"}


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page: those written as `<a id>`, and those a renderer makes of headings."""
    text = page.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    made = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return made | set(re.findall(r'<a id="([\w-]+)">', text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_paths_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    broken = []
    for link in re.findall(r"\]\((?!https?://)([^)]+)\)", text):
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(link)
    places = set() if page in NO_LONGER_THERE else set(PLACE.findall(text))
    assert broken + sorted(place for place in places if not (ROOT / place).exists()) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_an_anchor_stands_once(page: Path) -> None:
    written = re.findall(r'<a id="([\w-]+)">', page.read_text(encoding="utf-8"))
    assert sorted(written) == sorted(set(written))


def test_the_map_has_every_room() -> None:
    rooms = {path.parent.name for path in (ROOT / "pipelines").glob("*/__init__.py")}
    listed = re.findall(r"^\| \d+ \| `pipelines/(\w+)` \|", (DOCS / "architecture.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(rooms)


def test_the_map_has_floors_as_the_linter_holds_them() -> None:
    text = (DOCS / "architecture.md").read_text("utf-8")
    floors = {room: int(floor) for floor, room in re.findall(r"^\| (\d+) \| `pipelines/(\w+)` \|", text, re.MULTILINE)}
    pyproject = (ROOT / "pyproject.toml").read_text("utf-8")
    [layers] = re.findall(r'^name = "One way down.*?^layers = \[\n(.*?)^\]', pyproject, re.MULTILINE | re.DOTALL)
    lines = [re.findall(r"\w+", line) for line in layers.splitlines()]
    assert {room: len(lines) - at for at, rooms in enumerate(lines) for room in rooms} == floors


def test_every_exit_code_has_something_to_do() -> None:
    text = (DOCS / "how-to" / "exit-codes.md").read_text("utf-8")
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)} == set(exit_codes())


@pytest.mark.parametrize("page", ["mapping.md", "systems/vms.md", "systems/ledger.md"])
def test_assumptions_name_known_settings(page: str) -> None:
    rows = re.findall(r"^\| <a id=.*\|(.*)\|$", (DOCS / page).read_text("utf-8"), re.MULTILINE)
    assert rows
    named = set(re.findall(r"`([a-z]+\.[a-z_]+)`", " ".join(rows)))
    assert named <= set(setting_names(Settings))


def test_the_settings_of_going_live_can_be_loaded(tmp_path: Path) -> None:
    [example] = re.findall(r"```toml\n(.+?)```", (DOCS / "going-live.md").read_text("utf-8"), re.DOTALL)
    file = tmp_path / "springline.toml"
    file.write_text(example, encoding="utf-8")
    secrets = {"SPRINGLINE_VMS__CLIENT_SECRET": "a", "SPRINGLINE_LEDGER__TOKEN": "b"}
    assert [company.owner for company in load_settings(file, environ=secrets).companies] == [28601]


def test_every_decision_page_is_in_the_index() -> None:
    index = (DOCS / "decisions" / "README.md").read_text(encoding="utf-8")
    pages = {page.name for page in (DOCS / "decisions").glob("*.md")} - {"README.md"}
    assert [name for name in sorted(pages) if f"({name})" not in index] == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        links = re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text(encoding="utf-8"))
        waiting += [target for link in links if (target := (page.parent / link).resolve()).suffix == ".md"]
    assert sorted(str(page.relative_to(ROOT)) for page in PAGES if page not in reached) == []
