"""The report: one HTML file with everything in it, for a browser, a phone or paper."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

import pipelines
from pipelines.core.words import plural
from pipelines.publish.report.report_facts import read_facts
from pipelines.publish.report.words import STATES
from pipelines.publish.workbook.book import money_text
from pipelines.publish.workbook.workbook import whole_file

if TYPE_CHECKING:
    import duckdb

    from pipelines.checks.suites import Rule

TEMPLATES = Path(__file__).parent / "templates"


def write_report(connection: duckdb.DuckDBPyConnection, path: Path, *, today: date, rules: Iterable[Rule] = ()) -> None:
    """Write the report to ``path``, which is whole or as it was; the same content gives the same bytes.

    ``connection`` is the published file or the warehouse, ``today`` the accounting day, ``rules`` the posting
    requirements of expectations/, each of which is told with what it found.
    """
    # Partner names and texts come from other systems: everything is escaped, and a name that is missing is a bug.
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "money": money,
        "moment": moment,
        "day": day,
        "month": month,
        "plural": plural,
        "count": count,
        "sentence": sentence,
    }
    page = environment.get_template("report.html").render(
        **read_facts(connection, today=today, rules=rules),
        state_words=STATES,
        version=pipelines.__version__,
        css=(TEMPLATES / "report.css").read_text(encoding="utf-8"),
    )
    with whole_file(path) as unfinished:
        unfinished.write_text(page, encoding="utf-8")


def money(amount: Decimal | None, currency: str | None) -> str:
    """Write an amount with the decimals of its currency; nothing where there is none.

    >>> money(Decimal("1250.5000"), "USD"), money(Decimal("12500000.0000"), "JPY"), money(None, "NOK")
    ('1,250.50', '12,500,000', '')
    """
    return "" if amount is None else money_text(amount, currency=currency)


def moment(value: datetime | None) -> str:
    """Write a moment to the minute, in UTC as it is kept."""
    return "" if value is None else f"{value:%Y-%m-%d %H:%M}"


def day(value: date) -> str:
    """Write a day as it is said.

    >>> day(date(2026, 11, 2))
    '2 November 2026'
    """
    return f"{value.day} {value:%B %Y}"


def month(value: date) -> str:
    """Write a month as it is said.

    >>> month(date(2026, 10, 1))
    'October 2026'
    """
    return f"{value:%B %Y}"


def count(value: int | None) -> str:
    """Write a whole number with its thousands apart."""
    return "" if value is None else f"{value:,}"


def sentence(words: str) -> str:
    """Begin words with a capital letter, and leave the others as they are.

    >>> sentence("document only in VMS")
    'Document only in VMS'
    """
    return words[:1].upper() + words[1:]
