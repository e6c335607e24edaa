"""Exchange rates: post.rate_changes as ExchangeRate objects of the VMS (docs/mapping.md#4, docs/systems/vms.md#3-7)."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from pipelines.core.times import read_day
from pipelines.load.delivery import VMS, Cargo, Delivery, DeliveryResult
from pipelines.load.look_up import ABSENT, LookUpFinding, Node, complete, conflict
from pipelines.load.vms.courier import VmsCourier
from pipelines.load.vms.documents import DIFFERS, day, plain
from pipelines.outbox.intent import Intent, Json, Kind, canonical_json, sha256
from pipelines.outbox.states import State
from pipelines.outbox.store import Outbox
from pipelines.stores.rows import Row, rows_of
from pipelines.wire.filters import at_least, equals
from pipelines.wire.pages import with_members

if TYPE_CHECKING:
    from pipelines.outbox.entry import Entry
    from pipelines.step.context import Context
    from pipelines.wire.vms import VmsClient

ENTITY = "ExchangeRate"
FIELDS = ("key", "exchangeRate", "exchangeRateDate", "currency.currencyCode", "fromCurrency.currencyCode")
NEEDED = ("key", "exchangeRate", "exchangeRateDate", "currency.currencyCode")
# Relative; docs/mapping.md#4: the VMS may round.
TOLERANCE = Decimal("0.000001")

_CHANGES = "SELECT * FROM post.rate_changes ORDER BY rate_date, is_between_bases DESC, natural_key"


def deliver_rates(ctx: Context, *, sleep: Callable[[float], None] = time.sleep) -> DeliveryResult:
    """Store an intent for each rate that is to be posted, and deliver all that are not settled.

    The rates between the two bases go first: without its day's, the VMS cannot convert any other
    (docs/systems/vms.md#3-7), and the others of that day wait.
    """
    outbox = Outbox.of(ctx)
    intents = [rate_intent(row) for row in rows_of(ctx.warehouse.execute(_CHANGES))]
    outbox.store_intents(intents)
    to_post = {intent.id for intent in intents}

    def is_wanted(entry: Entry) -> bool:
        # The models count what is `unknown` as sent and do not list it: it must still go.
        return entry.id in to_post or entry.state is State.UNKNOWN

    def period_month(entry: Entry) -> date:
        return date.fromisoformat(str(entry.look_up["rate_date"])).replace(day=1)

    cargo = Cargo(Kind.RATE, VMS, is_wanted, {DIFFERS: "exchange rate differs"}, period_month=period_month)
    with ThreadPoolExecutor(ctx.settings.vms.workers, thread_name_prefix="rates") as pool:
        look_up = partial(look_up_rates, vms=ctx.vms)

        def courier() -> VmsCourier:
            return VmsCourier(Delivery.of(ctx, cargo, sleep=sleep), ctx.vms, ENTITY, pool, look_up, shows_rate)

        # A delivery each: the second must see what the first has come to.
        first = courier().deliver(is_due=_is_between_bases)
        blocked = _days_without_base(outbox, to_post)

        def is_due(entry: Entry) -> bool:
            # What is no longer to be posted is due on a blocked day too: it is only looked up and withdrawn.
            is_blocked = entry.id in to_post and entry.look_up["rate_date"] in blocked
            return not (_is_between_bases(entry) or is_blocked)

        others = courier().deliver(is_due=is_due)
    waiting = [e for e in outbox.entries(Kind.RATE, [State.TODO]) if e.id in to_post and not _is_between_bases(e)]
    return first + others + DeliveryResult(waiting=sum(entry.look_up["rate_date"] in blocked for entry in waiting))


def rate_intent(row: Row) -> Intent:
    """Make the intent of one rate from a row of post.rate_changes; all four members are required."""
    payload: dict[str, Json] = {
        "currency": row["to_currency"],
        "fromCurrency": row["from_currency"],
        "exchangeRate": plain(row["exchange_rate"]),
        "exchangeRateDate": day(row["rate_date"]),
    }
    look_up: dict[str, Json] = {
        "rate_date": row["rate_date"].isoformat(),
        "from_currency": row["from_currency"],
        "to_currency": row["to_currency"],
        "exchange_rate": plain(row["exchange_rate"]),
        "is_between_bases": row["is_between_bases"],
        "part_no": row["part_no"],
        "key": row["rate_key"],
    }
    return Intent(
        Kind.RATE,
        row["natural_key"],
        "vms",
        payload=payload,
        source_hash=sha256(canonical_json(payload)),
        look_up=look_up,
    )


def shows_rate(body: Node, answer: Node) -> bool:
    """Tell whether an answer is that to a rate: it has its day, and of the same base its currency and value.

    A VMS that keeps rates in its own base may answer with that base, where no value can be compared
    (docs/systems/vms.md#3-7); taken for unclear, such a rate would be looked up in vain and posted again.
    """
    there = answer.get("exchangeRate")
    if isinstance(there, bool) or not isinstance(there, int | Decimal) or there <= 0:
        return False
    if read_day(answer.get("exchangeRateDate")) != read_day(body["exchangeRateDate"]):
        return False
    base, currency = (_currency_code(answer.get(name)) for name in ("fromCurrency", "currency"))
    if base != body["fromCurrency"]:
        return True
    return currency in {body["currency"], None} and _is_value(there, body["exchangeRate"])


def look_up_rates(entries: Sequence[Entry], *, vms: VmsClient) -> dict[str, LookUpFinding]:
    """Look rates up by day and pair, a month of one base currency in one question; raises WireError."""
    by_key: dict[tuple[str, str, str], list[Node]] = {}
    # A month at a time: one question for each rate would be thousands when a year is filled in.
    days: dict[tuple[str, str], list[str]] = {}
    for entry in entries:
        rate_date, base, _ = _key(entry)
        days.setdefault((base, rate_date[:7]), []).append(rate_date)
    for (base, _), dates in sorted(days.items()):
        filters = [
            equals("fromCurrency.currencyCode", base),
            at_least("exchangeRateDate", f"{min(dates)}T00:00:00"),
            f"exchangeRateDate(LTE){max(dates)}T23:59:59",
        ]
        for rate in with_members(vms.find(ENTITY, filters=filters, fields=FIELDS), NEEDED, entity=ENTITY):
            key = (str(read_day(rate["exchangeRateDate"])), base, str(rate["currency"]["currencyCode"]))
            by_key.setdefault(key, []).append(rate)
    return {entry.id: _judged(entry, by_key.get(_key(entry), [])) for entry in entries}


def _judged(entry: Entry, rates: Sequence[Node]) -> LookUpFinding:
    for rate in rates:
        if _is_same(rate, entry):
            return complete("found in the VMS", {"key": rate["key"]})
    # With a key it is to be overwritten (setting rates.overwrite): what is there is the old value, and no conflict.
    if not rates or entry.look_up.get("key") is not None:
        return ABSENT
    there = ", ".join(str(rate["exchangeRate"]) for rate in rates)
    return conflict(
        DIFFERS,
        f"{entry.label}: the VMS has {there}, the ledger {entry.look_up['exchange_rate']}. Next: correct the one that "
        "is wrong; where the VMS is always to follow the ledger, set rates.overwrite.",
    )


def _is_same(rate: Node, entry: Entry) -> bool:
    return rate["exchangeRate"] is not None and _is_value(rate["exchangeRate"], entry.look_up["exchange_rate"])


def _is_value(there: object, ours: object) -> bool:
    # By way of text: Decimal(float) would take the binary value, with digits nobody has written.
    rate = Decimal(str(ours))
    return abs(Decimal(str(there)) - rate) <= rate * TOLERANCE


def _currency_code(reference: object) -> str | None:
    """Return the code of a currency in an answer, None where it comes as a bare stub or not at all."""
    code = reference.get("currencyCode") if isinstance(reference, dict) else reference
    return code if isinstance(code, str) else None


def _key(entry: Entry) -> tuple[str, str, str]:
    look_up = entry.look_up
    return str(look_up["rate_date"]), str(look_up["from_currency"]), str(look_up["to_currency"])


def _is_between_bases(entry: Entry) -> bool:
    return bool(entry.look_up["is_between_bases"])


def _days_without_base(outbox: Outbox, to_post: Collection[str]) -> set[Json]:
    """Return the days whose rate between the bases is still to come."""
    entries = outbox.entries(Kind.RATE, [State.TODO, State.UNKNOWN, State.FAILED])
    return {entry.look_up["rate_date"] for entry in entries if _is_between_bases(entry) and entry.id in to_post}
