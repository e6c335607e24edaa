"""Exchange rates as ranges of validity, and periods that are opened and closed (docs/systems/ledger.md#2-1, #2-7)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

import msgspec

from pipelines.sandbox.ledger.errors import BadRequestError
from pipelines.sandbox.ledger.hand import owner_id
from pipelines.sandbox.ledger.store import RowChanges
from pipelines.sandbox.ledger.values import Row, period_id

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pipelines.sandbox.ledger.store import LedgerStore

# A new rate ends the earlier one only within the same entity, pair and kind.
_PAIR = ("ownerDbId", "currencyFromDbId", "currencyToDbId", "exchangeTypeDbId")
_DAY = timedelta(days=1)


class Rate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"source": "from", "target": "to"}):
    """One published rate: ``unit`` of ``from`` cost ``rate`` of ``to`` from ``fromDate`` on."""

    owner: int
    source: str
    target: str
    # Text, so that its digits are served as they were published.
    rate: str
    fromDate: str  # noqa: N815 (the names of the API)
    toDate: str | None = None  # noqa: N815
    unit: int = 1
    type: str = "DAILY"
    modifiedAt: str | None = None  # noqa: N815


class PostingPeriod(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Close or open a period (yyyy-MM) of an entity."""

    owner: int
    period: str
    closed: bool = True


def publish_rates(store: LedgerStore, given: Iterable[Rate], *, now: datetime, keep_times: bool = False) -> list[int]:
    """Enter rates, the same day's rate anew where there is one, and end the range before each; gives their dbIds."""
    changes = RowChanges()
    entered = [_entered(store, changes, rate) for rate in given]
    pairs: dict[tuple[int, ...], dict[int, Row]] = {}
    for row in [*store.tables["exchange_rates"].rows.values(), *entered]:
        pairs.setdefault(tuple(row[name] for name in _PAIR), {})[row["dbId"]] = row
    entered_ids: dict[int, None] = dict.fromkeys(row["dbId"] for row in entered)
    for pair in {tuple(row[name] for name in _PAIR) for row in entered}:
        rows = sorted(pairs[pair].values(), key=_from_date)
        for row, to_date in zip(rows, _last_days(rows), strict=True):
            # Only rows that change: others would look modified to a client that asks for changes.
            if row["dbId"] in entered_ids or to_date != row["toDate"]:
                changes.put("exchange_rates", row | {"toDate": to_date})
    store.commit(changes, now=now, keep_times=keep_times)
    return list(entered_ids)


def set_period(store: LedgerStore, given: PostingPeriod, *, now: datetime) -> None:
    """Close a period, or open it again; both are the same when done twice."""
    owner = owner_id(store, given.owner)
    try:
        date.fromisoformat(f"{given.period}-01")
    except ValueError:
        raise BadRequestError(f"a period is yyyy-MM, not {given.period!r}") from None
    first_month = int(store.rows[owner].get("fiscalYearStartMonth") or 1)
    wanted = period_id(f"{given.period}-01", first_month=first_month)
    rows = store.tables["periods_closed"].rows.values()
    known = [row for row in rows if row["ownerDbId"] == owner and row["periodDbId"] == wanted]
    changes = RowChanges()
    if given.closed and not known:
        # A row means closed, no row means open. This was decided: no source says what a row means
        # (docs/mapping.md#d11).
        changes.put("periods_closed", store.new(ownerDbId=owner, periodDbId=wanted))
    if not given.closed:
        for row in known:
            changes.remove("periods_closed", row)
    store.commit(changes, now=now)


def _entered(store: LedgerStore, changes: RowChanges, rate: Rate) -> Row:
    try:
        is_positive = Decimal(rate.rate) > 0
        date.fromisoformat(rate.fromDate)
    except (InvalidOperation, ValueError):
        is_positive = False
    if not is_positive or rate.unit < 1:
        raise BadRequestError(f"no rate: {rate.unit} {rate.source} = {rate.rate} {rate.target} from {rate.fromDate}")
    source, target = _currency(store, rate.source), _currency(store, rate.target)
    values: Row = {
        "ownerDbId": owner_id(store, rate.owner),
        "currencyFromDbId": source["dbId"],
        "currencyFromCode": source["code"],
        "currencyToDbId": target["dbId"],
        "currencyToCode": target["code"],
        "currencyUnit": rate.unit,
        "exchangeRate": rate.rate,
        "exchangeTypeDbId": _exchange_type(store, changes, rate.type),
        "fromDate": rate.fromDate,
        "toDate": rate.toDate,
    }
    if rate.modifiedAt is not None:
        values |= {"createdAt": rate.modifiedAt, "modifiedAt": rate.modifiedAt}
    same = [*_PAIR, "fromDate"]
    for row in store.tables["exchange_rates"].rows.values():
        if all(row[name] == values[name] for name in same):
            return row | values
    return store.new(**values)


def _last_days(rows: list[Row]) -> list[str | None]:
    """Let each range end on the day before the next one begins, or where it ended before that."""
    ends: list[str | None] = []
    for row, following in zip(rows, [*rows[1:], None], strict=True):
        end: str | None = row["toDate"]
        if following is not None:
            day_before = (date.fromisoformat(following["fromDate"]) - _DAY).isoformat()
            end = day_before if end is None else min(end, day_before)
        ends.append(end)
    return ends


def _currency(store: LedgerStore, code: str) -> Row:
    found = store.tables["currencies"].having("code", code)
    if not found:
        raise BadRequestError(f"no currency {code}")
    return found[0]


def _exchange_type(store: LedgerStore, changes: RowChanges, name: str) -> int:
    """Give the dbId of a kind of rates; the first rate of a kind brings it into being."""
    known = store.tables["exchange_types"].having("name", name)
    entered = [row for (table, _), row in changes.puts.items() if table == "exchange_types" and row["name"] == name]
    if known or entered:
        return int((known or entered)[0]["dbId"])
    return int(changes.put("exchange_types", store.new(name=name, code=name))["dbId"])


def _from_date(row: Row) -> str:
    return str(row["fromDate"])
