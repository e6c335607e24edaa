"""Payments and receipts: post.payment_changes as documents PMO and PMI of the VMS.

Source: docs/mapping.md#3, docs/systems/vms.md#3-4.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from pipelines.load.vms.documents import day, deliver_documents, document_intent, document_number, plain
from pipelines.outbox.intent import Intent, Kind
from pipelines.outbox.states import State
from pipelines.stores.rows import Row, rows_of

if TYPE_CHECKING:
    from pipelines.load.delivery import DeliveryResult
    from pipelines.outbox.entry import Entry
    from pipelines.step.context import Context

_CHANGES = "SELECT * FROM post.payment_changes ORDER BY document_date, natural_key"
_UNDONE = "SELECT subject FROM post.payment_breaks WHERE kind = 'match undone'"


def deliver_payments(ctx: Context, *, sleep: Callable[[float], None] = time.sleep) -> DeliveryResult:
    """Store an intent for each payment document that is to be posted, and deliver all that are not settled.

    One whose match was undone before it went is withdrawn.
    """
    intents = [payment_intent(row) for row in rows_of(ctx.warehouse.execute(_CHANGES))]
    to_post = {intent.id for intent in intents}
    # A payment and an invoice that were matched in the ledger, and are no longer.
    undone = {row["subject"] for row in rows_of(ctx.warehouse.execute(_UNDONE))}

    def is_wanted(entry: Entry) -> bool:
        # The models count what is `unknown` as sent and do not list it: it may go again unless its match is undone.
        return entry.id in to_post or (entry.state is State.UNKNOWN and _pair(entry) not in undone)

    return deliver_documents(
        ctx, Kind.PAYMENT, intents, is_wanted=is_wanted, difference="payment differs in VMS", sleep=sleep
    )


def payment_intent(row: Row) -> Intent:
    """Make the intent of one payment from a row of post.payment_changes, with the body of docs/systems/vms.md#7.

    Its line refers to the invoice: by its number, and by its key where several documents have that number.
    """
    return document_intent(
        Kind.PAYMENT,
        row,
        number=document_number(row["natural_key"], head="XL"),
        source_amount=row["source_amount"],
        header={
            "documentDate": day(row["document_date"]),
            "documentType": row["document_type"],
            "documentText": row["document_text"],
            "externalDocumentNo": str(row["payment_db_id"]),
            "businessPartner": row["partner_code"],
        },
        line={
            "sourceCurrencyCode": row["source_currency_code"],
            "exchangeRate": plain(row["exchange_rate"]),
            "exchangeRateDate": day(row["document_date"]),
            "businessPartner": row["partner_code"],
            "isAccountsPayable": int(row["side"] == "AP"),
            "refDocument": row["document_key"] if row["is_number_shared"] else row["ref_document_no"],
        },
        found_by={"payment_db_id": row["payment_db_id"], "part_no": row["part_no"]},
    )


def _pair(entry: Entry) -> str:
    """Name the match of a payment and an invoice, as post.payment_breaks does."""
    return f"XL{entry.look_up['payment_db_id']}-{entry.document_key}"
