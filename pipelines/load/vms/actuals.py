"""Actuals: post.actual_changes as documents ACC in status POS of the VMS (mapping.md 5, dataloy.md 3.9)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from pipelines.load.delivery import Delivery
from pipelines.load.vms.courier import VmsCourier, vms_cargo
from pipelines.load.vms.documents import DIFFERS, ENTITY, Row, amount, day, document_number, look_up_documents, rows_of
from pipelines.outbox.intent import Intent, Json, Kind, canonical_json, sha256
from pipelines.outbox.states import State
from pipelines.outbox.store import Outbox

if TYPE_CHECKING:
    from pipelines.load.delivered import Delivered
    from pipelines.outbox.store import Entry
    from pipelines.step.context import Context

DOCUMENT_TYPE = "ACC"
POSTED = "POS"
BREAKS: Mapping[str, str] = {DIFFERS: "actual differs in VMS"}

_CHANGES = "SELECT * FROM post.actual_changes ORDER BY month_start, natural_key"


def deliver_actuals(ctx: Context, *, sleep: Callable[[float], None] = time.sleep) -> Delivered:
    """Store an intent for each document of actuals that is to be posted, and deliver all that are not settled.

    One that the ledger has taken back before it went is withdrawn.
    """
    outbox = Outbox(ctx.control, batch_id=ctx.batch_id, now=ctx.now)
    intents = [actual_intent(row) for row in rows_of(ctx.warehouse, _CHANGES)]
    outbox.store_intents(intents)
    wanted = {intent.id for intent in intents}

    def is_wanted(entry: Entry) -> bool:
        # What is unknown counts as gone in the models; the next difference is taken from it.
        return entry.id in wanted or entry.state is State.UNKNOWN

    with ThreadPoolExecutor(ctx.settings.vms.workers, thread_name_prefix="actuals") as pool:
        look_up = partial(look_up_documents, vms=ctx.vms, pool=pool)
        delivery = Delivery.of(ctx, vms_cargo(Kind.ACTUAL, look_up, is_wanted, BREAKS), sleep=sleep)
        return VmsCourier(delivery, ctx.vms, ENTITY, pool).deliver()


def actual_intent(row: Row) -> Intent:
    """Make the intent of one document of actuals from a row of post.actual_changes."""
    month = f"{row['month_start']:%Y%m}"
    number = document_number(row["natural_key"], head=f"ACT{month}-{row['owner_code']}")
    amounts: dict[str, Json] = {
        "documentAmount": amount(row["document_amount"]),
        "companyCurrencyAmount": amount(row["company_amount"]),
        "sourceCurrencyAmount": amount(row["document_amount"]),
    }
    payload = actual_body(row, number=number, amounts=amounts)
    look_up: dict[str, Json] = {
        "document_no": number,
        "document_type": DOCUMENT_TYPE,
        "prefix": row["natural_key"].rpartition("-")[0],
        "period_month": row["month_start"].isoformat(),
        "voyage_no": row["voyage_no"],
        "account": row["account"],
        "currency": row["currency_code"],
        "part_no": row["part_no"],
        **amounts,
    }
    return Intent(
        Kind.ACTUAL,
        row["natural_key"],
        "vms",
        payload=payload,
        source_hash=sha256(canonical_json(payload)),
        look_up=look_up,
        company_code=row["company_code"],
        owner_code=row["owner_code"],
    )


def actual_body(row: Row, *, number: str, amounts: Mapping[str, Json]) -> dict[str, Json]:
    """Write the body of dataloy.md 3.9: one line with voyage and GL account, dated on the first day of the month.

    The voyage is named by its reference number, and by its key where a budget or an estimate has that number too.
    """
    text = f"Actual {row['month_start']:%Y-%m} {row['voyage_no']} {row['account']}"
    common: dict[str, Json] = {
        **amounts,
        "documentCurrency": row["currency_code"],
        "invoicingStatus": POSTED,
        "glAccount": row["account"],
    }
    line: dict[str, Json] = {
        **common,
        "exchangeRate": 1,
        "documentLineText": text,
        "voyage": row["voyage_key"] if row["is_number_shared"] else row["voyage_no"],
    }
    return {
        **common,
        "documentDate": day(row["month_start"]),
        "documentType": DOCUMENT_TYPE,
        "documentNo": number,
        "company": row["company_code"],
        "documentText": text,
        "documentLines": [line],
    }
