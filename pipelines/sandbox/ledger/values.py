"""Amounts, local time, periods and the code lists that the ledger brings along."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import IntEnum
from functools import lru_cache
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

Row: TypeAlias = dict[str, Any]

OSLO = ZoneInfo("Europe/Oslo")
CENT = Decimal("0.01")
ZERO = Decimal(0)
HUNDRED = Decimal(100)


class JobLevel(IntEnum):
    """dbId of the state of an import item.

    14502 with dbSubId 1 is evidenced (docs/systems/ledger.md#4-2), the others are assumed (docs/systems/ledger.md#a9).
    """

    READY = 14502
    RUNNING = 14503
    DONE = 14504
    ERROR = 14510


class ErrorLevel(IntEnum):
    """dbId of the weight of a posting error (docs/systems/ledger.md#a7)."""

    INFO = 14601
    WARNING = 14602
    ERROR = 14603


class LedgerType(IntEnum):
    """dbId of the subledger behind an account or a partner."""

    AR = 14701
    AP = 14702


class PaymentStatus(IntEnum):
    """dbId of how far an invoice is paid (docs/systems/ledger.md#a19)."""

    OPEN = 14801
    PARTLY_PAID = 14802
    PAID = 14803


class SlType(IntEnum):
    """dbId of what a subledger row is (docs/systems/ledger.md#2-2 and #a20)."""

    INVOICE = 14901
    CREDIT_MEMO = 14902
    ELECTRONIC_PAYMENT = 14903
    MANUAL_PAYMENT = 14904
    WRITE_OFF = 14905
    ROUNDING = 14906


class WebhookState(IntEnum):
    """dbId of how a webhook is doing (docs/systems/ledger.md#1-10); the name of the first state is assumed."""

    STARTING = 15001
    RUNNING = 15002
    PAUSED = 15003
    RECOVERING = 15004
    FAULTED = 15005


# dbSubId is the distance from these: 1, 2, 3 and 9 for job levels (docs/systems/ledger.md#l8).
_FIRST = {
    JobLevel: 14501,
    ErrorLevel: 14600,
    LedgerType: 14700,
    PaymentStatus: 14800,
    SlType: 14900,
    WebhookState: 15000,
}

SYSTEM_VALUES: dict[int, Row] = {
    int(value): {
        "dbId": int(value),
        "dbSubId": value - first,
        "name": value.name,
        "code": value.name[0] if kind is ErrorLevel else value.name,
        "definitionId": first,
    }
    for kind, first in _FIRST.items()
    for value in kind
}


def money(amount: Decimal) -> str:
    """Write an amount as a MoneyString, with two decimals or more."""
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or exponent > -2:  # noqa: PLR2004 (two decimals)
        amount = amount.quantize(CENT)
    return f"{amount:f}"


def rounded(amount: Decimal, *, minor: int) -> Decimal:
    """Round half away from zero to ``minor`` decimals."""
    return amount.quantize(Decimal(1).scaleb(-minor), rounding=ROUND_HALF_UP)


def local(moment: datetime) -> str:
    """Write an aware time as the API does: Norwegian local time without a zone (docs/systems/ledger.md#1-5)."""
    # In October one hour comes twice, and the text does not say which one is meant: clients must overlap
    # (docs/systems/ledger.md#l18).
    return moment.astimezone(OSLO).strftime("%Y-%m-%dT%H:%M:%S")


def period_id(day: str, *, first_month: int = 1) -> int:
    """Give the dbId of the period of a day (yyyy-MM-dd): year, month and the month the fiscal year starts in."""
    return int(day[:4]) * 10_000 + int(day[5:7]) * 100 + first_month


@lru_cache(maxsize=4096)
def period_row(db_id: int) -> Row:
    """Give the period behind a dbId; in a broken fiscal year the numbers count from its first month.

    Source: docs/systems/ledger.md#l10.
    """
    year, month, first_month = db_id // 10_000, db_id // 100 % 100, db_id % 100
    fiscal_period = (month - first_month) % 12 + 1
    return {
        "dbId": db_id,
        "code": f"{year}/{month:02}",
        "description": f"{year}/{month:02}",
        "year": year,
        "monthNumber": month,
        "fiscalYear": year if month >= first_month else year - 1,
        "fiscalPeriod": fiscal_period,
        "fiscalYearStartMonth": str(first_month),
        "fromDate": date(year, month, 1).isoformat(),
        "toDate": date(year, month, monthrange(year, month)[1]).isoformat(),
    }


def is_open_on(row: Row, day: str) -> bool:
    """Tell whether a day (yyyy-MM-dd) lies within the validity of a row."""
    start, end = row.get("fromDate") or row.get("dateFrom"), row.get("toDate") or row.get("dateTo")
    return (start or "") <= day and (not end or end >= day)
