"""Delivery against a running sandbox: the real clients, a control store of its own, and the sandbox's own books."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, cast

import msgspec

from pipelines.core.control_place import Place
from pipelines.core.settings import Settings, load_settings
from pipelines.load.delivery import DeliveryResult
from pipelines.load.ledger.vouchers import deliver_vouchers
from pipelines.load.vms.acknowledge import deliver_acknowledgements
from pipelines.outbox.intent import Intent, Kind
from pipelines.outbox.store import Outbox
from pipelines.step.context import Context
from pipelines.stores.control import Control
from pipelines.stores.opening import open_store
from pipelines.wire.ledger import LedgerClient
from pipelines.wire.query import Reading
from pipelines.wire.vms import VmsClient
from tests.support.delivery_world import EVERY_KEY, make_warehouse
from tests.support.sandbox_server import Sandbox

# How long a call without an answer may still be at work: the sandbox's take milliseconds.
CALL_SECONDS = 0.5


def now() -> datetime:
    """Give the time of day."""
    return datetime.now(UTC)


def settings_for(sandbox: Sandbox, **environ: str) -> Settings:
    """Give the settings of a sandbox, with limits that no test waits for."""
    limits = {"SPRINGLINE_LEDGER__BURST_REQUESTS": "10000", "SPRINGLINE_LEDGER__ATTEMPTS": "2"}
    vms = {"SPRINGLINE_VMS__ATTEMPTS": "2", "SPRINGLINE_LEDGER__LONGEST_WAIT": "1"}
    return load_settings(None, environ={**sandbox.env, **limits, **vms, **environ})


class Clients:
    """The real clients of a sandbox; no connection is open before the first call."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.ledger = LedgerClient(settings.ledger, count=lambda _side, _operation: None, now=now)
        self.vms = VmsClient(settings.vms, count=lambda _side, _operation: None, now=now)

    def close(self) -> None:
        self.ledger.close()
        self.vms.close()


def read_entities(ledger: LedgerClient) -> dict[int, int]:
    """Give the dbId of each entity code."""
    [pages] = ledger.read([Reading("entities", "dbId code")])
    return {int(entity["code"]): int(entity["dbId"]) for page in pages for entity in msgspec.json.decode(page)}


class Batch:
    """One process's delivery."""

    def __init__(self, clients: Clients, control: Place, entities: Mapping[int, int] | None = None) -> None:
        self.settings = clients.settings
        self.control = open_store(control)
        self.ledger: Any = clients.ledger
        self.vms: Any = clients.vms
        self.warehouse = make_warehouse()
        ids = entities or read_entities(clients.ledger)
        self.warehouse.execute("DELETE FROM map.entities")
        self.warehouse.executemany("INSERT INTO map.entities VALUES (?, ?)", list(ids.items()))
        self.warehouse.execute("DELETE FROM map.master_visibility")
        self.warehouse.execute("INSERT INTO map.master_visibility VALUES (28600, ?)", [ids[28600]])

    def context(self) -> Context:
        # Delivery believes in absence once a call must be over; the clients' own patience is another matter.
        patience = self.settings.ledger.model_copy(update={"timeout": CALL_SECONDS})
        return Context(
            batch_id="b1",
            today=date(2026, 11, 2),
            now=now,
            operator="tester",
            settings=self.settings.model_copy(update={"ledger": patience}),
            control=self.control,
            warehouse=self.warehouse,
            vms=self.vms,
            ledger=self.ledger,
            report=lambda _what, _done, _total: None,
        )

    def store(self, intents: Iterable[Intent]) -> None:
        Outbox(self.control, batch_id="b1", now=now).store_intents(intents)

    def deliver(self) -> tuple[DeliveryResult, DeliveryResult]:
        """Deliver vouchers, then acknowledgements."""
        context = self.context()
        return deliver_vouchers(context, ready=EVERY_KEY), deliver_acknowledgements(context)

    def close(self) -> None:
        self.control.close()
        self.warehouse.close()


def states(control: Control, kind: Kind) -> dict[int, str]:
    """Give the state of each document's intent."""
    rows = control.read("SELECT document_key, state FROM outbox WHERE kind = ?", (kind,))
    return {row["document_key"]: row["state"] for row in rows}


def imported(sandbox: Sandbox) -> dict[int, list[int]]:
    """Give the item numbers in the ledger's import by voucher number."""
    found: dict[int, list[int]] = {}
    for item in sandbox.control("GET", "ledger/import-items"):
        found.setdefault(item["node"]["trRegNumber"], []).append(item["node"]["trItemNumber"])
    return {number: sorted(items) for number, items in found.items()}


def booked(sandbox: Sandbox) -> list[int]:
    """Run the posting job and give the voucher numbers in the books, as often as they stand there."""
    sandbox.control("POST", "ledger/post", {})
    return sorted(header["trRegNumber"] for header in sandbox.control("GET", "ledger/vouchers"))


def statuses(sandbox: Sandbox, keys: Iterable[int]) -> dict[int, str]:
    """Give the VMS's own status of documents."""
    with sandbox.vms() as client:
        header = {"fields": '{"key":"*","invoicingStatus":{"statusTypeCode":"*"}}'}
        found: dict[int, str] = {}
        for key in keys:
            document = cast("dict[str, Any]", client.get(f"/Document/{key}", headers=header).json())
            found[key] = document["invoicingStatus"]["statusTypeCode"]
        return found


def puts(sandbox: Sandbox) -> int:
    """Give how often a document was written."""
    counts: dict[str, int] = sandbox.control("GET", "requests")["vms"]
    return sum(count for request, count in counts.items() if request.startswith("PUT /ws/rest/Document"))
