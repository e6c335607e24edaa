"""How DuckDB's words are turned into a place in a model's file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipelines.models.model import Model, ModelFault

if TYPE_CHECKING:
    import duckdb

_PLACE = re.compile(r"^LINE (?P<line>\d+): (?P<text>.*)\n(?P<blanks> *)\^", re.MULTILINE)

# DuckDB quotes the value that it cannot convert, and that may be a bank account: messages are logged.
_ACCOUNT = re.compile(r"'[A-Z]{0,2}[\dA-Z ]{7,}(\w{4}')")


def create_statement(model: Model, *, suffix: str = "") -> str:
    """Return the statement that makes a model; its SELECT begins on the second line."""
    return f"CREATE OR REPLACE TABLE {model.ref.quoted} AS\n{model.sql}\n{suffix}"


def fault_of(model: Model, error: duckdb.Error) -> ModelFault:
    """Say in which line and column of the model's file a statement made by ``create_statement`` failed."""
    found = _PLACE.search(str(error))
    if found is None:
        return ModelFault(model.path, 1, 1, plain_words(error))
    # Less one: the SELECT begins on the second line of the statement.
    line = max(int(found["line"]) - 1, 1)
    return ModelFault(model.path, line, _column(model, line, found), plain_words(error))


def plain_words(error: duckdb.Error) -> str:
    """Return DuckDB's words on one line: no excerpt, no list of overloads, of an account number the last four only."""
    words = _PLACE.split(str(error), maxsplit=1)[0].partition("Candidate functions:")[0]
    return _ACCOUNT.sub(r"'…\1", " ".join(words.split()))


def _column(model: Model, line: int, found: re.Match[str]) -> int:
    """Find the column; DuckDB cuts long lines with an ellipsis, so what it shows is searched for."""
    shown = found["text"]
    caret = len(found["blanks"]) - len(f"LINE {found['line']}: ")
    lines = model.sql.splitlines()
    text = lines[line - 1] if line <= len(lines) else ""
    clean = shown.removeprefix("...")
    start = text.find(clean.removesuffix("..."))
    return max(start, 0) + max(caret - (len(shown) - len(clean)), 0) + 1
