"""A ledger and a VMS in memory, strict where delivery relies on it, and a batch's context around them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import duckdb
import msgspec

from pipelines.core.control_place import Place
from pipelines.core.errors import Refused, Transient
from pipelines.core.settings import Settings
from pipelines.load.ledger.vouchers import MUTATION
from pipelines.outbox.intent import Intent, Kind
from pipelines.outbox.store import Outbox
from pipelines.step.context import Context
from pipelines.stores.control import Control
from pipelines.stores.opening import open_store
from pipelines.wire.query import Reading
from pipelines.wire.upload import Upload

Node = dict[str, Any]
EVERY_KEY = range(1, 5_000)
ENTITY_IDS = {28600: 900, 28601: 901, 28602: 902}


class Clock:
    """A clock that stands still but for sleeping."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 2, 8, tzinfo=UTC)
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)


@dataclass(slots=True)
class FakeLedger:
    """Import items and books; does not refuse what it has already, as the real one does not.

    Source: docs/systems/ledger.md#a3.
    """

    # Characters of an e-mail address; a longer one is refused, as the ledger refuses any text that does not fit.
    longest: int = 1_000
    missing: set[tuple[str, object]] = field(default_factory=set)
    # Subledger codes that exist on the other side only: (voucher type, code).
    missing_partners: set[tuple[str, str]] = field(default_factory=set)
    cut_edges: int = 0
    unreadable: set[str] = field(default_factory=set)
    is_atomic: bool = True
    all_errors: bool = True
    rows: dict[str, list[Node]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    sent: list[list[str]] = field(default_factory=list)
    asked: list[tuple[str, list[Any]]] = field(default_factory=list)
    uploads: list[list[str]] = field(default_factory=list)
    before: Callable[[int], None] = lambda _: None
    after: Callable[[int], None] = lambda _: None
    last_id: int = 9_000

    def read(self, readings: Sequence[Reading]) -> list[Iterator[bytes]]:
        self.calls.append("+".join(reading.connection for reading in readings))
        return [iter([self._page(reading)]) for reading in readings]

    def mutate(self, name: str, inputs: Sequence[Mapping[str, object]], uploads: Sequence[Upload] = ()) -> list[Node]:
        self.calls.append(name)
        self.uploads.append([upload.name for upload in uploads])
        number = self.calls.count(name)
        self.before(number)
        found = [self.complaint(cast("Node", item["node"])) for item in inputs]
        complaints = [text for text in found if text]
        edges: list[Node] = []
        for item, complaint in zip(inputs, found, strict=True):
            if complaint is None and not (complaints and self.is_atomic):
                edges.append(
                    {"clientId": item["clientId"], "node": {"dbId": self.add(name, cast("Node", item["node"]))}}
                )
        if complaints:
            told = complaints if self.all_errors else complaints[:1]
            raise Refused("refused", problems=tuple(("INVALID_VALUE", text) for text in told), status=200)
        self.sent.append([str(item["clientId"]) for item in inputs])
        self.after(number)
        return edges[: len(edges) - self.cut_edges]

    def add(self, name: str, node: Node) -> str:
        self.last_id += 1
        table = (
            "glImportItems" if name == MUTATION else name.removeprefix("add")[:1].lower() + name.removeprefix("add")[1:]
        )
        row = {"dbId": str(self.last_id), **node, "ownerDbId": owner_id(node)}
        self.rows.setdefault(table, []).append(row)
        return str(row["dbId"])

    def vouchers(self) -> dict[int, list[int]]:
        """Give the item numbers of each voucher, as often as they were written."""
        found: dict[int, list[int]] = {}
        for item in self.rows.get("glImportItems", []):
            found.setdefault(item["trRegNumber"], []).append(item["trItemNumber"])
        return found

    def book(self, *, text: str | None = None, forget_items: bool = True) -> None:
        """Book every import item: one header a voucher, one row a control line, its text changed when one is given."""
        items = self.rows.get("glImportItems", [])
        for number in dict.fromkeys(item["trRegNumber"] for item in items):
            lines = [item for item in items if item["trRegNumber"] == number]
            header = self._header(lines[0], text=text)
            self.rows.setdefault("journalHeaders", []).append(header)
            connection = {"AP": "apTransactions", "AR": "arTransactions"}.get(lines[0]["transactionSource"]["code"])
            for line in lines if connection else ():
                if "subledger" in line:
                    self.rows.setdefault(str(connection), []).append({**line, "transactionHeader": header})
        if forget_items:
            items.clear()

    def _header(self, line: Node, *, text: str | None) -> Node:
        self.last_id += 1
        return {
            "dbId": str(self.last_id),
            "text": text or line["text"],
            "ownerDbId": line["ownerDbId"],
            "postedDate": line["postedDate"],
            "importedAt": "2026-11-02T09:00:00",
            "transactionNumber": 120_000 + self.last_id,
            "transactionSource": line["transactionSource"],
        }

    def _page(self, reading: Reading) -> bytes:
        [(name, values)] = (reading.filter or {}).items()
        wanted = cast("list[Any]", values)
        self.asked.append((reading.connection, wanted))
        column = name.removesuffix("_in")
        rows = [row for row in self.rows.get(reading.connection, []) if row.get(column) in wanted]
        return msgspec.json.encode([{"extOrderNumber": None, "objectKindDbId": None, **row} for row in rows])

    def complaint(self, node: Node) -> str | None:
        """Say in the ledger's words why it refuses a node."""
        for name, value in node.items():
            code = value.get("code") if isinstance(value, dict) else None
            if (name, code) in self.missing:
                return f"{name}.code: No value matching owner {owner_id(node)}, code '{code}'."
        partner = node.get("subledger", {}).get("code")
        if (node.get("transactionSource", {}).get("code"), partner) in self.missing_partners:
            return f"subledger.code: No value matching owner {owner_id(node)}, code '{partner}'."
        if len(node.get("email", "")) > self.longest:
            return f"email: Value is too long, at most {self.longest} characters are allowed."
        return "text: Value is unreadable." if node.get("text") in self.unreadable else None


def owner_id(node: Node) -> int:
    """Give the dbId of the entity a node is for."""
    return ENTITY_IDS[node.get("owner", {"ownerCode": 28600})["ownerCode"]]


@dataclass(slots=True)
class FakeVms:
    """Documents with a status, some of them with a file: attachment 7 is that of document 7."""

    statuses: dict[int, str] = field(default_factory=dict)
    files: set[int] = field(default_factory=set)
    fetched: list[int] = field(default_factory=list)
    puts: list[int] = field(default_factory=list)
    finds: list[str] = field(default_factory=list)
    before: Callable[[int], None] = lambda _: None
    after: Callable[[int], None] = lambda _: None

    def find(self, entity: str, *, filters: Sequence[str], fields: Sequence[str]) -> list[Node]:
        assert (entity, list(fields)) == ("Document", ["key", "invoicingStatus.statusTypeCode"])
        [wanted] = filters
        self.finds.append(wanted)
        keys = [int(key) for key in wanted.removeprefix("key(IN)(").removesuffix(")").split(",")]
        return [
            {"key": key, "invoicingStatus": {"statusTypeCode": self.statuses[key]}}
            for key in keys
            if key in self.statuses
        ]

    def pages_of(self, entity: str, path: str, values: Sequence[int], *, fields: Sequence[str]) -> Iterator[bytes]:
        assert (entity, path) == ("Remark", "source")
        assert {"source", "attachments.fileName"} < {*fields}
        yield msgspec.json.encode(
            [{"source": key, "attachments": [{"key": key, "fileName": "f.pdf"}]} for key in values if key in self.files]
        )

    def get(self, entity: str, key: int, *, fields: Sequence[str]) -> bytes:
        assert (entity, [*fields]) == ("Attachment", ["fileName", "file"])
        self.fetched.append(key)
        return msgspec.json.encode({"file": f"%PDF-1.7 of {key}"})

    def put(self, entity: str, key: int, body: Mapping[str, object]) -> Node:
        assert (entity, dict(body)) == ("Document", {"invoicingStatus": "POS"})
        self.puts.append(key)
        self.before(key)
        self.statuses[key] = "POS"
        self.after(key)
        return {"key": key, "invoicingStatus": {"key": 13, "statusTypeCode": "POS"}}


def unanswered(*, sent: bool = True) -> Transient:
    """Give the error of a call that got no answer."""
    return Transient("no answer", sent=sent)


def make_settings(**sections: Any) -> Settings:  # noqa: ANN401 a section, or a setting outside of any
    """Give settings that reach nothing."""
    vms = {"base_url": "http://127.0.0.1:1/ws/rest", "username": "u", "password": "p", "workers": 4}
    ledger = {"url": "http://127.0.0.1:1/graphql", "token": "t"}
    return Settings.model_validate(
        {
            **sections,
            "vms": vms | dict(sections.get("vms", {})),
            "ledger": ledger | dict(sections.get("ledger", {})),
        }
    )


def make_warehouse() -> duckdb.DuckDBPyConnection:
    """Give a warehouse with the ledger's entities: a group and two companies below it."""
    warehouse = duckdb.connect(":memory:")
    for schema in ("map", "post", "stg_ledger"):
        warehouse.execute(f"CREATE SCHEMA {schema}")
    warehouse.execute("CREATE TABLE map.entities (owner_code INTEGER, entity_db_id BIGINT)")
    warehouse.executemany("INSERT INTO map.entities VALUES (?, ?)", list(ENTITY_IDS.items()))
    warehouse.execute("CREATE TABLE map.reversal_originals (document_key BIGINT, original_key BIGINT, state VARCHAR)")
    warehouse.execute("CREATE TABLE map.master_visibility (owner_code INTEGER, seen_owner_db_id BIGINT)")
    warehouse.execute("INSERT INTO map.master_visibility VALUES (28600, 900), (28601, 900), (28601, 901)")
    return warehouse


@dataclass(slots=True)
class World:
    """One control store with a ledger, a VMS and a clock."""

    place: Place
    ledger: FakeLedger = field(default_factory=FakeLedger)
    vms: FakeVms = field(default_factory=FakeVms)
    clock: Clock = field(default_factory=Clock)
    settings: Settings = field(default_factory=make_settings)
    warehouse: duckdb.DuckDBPyConnection = field(default_factory=make_warehouse)
    open_control: Callable[[Place], Control] = open_store
    control: Control = field(init=False)

    def __post_init__(self) -> None:
        self.control = self.open_control(self.place)

    @property
    def path(self) -> Path:
        """The file of the control store, where it is one."""
        assert isinstance(self.place, Path)
        return self.place

    def outbox(self) -> Outbox:
        return Outbox(self.control, batch_id="b1", now=self.clock.now)

    def context(self, *, tell: Callable[[str], None] = lambda _message: None) -> Context:
        return Context(
            batch_id="b1",
            today=date(2026, 11, 2),
            now=self.clock.now,
            operator="tester",
            settings=self.settings.model_copy(update={"control": self.place}),
            control=self.control,
            warehouse=self.warehouse,
            vms=cast("Any", self.vms),
            ledger=cast("Any", self.ledger),
            report=lambda _what, _done, _total: None,
            tell=tell,
        )

    def states(self, kind: Kind = Kind.VOUCHER) -> dict[str, str]:
        """Give the state of each intent by natural key."""
        rows = self.control.read("SELECT natural_key, state FROM outbox WHERE kind = ? ORDER BY 1", (kind,))
        return {row["natural_key"]: row["state"] for row in rows}

    def error(self, natural_key: str, kind: Kind = Kind.VOUCHER) -> tuple[str | None, str | None]:
        """Give code and message of an intent's error."""
        statement = "SELECT error_code, last_error FROM outbox WHERE kind = ? AND natural_key = ?"
        [row] = self.control.read(statement, (kind, natural_key))
        return row["error_code"], row["last_error"]

    def breaks(self) -> list[tuple[str, str]]:
        """Give kind and subject of the open breaks."""
        return [(row["kind"], row["subject"]) for row in self.control.read("SELECT * FROM breaks WHERE until IS NULL")]


def voucher(
    key: int,
    *,
    lines: int = 2,
    owner: int = 28601,
    source: str = "AP",
    number: str | None = None,
    invoice: str | None = None,
    partner: str = "60526",
    references: Mapping[str, str] | None = None,
) -> Intent:
    """Make the intent of a voucher with one control line; ``references`` go onto its last line."""
    number = number or f"27{key}"
    common: Node = {
        "owner": {"ownerCode": owner},
        "transactionSource": {"code": source},
        "trRegNumber": key,
        "postedDate": "2026-11-02",
        "currency": {"code": "USD"},
        "extOrderNumber": number,
        "invoiceNumber": invoice or f"F-{key}",
        "jobLevel": {"dbSubId": 1},
    }
    control = {
        **common,
        "trItemNumber": 1,
        "account": {"code": "2400"},
        "subledger": {"code": partner},
        "bankAccount": "86011117947",
        "invoiceAmount": "-100.00",
        "amount": "-1000.00",
        "text": f"{number} Nordic",
    }
    shares = [1] * (lines - 2) + [102 - lines]
    details = [
        {
            **common,
            "trItemNumber": item,
            "account": {"code": "4300"},
            "invoiceAmount": f"{share}.00",
            "amount": f"{share}0.00",
            "text": "Towage",
        }
        for item, share in enumerate(shares, start=2)
    ]
    details[-1] |= {name: {"code": code} for name, code in (references or {}).items()}
    return Intent(
        Kind.VOUCHER,
        str(key),
        "ledger",
        [{"clientId": f"{key}-{node['trItemNumber']}", "node": node} for node in (control, *details)],
        "hash",
        look_up={
            "lines": lines,
            "source": source,
            "ext_order_number": number,
            "posted_date": "2026-11-02",
            "text": f"{number} Nordic",
            "invoice_number": invoice or f"F-{key}",
            "subledger": partner,
            "currency": "USD",
            "control_amount": "-100.00",
        },
        company_code=str(owner),
        owner_code=owner,
        document_key=key,
        document_no=number,
    )


def inputs_of(intent: Intent) -> list[Node]:
    """Give the inputs an intent sends."""
    return cast("list[Node]", intent.payload)
