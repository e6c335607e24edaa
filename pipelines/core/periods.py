"""Accounting periods as people write them (2026-10, a calendar month), and the zone whose calendar counts."""

from __future__ import annotations

import re
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from pipelines.core.errors import UsageError

# The ledger's calendar: its times have no zone and mean this one, and so does the accounting day.
OSLO = ZoneInfo("Europe/Oslo")
_PERIOD = re.compile(r"(2\d{3})-(0[1-9]|1[0-2])", re.ASCII)


def read_period(text: str) -> date:
    """Return the first day of a period; UsageError when it is none.

    >>> read_period("2026-10")
    datetime.date(2026, 10, 1)
    """
    match = _PERIOD.fullmatch(text)
    if match is None:
        raise UsageError(f"{text!r} is no period.", next_step="write it as 2026-10.")
    return date(int(match[1]), int(match[2]), 1)


def next_month(month: date) -> date:
    """Return the first day of the month after.

    >>> next_month(date(2026, 12, 1))
    datetime.date(2027, 1, 1)
    """
    # No month has more than 31 days, so that many days after the first is always in the month after.
    return (month + timedelta(days=31)).replace(day=1)
