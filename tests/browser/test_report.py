"""The report in a real browser: on a phone, on a desk and on paper, in light and in dark, for everybody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pipelines.checks.suites import load_rules
from pipelines.publish.report.report import write_report
from tests.browser.driver import Browser, chromium
from tests.support.publish_tables import World, lay
from tests.support.publish_world import HOSTILE, TODAY, WORLD, large

pytestmark = pytest.mark.browser

PICTURES = Path(__file__).parents[2] / "screenshots"
SIZES = {"phone": 320, "desktop": 1280}
WORLDS = ("full", "empty", "large")
# As wide as A4 less its margins, in CSS pixels.
PAPER = 703
TAB_STOPS = "return [document.activeElement.tagName, getComputedStyle(document.activeElement).outlineStyle]"
CUT_OFF = """
return [...document.querySelectorAll("td, th, text, h1, h2, h3, p, li")]
    .filter(one => one.getClientRects().length && !one.closest(".wide") && !one.closest(".skip"))
    .filter(one => one.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
    .map(one => one.textContent.trim().slice(0, 60))
"""
WIDER_THAN_PAPER = """
return [...document.querySelectorAll("table")].filter(one => one.getBoundingClientRect().right > arguments[0])
    .map(one => one.caption.textContent)
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the report of a full world, of one without a row and of one with 5,000 of everything."""
    folder = tmp_path_factory.mktemp("reports")
    worlds: dict[str, World] = {"full": WORLD, "empty": {}, "large": large(5_000)}
    for name, world in worlds.items():
        with duckdb.connect() as connection:
            lay(connection, world)
            write_report(connection, folder / f"{name}.html", today=TODAY, rules=load_rules().rules.values())
    return {name: folder / f"{name}.html" for name in worlds}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("browser")) as browser:
        PICTURES.mkdir(exist_ok=True)
        yield browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("world", WORLDS)
def test_axe_finds_nothing_and_nothing_runs_off_the_page(
    world: str, size: str, scheme: str, browser: Browser, pages: dict[str, Path]
) -> None:
    browser.look(width=SIZES[size], scheme=scheme)
    browser.open(pages[world])
    browser.screenshot(PICTURES / f"report-{world}-{size}-{scheme}.png")
    assert browser.run("return document.documentElement.scrollWidth") == SIZES[size]
    assert browser.run(CUT_OFF) == []
    assert browser.accessibility_faults() == []


@pytest.mark.parametrize("world", WORLDS)
def test_the_report_asks_the_network_for_nothing(world: str, browser: Browser, pages: dict[str, Path]) -> None:
    browser.look(width=1280)
    browser.open(pages["empty"])
    browser.requested()
    browser.complaints()
    browser.open(pages[world])
    asked = {address for address in browser.requested() if not address.startswith("data:")}
    assert asked == {pages[world].as_uri()}
    assert browser.complaints() == []


def test_axe_and_the_ruler_see_a_fault(browser: Browser, pages: dict[str, Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken.html"
    text = pages["full"].read_text(encoding="utf-8").replace("<html lang=", "<html data-was=")
    broken.write_text(
        text.replace("<main", '<p style="width: 60rem; color: #ccc">faint and wide</p><main'), encoding="utf-8"
    )
    browser.look(width=320)
    browser.open(broken)
    assert browser.run("return document.documentElement.scrollWidth") > 320
    assert {"html-has-lang", "color-contrast"} <= {fault.split(":")[0] for fault in browser.accessibility_faults()}


def test_hostile_text_is_shown_and_not_run(browser: Browser, pages: dict[str, Path]) -> None:
    browser.look(width=1280)
    browser.open(pages["full"])
    assert HOSTILE in browser.run("return document.body.textContent")
    assert browser.run("return document.scripts.length") == 0


def test_the_keyboard_reaches_everything_and_shows_where_it_is(browser: Browser, pages: dict[str, Path]) -> None:
    browser.look(width=320)
    browser.open(pages["full"])
    wanted = browser.run("return document.querySelectorAll('a[href], summary, [tabindex=\"0\"]').length")
    hidden = browser.run("return document.querySelectorAll('details:not([open]) [tabindex=\"0\"]').length")
    stops = []
    for _ in range(wanted - hidden):
        browser.press("Tab")
        stops.append(browser.run(TAB_STOPS))
    assert stops[0][0] == "A"
    assert {tag for tag, _ in stops} == {"A", "DIV", "SUMMARY"}
    assert {outline for _, outline in stops} == {"solid"}


def test_skip_leads_to_the_content(browser: Browser, pages: dict[str, Path]) -> None:
    browser.look(width=320)
    browser.open(pages["full"])
    browser.press("Tab")
    browser.press("Enter")
    assert browser.run("return location.hash") == "#main"


@pytest.mark.parametrize("world", WORLDS)
def test_paper_cuts_nothing_off(world: str, browser: Browser, pages: dict[str, Path]) -> None:
    browser.look(width=PAPER, media="print", scheme="dark")
    browser.open(pages[world])
    assert browser.run(WIDER_THAN_PAPER, PAPER + 1) == []
    assert browser.run("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    browser.screenshot(PICTURES / f"report-{world}-print.png")
    browser.print(PICTURES / f"report-{world}-print.pdf")
    assert (PICTURES / f"report-{world}-print.pdf").read_bytes().startswith(b"%PDF-")
