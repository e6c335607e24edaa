"""An answer that does not show what was written proves nothing: it is looked up, not lost, and not there twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest

from pipelines.core.settings_books import PostingSettings
from pipelines.load.acknowledgement import BODY
from pipelines.load.delivery import DeliveryResult
from pipelines.load.ledger.master_data import STAGES, deliver_master_data
from pipelines.load.ledger.vouchers import deliver_vouchers
from pipelines.load.vms.acknowledge import deliver_acknowledgements
from pipelines.load.vms.actuals import deliver_actuals
from pipelines.load.vms.payments import deliver_payments
from pipelines.load.vms.rates import deliver_rates
from pipelines.load.vms.remarks import write_remarks
from pipelines.outbox.intent import Intent, Kind
from pipelines.step.context import Context
from pipelines.wire.ledger import LedgerClient
from pipelines.wire.upload import Upload
from pipelines.wire.vms import VmsClient
from tests.support import delivery_world, vms_in_memory
from tests.support.delivery_models import change, create_models
from tests.support.delivery_world import EVERY_KEY, Node, make_settings, make_warehouse, voucher
from tests.support.vms_in_memory import PAYMENT_COLUMNS, RATE_COLUMNS, Row, invoice, payment, rate
from tests.support.wire_world import AsSent

if TYPE_CHECKING:
    import duckdb

ACTUAL_COLUMNS = (
    "natural_key VARCHAR, owner_code INTEGER, company_code VARCHAR, month_start DATE, voyage_no VARCHAR, "
    "voyage_key BIGINT, is_number_shared BOOLEAN, account VARCHAR, currency_code VARCHAR, part_no INTEGER, "
    "document_amount DECIMAL(38,4), company_amount DECIMAL(38,4)"
)
REMARKS = vms_in_memory.SETTINGS.model_copy(update={"posting": PostingSettings(remarks=True)})
HTML = b"<html>Please sign in</html>"

Spoil = Callable[[Row], bytes]


def _with(**members: object) -> Spoil:
    return lambda row: _json({**row, **members})


def _json(value: object) -> bytes:
    return json.dumps(value, default=float).encode()


# What comes in place of the written object. Each member that names what was written is made another's.
BAD: Mapping[str, Spoil] = {
    "html": lambda _: HTML,
    "empty": lambda _: b"",
    "list": lambda row: _json([row]),
    "no members": lambda _: b"{}",
    "null": lambda _: b"null",
    "truncated": lambda row: _json(row)[:-1],
    "no key": lambda row: _json({name: value for name, value in row.items() if name != "key"}),
    "key is text": _with(key="12"),
    "key is true": _with(key=True),
    "key is nothing": _with(key=0),
    "another object": _with(
        key=1,
        documentNo="another",
        invoicingStatus="RFP",
        remarkTitle="another",
        exchangeRateDate="2020-01-01T00:00:00",
    ),
    "what was there before": _with(
        documentNo=None, invoicingStatus={"statusTypeCode": "RFP"}, remarkTitle=None, exchangeRate=0.5
    ),
    "stubs": lambda row: _json({"key": row["key"], "self": "http://vms/1", "invoicingStatus": {"key": 13}}),
    "other types": _with(documentNo=[1], invoicingStatus=["POS"], remarkTitle={}, exchangeRate="0.1"),
}


@dataclass(slots=True)
class VmsWorld(vms_in_memory.World):
    """The in-memory VMS behind the real client; the next ``bad`` writes are answered with what ``spoil`` makes."""

    spoil: Spoil = _json
    bad: int = 0
    is_done: bool = True
    writes: list[str] = field(default_factory=list)

    def handle(self, request: httpx.Request) -> httpx.Response:
        entity, _, key = request.url.path.rpartition("/rest/")[2].partition("/")
        if request.method == "GET":
            rows = self.vms.find(entity, filters=request.url.params.get_list("filter"), fields=["key"])
            return httpx.Response(200, content=_json(rows), headers={"totalObjectsNumber": str(len(rows))})
        self.writes.append(request.method)
        is_bad, self.bad = self.bad > 0, self.bad - 1
        if is_bad and not self.is_done:
            return httpx.Response(200, content=self.spoil({"key": 77}))
        body = json.loads(request.content, parse_float=Decimal)
        row = self.vms.put(entity, int(key), body) if key else self.vms.post(entity, body)
        return httpx.Response(200, content=(self.spoil if is_bad else _json)(row))

    def deliver(self, write: Callable[[Context], DeliveryResult | None]) -> DeliveryResult | None:
        settings = REMARKS.vms.model_copy(update={"base_url": "http://vms/rest", "workers": 1})
        transport = AsSent(self.handle)
        client = VmsClient(settings, count=lambda *_: None, now=lambda: self.at, transport=transport)
        return write(replace(self.context(), settings=REMARKS, vms=cast("Any", client)))

    def state(self, kind: Kind) -> str:
        """Give the state of the latest intent of a kind."""
        return str(self.control.one("SELECT state FROM outbox WHERE kind = ? ORDER BY rowid DESC LIMIT 1", (kind,)))


@pytest.fixture(scope="module")
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    """Give one for all: each test fills what it reads, and opening hundreds takes a quarter of a minute."""
    with closing(make_warehouse()) as warehouse:
        create_models(warehouse)
        yield warehouse


@pytest.fixture
def vms(tmp_path: Path, warehouse: duckdb.DuckDBPyConnection) -> Iterator[VmsWorld]:
    world = VmsWorld(tmp_path / "ctl.sqlite", warehouse=warehouse)
    with closing(world.control):
        yield world


@dataclass(frozen=True, slots=True)
class Write:
    """One kind of write to the VMS: how it is wanted and delivered, and how often the other side has it."""

    kind: Kind
    want: Callable[[VmsWorld], None]
    deliver: Callable[[VmsWorld], Callable[[Context], DeliveryResult | None]]
    there: Callable[[VmsWorld], int]


def _documents(world: VmsWorld) -> int:
    return sum(row["documentNo"] != invoice()["documentNo"] for row in world.vms.objects.get("Document", []))


def _acknowledgement(world: VmsWorld) -> None:
    world.vms.objects["Document"] = [{"key": 5, "invoicingStatus": "RFP"}]
    made = Intent(Kind.ACKNOWLEDGEMENT, "5", "vms", BODY, "POS", look_up={}, document_key=5, document_no="2705")
    world.outbox().store_intents([made])


def _actual(world: VmsWorld) -> None:
    row = payment(1) | {
        "natural_key": "ACT202610-28601-V001-4300-USD-1",
        "month_start": date(2026, 10, 1),
        "voyage_no": "V001",
        "voyage_key": 9,
        "account": "4300",
    }
    world.want("actual_changes", ACTUAL_COLUMNS, [row])


def _rate(world: VmsWorld) -> None:
    world.want("rate_changes", RATE_COLUMNS, [rate(1, "USD", "0.1")])


def _rate_over_another(world: VmsWorld) -> None:
    there = {"key": 6, "exchangeRate": 0.5, "exchangeRateDate": "2026-11-01T00:00:00"}
    codes = {"currency": {"currencyCode": "USD"}, "fromCurrency": {"currencyCode": "NOK"}}
    world.vms.objects["ExchangeRate"] = [{**there, **codes}]
    world.want("rate_changes", RATE_COLUMNS, [rate(1, "USD", "0.1", rate_key=6)])


def _rates(world: VmsWorld) -> int:
    return sum(Decimal(str(row["exchangeRate"])) == Decimal("0.1") for row in world.vms.objects.get("ExchangeRate", []))


def _hold(world: VmsWorld, message: str = "No due date.") -> None:
    with world.control.write() as connection:
        connection.execute("DELETE FROM holds")
        connection.execute(
            "INSERT INTO holds (company, document_key, document_no, rule, severity, message, since, batch_id) "
            "VALUES ('28601', 5, 'N5', 'due_date_missing', 'critical', ?, '2026-11-02', 'b1')",
            (message,),
        )


def _changed_hold(world: VmsWorld) -> None:
    _hold(world, "An earlier message.")
    bad, world.bad = world.bad, 0
    world.deliver(write_remarks)
    world.bad = bad
    _hold(world)


def _remarks(world: VmsWorld) -> int:
    remarks = world.vms.objects.get("Remark", [])
    return sum(row["remark"] == "No due date." for row in remarks) if len(remarks) < 2 else len(remarks)


def _payment(world: VmsWorld) -> None:
    world.vms.objects["Document"] = [invoice()]
    world.want("payment_changes", PAYMENT_COLUMNS, [payment(900)])


WRITES: Mapping[str, Write] = {
    "acknowledgement": Write(
        Kind.ACKNOWLEDGEMENT,
        _acknowledgement,
        lambda _: deliver_acknowledgements,
        lambda world: sum(row["invoicingStatus"] == "POS" for row in world.vms.objects["Document"]),
    ),
    "payment": Write(
        Kind.PAYMENT, _payment, lambda world: lambda ctx: deliver_payments(ctx, sleep=world.sleep), _documents
    ),
    "actual": Write(
        Kind.ACTUAL, _actual, lambda world: lambda ctx: deliver_actuals(ctx, sleep=world.sleep), _documents
    ),
    "rate": Write(Kind.RATE, _rate, lambda world: lambda ctx: deliver_rates(ctx, sleep=world.sleep), _rates),
    "rate over another": Write(
        Kind.RATE, _rate_over_another, lambda world: lambda ctx: deliver_rates(ctx, sleep=world.sleep), _rates
    ),
    "remark": Write(Kind.REMARK, _hold, lambda _: write_remarks, _remarks),
    "changed remark": Write(Kind.REMARK, _changed_hold, lambda _: write_remarks, _remarks),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("name", WRITES)
def test_a_write_with_a_bad_answer_is_found_by_its_look_up(vms: VmsWorld, name: str, bad: str) -> None:
    write = WRITES[name]
    vms.spoil, vms.bad = BAD[bad], 1_000
    write.want(vms)
    before = len(vms.writes)
    told = vms.deliver(write.deliver(vms))
    assert (write.there(vms), vms.state(write.kind), len(vms.writes) - before) == (1, "sent", 1)
    # Looked up and found: there is nothing for anybody to do.
    assert told in {None, DeliveryResult(sent=1)}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("name", WRITES)
def test_a_bad_answer_to_what_was_not_done_is_no_success(vms: VmsWorld, name: str, bad: str) -> None:
    write = WRITES[name]
    vms.spoil, vms.is_done = BAD[bad], False
    vms.bad = 1_000
    write.want(vms)
    told = vms.deliver(write.deliver(vms))
    assert (write.there(vms), vms.state(write.kind)) == (0, "unknown")
    assert told is None or told.unknown == len(told.problems) == 1
    vms.bad = 0
    vms.at = vms.at.replace(hour=10)
    vms.deliver(write.deliver(vms))
    assert (write.there(vms), vms.state(write.kind)) == (1, "sent")


@pytest.mark.parametrize(
    "shown",
    [
        {"currency": {"key": 3}, "fromCurrency": {"key": 4}},
        {"exchangeRate": 0.10000000001},
        # As a VMS answers that keeps rates in a base of its own.
        {"currency": {"currencyCode": "NOK"}, "fromCurrency": {"currencyCode": "USD"}, "exchangeRate": 10},
    ],
)
def test_an_answer_that_the_vms_may_give_to_a_rate_is_taken(vms: VmsWorld, shown: Row) -> None:
    vms.spoil, vms.bad = _with(**shown), 1
    _rate(vms)
    assert vms.deliver(deliver_rates) == DeliveryResult(sent=1)
    assert vms.vms.calls.count("find ExchangeRate") == 1


Edges = list[Node]


def _each(**members: object) -> Callable[[Edges], object]:
    return lambda edges: [{**edge, "node": {**edge["node"], **members}} for edge in edges]


def _twice(edges: Edges) -> object:
    return [{**edge, "node": edges[0]["node"]} for edge in edges] if len(edges) > 1 else [*edges, *edges]


# What comes as the edges of a mutation; text in bytes stands for the whole body.
BAD_EDGES: Mapping[str, Callable[[Edges], object]] = {
    "html": lambda _: HTML,
    "empty": lambda _: b"",
    "list": lambda _: b"[]",
    "no members": lambda _: b"{}",
    "no data": lambda _: b'{"data":null}',
    "no mutation": lambda _: b'{"data":{}}',
    "mutation is null": lambda _: b'{"data":{"NAME":null}}',
    "mutation is a list": lambda _: b'{"data":{"NAME":[]}}',
    "truncated": lambda _: b'{"data":{"NAME":{"edges":[{"clientId":"1',
    "no text": lambda _: b'{"data":{"NAME":{"edges":[{"clientId":"\xff"}]}}}',
    "too deep": lambda _: b'{"data":{"NAME":' + b"[" * 5_000,
    "edges are null": lambda _: None,
    "no edges": lambda _: [],
    "an edge is null": lambda _: [None],
    "edges are empty": lambda edges: [{} for _ in edges],
    "one edge is missing": lambda edges: edges[:-1],
    "edges of others": lambda edges: [{**edge, "clientId": "9-9"} for edge in edges],
    "client id of another type": lambda edges: [{**edge, "clientId": [7]} for edge in edges],
    "nodes are null": lambda edges: [{**edge, "node": None} for edge in edges],
    "nodes are lists": lambda edges: [{**edge, "node": [edge["node"]]} for edge in edges],
    "one id for all": _twice,
    "id is null": _each(dbId=None),
    "id is zero": _each(dbId=0),
    "id is text": _each(dbId="new"),
    "id is true": _each(dbId=True),
    "id is an object": _each(dbId={"value": 7}),
    "numbers of another": _each(dbId="77", trRegNumber=99, code="99"),
    "without client ids and numbers": lambda edges: [{"node": {"dbId": "77"}} for _ in edges],
}


@dataclass(slots=True)
class SpoiledLedger(delivery_world.FakeLedger):
    """Has its edges read by the real client, from what ``spoil`` makes of them."""

    spoil: Callable[[Edges], object] | None = None
    is_done: bool = True

    def mutate(self, name: str, inputs: Sequence[Mapping[str, object]], uploads: Sequence[Upload] = ()) -> list[Node]:
        if self.spoil is None or self.is_done:
            edges = delivery_world.FakeLedger.mutate(self, name, inputs, uploads)
        else:
            self.calls.append(name)
            edges = [{"clientId": item["clientId"], "node": {"dbId": 70 + at}} for at, item in enumerate(inputs)]
        made = self.spoil(edges) if self.spoil else edges
        body = made if isinstance(made, bytes) else _json({"data": {"NAME": {"edges": made}}})
        reply = httpx.Response(200, content=body.replace(b"NAME", name.encode()))
        client = LedgerClient(
            make_settings().ledger,
            count=lambda *_: None,
            now=lambda: datetime.now(UTC),
            transport=AsSent(lambda _: reply),
        )
        return client.mutate(name, inputs, uploads)


@pytest.fixture
def ledger_world(tmp_path: Path, warehouse: duckdb.DuckDBPyConnection) -> Iterator[delivery_world.World]:
    for stage in STAGES:
        warehouse.execute(f"DELETE FROM {stage.model}")  # noqa: S608 a table of ours
    world = delivery_world.World(tmp_path / "ctl.sqlite", ledger=SpoiledLedger(), warehouse=warehouse)
    with closing(world.control):
        yield world


def _partners(world: delivery_world.World) -> DeliveryResult:
    return deliver_master_data(world.context(), sleep=world.clock.sleep)


def _want(world: delivery_world.World, name: str) -> None:
    if name == "voucher":
        world.outbox().store_intents([voucher(1, lines=3)])
        return
    kind, _, action = name.partition(" ")
    is_update = action == "updated"
    columns: dict[str, Any] = {"description": "One"} | ({"company_db_id": 4} if kind == "customer" else {})
    row: dict[str, Any] = {"action": "update", "db_id": 8} if is_update else {}
    change(world.warehouse, f"post.{kind}_changes", "60526", **row, **columns)


def _deliver(world: delivery_world.World, name: str) -> DeliveryResult:
    if name == "voucher":
        return deliver_vouchers(world.context(), ready=EVERY_KEY, sleep=world.clock.sleep)
    return _partners(world)


def _ledger_rows(world: delivery_world.World) -> list[tuple[str, str]]:
    """Give what the ledger has of each line or code."""
    return sorted(
        (table, f"{row.get('trItemNumber', row.get('code'))}")
        for table, rows in world.ledger.rows.items()
        for row in rows
    )


# One code judges them all: each answer for two of them, three answers for the others.
SOME = ("html", "no edges", "numbers of another")
ADDED = [(name, bad) for name in ("voucher", "supplier") for bad in BAD_EDGES]
ADDED += [(name, bad) for name in ("company", "customer", "project") for bad in SOME]
UPDATED = [("supplier updated", bad) for bad in BAD_EDGES] + [("company updated", bad) for bad in SOME]


@pytest.mark.parametrize(("name", "bad"), ADDED)
def test_what_the_ledger_was_given_is_found_by_its_look_up(
    ledger_world: delivery_world.World, name: str, bad: str
) -> None:
    ledger = cast("SpoiledLedger", ledger_world.ledger)
    ledger.spoil = BAD_EDGES[bad]
    _want(ledger_world, name)
    result = _deliver(ledger_world, name)
    assert (result.sent, result.unknown, result.failed) == (1, 0, 0)
    assert len(_ledger_rows(ledger_world)) == (3 if name == "voucher" else 1)
    assert sum(call.startswith("add") for call in ledger.calls) == 1


@pytest.mark.parametrize(("name", "bad"), [*ADDED, *UPDATED])
def test_a_bad_answer_of_a_ledger_that_did_nothing_is_no_success(
    ledger_world: delivery_world.World, name: str, bad: str
) -> None:
    ledger = cast("SpoiledLedger", ledger_world.ledger)
    ledger.spoil, ledger.is_done = BAD_EDGES[bad], False
    _want(ledger_world, name)
    result = _deliver(ledger_world, name)
    assert (result.sent, result.unknown) == (0, 1)
    ledger.spoil = None
    ledger_world.clock.sleep(1_000)
    assert _deliver(ledger_world, name).sent == 1
    assert len(_ledger_rows(ledger_world)) == (3 if name == "voucher" else 1)


@pytest.mark.parametrize("shown", [{"code": "60526 ", "trRegNumber": "1"}, {"code": None, "trRegNumber": None}])
def test_an_answer_that_the_ledger_may_give_is_taken(ledger_world: delivery_world.World, shown: Node) -> None:
    cast("SpoiledLedger", ledger_world.ledger).spoil = _each(**shown)
    _want(ledger_world, "supplier")
    _want(ledger_world, "voucher")
    assert (_partners(ledger_world).sent, _deliver(ledger_world, "voucher").sent) == (1, 1)
    assert not ledger_world.clock.slept
