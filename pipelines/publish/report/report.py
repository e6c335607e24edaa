"""The report: one HTML file with everything in it, for a browser, a phone or paper."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

import pipelines
from pipelines.core import words
from pipelines.publish.report.report_facts import read_facts
from pipelines.publish.report.words import STATES
from pipelines.publish.workbook.workbook import whole_file

if TYPE_CHECKING:
    import duckdb

    from pipelines.checks.steps import Rule

TEMPLATES = Path(__file__).parent / "templates"


def write_report(connection: duckdb.DuckDBPyConnection, path: Path, *, today: date, rules: Iterable[Rule] = ()) -> None:
    """Write the report to ``path``, which is whole or as it was; the same content gives the same bytes.

    ``connection`` is the published file or the warehouse, ``today`` the accounting day, ``rules`` the posting
    requirements of expectations/, each of which is shown with what it found.
    """
    page = (
        environment()
        .get_template("report.html")
        .render(
            **read_facts(connection, today=today, rules=rules),
            state_words=STATES,
            version=pipelines.__version__,
            # Inside the page: it is sent by mail and opened where no other file is.
            css=(TEMPLATES / "report.css").read_text(encoding="utf-8"),
        )
    )
    with whole_file(path) as unfinished:
        unfinished.write_text(page, encoding="utf-8")


def environment() -> Environment:
    """Return what the page is made with: its templates, and how amounts, moments and counts are written in them."""
    # Partner names and texts come from other systems: everything is escaped, and a name that is missing is a bug.
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "amount": words.amount,
        "number": words.number,
        "moment": words.moment,
        "day": words.day,
        "month": month,
        "plural": words.plural,
        "count": count,
        "sentence": sentence,
    }
    return made


def month(value: date) -> str:
    """Write a month in words.

    >>> month(date(2026, 10, 1))
    'October 2026'
    """
    return f"{value:%B %Y}"


def count(value: int | None) -> str:
    """Write a whole number with separators of thousands."""
    return "" if value is None else f"{value:,}"


def sentence(text: str) -> str:
    """Begin words with a capital letter, and leave the others as they are.

    >>> sentence("document only in VMS")
    'Document only in VMS'
    """
    return text[:1].upper() + text[1:]
