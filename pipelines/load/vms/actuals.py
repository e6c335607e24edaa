"""Actuals: post.actual_changes as documents ACC in status POS of the VMS.

Source: docs/mapping.md#5, docs/systems/vms.md#3-9.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from pipelines.load.vms.documents import DIFFERS, day, deliver_documents, document_intent, document_number
from pipelines.outbox.intent import Intent, Kind
from pipelines.outbox.states import State
from pipelines.stores.rows import Row, rows_of

if TYPE_CHECKING:
    from pipelines.load.delivery import DeliveryResult
    from pipelines.outbox.entry import Entry
    from pipelines.step.context import Context

_CHANGES = "SELECT * FROM post.actual_changes ORDER BY month_start, natural_key"


def deliver_actuals(ctx: Context, *, sleep: Callable[[float], None] = time.sleep) -> DeliveryResult:
    """Store an intent for each document of actuals that is to be posted, and deliver all that are not settled.

    One that the ledger has taken back before it went is withdrawn.
    """
    intents = [actual_intent(row) for row in rows_of(ctx.warehouse.execute(_CHANGES))]
    to_post = {intent.id for intent in intents}

    def is_wanted(entry: Entry) -> bool:
        # The models count what is `unknown` as sent: the next difference is taken from it, so it must still go.
        return entry.id in to_post or entry.state is State.UNKNOWN

    return deliver_documents(
        ctx, Kind.ACTUAL, intents, is_wanted=is_wanted, breaks={DIFFERS: "actual differs in VMS"}, sleep=sleep
    )


def actual_intent(row: Row) -> Intent:
    """Make the intent of one document of actuals from a row of post.actual_changes (docs/systems/vms.md#3-9).

    One line with voyage and GL account, dated on the first day of the month. The voyage is named by its reference
    number, and by its key where a budget or an estimate has that number too.
    """
    month = row["month_start"]
    return document_intent(
        Kind.ACTUAL,
        row,
        number=document_number(row["natural_key"], head=f"ACT{month:%Y%m}-{row['owner_code']}"),
        source_amount=row["document_amount"],
        header={
            "documentDate": day(month),
            "documentType": "ACC",
            "documentText": f"Actual {month:%Y-%m} {row['voyage_no']} {row['account']}",
            "glAccount": row["account"],
        },
        line={
            "exchangeRate": 1,
            "glAccount": row["account"],
            "voyage": row["voyage_key"] if row["is_number_shared"] else row["voyage_no"],
        },
        found_by={
            "prefix": row["natural_key"].rpartition("-")[0],
            "period_month": month.isoformat(),
            "voyage_no": row["voyage_no"],
            "account": row["account"],
            "currency": row["currency_code"],
            "part_no": row["part_no"],
        },
    )
