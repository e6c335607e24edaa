"""Finds the payments and actuals that were sent, by their numbers in the VMS, which say what each was made of.

Rates need no record: where the VMS has one it is not posted again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipelines.load.vms.documents import amount, document_number
from pipelines.outbox.entry import Move
from pipelines.outbox.intent import Intent, Json, Kind, canonical_json, sha256
from pipelines.outbox.states import State
from pipelines.outbox.store import Outbox
from pipelines.stores.control import named_statements
from pipelines.stores.rows import Row, rows_of

if TYPE_CHECKING:
    from pipelines.step.context import Context

# As sql/post/payment_changes.sql and sql/post/actual_changes.sql write them.
_PAYMENT = re.compile(r"XL(?P<payment>\d+)-(?P<invoice>\d+)(?:-(?P<part>\d+))?")
_ACTUAL = re.compile(r"ACT(?P<year>\d{4})(?P<month>\d\d)-(?P<owner>\d+)-.+-(?P<part>\d+)")


def find_returns(ctx: Context) -> tuple[int, int]:
    """Record as sent what the VMS has of payments and actuals; return how many of each."""
    rows = rows_of(ctx.warehouse.execute(named_statements("load", folder="questions")["returned"]))
    owners = dict(ctx.warehouse.execute("SELECT company_code, owner_code FROM map.companies").fetchall())
    made = [(row, _intent(row, owners)) for row in rows]
    outbox = Outbox.of(ctx)
    # A copy of the store may know some of them already, in whatever state.
    found = {intent.id: (row, intent) for row, intent in made if intent is not None}
    known = outbox.in_states([*found], [State.SENDING, State.SENT, State.UNKNOWN])
    new = {intent_id: pair for intent_id, pair in found.items() if intent_id not in known}
    outbox.store_intents(intent for _, intent in new.values())
    outbox.apply(
        Move(intent.id, State.SENT, "found in the VMS", {"key": row["document_key"]}) for row, intent in new.values()
    )
    kinds = [intent.kind for _, intent in new.values()]
    return kinds.count(Kind.PAYMENT), kinds.count(Kind.ACTUAL)


def _intent(row: Row, owners: Mapping[str, int]) -> Intent | None:
    if None in (row["document_amount"], row["company_amount"], row["source_amount"]):
        return None
    if row["document_type"] == "ACC":
        return _actual(row)
    match = _PAYMENT.fullmatch(row["document_no"])
    if match is None:
        return None
    found_by: dict[str, Json] = {"payment_db_id": int(match["payment"]), "part_no": int(match["part"] or 1)}
    owner, key = owners.get(row["company_code"]), int(match["invoice"])
    return _made(Kind.PAYMENT, row, row["document_no"], found_by, owner=owner, key=key)


def _actual(row: Row) -> Intent | None:
    match = _ACTUAL.fullmatch(row["document_no"])
    if match is None or row["voyage_reference_no"] is None or row["gl_account"] is None:
        return None
    head = f"ACT{match['year']}{match['month']}-{match['owner']}"
    prefix = f"{head}-{row['voyage_reference_no']}-{row['gl_account']}-{row['currency_code']}"
    natural_key = f"{prefix}-{match['part']}"
    # A long number carries a hash of all this in its place, so that this proves it too.
    if document_number(natural_key, head=head) != row["document_no"]:
        return None
    found_by: dict[str, Json] = {
        "prefix": prefix,
        "period_month": f"{match['year']}-{match['month']}-01",
        "voyage_no": row["voyage_reference_no"],
        "account": row["gl_account"],
        "currency": row["currency_code"],
        "part_no": int(match["part"]),
    }
    return _made(Kind.ACTUAL, row, natural_key, found_by, owner=int(match["owner"]))


def _made(
    kind: Kind, row: Row, natural_key: str, found_by: dict[str, Json], *, owner: int | None, key: int | None = None
) -> Intent:
    amounts: dict[str, Json] = {
        "documentAmount": amount(row["document_amount"]),
        "companyCurrencyAmount": amount(row["company_amount"]),
        "sourceCurrencyAmount": amount(row["source_amount"]),
    }
    payload: dict[str, Json] = {**amounts, "documentNo": row["document_no"], "company": row["company_code"]}
    return Intent(
        kind,
        natural_key,
        "vms",
        payload,
        source_hash=sha256(canonical_json(payload)),
        look_up={"document_no": row["document_no"], "document_type": row["document_type"], **found_by, **amounts},
        company_code=row["company_code"],
        owner_code=owner,
        document_key=key,
        document_no=row["ref_document_no"] if kind is Kind.PAYMENT else None,
    )
