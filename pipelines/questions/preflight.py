"""Checks documents before they are due: every posting requirement on what is pending, up for approval or ready."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import date
from typing import TYPE_CHECKING, Unpack

import duckdb

from pipelines.batch.run import BatchOptions, open_context
from pipelines.batch.scratch import build_scratch, copy_reference, scratch
from pipelines.checks.followers import AWAITS_ORIGINAL, find_followers
from pipelines.checks.run import run_checks
from pipelines.checks.suites import CRITICAL
from pipelines.core.errors import WireError
from pipelines.core.periods import next_month, read_period
from pipelines.core.words import moment
from pipelines.extract import ledger, originals, vms
from pipelines.questions.preflight_report import NO_VOYAGE, NOBODY_KNOWN, PendingDocument, PreflightReport, RuleFinding
from pipelines.step.context import Context
from pipelines.stores.control import Control, named_statements
from pipelines.stores.lost import refuse_lost_control
from pipelines.stores.open_tables import WAREHOUSE, open_tables
from pipelines.stores.opening import open_for_question
from pipelines.stores.rows import rows_of
from pipelines.stores.seeds import load_seeds
from pipelines.stores.systems import refuse_other_systems
from pipelines.wire.filters import one_of

if TYPE_CHECKING:
    from pipelines.checks.verdicts import CheckResult, Verdict
    from pipelines.core.settings import Settings

STATUSES = ("PEN", "INV", "RFP")
SET_ASIDE = "set_aside"


def run_preflight(
    settings: Settings,
    *,
    period: str | None,
    **options: Unpack[BatchOptions],
) -> PreflightReport:
    """Read what is not posted yet and check it in memory, as the documents job would; nothing is held or written.

    ``period`` (2026-10) leaves out documents of other months. Raises UsageError when it is no period, and whatever
    reading the two systems raises.
    """
    first, last = _bounds(period)
    refuse_lost_control(settings)
    # Partners and projects that the master-data job would create first then count as present.
    options["is_dry_run"] = True
    with ExitStack() as stack:
        context, requests = stack.enter_context(
            # The batch's own warehouse is not touched: what is read goes into the scratch warehouse below.
            open_context(settings, warehouse=stack.enter_context(duckdb.connect()), opened=open_for_question, **options)
        )
        refuse_other_systems(context.control, settings)
        # Also when it fails: what was asked of the ledger was counted there in any case.
        stack.callback(requests.save, "preflight")
        ctx = stack.enter_context(scratch(context))
        reference = _take_reference(ctx, settings, control=context.control)
        _read(ctx)
        _make_ready(ctx.warehouse, first=first, last=last)
        build_scratch(ctx, of=context)
        checked = run_checks(ctx)
        documents = (*_documents(ctx, _without_followers(ctx, checked)), *_set_aside(ctx))
    return PreflightReport(
        period=period,
        checked=checked.checked,
        held=sum(document.is_held for document in documents),
        warned=len(checked.warned),
        reference=reference,
        documents=documents,
    )


def _take_reference(ctx: Context, settings: Settings, *, control: Control) -> str:
    """Take over what the last batch has read of the ledger, and say how new it is: the ledger counts requests.

    Only from the warehouse itself: the published file has no staging tables.
    """
    with open_tables(settings) as tables:
        if tables is None or tables.origin != WAREHOUSE:
            return "read anew"
        copy_reference(ctx, source=tables.connection, control=control)
        return f"as of {moment(tables.as_of)}, with all changes since"


def _bounds(period: str | None) -> tuple[date, date]:
    """Return the first day of a period and the first day after it."""
    if period is None:
        return date.min, date.max
    month = read_period(period)
    return month, next_month(month)


def _read(ctx: Context) -> None:
    # Before the documents, which are checked against them.
    for extract in (vms.extract_partners, vms.extract_vessels, vms.extract_voyages, vms.extract_control_accounts):
        extract(ctx)
    ledger.extract_master_data(ctx)
    vms.extract_documents_by_status(ctx, STATUSES)
    # Which types are GL documents stands in the seeds.
    load_seeds(ctx.warehouse)
    originals.extract_originals(ctx, statuses=STATUSES)
    vms.extract_gl_accounts_if_needed(ctx)


def _make_ready(warehouse: duckdb.DuckDBPyConnection, *, first: date, last: date) -> None:
    """Keep each document's own status in `statuses`, and show those of the period to the models as ready for posting.

    The models map only what is ready, so this is what makes preflight use the rules of the documents job unchanged.
    """
    warehouse.execute(
        "CREATE OR REPLACE TEMP TABLE statuses AS SELECT document_key, status_code FROM stg_vms.documents "
        "WHERE status_code IN (SELECT unnest(?)) AND document_date >= ? AND document_date < ?",
        [list(STATUSES), first, last],
    )
    warehouse.execute(
        "UPDATE stg_vms.documents SET status_code = "
        "CASE WHEN document_key IN (SELECT document_key FROM statuses) THEN 'RFP' ELSE 'left aside' END "
        # What a reversal takes back keeps its status: it may be posted long since.
        "WHERE status_code IN (SELECT unnest(?))",
        [list(STATUSES)],
    )


def _without_followers(ctx: Context, checked: CheckResult) -> dict[int, tuple[Verdict, ...]]:
    """Return the verdicts without that on a reversal which would go in one run with what it reverses."""
    critical = {
        key: {verdict.rule for verdict in verdicts if verdict.severity == CRITICAL}
        for key, verdicts in checked.verdicts.items()
    }
    rows = ctx.warehouse.execute("SELECT document_key FROM map.open_documents").fetchall()
    ready = {key for (key,) in rows if not critical.get(key)}
    followers = find_followers(ctx.warehouse, critical=critical, ready=ready)
    kept = {
        key: tuple(v for v in verdicts if key not in followers or v.rule != AWAITS_ORIGINAL)
        for key, verdicts in checked.verdicts.items()
    }
    return {key: verdicts for key, verdicts in kept.items() if verdicts}


def _documents(ctx: Context, verdicts: Mapping[int, Sequence[Verdict]]) -> Iterator[PendingDocument]:
    statement = named_statements("preflight", folder="questions")["documents"]
    rows = [row for row in rows_of(ctx.warehouse.execute(statement)) if row["document_key"] in verdicts]
    people = _people(ctx, {row["created_by_key"] for row in rows} - {None})
    for row in rows:
        yield PendingDocument(
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
            findings=tuple(RuleFinding(v.rule, v.severity, v.message) for v in verdicts[row["document_key"]]),
        )


def _people(ctx: Context, keys: set[int]) -> dict[int | None, str]:
    """Return the names of these users; "user" and the key where the VMS does not let us read its users."""
    named: dict[int | None, str] = {key: f"user {key}" for key in keys}
    try:
        # In filters that the VMS takes, not one request a person.
        for key_filter in one_of("key", sorted(keys)):
            for user in ctx.vms.find("User", filters=[key_filter], fields=["userCode", "userName"]):
                named[user["key"]] = user.get("userName") or user.get("userCode") or named[user["key"]]
    except WireError:
        # Names are a help to the reader and no finding: preflight answers without them.
        return named
    return named


def _set_aside(ctx: Context) -> Iterator[PendingDocument]:
    """Yield the documents that break the VMS's own contract; their month is not known, so no period leaves them out."""
    for row in ctx.control.read(named_statements("questions")["all_set_aside"]):
        key = None if row["object_key"] is None else int(row["object_key"])
        finding = RuleFinding(SET_ASIDE, CRITICAL, row["message"])
        yield PendingDocument(row["document_no"] or f"with key {key}", key, findings=(finding,))
