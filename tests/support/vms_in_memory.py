"""A VMS in memory that takes documents and rates, and a batch's context around it, for tests of what goes there."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

import duckdb
from pydantic import SecretStr

from pipelines.core.errors import Refused, Transient
from pipelines.core.settings import Settings
from pipelines.core.settings_systems import LedgerSettings, VmsSettings
from pipelines.outbox.store import Outbox
from pipelines.step.context import Context
from pipelines.stores.control import Control
from pipelines.stores.warehouse import replace_rows

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.outbox.intent import Kind

Row = dict[str, Any]

SETTINGS = Settings(
    vms=VmsSettings(base_url="http://127.0.0.1:1", username="u", password=SecretStr("p"), workers=4),
    ledger=LedgerSettings(token=SecretStr("t")),
)
PAYMENT_COLUMNS = (
    "natural_key VARCHAR, side VARCHAR, owner_code INTEGER, payment_db_id BIGINT, document_key BIGINT, "
    "part_no INTEGER, document_type VARCHAR, company_code VARCHAR, partner_code VARCHAR, partner_key BIGINT, "
    "ref_document_no VARCHAR, is_number_shared BOOLEAN, currency_code VARCHAR, source_currency_code VARCHAR, "
    "document_amount DECIMAL(38,4), source_amount DECIMAL(38,4), company_amount DECIMAL(38,4), "
    "exchange_rate DECIMAL(38,15), document_date DATE, document_text VARCHAR"
)
RATE_COLUMNS = (
    "natural_key VARCHAR, rate_date DATE, from_currency VARCHAR, to_currency VARCHAR, exchange_rate DECIMAL(38,15), "
    "is_between_bases BOOLEAN, part_no INTEGER, rate_key BIGINT"
)


class Crash(BaseException):
    """The process ends here."""


@dataclass(slots=True)
class FakeVms:
    """Documents and rates; refuses a number that it has, as the real one does (docs/systems/vms.md#a11)."""

    objects: dict[str, list[Row]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    is_silent: bool = False
    before: Callable[[int], None] = lambda _: None
    after: Callable[[int], None] = lambda _: None
    _keys: Any = field(default_factory=lambda: itertools.count(9_000))
    _lock: Lock = field(default_factory=Lock)
    _writes: int = 0

    def find(self, entity: str, *, filters: Sequence[str], fields: Sequence[str]) -> list[Row]:
        self.calls.append(f"find {entity}")
        if self.is_silent:
            raise Transient("no answer")
        found = self.objects.get(entity, [])
        return [row for row in found if all(_passes(row, text) for text in filters)] if fields else []

    def post(self, entity: str, body: Mapping[str, object]) -> Row:
        with self._lock:
            self._writes += 1
            number = self._writes
            self.calls.append(f"post {entity}")
        self.before(number)
        with self._lock:
            row = self._added(entity, dict(body))
        self.after(number)
        return row

    def put(self, entity: str, key: int, body: Mapping[str, object]) -> Row:
        self.calls.append(f"put {entity}")
        [row] = [row for row in self.objects[entity] if row["key"] == key]
        row.update(_expanded(body))
        return row

    def _added(self, entity: str, body: Row) -> Row:
        number = str(body.get("documentNo"))
        if number in self.refused:
            raise Refused(f"VMS: {self.refused[number]}", problems=(("400", self.refused[number]),), status=400)
        known = {row.get("documentNo") for row in self.objects.get(entity, [])} - {None}
        if number in known:
            raise Refused("VMS: exists already", problems=(("400", "exists already"),), status=400)
        row = {"key": next(self._keys), **_expanded(body)}
        self.objects.setdefault(entity, []).append(row)
        return row


def _expanded(body: Mapping[str, object]) -> Row:
    """Turn the codes of a body into references, as the VMS answers."""
    names = {
        "documentType": "documentType",
        "company": "companyCode",
        "currency": "currencyCode",
        "fromCurrency": "currencyCode",
    }
    return {name: {names[name]: value} if name in names else value for name, value in body.items()}


def _passes(row: Row, text: str) -> bool:
    path, _, rest = text.partition("(")
    operator, _, value = rest.partition(")")
    found: Any = row
    for name in path.split("."):
        found = found[name]
    match operator:
        case "EQ":
            return str(found) == value.strip('"')
        case "IN":
            return str(found) in value.strip("()").split(",")
        case "GT":
            return int(found) > int(value)
        case "GTE":
            return str(found) >= value
        case _:
            return str(found) <= value


@dataclass(slots=True)
class World:
    """One control store, a warehouse in memory, a VMS and a clock that moves by sleeping."""

    path: Path
    vms: FakeVms = field(default_factory=FakeVms)
    at: datetime = datetime(2026, 11, 2, 8, tzinfo=UTC)
    warehouse: duckdb.DuckDBPyConnection = field(default_factory=duckdb.connect)
    control: Control = field(init=False)

    def __post_init__(self) -> None:
        self.control = Control(self.path)
        self.warehouse.execute("CREATE SCHEMA IF NOT EXISTS post")
        self.warehouse.execute("CREATE TABLE IF NOT EXISTS post.payment_breaks (kind VARCHAR, subject VARCHAR)")

    def want(self, table: str, columns: str, rows: Sequence[Row]) -> None:
        """Let the models want these rows, but for those that count as gone, as the real ones leave them out."""
        gone = {
            row[0]
            for row in self.control.read("SELECT natural_key FROM outbox WHERE state IN ('sending', 'sent', 'unknown')")
        }
        names = [column.split(" ")[0] for column in columns.split(", ")]
        wanted = [tuple(row.get(name) for name in names) for row in rows if row["natural_key"] not in gone]
        replace_rows(self.warehouse, f"post.{table}", columns, wanted)

    def companies(self, owners: Mapping[str, int]) -> None:
        """Let these companies of the VMS post to these entities of the ledger."""
        self.warehouse.execute("CREATE SCHEMA IF NOT EXISTS map")
        columns = "company_code VARCHAR, owner_code INTEGER"
        replace_rows(self.warehouse, "map.companies", columns, [*owners.items()])

    def context(self) -> Context:
        return Context(
            batch_id="b1",
            today=date(2026, 11, 2),
            now=lambda: self.at,
            operator="tester",
            settings=SETTINGS,
            control=self.control,
            warehouse=self.warehouse,
            vms=cast("Any", self.vms),
            ledger=cast("Any", None),
            report=lambda _what, _done, _total: None,
        )

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    def outbox(self) -> Outbox:
        return Outbox(self.control, batch_id="b1", now=lambda: self.at)

    def states(self, kind: Kind) -> dict[str, str]:
        rows = self.control.read("SELECT natural_key, state FROM outbox WHERE kind = ? ORDER BY 1", (kind,))
        return {row["natural_key"]: row["state"] for row in rows}

    def error(self, natural_key: str) -> str:
        return str(self.control.one("SELECT last_error FROM outbox WHERE natural_key = ?", (natural_key,)))

    def breaks(self) -> list[tuple[str, str]]:
        rows = self.control.read("SELECT kind, subject FROM breaks WHERE until IS NULL ORDER BY 1, 2")
        return [(row["kind"], row["subject"]) for row in rows]


def payment(payment_db_id: int, *, key: int = 5_200_000, amount: str = "-100.00", **members: object) -> Row:
    """Give a row of post.payment_changes: a supplier is paid in the invoice's currency at a rate of ten."""
    size = Decimal(amount)
    return {
        "natural_key": f"XL{payment_db_id}-{key}",
        "side": "AP",
        "owner_code": 28601,
        "payment_db_id": payment_db_id,
        "document_key": key,
        "part_no": 1,
        "document_type": "PMO",
        "company_code": "28601",
        "partner_code": "60526",
        "partner_key": 7,
        "ref_document_no": "2707400",
        "is_number_shared": False,
        "currency_code": "USD",
        "source_currency_code": "USD",
        "document_amount": size,
        "source_amount": size,
        "company_amount": size * 10,
        "exchange_rate": Decimal(1),
        "document_date": date(2026, 10, 20),
        "document_text": f"Payment {payment_db_id}",
        **members,
    }


def rate(day: int, currency: str, value: str, **members: object) -> Row:
    """Give a row of post.rate_changes of November 2026, quoted in NOK."""
    return {
        "natural_key": f"2026-11-{day:02}:NOK:{currency}",
        "rate_date": date(2026, 11, day),
        "from_currency": "NOK",
        "to_currency": currency,
        "exchange_rate": Decimal(value),
        "is_between_bases": currency == "USD",
        "part_no": 1,
        "rate_key": None,
        **members,
    }


def invoice(key: int = 5_200_000, *, number: str = "2707400", **members: object) -> Row:
    """Give the document that such a payment settles, as the VMS shows it."""
    return {
        "key": key,
        "documentNo": number,
        "documentType": {"documentType": "INI"},
        "company": {"companyCode": "28601"},
        "businessPartner": {"key": 7, "businessPartnerCode": "60526"},
        **members,
    }
