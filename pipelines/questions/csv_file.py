"""Writes CSV that a spreadsheet may open: exact for programs, and no text of others becomes a formula.

See docs/decisions/0018. Parquet, JSON and workbooks have types, so nothing is guarded there.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from datetime import date, time
from decimal import Decimal
from typing import Any

# What begins a formula, also in the wide signs of East Asian keyboards, behind what a spreadsheet leaves out before
# it. Among that an apostrophe, so that one of the text's own is told from one that is added here.
_BLANKS = r"[^\S\t\r\n]|[\"'\x00\ufeff]"
_SIGNS = r"[=+\-@\uff1d\uff0b\uff0d\uff20]"
# Not only at the beginning: a spreadsheet cuts at semicolons where decimals have a comma, and then no quotation mark
# of ours holds a text together.
_RUNS = re.compile(rf"(?:\A|(?<=[;\t\r\n]))(?=(?:{_BLANKS})*{_SIGNS})|\A(?=(?:{_BLANKS})*[\t\r\n])")
_FIGURE = re.compile(r"[+-]\d+(?:[.,]\d+)*")
# A semicolon and a tab need no marks here, but whoever cuts there shall meet one at the end of the text.
_QUOTED = re.compile(r'[",;\t\r\n]')


def line_of(values: Sequence[object]) -> str:
    r"""Return the line of some values: NULL is empty, numbers and dates are as they are, what would run is guarded.

    >>> line_of([Decimal("-5.00"), "=1+1", "Agent, Bergen", None])
    '-5.00,\'=1+1,"Agent, Bergen",\n'
    """
    cells = [_cell(value) for value in values]
    # One empty cell alone would be a line without any.
    return (",".join(cells) if cells != [""] else '""') + "\n"


def _cell(value: object) -> str:
    text = text_of(value)
    if isinstance(value, str) and not _FIGURE.fullmatch(text):
        text = _RUNS.sub("'", text)
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text


def text_of(value: object) -> str:
    """Write a value for people and CSV: NULL is empty, and no digit of an amount is cut or rounded.

    >>> text_of(Decimal("0E-18")), text_of(Decimal("1250.5000")), text_of(date(2026, 11, 2)), text_of(None)
    ('0.000000000000000000', '1250.5000', '2026-11-02', '')
    """
    if value is None:
        return ""
    plain = json_of(value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def json_of(value: object) -> Any:  # noqa: ANN401 any JSON value
    """Turn a value into JSON: decimals, dates and times become text."""
    if isinstance(value, Decimal):
        # Never in the form 1E-18, which spreadsheets read as a float.
        return f"{value:f}"
    # JSON has no NaN and no infinity.
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [json_of(item) for item in value]
    if isinstance(value, dict):
        return {str(key): json_of(item) for key, item in value.items()}
    return value if isinstance(value, str | int | float | bool | None) else str(value)
