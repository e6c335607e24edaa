"""Webhooks: who is told of a change, and how often a receiver is tried (docs/systems/vms.md#2)."""

from __future__ import annotations

import base64
import queue
import random
import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from pipelines.sandbox.vms.errors import ApiError
from pipelines.sandbox.vms.expressions import compile_expression
from pipelines.sandbox.vms.json import Obj, encode
from pipelines.sandbox.vms.model import MODEL, PARENTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.sandbox.vms.settings import Switches
    from pipelines.sandbox.vms.store import VmsStore

_SUBSCRIPTION = "WebhookSubscription"
# Five tries, a minute apart, are documented; the time limit of one is not (docs/systems/vms.md#2).
_ATTEMPTS = 5
_TIMEOUT_SECONDS = 5.0
_MAX_WAITING = 10_000
_OK = range(200, 300)
# That remarks never notify is documented; the others belong to the VMS itself.
_NEVER_TOLD = frozenset({"Remark", "Attachment", "AuditLog", "Action", _SUBSCRIPTION})


@dataclass(order=True, slots=True)
class _Delivery:
    due: float
    number: int
    subscription: int = field(compare=False)
    url: str = field(compare=False)
    body: bytes = field(compare=False)
    attempts: int = field(default=0, compare=False)


class _Event(NamedTuple):
    """One object that a unit of work created, changed or removed; a state that is not there is empty."""

    kind: str
    entity: str
    key: int
    new: Obj
    old: Obj


class Webhooks:
    """Tells subscribers of committed changes, from a thread of its own that starts with the first delivery."""

    def __init__(self, store: VmsStore, switches: Switches) -> None:
        self.root = ""
        self._store = store
        self._switches = switches
        self._waiting: queue.PriorityQueue[_Delivery] = queue.PriorityQueue(_MAX_WAITING)
        self._count = 0
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()

    def check(self, key: int) -> None:
        """Check a subscription that was just written; raises ApiError 400 naming the member."""
        subscription = self._store.find(_SUBSCRIPTION, key)
        if subscription["eventType"] not in ("C", "U", "D"):
            raise ApiError("'eventType' must be C, U or D.")
        if subscription["objectType"] not in MODEL:
            raise ApiError(f"'objectType': there is no resource {subscription['objectType']!r}.")
        if urlsplit(subscription.get("url") or "").scheme not in ("http", "https"):
            raise ApiError("'url' must be an http or https address.")
        if subscription.get("expression"):
            compile_expression(self._store, subscription["objectType"], subscription["expression"])

    def tell(self, touched: Mapping[tuple[str, int], Obj | None]) -> None:
        """Queue what a committed unit of work has to say; ``touched`` holds the states from before."""
        subscriptions = [one for one in self._store.tables[_SUBSCRIPTION].values() if one.get("isActive") is not False]
        if not subscriptions:
            return
        events = [event for place, old in touched.items() for event in self._events(*place, old)]
        found = [(one, event) for one in subscriptions for event in events if self._wants(one, event)]
        if self._switches.now.webhook_shuffle:
            random.shuffle(found)
        for subscription, event in found:
            self._queue(subscription, event)

    def close(self) -> None:
        """Stop delivering."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(_TIMEOUT_SECONDS)

    def _events(self, entity: str, key: int, old: Obj | None) -> Iterator[_Event]:
        new = self._store.tables[entity].get(key)
        if entity not in _NEVER_TOLD and old is not new:
            kind = "C" if old is None else "D" if new is None else "U"
            yield _Event(kind, entity, key, new or {}, old or {})

    def _wants(self, subscription: Obj, event: _Event) -> bool:
        if event.kind != subscription["eventType"]:
            return False
        target, text = subscription["objectType"], subscription.get("expression")
        if event.entity == target:
            return not text or compile_expression(self._store, target, text)(event.new, event.old)
        if subscription.get("onlyMainObject") or text:
            # A condition speaks of the main object, which did not move.
            return False
        state = event.new or event.old
        return any(owner == target and state.get(member.back) for owner, member in PARENTS.get(event.entity, ()))

    def _queue(self, subscription: Obj, event: _Event) -> None:
        self._count += 1
        body = {
            "id": f"{self._count}-{subscription['key']}",
            "eventTime": self._switches.stamp(),
            "objectType": event.entity,
            "eventType": event.kind,
            "dataloyObject": event.key,
            "dataloyObjectSelf": f"{self.root}{event.entity}/{event.key}",
            "subscription": {"key": subscription["key"], "self": f"{self.root}{_SUBSCRIPTION}/{subscription['key']}"},
        }
        delivery = _Delivery(time.monotonic(), self._count, subscription["key"], subscription["url"], encode(body))
        self._waiting.put_nowait(delivery)
        if self._thread is None:
            self._thread = threading.Thread(target=self._deliver, name="webhooks", daemon=True)
            self._thread.start()

    def _deliver(self) -> None:
        while not self._stopped.is_set():
            try:
                delivery = self._waiting.get(timeout=0.1)
            except queue.Empty:
                continue
            # There is one thread: while it waits to repeat a delivery, others wait too. The product uses no webhooks.
            if self._stopped.wait(max(delivery.due - time.monotonic(), 0.0)):
                return
            subscription = self._store.tables[_SUBSCRIPTION].get(delivery.subscription)
            if subscription is None or subscription.get("isActive") is False or _post(delivery, subscription):
                continue
            delivery.attempts += 1
            if delivery.attempts < _ATTEMPTS:
                delivery.due = time.monotonic() + self._switches.now.webhook_retry_seconds
                self._waiting.put(delivery)
            elif not subscription.get("doNotUnsubscribe"):
                # It cannot be switched on again; the user makes a new one.
                with self._store.unit() as unit:
                    unit.set(_SUBSCRIPTION, delivery.subscription, isActive=False)


def _post(delivery: _Delivery, subscription: Obj) -> bool:
    """Send one notification and tell whether the receiver answered 2xx."""
    address = urlsplit(delivery.url)
    kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
    headers = {"Content-Type": "application/json"}
    if subscription.get("webhookUsername"):
        pair = f"{subscription['webhookUsername']}:{subscription.get('webhookPassword') or ''}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    target = f"{address.path or '/'}?{address.query}" if address.query else address.path or "/"
    connection = kind(address.netloc, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("POST", target, delivery.body, headers)
        return connection.getresponse().status in _OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
