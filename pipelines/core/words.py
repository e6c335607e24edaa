"""How amounts, moments, days and counts are written for people: one text for one thing, wherever it is shown.

What a program reads (`--json`, CSV, the published tables) keeps plain decimals and UTC; nothing here is used there.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from pipelines.core.money import USUAL_DECIMALS, minor_unit_table
from pipelines.core.periods import OSLO

LONGEST_VALUE = 300


# With a capital wherever they stand.
NAMES = frozenset({"Springline", "Springline's", "Xledger", "Xledger's"})


def amount(value: Decimal | None, currency: str | None) -> str:
    """Write an amount with its currency and that currency's decimals; an empty text where there is no amount.

    >>> amount(Decimal("125000.0000"), "JPY"), amount(Decimal("1250.5000"), "USD"), amount(Decimal("-95"), "KWD")
    ('JPY 125,000', 'USD 1,250.50', 'KWD -95.000')
    """
    return "" if value is None else f"{currency or ''} {number(value, currency)}".strip()


def number(value: Decimal | None, currency: str | None) -> str:
    """Write an amount whose currency stands beside it, as in the next column of a table.

    >>> number(Decimal("12345.6780"), "KWD"), number(Decimal("-0.0000"), "NOK"), number(None, "NOK")
    ('12,345.678', '0.00', '')

    It is never rounded, so that figures that differ never look alike: what has more decimals keeps them.

    >>> number(Decimal("0.0049"), "NOK"), number(Decimal("12345678901234567.8900"), "JPY")
    ('0.0049', '12,345,678,901,234,567.89')
    """
    if value is None:
        return ""
    # A sum can end as minus zero, which would be written with its sign.
    value = value or Decimal(0)
    # Not normalize(): it rounds to the 28 digits of the context, and a DECIMAL(38,18) has up to 38.
    needed = len(f"{value:f}".partition(".")[2].rstrip("0"))
    return f"{value:,.{max(decimals(currency), needed)}f}"


def decimals(currency: str | None) -> int:
    """Return how many decimals an amount of a currency has; two where ISO 4217 does not know it.

    >>> decimals("JPY"), decimals("KWD"), decimals(None)
    (0, 3, 2)
    """
    return minor_unit_table().get(currency or "", USUAL_DECIMALS)


def moment(at: datetime | str | None) -> str:
    """Write a moment to the minute, as the clocks in Oslo show it; an empty text where there is none.

    Text is read as the control store keeps it (ISO 8601); a time without a zone is UTC, as all tables have it.

    >>> moment("2026-11-28T22:03:38.385268+00:00"), moment(datetime(2026, 6, 30, 22, 30))
    ('2026-11-28 23:03 (Oslo)', '2026-07-01 00:30 (Oslo)')

    A typing error is shown as it is, also one on the last day there is, which the clocks in Oslo do not have.

    >>> moment("0206-11-02T08:00:00"), moment("9999-12-31T23:59:59")
    ('0206-11-02 08:43 (Oslo)', '9999-12-31 23:59 (UTC)')
    """
    if at is None:
        return ""
    at = datetime.fromisoformat(at) if isinstance(at, str) else at
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    try:
        clock, place = aware.astimezone(OSLO), "Oslo"
    except OverflowError:
        clock, place = aware, "UTC"
    # Not strftime: its %Y writes the year 206 with three digits.
    return f"{clock.date()} {clock:%H:%M} ({place})"


def day(of: date) -> str:
    """Write a day in words.

    >>> day(date(2026, 11, 2))
    '2 November 2026'
    """
    return f"{of.day} {of:%B} {of.year}"


def plural(count: int, one: str, several: str = "") -> str:
    """Write a count with its noun.

    >>> plural(1, "open break"), plural(2500, "open break"), plural(2, "document held", "documents held")
    ('1 open break', '2,500 open breaks', '2 documents held')
    """
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def value(of: object) -> str:
    """Write any other value: nothing as 'none', a figure without idle zeros, text on one line and not too long.

    >>> value(Decimal("1250.5000")), value(Decimal("95.0000")), value(None)
    ('1,250.50', '95', 'none')
    """
    # Text comes from other systems: a line break or a control character in it must not break a table or a log.
    match of:
        case None:
            return "none"
        case Decimal():
            return number(of, None).removesuffix(".00")
        # Before date: a datetime is a date too.
        case datetime():
            return moment(of)
        case date():
            return of.isoformat()
        case _:
            line = " ".join("".join(c if c.isprintable() else " " for c in str(of)).split())
            return line if len(line) <= LONGEST_VALUE else line[: LONGEST_VALUE - 1] + "…"


def as_step(text: str) -> str:
    """Return a sentence as it stands behind "Next:", in small letters where it does not begin with a name.

    >>> as_step("In the VMS, enter the lines."), as_step("VAT is missing."), as_step("Xledger has it.")
    ('in the VMS, enter the lines.', 'VAT is missing.', 'Xledger has it.')
    """
    first = text.partition(" ")[0]
    return text[:1].lower() + text[1:] if first.istitle() and first not in NAMES else text
