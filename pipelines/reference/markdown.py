"""Markdown as the generated pages use it: blocks, tables, code and links."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_NO_ANCHOR = re.compile(r"[^\w\- ]")


def page(heading: str, *blocks: str) -> str:
    """Return a page: its heading and its blocks, those left out that are empty."""
    return "\n\n".join([f"# {heading}", *(block for block in blocks if block)]) + "\n"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    r"""Return a table; a pipe in a cell is escaped, a line break becomes one of the table's.

    >>> table(("a", "b"), [("x|y", "z")])
    '| a | b |\n| --- | --- |\n| x\\|y | z |'
    """
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def code(text: str) -> str:
    """Return words as code, nothing as nothing."""
    return f"`{text}`" if text else ""


def listed(items: Iterable[str]) -> str:
    """Return a bullet list."""
    return "\n".join(f"- {item}" for item in items)


def link(name: str, *, file: str = "", words: str = "") -> str:
    """Return a link to the heading ``name`` of a page, the same one when no file is given, by its name or other words.

    >>> link("map.open_documents", file="models.md")
    '[map.open_documents](models.md#mapopen_documents)'
    """
    anchor = _NO_ANCHOR.sub("", name.lower()).replace(" ", "-")
    return f"[{words or name}]({file}#{anchor})"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "<br>")
