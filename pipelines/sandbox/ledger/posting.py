"""The posting job: books waiting vouchers or says why not, by hand or at its hours.

Source: docs/systems/ledger.md#4-3, #a5, #a10.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipelines.sandbox.ledger.books import Voucher, book, completed
from pipelines.sandbox.ledger.checks import Problem, check, missing_members
from pipelines.sandbox.ledger.store import RowChanges
from pipelines.sandbox.ledger.values import OSLO, ErrorLevel, JobLevel, Row, local

if TYPE_CHECKING:
    from pipelines.sandbox.ledger.settings import ServedLedgerSettings
    from pipelines.sandbox.ledger.store import LedgerStore

_WAITING = (JobLevel.READY, JobLevel.ERROR)
# Lines that share these are one voucher; the same number on two dates is two vouchers (docs/systems/ledger.md#l4).
_VOUCHER = ("ownerDbId", "transactionSourceDbId", "trRegNumber", "postedDate")
# Lines without an item number come last, in the order of their arrival.
_LAST = 2**31


def run_posting(store: LedgerStore, *, now: datetime) -> dict[str, int]:
    """Try every voucher that has a line ready, and count what was posted and what failed."""
    done = {"posted": 0, "failed": 0}
    for items in _vouchers(store):
        # Each voucher is committed by itself: one that fails does not stop the others.
        is_posted = _post(store, items, now=now)
        done["posted" if is_posted else "failed"] += 1
    return done


def last_run_due(settings: ServedLedgerSettings, *, now: datetime) -> datetime | None:
    """Give the last moment up to now at which the job runs by itself, None where it never does."""
    if settings.posting_every_minutes is None:
        return None
    here = now.astimezone(OSLO)
    start, end = (datetime.combine(here, at, OSLO) for at in (settings.posting_from, settings.posting_to))
    # Before today's first run the last one was yesterday's.
    if here < start:
        start, end = start - timedelta(days=1), end - timedelta(days=1)
        here = end
    step = timedelta(minutes=settings.posting_every_minutes)
    # Both ends have the same zone, so Python counts wall time, also on the days when the clocks change.
    return start + (min(here, end) - start) // step * step


def _vouchers(store: LedgerStore) -> list[list[Row]]:
    """Group waiting items; a voucher whose lines all failed waits until one of them is corrected."""
    groups: defaultdict[tuple[object, ...], list[Row]] = defaultdict(list)
    for item in store.tables["import_items"].rows.values():
        if item["jobLevelDbId"] in _WAITING:
            groups[tuple(item.get(column) for column in _VOUCHER)].append(item)
    ready = [items for items in groups.values() if any(item["jobLevelDbId"] == JobLevel.READY for item in items)]
    for items in ready:
        items.sort(key=lambda item: (item.get("trItemNumber") or _LAST, item["dbId"]))
    return ready


def _post(store: LedgerStore, items: list[Row], *, now: datetime) -> bool:
    owner = items[0]["ownerDbId"]
    lines = [completed(store, item, owner=owner) | {"importItemDbId": item["dbId"]} for item in items]
    problems = missing_members(lines)
    changes = RowChanges()
    if not problems:
        voucher = Voucher(
            owner=owner,
            source=store.rows[items[0]["transactionSourceDbId"]],
            posted_date=items[0]["postedDate"],
            # The product finds its voucher in the books by this text (docs/systems/ledger.md#4-3).
            text=items[0].get("text"),
            lines=lines,
            tr_reg_number=items[0]["trRegNumber"],
            file=next((item["invoiceFileDbId"] for item in items if "invoiceFileDbId" in item), None),
        )
        problems = check(store, voucher)
    # A warning does not stop a voucher, and stays visible after booking (docs/systems/ledger.md#l12).
    is_good = all(problem.level is not ErrorLevel.ERROR for problem in problems)
    header = book(store, changes, voucher, now=now) if is_good else None
    level = JobLevel.DONE if is_good else JobLevel.ERROR
    for item in items:
        # Errors of an earlier attempt go: what is still wrong was found again.
        for error in store.tables["import_errors"].having("transactionDbId", item["dbId"]):
            changes.remove("import_errors", error)
        booked = {} if header is None else {"headerDbId": header["dbId"]}
        changes.put("import_items", {**item, **booked, "jobLevelDbId": int(level)})
    for problem in problems:
        changes.put("import_errors", _error(store, items[problem.line], problem, now=now))
    store.commit(changes, now=now)
    return is_good


def _error(store: LedgerStore, item: Row, problem: Problem, *, now: datetime) -> Row:
    return store.new(
        ownerDbId=item["ownerDbId"],
        transactionDbId=item["dbId"],
        errorLevelDbId=int(problem.level),
        message=problem.message,
        createdAt=local(now),
    )
