"""Compares what needs to be told with what was told, and has the difference delivered: once, and once more when over.

Delivery has a thread of its own, so that no mail server keeps a batch waiting. What nobody took stays untold and is
written anew at the next try; what some addresses did not take is kept for these (a mark of the control store). A
process that is killed between a delivery and its record tells once more.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from pipelines.core.errors import SpringlineError
from pipelines.stores.control import Control, named_statements, utc_text
from pipelines.stores.lost import open_control
from pipelines.watch.alerts.conditions import find_conditions, is_at_work
from pipelines.watch.alerts.kinds import Condition
from pipelines.watch.alerts.message import Message, Row, write_message
from pipelines.watch.alerts.post import DEADLINE, Address, Outcome, post, understood

if TYPE_CHECKING:
    from pipelines.core.settings import Settings

log = structlog.get_logger(__name__)

_MARK = "alerts.delivery"
# What begins within this time of a message goes with the next one.
GATHER = timedelta(minutes=5)
# After a try that nobody took: 1, 2, 4 … minutes.
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(minutes=30)
# So many messages are kept for an address that does not take them, and so long.
MOST_OWED, LONGEST_OWED = 20, timedelta(days=2)
# While one process delivers, others leave it alone; longer than any delivery takes.
LEASE = timedelta(seconds=3 * DEADLINE)


@dataclass(slots=True)
class Delivery:
    """How delivery stands, as the mark keeps it: times as the control store writes them, empty for none.

    ``is_untold`` says that nobody took the last message. ``owed`` holds, for an address by what it is known by, the
    messages that others took and it did not.
    """

    leased_until: str = ""
    is_untold: bool = False
    posted_at: str = ""
    next_at: str = ""
    tries: int = 0
    problems: list[str] = field(default_factory=list)
    owed: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Telling:
    """A delivery at work; none where there was nothing to deliver."""

    thread: threading.Thread | None = None

    def wait(self, seconds: float = 3 * DEADLINE) -> bool:
        """Wait for its end; False when it is not over by then."""
        if self.thread is not None:
            self.thread.join(seconds)
        return self.thread is None or not self.thread.is_alive()


def tell_alerts(settings: Settings, control: Control, now: datetime) -> Telling:
    """Note what needs to be told at ``now`` (aware) and what is over, and have it delivered when it is due.

    Returns at once. May be called as often as one likes, also by several processes on one store.
    """
    _note(settings, control, now)
    return deliver(settings, control, now)


def _note(settings: Settings, control: Control, now: datetime) -> None:
    statements, at = named_statements("alerts"), utc_text(now)
    found = {one.key: one for one in find_conditions(settings, control, now=now)}
    standing = {(row["kind"], row["subject"]): row for row in control.read(statements["standing"])}
    new = [one for key, one in found.items() if key not in standing]
    reworded = [(row, found[key]) for key, row in standing.items() if key in found and found[key].text != row["text"]]
    gone = [row for key, row in standing.items() if key not in found]
    # In the middle of a batch what failed is tried again, and would be over and anew within seconds.
    over = [] if gone and is_at_work(control, now=now) else gone
    if not (new or reworded or over):
        return
    with control.write() as connection:
        connection.executemany(statements["begin"], [_values(one, at) for one in new])
        changes = [{"alert_id": row["alert_id"], "text": one.text} for row, one in reworded]
        connection.executemany(statements["reword"], changes)
        connection.executemany(statements["end"], [{"alert_id": row["alert_id"], "at": at} for row in over])
        if settings.alerts.urls is None:
            # Nobody was told of it, and whoever is named later need not hear of the past.
            connection.execute(statements["tell_nobody"], {"at": at})


def _values(one: Condition, at: str) -> dict[str, str]:
    return {"kind": one.kind, "subject": one.subject, "text": one.text, "at": at}


def read_delivery(control: Control) -> Delivery:
    """Return how delivery stands."""
    return Delivery(**json.loads(control.mark(_MARK) or "{}"))


def deliver(settings: Settings, control: Control, now: datetime) -> Telling:
    """Begin to deliver what is due, unless another process does."""
    if settings.alerts.urls is None or not _is_due(control, now):
        return Telling()
    with control.write() as connection:
        # Looked at again inside the transaction: two processes that ask at once must not both deliver.
        if not _is_due(control, now):
            return Telling()
        delivery = read_delivery(control)
        delivery.leased_until = utc_text(now + LEASE)
        control.keep_mark(_MARK, json.dumps(_as_kept(delivery)), within=connection)
        rows = [dict(row) for row in control.read(named_statements("alerts")["to_tell"])]
    thread = threading.Thread(target=_deliver, args=(settings, rows, delivery, now), name="alerts", daemon=True)
    thread.start()
    return Telling(thread)


def _as_kept(delivery: Delivery) -> dict[str, Any]:
    """Return a delivery as the mark keeps it."""
    return {name: getattr(delivery, name) for name in Delivery.__slots__}


def _is_due(control: Control, now: datetime) -> bool:
    delivery, at = read_delivery(control), utc_text(now)
    if at < delivery.leased_until:
        return False
    has_waited = at >= delivery.next_at
    if delivery.owed and has_waited:
        return True
    is_gathering = bool(delivery.posted_at) and at < utc_text(datetime.fromisoformat(delivery.posted_at) + GATHER)
    # One address that takes nothing keeps nothing from the others.
    may_send = not is_gathering and (has_waited or not delivery.is_untold)
    return may_send and bool(control.read(named_statements("alerts")["to_tell"]))


def _deliver(settings: Settings, rows: Sequence[Row], delivery: Delivery, now: datetime) -> None:
    try:
        addresses, problems = understood(settings)
        if utc_text(now) >= delivery.next_at:
            delivery.owed = _pay(delivery.owed, addresses, now, problems)
        outcomes: list[Outcome] = []
        if rows and addresses:
            message = _message(rows, settings)
            # Behind what it is still owed: an address hears of things in their order.
            outcomes = post(message, [one for one in addresses if one.known_by not in delivery.owed])
            if any(not one.problem for one in outcomes):
                missed = {one.address.known_by for one in outcomes if one.problem} | delivery.owed.keys()
                for known_by in missed:
                    delivery.owed.setdefault(known_by, []).append(_owed(message, now))
        is_told = any(not one.problem for one in outcomes)
        delivery.is_untold = bool(rows) and not is_told
        problems += _problems(outcomes)
        _record(settings, rows if is_told else (), delivery, problems, now)
    except (SpringlineError, sqlite3.Error) as error:
        # The lease runs out, and all of it is tried again.
        log.error("alerts_not_recorded", error=str(error))  # noqa: TRY400 a store that is busy shows no traceback


def _message(rows: Sequence[Row], settings: Settings) -> Message:
    return write_message([row for row in rows if not row["over_at"]], [row for row in rows if row["over_at"]], settings)


def _owed(message: Message, now: datetime) -> dict[str, Any]:
    return {"title": message.title, "body": message.body, "is_good": message.is_good, "since": utc_text(now)}


def _pay(
    owed: Mapping[str, Sequence[dict[str, Any]]], addresses: Sequence[Address], now: datetime, problems: list[str]
) -> dict[str, list[dict[str, Any]]]:
    """Deliver what single addresses did not take before; return what they still do not take."""
    oldest, until = utc_text(now - LONGEST_OWED), time.monotonic() + DEADLINE
    left: dict[str, list[dict[str, Any]]] = {}
    for address in addresses:
        messages = [one for one in owed.get(address.known_by, ()) if one["since"] >= oldest][-MOST_OWED:]
        while messages and (seconds := until - time.monotonic()) > 0:
            first = messages[0]
            message = Message(first["title"], first["body"], is_good=first["is_good"])
            if found := _problems(post(message, [address], deadline=seconds)):
                problems += found
                break
            messages = messages[1:]
        if messages:
            left[address.known_by] = messages
    return left


def _problems(outcomes: Sequence[Outcome]) -> list[str]:
    return [f"{one.address.label} {one.problem}" for one in outcomes if one.problem]


def _record(
    settings: Settings, told: Sequence[Row], delivery: Delivery, problems: Sequence[str], now: datetime
) -> None:
    at, statement = utc_text(now), named_statements("alerts")["told"]
    is_behind = bool(delivery.owed or delivery.is_untold)
    delivery.leased_until = ""
    # An address that waits for its next try keeps what was said of it then.
    if problems or not is_behind:
        delivery.problems = list(dict.fromkeys(problems))
    if at >= delivery.next_at or not is_behind:
        delivery.tries = delivery.tries + 1 if is_behind else 0
        # A large power of two would be more than any time can hold.
        wait = min(FIRST_WAIT * 2 ** min(delivery.tries - 1, 10), LONGEST_WAIT) if is_behind else timedelta()
        delivery.next_at = utc_text(now + wait) if is_behind else ""
    delivery.posted_at = at if told else delivery.posted_at
    with closing(open_control(settings)) as control, control.write() as connection:
        values = [{"alert_id": row["alert_id"], "at": at, "is_over": int(bool(row["over_at"]))} for row in told]
        connection.executemany(statement, values)
        control.keep_mark(_MARK, json.dumps(_as_kept(delivery)), within=connection)
    for problem in problems:
        log.warning("alert_not_delivered", problem=problem, next_try=delivery.next_at)
    if told:
        log.info("alerts_told", alerts=len(told))
