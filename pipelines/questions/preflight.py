"""Checks documents before they are due: every posting requirement on what is pending, approved or ready, reads only."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import duckdb

from pipelines.batch.scratch import build_scratch, copy_reference, scratch
from pipelines.checks.run import run_checks
from pipelines.checks.suites import CRITICAL
from pipelines.core.errors import WireError
from pipelines.core.periods import next_month, read_period
from pipelines.core.words import moment
from pipelines.extract import ledger, vms
from pipelines.questions.preflight_report import NO_VOYAGE, NOBODY_KNOWN, Finding, Pending, Preflight
from pipelines.step.context import Context
from pipelines.stores.control import Control
from pipelines.stores.open_tables import WAREHOUSE, open_tables
from pipelines.stores.request_counts import RequestCounts
from pipelines.stores.rows import rows_of
from pipelines.wire.filters import one_of
from pipelines.wire.ledger import LedgerClient
from pipelines.wire.vms import VmsClient

if TYPE_CHECKING:
    from pipelines.checks.verdicts import Verdict
    from pipelines.core.settings import Settings

STATUSES = ("PEN", "INV", "RFP")
SET_ASIDE = "set_aside"

# With the status that each has in the VMS: in the scratch warehouse all of them are made ready for posting.
_DOCUMENTS = """
SELECT documents.*, statuses.status_code
FROM post.preflight_documents AS documents
INNER JOIN statuses ON documents.document_key = statuses.document_key
ORDER BY documents.document_key
"""


def run_preflight(
    settings: Settings,
    *,
    period: str | None,
    today: date,
    operator: str,
    now: Callable[[], datetime],
    report: Callable[[str, int, int], None] = lambda _what, _done, _total: None,
) -> Preflight:
    """Read what is not posted yet and check it in memory, as the documents job would; nothing is held or written.

    ``period`` (2026-10) leaves documents of other months aside. UsageError when it is none; raises what reading the
    two systems raises.
    """
    first, last = _bounds(period)
    with (
        _asking(settings, today=today, operator=operator, now=now, report=report) as asking,
        scratch(asking) as ctx,
    ):
        reference = _take_reference(ctx, settings, control=asking.control)
        _read(ctx)
        _make_ready(ctx.warehouse, first=first, last=last)
        build_scratch(ctx, control=asking.control)
        found = run_checks(ctx)
        documents = (*_documents(ctx, found.verdicts), *_set_aside(ctx))
    return Preflight(
        period=period,
        checked=found.checked,
        held=sum(any(finding.severity == CRITICAL for finding in pending.findings) for pending in documents),
        warned=len(found.warned),
        reference=reference,
        documents=documents,
    )


def _take_reference(ctx: Context, settings: Settings, *, control: Control) -> str:
    """Spare the metered ledger what the last batch has read already; say how new it is."""
    with open_tables(settings) as tables:
        if tables is None or tables.origin != WAREHOUSE:
            return "read anew"
        copy_reference(ctx, source=tables.connection, control=control)
        return f"as of {moment(tables.as_of)}, with all changes since"


def _bounds(period: str | None) -> tuple[date, date]:
    """Return the first day of a period, and of the next."""
    if period is None:
        return date.min, date.max
    month = read_period(period)
    return month, next_month(month)


@contextmanager
def _asking(
    settings: Settings,
    *,
    today: date,
    operator: str,
    now: Callable[[], datetime],
    report: Callable[[str, int, int], None],
) -> Iterator[Context]:
    """Yield a context without a warehouse of its own: clients, and the control store for what was sent and decided."""
    started = now().astimezone(UTC)
    with ExitStack() as stack:
        control = Control(settings.control_path)
        stack.callback(control.close)
        counts = RequestCounts(control, month=f"{today:%Y-%m}")
        stack.callback(counts.save, "preflight")
        vms_client = VmsClient(settings.vms, count=counts.count, now=now)
        stack.callback(vms_client.close)
        ledger_client = LedgerClient(settings.ledger, count=counts.count, now=now)
        stack.callback(ledger_client.close)
        yield Context(
            batch_id=f"{started:%Y%m%dT%H%M%S}-{secrets.token_hex(2)}",
            today=today,
            now=now,
            operator=operator,
            settings=settings,
            control=control,
            warehouse=stack.enter_context(duckdb.connect()),
            vms=vms_client,
            ledger=ledger_client,
            report=report,
            # What the master-data job would create first counts as there.
            is_dry_run=True,
        )


def _read(ctx: Context) -> None:
    for extract in (vms.extract_partners, vms.extract_vessels, vms.extract_voyages, vms.extract_control_accounts):
        extract(ctx)
    for extract in (ledger.extract_reference, ledger.extract_subledgers, ledger.extract_projects):
        extract(ctx)
    vms.extract_documents_by_status(ctx, STATUSES)


def _make_ready(warehouse: duckdb.DuckDBPyConnection, *, first: date, last: date) -> None:
    """Keep each document's own status aside, and let the models see those of the period as ready for posting."""
    warehouse.execute(
        "CREATE OR REPLACE TEMP TABLE statuses AS SELECT document_key, status_code FROM stg_vms.documents "
        "WHERE status_code IN (SELECT unnest(?)) AND document_date >= ? AND document_date < ?",
        [list(STATUSES), first, last],
    )
    warehouse.execute(
        "UPDATE stg_vms.documents SET status_code = "
        "CASE WHEN document_key IN (SELECT document_key FROM statuses) THEN 'RFP' ELSE 'left aside' END"
    )


def _documents(ctx: Context, verdicts: Mapping[int, Sequence[Verdict]]) -> Iterator[Pending]:
    rows = rows_of(ctx.warehouse.execute(_DOCUMENTS))
    found = [row for row in rows if row["document_key"] in verdicts]
    people = _people(ctx, {row["created_by_key"] for row in found} - {None})
    for row in found:
        findings = tuple(Finding(v.rule, v.severity, v.message) for v in verdicts[row["document_key"]])
        yield Pending(
            document_no=row["document_no"],
            document_key=row["document_key"],
            document_type=row["document_type"],
            status=row["status_code"],
            company=row["company_code"],
            document_date=row["document_date"],
            partner=row["partner_name"],
            currency=row["currency_code"],
            amount=row["document_amount"],
            entered_by=people.get(row["created_by_key"], NOBODY_KNOWN),
            voyage=row["voyages"] or NO_VOYAGE,
            findings=findings,
        )


def _people(ctx: Context, keys: set[int]) -> dict[int | None, str]:
    """Name the users of these keys; by key alone where the VMS does not let us read its users."""
    named: dict[int | None, str] = {key: f"user {key}" for key in keys}
    try:
        for wanted in one_of("key", sorted(keys)):
            for user in ctx.vms.find("User", filters=[wanted], fields=["userCode", "userName"]):
                named[user["key"]] = user.get("userName") or user.get("userCode") or named[user["key"]]
    except WireError:
        return named
    return named


def _set_aside(ctx: Context) -> Iterator[Pending]:
    """Yield the documents that break the VMS's own contract: their period is not known, so they are always told."""
    rows = ctx.control.read(
        "SELECT document_no, object_key, message FROM rejected WHERE entity = 'Document' AND until IS NULL ORDER BY 2"
    )
    for row in rows:
        key = None if row["object_key"] is None else int(row["object_key"])
        yield Pending(
            document_no=row["document_no"] or f"with key {key}",
            document_key=key,
            document_type=None,
            status=None,
            company=None,
            document_date=None,
            partner=None,
            currency=None,
            amount=None,
            entered_by=NOBODY_KNOWN,
            voyage=NO_VOYAGE,
            findings=(Finding(SET_ASIDE, CRITICAL, row["message"]),),
        )
