"""Payments and receipts: post.payment_changes as documents PMO and PMI of the VMS.

Source: docs/mapping.md#3, docs/systems/vms.md#3-4.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from pipelines.load.look_up import ABSENT, LOOK_UP_ERRORS, LookUpFinding, conflict
from pipelines.load.vms.documents import DIFFERS, day, deliver_documents, document_intent, document_number, plain
from pipelines.load.vms.invoices import Invoice, Payables, read_invoices, with_invoices
from pipelines.outbox.intent import Intent, Kind
from pipelines.outbox.states import State
from pipelines.outbox.store import Outbox
from pipelines.stores.rows import Row, rows_of

if TYPE_CHECKING:
    from pipelines.load.delivery import DeliveryResult
    from pipelines.outbox.entry import Entry
    from pipelines.step.context import Context

# The invoice that a payment settles is another than its voucher was, or is gone.
MOVED = "invoice_moved"
BREAK = "payment invoice moved"
_CHANGES = "SELECT * FROM post.payment_changes ORDER BY document_date, natural_key"
_UNDONE = "SELECT subject FROM post.payment_breaks WHERE kind = 'match undone'"


def deliver_payments(ctx: Context, *, sleep: Callable[[float], None] = time.sleep) -> DeliveryResult:
    """Store an intent for each payment document that is to be posted, and deliver all that are not settled.

    Each names its invoice as the VMS calls it now. One whose match was undone before it went is withdrawn.
    """
    wanted = rows_of(ctx.warehouse.execute(_CHANGES))
    in_flight = Outbox.of(ctx).entries(Kind.PAYMENT, [State.SENDING, State.UNKNOWN])
    invoices: Mapping[int, Invoice] = {}
    payables, failure = Payables(wanted, {}), None
    try:
        keys = {row["document_key"] for row in wanted} | {entry.document_key or 0 for entry in in_flight}
        invoices = read_invoices(ctx.vms, sorted(keys))
        payables = with_invoices(wanted, invoices, vms=ctx.vms, owners=lambda: _owners(ctx))
    except LOOK_UP_ERRORS as error:
        # Stored all the same, and told by the look-up: nothing goes on what is not known.
        failure = error
    intents = [payment_intent(row) for row in payables.rows]
    to_post = {intent.id for intent in intents}
    # A payment and an invoice that were matched in the ledger, and are no longer.
    undone = {row["subject"] for row in rows_of(ctx.warehouse.execute(_UNDONE))}
    outdated = _outdated(Outbox.of(ctx), in_flight, invoices)

    def is_wanted(entry: Entry) -> bool:
        # The models count what is `unknown` as sent and do not list it: it may go again unless its match is undone.
        return entry.id in to_post or (entry.state is State.UNKNOWN and _pair(entry) not in undone)

    def judge(entry: Entry) -> LookUpFinding:
        if failure is not None:
            raise failure
        refusal = payables.refusals.get(entry.natural_key) or outdated.get(entry.id)
        return conflict(MOVED, refusal) if refusal and is_wanted(entry) else ABSENT

    breaks = {DIFFERS: "payment differs in VMS", MOVED: BREAK}
    return deliver_documents(ctx, Kind.PAYMENT, intents, is_wanted=is_wanted, breaks=breaks, judge=judge, sleep=sleep)


def _outdated(outbox: Outbox, in_flight: Sequence[Entry], invoices: Mapping[int, Invoice]) -> dict[str, str]:
    """Say which payments of unknown fate name their invoice otherwise than the VMS does now: they are made anew."""
    payloads = outbox.payloads([entry.id for entry in in_flight]) if in_flight else {}
    found: dict[str, str] = {}
    for entry in in_flight:
        invoice = invoices.get(entry.document_key or 0)
        [line] = cast("Any", payloads[entry.id])["documentLines"]
        if invoice is None or line["refDocument"] not in {invoice.reference, invoice.key}:
            found[entry.id] = (
                f"{entry.label}: its invoice (key {entry.document_key}) is not called any more as it was when this was "
                "sent, and the VMS does not have it. Next: nothing: the next run sends it with the number of now."
            )
    return found


def _owners(ctx: Context) -> dict[str, int]:
    return dict(ctx.warehouse.execute("SELECT company_code, owner_code FROM map.companies").fetchall())


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
