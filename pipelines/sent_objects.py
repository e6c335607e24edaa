"""What the outbox says of vouchers, payments, actuals and rates, as rows for the models: amounts as they were sent."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from pipelines.control import Control

# Table in schema ctl -> columns; amounts carry the VMS's signs. `id` and `updated_at` are the outbox's own.
SENT_TABLES: Mapping[str, str] = {
    "sent_vouchers": "id VARCHAR, document_key BIGINT, document_no VARCHAR, company_code VARCHAR, owner_code INTEGER, "
    "voucher_type VARCHAR, invoice_no VARCHAR, subledger_no VARCHAR, currency VARCHAR, header_text VARCHAR, "
    "header_db_id BIGINT, state VARCHAR, updated_at VARCHAR",
    "payments": "id VARCHAR, document_no VARCHAR, payment_db_id BIGINT, document_key BIGINT, part_no INTEGER, "
    "document_amount DECIMAL(38,18), source_amount DECIMAL(38,18), company_amount DECIMAL(38,18), state VARCHAR, "
    "updated_at VARCHAR",
    "actuals": "id VARCHAR, document_no VARCHAR, prefix VARCHAR, owner_code INTEGER, period_month DATE, "
    "voyage_no VARCHAR, account VARCHAR, currency VARCHAR, part_no INTEGER, document_amount DECIMAL(38,18), "
    "company_amount DECIMAL(38,18), state VARCHAR, updated_at VARCHAR",
    "rates": "id VARCHAR, rate_date DATE, from_currency VARCHAR, to_currency VARCHAR, part_no INTEGER, "
    "exchange_rate DECIMAL(38,18), state VARCHAR, updated_at VARCHAR",
}

# Which intents have moved behind an event; everything when that is 0. Takes its number twice.
MOVED_SINCE = "(? = 0 OR id IN (SELECT outbox_id FROM outbox_events WHERE event_no > ?))"
_MOVED = f"""
SELECT id, kind, company_code, owner_code, document_key, document_no, state, look_up, remote_ids, updated_at,
    CASE WHEN kind <> 'voucher' THEN payload END AS payload
FROM outbox
WHERE kind IN ('voucher', 'payment', 'actual', 'rate') AND {MOVED_SINCE}
"""  # noqa: S608 our own words

# Numbers stay the text they are in the payload: the warehouse reads them as decimals.
_members = msgspec.json.Decoder(dict[str, Any], float_hook=str).decode

Row = tuple[object, ...]


def sent_rows(control: Control, *, since: int) -> dict[str, list[Row]]:
    """Return the rows of each of ``SENT_TABLES`` whose intent has moved since an event (`outbox_events.event_no`)."""
    rows: dict[str, list[Row]] = {table: [] for table in SENT_TABLES}
    for intent in control.read(_MOVED, (since, since)):
        table, row_of = _READERS[intent["kind"]]
        rows[table].append((intent["id"], *row_of(intent), intent["state"], intent["updated_at"]))
    return rows


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
        wanted.get("currency"),
        wanted.get("text"),
        None if header is None else int(header),
    )


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
    "payment": ("payments", _payment),
    "actual": ("actuals", _actual),
    "rate": ("rates", _rate),
}
