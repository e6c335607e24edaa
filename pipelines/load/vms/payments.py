"""Payments and receipts: post.payment_changes as documents PMO and PMI of the VMS (mapping.md 3, dataloy.md 3.4)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from pipelines.load.delivery import Delivery
from pipelines.load.vms.courier import VmsCourier, vms_cargo
from pipelines.load.vms.documents import (
    DIFFERS,
    ENTITY,
    Row,
    amount,
    day,
    document_number,
    look_up_documents,
    plain,
    rows_of,
)
from pipelines.outbox.intent import Intent, Json, Kind, canonical_json, sha256
from pipelines.outbox.states import State
from pipelines.outbox.store import Outbox

if TYPE_CHECKING:
    from pipelines.load.delivered import Delivered
    from pipelines.outbox.store import Entry
    from pipelines.step.context import Context

POSTED = "POS"
BREAKS: Mapping[str, str] = {DIFFERS: "payment differs in VMS"}

_CHANGES = "SELECT * FROM post.payment_changes ORDER BY document_date, natural_key"
_UNDONE = "SELECT subject FROM post.payment_breaks WHERE kind = 'match undone'"


def deliver_payments(ctx: Context, *, sleep: Callable[[float], None] = time.sleep) -> Delivered:
    """Store an intent for each payment document that is to be posted, and deliver all that are not settled.

    One whose match was undone before it went is withdrawn.
    """
    outbox = Outbox(ctx.control, batch_id=ctx.batch_id, now=ctx.now)
    intents = [payment_intent(row) for row in rows_of(ctx.warehouse, _CHANGES)]
    outbox.store_intents(intents)
    wanted = {intent.id for intent in intents}
    undone = {row["subject"] for row in rows_of(ctx.warehouse, _UNDONE)}

    def is_wanted(entry: Entry) -> bool:
        # What is unknown counts as gone in the models: it may be sent again unless its match is undone.
        return entry.id in wanted or (entry.state is State.UNKNOWN and _pair(entry) not in undone)

    with ThreadPoolExecutor(ctx.settings.vms.workers, thread_name_prefix="payments") as pool:
        look_up = partial(look_up_documents, vms=ctx.vms, pool=pool)
        delivery = Delivery.of(ctx, vms_cargo(Kind.PAYMENT, look_up, is_wanted, BREAKS), sleep=sleep)
        return VmsCourier(delivery, ctx.vms, ENTITY, pool).deliver()


def payment_intent(row: Row) -> Intent:
    """Make the intent of one payment document from a row of post.payment_changes."""
    number = document_number(row["natural_key"], head="XL")
    amounts: dict[str, Json] = {
        "documentAmount": amount(row["document_amount"]),
        "companyCurrencyAmount": amount(row["company_amount"]),
        "sourceCurrencyAmount": amount(row["source_amount"]),
    }
    payload = payment_body(row, number=number, amounts=amounts)
    look_up: dict[str, Json] = {
        "document_no": number,
        "document_type": row["document_type"],
        "payment_db_id": row["payment_db_id"],
        "part_no": row["part_no"],
        **amounts,
    }
    return Intent(
        Kind.PAYMENT,
        row["natural_key"],
        "vms",
        payload=payload,
        source_hash=sha256(canonical_json(payload)),
        look_up=look_up,
        company_code=row["company_code"],
        owner_code=row["owner_code"],
        document_key=row["document_key"],
        document_no=row["ref_document_no"],
    )


def payment_body(row: Row, *, number: str, amounts: Mapping[str, Json]) -> dict[str, Json]:
    """Write the body of dataloy.md section 7: exactly one line, which refers to the invoice.

    The invoice is named by its number, and by its key where several documents have that number.
    """
    common: dict[str, Json] = {**amounts, "documentCurrency": row["currency_code"], "invoicingStatus": POSTED}
    line: dict[str, Json] = {
        **common,
        "exchangeRate": plain(row["exchange_rate"]),
        "documentLineText": row["document_text"],
        "isAccountsPayable": int(row["side"] == "AP"),
        "refDocument": row["document_key"] if row["is_number_shared"] else row["ref_document_no"],
    }
    return {
        **common,
        "documentDate": day(row["document_date"]),
        "documentType": row["document_type"],
        "documentNo": number,
        "externalDocumentNo": str(row["payment_db_id"]),
        "company": row["company_code"],
        "businessPartner": row["partner_code"],
        "documentText": row["document_text"],
        "documentLines": [line],
    }


def _pair(entry: Entry) -> str:
    return f"XL{entry.look_up['payment_db_id']}-{entry.document_key}"
