"""Markdown as the generated pages use it: blocks, tables, code, links, and citations that become links."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_NO_ANCHOR = re.compile(r"[^\w\- ]")
# A citation as comments write it: a page of docs, its anchor, and more anchors of the same page behind it.
_CITATION = re.compile(r"(?<![\w/`])docs/(?P<page>[\w/-]+\.md)(?P<anchors>#[\w-]+(?:(?:, | and | to )#[\w-]+)*)?")
_ANCHOR = re.compile(r"#[\w-]+")


def page(heading: str, *blocks: str) -> str:
    """Return a page of docs/reference: its heading and its blocks, without the empty ones; citations become links."""
    return linked("\n\n".join([f"# {heading}", *(block for block in blocks if block)]) + "\n")


def linked(text: str) -> str:
    """Turn citations of pages of docs into links from docs/reference.

    >>> linked("by docs/mapping.md#1-1 and #1-4")
    'by [mapping.md#1-1](../mapping.md#1-1) and [#1-4](../mapping.md#1-4)'
    """

    def link_all(citation: re.Match[str]) -> str:
        name, anchors = citation["page"], citation["anchors"]
        if not anchors:
            return f"[{name}](../{name})"
        # The first link names the page, those behind it the anchor alone, as the sentence does.
        links = _ANCHOR.sub(lambda anchor: f"[{anchor[0]}](../{name}{anchor[0]})", anchors)
        return links.replace("[", f"[{name}", 1)

    return _CITATION.sub(link_all, text)


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    r"""Return a table; a pipe in a cell is escaped, a line break becomes one of the table's.

    >>> table(("a", "b"), [("x|y", "z")])
    '| a | b |\n| --- | --- |\n| x\\|y | z |'
    """
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def code(text: str) -> str:
    """Return text as code, nothing as nothing."""
    return f"`{text}`" if text else ""


def listed(items: Iterable[str]) -> str:
    """Return a bullet list."""
    return "\n".join(f"- {item}" for item in items)


def link(name: str, *, file: str = "", label: str = "") -> str:
    """Return a link to the heading ``name``, on the same page when no file is given.

    >>> link("map.open_documents", file="models.md")
    '[map.open_documents](models.md#mapopen_documents)'
    """
    # Anchors as GitHub makes them of headings: lower case, no punctuation, a hyphen for a blank.
    anchor = _NO_ANCHOR.sub("", name.lower()).replace(" ", "-")
    return f"[{label or name}]({file}#{anchor})"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "<br>")
