"""Reads the comment block a model opens with: what one row is, and the directives grain, keep, parts and moves."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from difflib import get_close_matches

DIRECTIVES = ("grain", "keep", "parts", "moves")
_DIRECTIVE = re.compile(r"(?P<name>[a-z]+):\s*(?P<value>.*)")
_CONTINUED = re.compile(r"--\s{3,}\S")


@dataclass(slots=True)
class Header:
    """The comment block.

    ``lines`` tells on which line of the file (from 1) each directive stands; ``problems`` has line and message.
    """

    description: str = ""
    directives: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)

    @property
    def grain(self) -> tuple[str, ...]:
        """The columns that tell one row from another."""
        return tuple(name.strip() for name in self.directives.get("grain", "").split(",") if name.strip())

    @property
    def moves(self) -> tuple[str, ...]:
        """The column of documents by which it follows the outbox."""
        return tuple(self.directives[name] for name in ("moves",) if name in self.directives)

    @property
    def parts(self) -> tuple[str, ...]:
        """The column that divides the rows, then the links of tables that lack it."""
        return tuple(words.strip() for words in self.directives.get("parts", "").split(";") if words.strip())


def read_header(sql: str) -> Header:
    r"""Read the leading comment lines.

    A directive is ``-- name: value``; it goes on over lines that are indented by three blanks or more.

    >>> header = read_header("-- One voucher.\n-- grain: document_key\nSELECT 1")
    >>> header.description, header.grain
    ('One voucher.', ('document_key',))
    """
    header = Header()
    words: list[str] = []
    current = ""
    for number, raw in enumerate(sql.splitlines(), start=1):
        line = raw.strip()
        # The header ends at the first line that is no comment; later comments belong to the SELECT.
        if not line.startswith("--"):
            break
        text = line.removeprefix("--").strip()
        match = _DIRECTIVE.fullmatch(text)
        name = match["name"] if match else ""
        if match and name in DIRECTIVES:
            current = name
            if name in header.directives:
                header.problems.append((number, f"the directive {name} stands here twice."))
            header.directives[name] = match["value"]
            header.lines[name] = number
        elif current and _CONTINUED.match(line):  # three blanks or more: the directive goes on
            header.directives[current] += f" {text}"
        else:
            # A misspelt directive would else be read as prose, and the model would lose its key without a word.
            if match and (close := get_close_matches(name, DIRECTIVES, n=1, cutoff=0.7)):
                header.problems.append((number, f"there is no directive {name} (did you mean {close[0]}?)."))
            current = ""
            words.append(text)
    header.description = " ".join(word for word in words if word)
    return header
