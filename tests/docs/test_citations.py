"""Every citation in code, SQL, suites, tests and pages leads to a page and an anchor of this repository."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from pipelines.checks.suites import load_rules

ROOT = Path(__file__).parents[2]
FOLDERS = ("pipelines", "sql", "expectations", "data", "docs", "tests")
SUFFIXES = {".py", ".sql", ".json", ".yaml", ".toml", ".graphql", ".csv", ".md", ".html", ".ipynb", ".sqlfluff"}
# Byte for byte what the vendor's reference is; the page that says what was removed; tests that name pages as files.
LEFT_ALONE = {
    ROOT / "pipelines" / "sandbox" / "ledger" / "schema.graphql",
    ROOT / "docs" / "graveyard.md",
    *Path(__file__).parent.glob("*.py"),
}
# As comments write it: a page, its anchor, and more anchors of that page behind it.
CITATION = re.compile(r"(?<![\w/])docs/(?P<page>[\w/-]+\.md)(?P<anchors>#[\w-]*\w(?:(?:, | and | to )#[\w-]*\w)*)?")
ELSEWHERE = re.compile(r"\b(?:design|dataloy|xledger)\.md|(?<!docs/)\bmapping\.md(?!#)(?!\))|\bbriefs?/\d")


def files() -> Iterator[Path]:
    """Yield every file that people write, and those made of them."""
    below = chain.from_iterable((ROOT / folder).rglob("*") for folder in FOLDERS)
    for path in chain(below, ROOT.glob("*.md"), ROOT.glob("*.toml")):
        if path.suffix in SUFFIXES and path.is_file() and "node_modules" not in path.parts:
            yield path


TEXTS = {path: path.read_text(encoding="utf-8") for path in files()}


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page: those written as `<a id>`, and those a renderer makes of headings."""
    headings = re.findall(r"^#+ (.+)$", TEXTS[page], re.MULTILINE)
    made = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return made | set(re.findall(r'<a id="([\w-]+)">', TEXTS[page]))


def broken(citation: re.Match[str]) -> bool:
    """Tell whether a citation names a page that is not there, or an anchor that the page does not have."""
    page = ROOT / "docs" / citation["page"]
    names = set(re.findall(r"#([\w-]+)", citation["anchors"] or ""))
    return page not in TEXTS or not names <= anchors(page)


def test_every_citation_leads_somewhere() -> None:
    citations = [(path, citation) for path, text in TEXTS.items() for citation in CITATION.finditer(text)]
    assert len(citations) > 200
    assert [f"{path.relative_to(ROOT)}: {found[0]}" for path, found in citations if broken(found)] == []


def test_no_source_is_cited_that_is_not_here() -> None:
    texts = {path: text for path, text in TEXTS.items() if path not in LEFT_ALONE}
    found = [
        f"{path.relative_to(ROOT)}: {name[0]}" for path, text in texts.items() for name in ELSEWHERE.finditer(text)
    ]
    assert found == []


def test_every_rule_names_its_source() -> None:
    assert [rule.name for rule in load_rules().rules.values() if not CITATION.match(rule.source)] == []
