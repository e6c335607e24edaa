"""Webhooks: who is told of a change, and how often a receiver is tried (docs/systems/vms.md#2)."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from pipelines.sandbox.callers import Callers, is_address, post
from pipelines.sandbox.vms.deliveries import Deliveries, Delivery
from pipelines.sandbox.vms.errors import ApiError
from pipelines.sandbox.vms.expressions import compile_expression
from pipelines.sandbox.vms.json import Obj, encode
from pipelines.sandbox.vms.model import MODEL, PARENTS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Mapping

    from pipelines.sandbox.clock import Clock
    from pipelines.sandbox.vms.settings import Switches
    from pipelines.sandbox.vms.store import VmsStore

_SUBSCRIPTION = "WebhookSubscription"
# Five tries, a minute apart, are documented (docs/systems/vms.md#2-5).
_ATTEMPTS = 5
# That remarks never notify is documented; the others belong to the VMS itself.
_NEVER_TOLD = frozenset({"Remark", "Attachment", "AuditLog", "Action", _SUBSCRIPTION})
_SWITCHED_OFF = "The subscription is switched off or deleted."


class _Event(NamedTuple):
    """One object that a unit of work created, changed or removed; a state that is not there is empty."""

    kind: str
    entity: str
    key: int
    new: Obj
    old: Obj


class Webhooks:
    """Tells subscribers of committed changes; nobody who writes waits for them."""

    def __init__(self, db: sqlite3.Connection, store: VmsStore, switches: Switches, clock: Clock) -> None:
        self.root = ""
        self._store = store
        self._switches = switches
        self._clock = clock
        self._deliveries = Deliveries(db)
        self._callers = Callers(clock, self._deliver)
        for key in self._deliveries.subscriptions():
            self._callers.wake(key)

    def check(self, key: int, *, before: Obj | None = None) -> None:
        """Check a subscription that was just written over ``before``; raises ApiError 400 naming the member."""
        subscription = self._store.find(_SUBSCRIPTION, key)
        if subscription["eventType"] not in ("C", "U", "D"):
            raise ApiError("'eventType' must be C, U or D.")
        if subscription["objectType"] not in MODEL:
            raise ApiError(f"'objectType': there is no resource {subscription['objectType']!r}.")
        if not is_address(subscription.get("url")):
            raise ApiError("'url' must be an http or https address.")
        if before is not None and not _is_active(before) and _is_active(subscription):
            raise ApiError("'isActive': a subscription that is switched off stays so. Create a new one.")
        if subscription.get("expression"):
            compile_expression(self._store, subscription["objectType"], subscription["expression"])

    def tell(self, touched: Mapping[tuple[str, int], Obj | None]) -> None:
        """Queue what a committed unit of work has to say; ``touched`` holds the states from before."""
        subscriptions = [one for one in self._store.tables[_SUBSCRIPTION].values() if _is_active(one)]
        if not subscriptions:
            return
        with self._store.lock:
            events = [event for place, old in touched.items() for event in self._events(*place, old)]
            for subscription in subscriptions:
                is_wanted = self._wanted(subscription)
                found = [self._delivery(subscription, event) for event in events if is_wanted(event)]
                if found:
                    self._deliveries.add(found, longest=self._switches.now.webhook_queue)
                    self._callers.wake(subscription["key"])

    def log(self) -> dict[str, object]:
        """Give the last notifications with their attempts, and how many were dropped by subscription."""
        with self._store.lock:
            told = [
                one._asdict() | {name: datetime.fromtimestamp(getattr(one, name), UTC) for name in ("at", "due")}
                for one in self._deliveries.log()
            ]
            return {"deliveries": told, "dropped": self._deliveries.dropped}

    def close(self) -> None:
        """Stop delivering; what waits goes on after a restart."""
        self._callers.close()

    def _events(self, entity: str, key: int, old: Obj | None) -> Iterator[_Event]:
        new = self._store.tables[entity].get(key)
        if entity not in _NEVER_TOLD and old is not new:
            kind = "C" if old is None else "D" if new is None else "U"
            yield _Event(kind, entity, key, new or {}, old or {})

    def _wanted(self, subscription: Obj) -> Callable[[_Event], bool]:
        target, text = subscription["objectType"], subscription.get("expression")
        condition = compile_expression(self._store, target, text) if text else None
        # A condition speaks of the main object, which did not move when a child did.
        is_wide = not subscription.get("onlyMainObject") and condition is None

        def is_wanted(event: _Event) -> bool:
            if event.kind != subscription["eventType"]:
                return False
            if event.entity == target:
                return condition is None or condition(event.new, event.old)
            state = event.new or event.old
            parents = PARENTS.get(event.entity, ()) if is_wide else ()
            return any(owner == target and state.get(member.back) for owner, member in parents)

        return is_wanted

    def _delivery(self, subscription: Obj, event: _Event) -> Delivery:
        number, key = self._deliveries.number(), subscription["key"]
        body = {
            "id": f"{number}-{key}",
            "eventTime": self._switches.stamp(),
            "objectType": event.entity,
            "eventType": event.kind,
            "dataloyObject": event.key,
            "dataloyObjectSelf": f"{self.root}{event.entity}/{event.key}",
            "subscription": {"key": key, "self": f"{self.root}{_SUBSCRIPTION}/{key}"},
        }
        return Delivery(self._clock.now().timestamp(), number, key, encode(body))

    def _deliver(self, key: int) -> datetime | None:
        """Make one attempt for a subscription and give when it is due again."""
        now, switches = self._clock.now().timestamp(), self._switches.now
        with self._store.lock:
            subscription = self._store.tables[_SUBSCRIPTION].get(key, {})
            if not _is_active(subscription):
                self._deliveries.give_up(key, error=_SWITCHED_OFF)
                return None
            delivery = self._deliveries.take(key, now=now, is_shuffled=switches.webhook_shuffle)
        error = ""
        if delivery is not None:
            address, headers = subscription["url"], _authorization(subscription)
            # Without the lock: nobody who reads or writes waits for a receiver.
            error = post(address, delivery.body, headers, timeout=switches.webhook_timeout_seconds)
        with self._store.lock:
            if self._callers.is_closed:
                return None
            if delivery is not None:
                self._attempted(delivery, error)
            due = self._deliveries.next_due(key)
        return None if due is None else datetime.fromtimestamp(due, UTC)

    def _attempted(self, delivery: Delivery, error: str) -> None:
        delivery.attempts += 1
        if error and delivery.attempts < _ATTEMPTS:
            due = self._clock.now().timestamp() + self._switches.now.webhook_retry_seconds
            self._deliveries.retry(delivery, due=due, error=error)
            return
        self._deliveries.end(delivery, error=error)
        subscription = self._store.tables[_SUBSCRIPTION].get(delivery.subscription)
        if error and subscription is not None and not subscription.get("doNotUnsubscribe"):
            with self._store.unit() as unit:
                unit.set(_SUBSCRIPTION, delivery.subscription, isActive=False)
            self._deliveries.give_up(delivery.subscription, error=_SWITCHED_OFF)


def _is_active(subscription: Obj) -> bool:
    # A deleted one is empty.
    return bool(subscription) and subscription.get("isActive") is not False


def _authorization(subscription: Obj) -> dict[str, str]:
    if not subscription.get("webhookUsername"):
        return {}
    pair = f"{subscription['webhookUsername']}:{subscription.get('webhookPassword') or ''}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
