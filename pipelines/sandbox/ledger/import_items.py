"""Import items: one node is one journal line, kept word for word beside its resolved columns.

Source: docs/systems/ledger.md#4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pipelines.sandbox.ledger.errors import GraphqlFault
from pipelines.sandbox.ledger.files import attach_file
from pipelines.sandbox.ledger.values import JobLevel, Row, SlType, period_id, period_row

if TYPE_CHECKING:
    from pipelines.sandbox.ledger.work import Node, Work

_UNPOSTED = (JobLevel.READY, JobLevel.ERROR)


def import_item(work: Work, node: Node) -> Row:
    """Build a line that waits for the posting job, or correct one that waits or failed."""
    old = node.old
    # Client code corrects lines that wait. That a posted line cannot be corrected is assumed.
    if old is not None and old["jobLevelDbId"] not in _UNPOSTED:
        work.resolver.faults.append(GraphqlFault(f"dbId: Import item {old['dbId']} is already posted."))
        return old
    values = {name: value for name, value in node.values.items() if name != "dbId"}
    if old is not None:
        # What an update does not name stays as it was (docs/systems/ledger.md#1-6).
        values = msgspec.json.decode(old["input"]) | values
    # A correction that names no file leaves the one that is there.
    kept = {"invoiceFileDbId": old["invoiceFileDbId"]} if old is not None and "invoiceFileDbId" in old else {}
    columns = (
        _columns(work, values, owner=node.owner)
        | kept
        | attach_file(work, node, owner=node.owner)
        | {
            "ownerDbId": node.owner,
            # The corrected line is ready again, and the job then takes all waiting lines of the voucher (posting.py).
            "jobLevelDbId": int(JobLevel.READY),
            "clientId": node.client_id if old is None else old["clientId"],
            "input": msgspec.json.encode(values).decode(),
        }
    )
    if old is not None:
        return {"dbId": old["dbId"], "createdAt": old["createdAt"], **columns}
    if work.settings.strict_duplicates:
        _refuse_known_voucher(work, columns)
    return work.store.new(**columns)


def _columns(work: Work, values: Row, *, owner: int) -> Row:
    """Resolve a line; the fiscal period is not sent but follows from the posted date (docs/systems/ledger.md#4-1)."""
    columns = work.resolver.columns(values, input_type=work.input_type, owner=owner)
    level = work.resolver.system_value("jobLevel", columns.pop("jobLevel", None), JobLevel)
    # No other value was ever seen in a request (docs/systems/ledger.md#a9).
    if level not in (None, JobLevel.READY):
        work.resolver.faults.append(GraphqlFault("jobLevel: An import item can only be given to the job as READY."))
    sl_type = work.resolver.system_value("slTransactionType", columns.pop("slTransactionType", None), SlType)
    if sl_type is not None:
        columns["slTransactionTypeDbId"] = sl_type
    if columns.get("postedDate"):
        first_month = int(work.store.rows[owner].get("fiscalYearStartMonth") or 1)
        period = period_row(period_id(columns["postedDate"], first_month=first_month))
        columns |= {"fiscalYear": period["fiscalYear"], "fiscalPeriod": period["fiscalPeriod"]}
    return columns


def _refuse_known_voucher(work: Work, columns: Row) -> None:
    """Refuse a voucher that was sent before, where the switch says so (docs/systems/ledger.md#a3)."""
    # Lines of the same mutation are not stored yet, so the lines of one voucher do not refuse each other.
    number = columns.get("trRegNumber")
    for item in work.store.tables["import_items"].having("trRegNumber", number):
        if all(item.get(name) == columns.get(name) for name in ("ownerDbId", "transactionSourceDbId")):
            work.resolver.faults.append(GraphqlFault(f"trRegNumber: Voucher {number} was imported before."))
            return
