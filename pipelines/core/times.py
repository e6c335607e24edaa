"""Times as both systems write them: local and without a zone; one with a zone is brought to the local clock."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from pipelines.core.periods import OSLO

# Some servers leave out seconds, minutes or the clock; nanoseconds are cut to microseconds, as the columns keep them.
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d(?::\d\d(?::\d\d(?:\.\d{1,9})?)?)?)(Z|[+-]\d\d(?::?\d\d)?)?)?", re.ASCII
)
_MICROSECONDS = 15


def read_time(text: str, *, is_utc: bool = False) -> datetime:
    """Return a time without its zone, as the clocks in Oslo show it, or UTC where the member is one of UTC.

    A time without a zone is local already (docs/systems/vms.md#v9, docs/systems/ledger.md#l18). Raises ValueError for
    what is no time, or none there is.

    >>> read_time("2026-11-01T23:30:00Z"), read_time("2026-11-02")
    (datetime.datetime(2026, 11, 2, 0, 30), datetime.datetime(2026, 11, 2, 0, 0))
    """
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError("no time")
    day, clock, zone = found.groups()
    at = datetime.fromisoformat(f"{day}T{(clock or '00')[:_MICROSECONDS]}{zone or ''}")
    if at.tzinfo is None:
        return at
    try:
        return at.astimezone(UTC if is_utc else OSLO).replace(tzinfo=None)
    except OverflowError as error:
        raise ValueError("beyond the calendar") from error


def read_day(value: object) -> date | None:
    """Return the day of a time in an answer, None for what is none."""
    try:
        return read_time(str(value)).date()
    except ValueError:
        return None
