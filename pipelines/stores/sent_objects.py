"""What the outbox says of vouchers, payments, actuals and rates, as rows for the models: amounts as they were sent."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from pipelines.stores.control import Control

# Tables in schema ctl; their columns are declared in sql/control/warehouse.sql. Amounts carry the VMS's signs.
SENT_TABLES = ("sent_vouchers", "sent_lines", "sent_partners", "payments", "actuals", "rates")

# What these tables are made of: the payload of acknowledgements and other master data is never read.
PAYLOAD = (
    "CASE WHEN kind IN ('voucher', 'payment', 'actual', 'rate', 'supplier', 'customer') THEN payload END AS payload"
)
# The intents that have moved since an event. A correction changes what its voucher's lines are in the ledger.
MOVED = """
id IN (
    SELECT events.outbox_id FROM outbox_events AS events WHERE events.event_no > :since
    UNION
    SELECT vouchers.id FROM outbox_events AS events
    INNER JOIN outbox AS corrected ON events.outbox_id = corrected.id AND corrected.kind = 'correction'
    INNER JOIN outbox AS vouchers ON corrected.document_key = vouchers.document_key AND vouchers.kind = 'voucher'
    WHERE events.event_no > :since
)
"""
_CORRECTIONS = """
SELECT document_key, payload FROM outbox
WHERE kind = 'correction' AND state = 'sent' ORDER BY document_key, length(natural_key), natural_key
"""

# Numbers stay the text they are in the payload: the warehouse reads them as decimals.
_members = msgspec.json.Decoder(dict[str, Any], float_hook=str).decode
_inputs = msgspec.json.Decoder(list[dict[str, Any]], float_hook=str).decode

Row = tuple[object, ...]
Corrections = Mapping[int, Mapping[int, Mapping[str, Any]]]


class _Code(msgspec.Struct, frozen=True):
    code: str | None = None


class _Owner(msgspec.Struct, rename="camel"):
    owner_code: int | None = None


class _Node(msgspec.Struct, rename="camel"):
    tr_item_number: int
    account: _Code
    currency: _Code
    invoice_amount: str
    amount: str
    posted_date: str
    owner: _Owner
    transaction_source: _Code
    gl_object1: _Code = _Code()
    project: _Code = _Code()
    subledger: _Code = _Code()
    tax_rule: _Code = _Code()
    invoice_number: str | None = None
    text: str | None = None
    invoice_date: str | None = None
    due_date: str | None = None


class _Input(msgspec.Struct):
    node: _Node


_nodes = msgspec.json.Decoder(list[_Input]).decode


def read_corrections(control: Control) -> Corrections:
    """Return what corrections have changed of voucher lines since they were sent: by document key, then item number."""
    found: dict[int, dict[int, dict[str, Any]]] = {}
    for row in control.read(_CORRECTIONS):
        items = found.setdefault(row["document_key"], {})
        for item in _inputs(row["payload"]):
            # The id is `<document key>-<item number>`, as batch/retries.py writes it.
            number = int(str(item["clientId"]).rpartition("-")[2])
            items.setdefault(number, {}).update(item["node"])
    return found


def sent_rows(intents: Iterable[sqlite3.Row], corrections: Corrections) -> dict[str, list[Row]]:
    """Return the rows of each of ``SENT_TABLES`` that intents (rows of the outbox) stand for."""
    rows: dict[str, list[Row]] = {table: [] for table in SENT_TABLES}
    for intent in intents:
        end = (intent["state"], intent["updated_at"])
        if reader := _READERS.get(intent["kind"]):
            table, row_of = reader
            rows[table].append((intent["id"], *row_of(intent), *end))
        if intent["kind"] == "voucher":
            changed = corrections.get(intent["document_key"], {})
            key = (intent["id"], intent["document_key"])
            wanted = _read(intent["look_up"])
            nodes = _voucher_nodes(intent["payload"], changed)
            rows["sent_lines"] += [(*key, *_line(node, wanted), *end) for node in nodes]
    return rows


def _voucher_nodes(payload: str, changed: Mapping[int, Mapping[str, Any]]) -> list[_Node]:
    if not changed:
        return [item.node for item in _nodes(payload)]
    nodes = [item["node"] for item in _inputs(payload)]
    return [msgspec.convert({**node, **changed.get(node["trItemNumber"], {})}, _Node) for node in nodes]


def _line(node: _Node, wanted: Mapping[str, Any]) -> Sequence[object]:
    is_general = node.transaction_source.code == "GL"
    # Control lines come first. Vouchers stored before their number was kept have one on GL, and no directions.
    is_control = node.tr_item_number <= wanted.get("controls", 1) if is_general else node.invoice_date is not None
    turned = None if is_control else wanted.get("turned")
    return (
        node.tr_item_number,
        is_control,
        node.owner.owner_code,
        node.account.code,
        node.gl_object1.code,
        node.project.code,
        node.currency.code,
        None if turned is None else -1 if node.tr_item_number in turned else 1,
        node.invoice_amount,
        node.amount,
        node.subledger.code,
        node.invoice_number,
        node.tax_rule.code,
        node.text,
        node.posted_date,
        node.invoice_date,
        node.due_date,
        *_as_read(wanted, node),
    )


def _as_read(wanted: Mapping[str, Any], node: _Node) -> Sequence[object]:
    """Say whether a mapping file changed a line, and what the VMS had in the place of it when it was sent."""
    read = wanted.get("read", {}).get(str(node.tr_item_number))
    if read is None:
        return (False, None, None, None, None)
    return (True, *(read.get(name) for name in ("account", "vessel", "voyage", "partner")))


def _voucher(intent: sqlite3.Row) -> Sequence[object]:
    wanted = _read(intent["look_up"])
    header = _read(intent["remote_ids"]).get("header")
    return (
        intent["document_key"],
        intent["document_no"],
        intent["company_code"],
        intent["owner_code"],
        wanted.get("source"),
        wanted.get("invoice_number"),
        wanted.get("subledger"),
        wanted.get("vms_partner"),
        wanted.get("currency"),
        wanted.get("text"),
        None if header is None else int(header),
    )


def _partner(intent: sqlite3.Row) -> Sequence[object]:
    node = _inputs(intent["payload"])[0]["node"]
    version = intent["natural_key"].rpartition("#")[2]
    code = _read(intent["look_up"]).get("code")
    return (intent["kind"], intent["owner_code"], code, int(version), node.get("swift"), node.get("bankRouting"))


def _payment(intent: sqlite3.Row) -> Sequence[object]:
    wanted, body = _read(intent["look_up"]), _read(intent["payload"])
    return (
        wanted["document_no"],
        wanted["payment_db_id"],
        intent["document_key"],
        wanted["part_no"],
        str(body["documentAmount"]),
        str(body["sourceCurrencyAmount"]),
        str(body["companyCurrencyAmount"]),
    )


def _actual(intent: sqlite3.Row) -> Sequence[object]:
    wanted, body = _read(intent["look_up"]), _read(intent["payload"])
    return (
        wanted["document_no"],
        wanted["prefix"],
        intent["owner_code"],
        wanted["period_month"],
        wanted["voyage_no"],
        wanted["account"],
        wanted["currency"],
        wanted["part_no"],
        str(body["documentAmount"]),
        str(body["companyCurrencyAmount"]),
    )


def _rate(intent: sqlite3.Row) -> Sequence[object]:
    wanted, body = _read(intent["look_up"]), _read(intent["payload"])
    pair = (wanted["rate_date"], body["fromCurrency"], body["currency"])
    return (*pair, wanted["part_no"], str(body["exchangeRate"]))


def _read(text: str | None) -> dict[str, Any]:
    return _members(text) if text else {}


_READERS: Mapping[str, tuple[str, Callable[[sqlite3.Row], Sequence[object]]]] = {
    "voucher": ("sent_vouchers", _voucher),
    "supplier": ("sent_partners", _partner),
    "customer": ("sent_partners", _partner),
    "payment": ("payments", _payment),
    "actual": ("actuals", _actual),
    "rate": ("rates", _rate),
}
