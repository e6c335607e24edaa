"""CSV that opens in a spreadsheet: no text of others becomes a formula, and a program gets back what was there."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.questions.csv_file import line_of, text_of

SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"
# What a spreadsheet leaves out before it looks at a cell.
BLANKS = "\"' \xa0\x00\ufeff"
LIKELY = st.text(alphabet=[*SIGNS, *BLANKS, *"\t\r\n;,|1a."], max_size=12)
PAGE = Path(__file__).parents[2] / "docs" / "decisions" / "0018-what-a-spreadsheet-runs.md"


@pytest.fixture(scope="module")
def added() -> re.Pattern[str]:
    """Give what matches an apostrophe that was added, as the page tells it to programs."""
    (found,) = re.findall(r"`(\(\?:\\A.*?)`", PAGE.read_text("utf-8"))
    return re.compile(found)


def read(line: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(line, newline="")))


@pytest.mark.parametrize("sign", [*SIGNS, "\t", "\r"])
@pytest.mark.parametrize("before", ["", " ", '"', "'", "\xa0"])
def test_what_would_run_gets_an_apostrophe(before: str, sign: str) -> None:
    text = f"{before}{sign}SUM(1)"
    assert read(line_of([1, text, "next"])) == [["1", f"'{text}", "next"]]


@pytest.mark.parametrize("text", ["Agent;=1+1", "Agent\n=1+1", 'Agent\t"@SUM(1)"', "Agent;-5", "Agent\r+1+1"])
def test_so_does_what_a_spreadsheet_may_cut_off(text: str) -> None:
    assert read(line_of([1, text, "next"])) == [["1", re.sub(r"([;\n\t\r])", r"\1'", text), "next"]]


@pytest.mark.parametrize(
    "value",
    [
        *(Decimal("-5.00"), -5, -5.5, "-5.00", "+4722334455", "-1,250.50", date(2026, 11, 2), None, True, ["=1"], ""),
        *("'s-Hertogenbosch", "2026-11-02", "a = b", "A-1", "x; 5", "agent@ship.no"),
    ],
)
def test_figures_and_words_stay_as_they_are(value: object) -> None:
    assert read(line_of([1, value])) == [["1", text_of(value)]]


@given(st.lists(LIKELY, min_size=1, max_size=4))
def test_any_text_comes_back(added: re.Pattern[str], texts: list[str]) -> None:
    [cells] = read(line_of(texts))
    assert [added.sub("", cell) for cell in cells] == texts


@given(st.lists(LIKELY, min_size=1, max_size=3))
def test_no_piece_begins_like_a_formula(texts: list[str]) -> None:
    for line in (line_of(texts), *read(line_of(texts))[0]):
        first, *others = (piece.lstrip(BLANKS.replace("'", "")) for piece in re.split(r"[;\t\r\n]", line))
        # A figure in the first column stays one (decision 0018).
        pieces = others if re.match(r"[+-]1(?:,|\Z)", first) else [first, *others]
        assert not [piece for piece in pieces if piece.startswith(tuple(SIGNS))]
