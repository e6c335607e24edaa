"""What the outbox says of vouchers, payments, actuals and rates, as rows for the models: amounts as they were sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from pipelines.stores.control import Control
from pipelines.stores.control_types import ControlRow

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
# By length first: the keys end in #1, #2 … #10, which as text would come before #2.
_CORRECTIONS = """
SELECT document_key, payload, look_up, updated_at FROM outbox
WHERE kind = 'correction' AND state = 'sent' {which} ORDER BY document_key, length(natural_key), natural_key
"""

# Numbers stay the text they are in the payload: the warehouse reads them as decimals.
_members = msgspec.json.Decoder(dict[str, Any], float_hook=str).decode
_inputs = msgspec.json.Decoder(list[dict[str, Any]], float_hook=str).decode

# Where the values of a row stand in its intent, in the order of the table's columns: in a column of the outbox, or in a
# member of one that is JSON. Behind what may be missing there is a question mark: older releases kept less.
_PARTNER = (
    "kind owner_code look_up.code? natural_key.version look_up.partner_key? payload.bankAccount? payload.swift? "
    "payload.bankRouting?"
)
_PLACES: Mapping[str, tuple[str, str]] = {
    "voucher": (
        "sent_vouchers",
        "document_key document_no company_code owner_code look_up.source? look_up.invoice_number? look_up.subledger? "
        "look_up.vms_partner? look_up.partner_key? look_up.currency? look_up.control_amount? look_up.text? "
        "remote_ids.header?",
    ),
    "supplier": ("sent_partners", _PARTNER),
    "customer": ("sent_partners", _PARTNER),
    "payment": (
        "payments",
        "look_up.document_no look_up.payment_db_id document_key look_up.part_no payload.documentAmount "
        "payload.sourceCurrencyAmount payload.companyCurrencyAmount",
    ),
    "actual": (
        "actuals",
        "look_up.document_no look_up.prefix owner_code look_up.period_month look_up.voyage_no look_up.account "
        "look_up.currency look_up.part_no payload.documentAmount payload.companyCurrencyAmount",
    ),
    "rate": (
        "rates",
        "look_up.rate_date payload.fromCurrency payload.currency look_up.part_no payload.exchangeRate",
    ),
}

Row = tuple[object, ...]


class Correction(NamedTuple):
    """What corrections have changed of a voucher: members by item number, and what the mapping files fill by now.

    ``by_files`` takes the place of the same members of the voucher's own look-up. ``at`` is when the last one arrived.
    """

    changes: Mapping[int, Mapping[str, Any]]
    by_files: Mapping[str, Any]
    at: str


NOT_CORRECTED = Correction({}, {}, "")


class _Code(msgspec.Struct, frozen=True):
    code: str | None = None


class _Owner(msgspec.Struct, rename="camel"):
    owner_code: int | None = None


class _Node(msgspec.Struct, rename="camel"):
    tr_item_number: int
    invoice_amount: str
    amount: str
    posted_date: str
    owner: _Owner
    transaction_source: _Code
    # A rebuilt store has vouchers as their documents would be posted today, and one may have lost its account.
    account: _Code = _Code()
    currency: _Code = _Code()
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


def read_corrections(control: Control, document_key: int | None = None) -> dict[int, Correction]:
    """Return what corrections have changed of vouchers since they were sent, by document key.

    Of one document, or of all. The oldest correction goes first, so that the newest value of a member stays.
    """
    which, parameters = ("", ()) if document_key is None else ("AND document_key = ?", (document_key,))
    found: dict[int, dict[int, dict[str, Any]]] = {}
    by_files: dict[int, dict[str, Any]] = {}
    at: dict[int, str] = {}
    for row in control.read(_CORRECTIONS.format(which=which), parameters):
        items = found.setdefault(row["document_key"], {})
        for item in _inputs(row["payload"]):
            # The id is `<document key>-<item number>`, as batch/retries.py writes it.
            number = int(str(item["clientId"]).rpartition("-")[2])
            # The id names the item that is corrected; it is no member of the line as it was mapped.
            change = {name: value for name, value in item["node"].items() if name != "dbId"}
            items.setdefault(number, {}).update(change)
        by_files.setdefault(row["document_key"], {}).update(_json(row, "look_up"))
        at[row["document_key"]] = max(at.get(row["document_key"], ""), row["updated_at"])
    return {key: Correction(items, by_files[key], at[key]) for key, items in found.items()}


def sent_rows(intents: Iterable[ControlRow], corrections: Mapping[int, Correction]) -> dict[str, list[Row]]:
    """Return the rows of each of ``SENT_TABLES`` that intents (rows of the outbox) stand for."""
    rows: dict[str, list[Row]] = {table: [] for table in SENT_TABLES}
    for intent in intents:
        end = (intent["state"], intent["updated_at"])
        if intent["kind"] in _PLACES:
            table, places = _PLACES[intent["kind"]]
            rows[table].append((intent["id"], *_values(intent, places), *end))
        if intent["kind"] == "voucher":
            correction = corrections.get(intent["document_key"], NOT_CORRECTED)
            key = (intent["id"], intent["document_key"])
            wanted = {**_json(intent, "look_up"), **correction.by_files}
            nodes = _voucher_nodes(intent["payload"], correction.changes)
            # By this the models see that lines have changed, which the voucher's own time does not say.
            changed = (intent["state"], max(intent["updated_at"], correction.at))
            rows["sent_lines"] += [(*key, *_line(node, wanted), *changed) for node in nodes]
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


def _values(intent: ControlRow, places: str) -> Iterator[object]:
    """Yield the values of a row; KeyError where a member is missing that every intent of the kind has."""
    read: dict[str, Mapping[str, Any]] = {}
    for place in places.split():
        column, dot, name = place.removesuffix("?").rpartition(".")
        if not dot:
            yield intent[name]
            continue
        if column not in read:
            read[column] = _json(intent, column)
        value = read[column].get(name) if place.endswith("?") else read[column][name]
        # As text, because the same member may be a number in one payload and text in another; the table has the type.
        yield value if value is None or column == "look_up" else str(value)


def _json(intent: ControlRow, column: str) -> Mapping[str, Any]:
    text: str = intent[column] or "{}"
    if column == "natural_key":
        return {"version": text.rpartition("#")[2]}
    # The ledger's mutations take lists of inputs, and a supplier or a customer is the only one of its list.
    node: Mapping[str, Any] = _inputs(text)[0]["node"] if text.startswith("[") else _members(text)
    return node
