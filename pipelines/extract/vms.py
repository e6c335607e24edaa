"""Reads the VMS: documents by status and key, master data since the last run, and what settings are checked against."""

# ruff: noqa: S608 values in SQL text go through `literal`

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING

import structlog

from pipelines.contracts import vms as contracts
from pipelines.contracts.shape import paths
from pipelines.core.errors import Refused
from pipelines.core.literals import among, literal
from pipelines.extract.cursors import (
    changes_since,
    is_whole,
    move_cursor,
    move_to_newest,
    note_changes_read,
    note_whole,
    read_cursor,
)
from pipelines.extract.land import EVERYTHING, LandingResult, ReadCounts, land
from pipelines.extract.readings import forget_readings
from pipelines.extract.rejected import close_rejected, open_keys
from pipelines.stores.rows import number_of
from pipelines.stores.warehouse import transaction
from pipelines.wire.filters import at_least, one_of
from pipelines.wire.pages import keys, split
from pipelines.wire.vms import SIDE

if TYPE_CHECKING:
    from pipelines.contracts.contract import Contract
    from pipelines.step.context import Context

# Changes are read again from so long before the newest one seen: what was being saved then may show up later.
OVERLAP = timedelta(minutes=5)
STATUS = "invoicingStatus.statusTypeCode"
# A document may be deleted before it is posted, and in the weeks after it was entered, when somebody sees a mistake.
OPEN = ("PEN", "INV", "RFP")
RECENT = timedelta(days=31)

# Statuses of our own, beside the VMS's: a document it no longer has; one whose text in the VMS breaks the contract.
GONE = "GONE"
REJECTED = "REJECTED"

# The cursor of all documents.
DOCUMENTS = "vms.documents"

# The day on which all accounts were read for open documents.
GL_ACCOUNTS_READ = "vms.gl_accounts"
_NAMES_NO_ACCOUNT = f"""
SELECT 1 FROM stg_vms.documents AS documents
INNER JOIN seed.voucher_types AS types ON documents.document_type = types.document_type
INNER JOIN stg_vms.document_lines AS lines
    ON documents.document_key = lines.document_key AND documents.fetch_id = lines.fetch_id
WHERE types.voucher_type = 'GL' AND {among("documents.status_code", OPEN)}
AND nullif(trim(lines.account_code), '') IS NULL
LIMIT 1
"""

_log = structlog.get_logger(__name__)

# The times by which an object counts as changed. Whether a changed child moves its parent's `modifiedDate` is not known
# (docs/mapping.md#0), so each is asked for by itself.
MOVED_BY: dict[str, tuple[str, ...]] = {
    "BusinessPartner": (
        "modifiedDate",
        "addresses.modifiedDate",
        "contactInfo.modifiedDate",
        "bankAccount.modifiedDate",
    ),
    "Document": ("modifiedDate", "documentLines.modifiedDate", "documentPaymentTerms.modifiedDate"),
    "Vessel": ("modifiedDate",),
    "Voyage": ("modifiedDate", "voyageHeader.modifiedDate", "vessel.modifiedDate"),
}


def extract_open_documents(ctx: Context) -> ReadCounts:
    """Read every document that is ready for posting, of any type, and those that no longer are.

    A document held here as RFP that did not come is read by its key, so that one that was acknowledged, dissolved or
    deleted changes here too: its status moves on, or becomes GONE. One whose present text breaks the contract becomes
    REJECTED, so that nothing is posted from the text before.
    """
    return extract_documents_by_status(ctx, ("RFP",))


def extract_documents_by_status(ctx: Context, statuses: Sequence[str]) -> ReadCounts:
    """Read every document with one of the statuses (PEN, INV, RFP, POS), and those held with one that left it."""
    landed = _land_documents(ctx, _documents(ctx, STATUS, statuses))
    # Those that left the status are only seen by their absence: they are asked for by key, to learn where they went.
    held = ctx.warehouse.execute(
        f"SELECT document_key FROM stg_vms.documents WHERE {among('status_code', statuses)}"
    ).fetchall()
    # One that is set aside has no staged status, so its kept text says whether it had one of these.
    set_aside = open_keys(ctx, side=SIDE, entity="Document", mentioning=statuses)
    left = ({key for (key,) in held} | set_aside) - landed.keys
    return landed.counts + extract_documents_by_key(ctx, left) if left else landed.counts


def extract_documents(ctx: Context) -> ReadCounts:
    """Read every document that has changed since the last run, of any type and status; the first time all there are.

    What is open or recent is read once a day all the same, and whenever the VMS's count of documents differs from what
    is staged: documents that did not come become GONE, and a change that moved no time is seen.
    """
    # A warehouse that was built anew has cursors and no documents: then the cursor says nothing.
    since, began = changes_since(ctx, DOCUMENTS, overlap=OVERLAP), ctx.now()
    if since is None or not is_whole(ctx, DOCUMENTS):
        total = _settle_window(ctx, _land_documents(ctx, _pages(ctx, contracts.DOCUMENTS, ())), "true")
        note_whole(ctx, DOCUMENTS)
        move_cursor(ctx, f"{DOCUMENTS}.uncounted", str(_uncounted(ctx)))
    else:
        landed = _land_documents(ctx, _changed(ctx, contracts.DOCUMENTS, since))
        note_changes_read(ctx, DOCUMENTS, landed.newest, began=began, overlap=OVERLAP)
        total = landed.counts + _look_for_vanished_documents(ctx, since)
    move_cursor(ctx, f"{DOCUMENTS}.read", ctx.batch_id, is_confirmed=True)
    return total


def _look_for_vanished_documents(ctx: Context, since: datetime) -> ReadCounts:
    """Find deleted documents: reading changes never shows them, but the VMS's count of all documents falls.

    What is open or recent is read again on a new day or when the count has moved; where the count is still too low
    after that, an older document is gone, and the keys of all documents are read to find which.
    """
    known = read_cursor(ctx, f"{DOCUMENTS}.uncounted")
    is_new_day = read_cursor(ctx, f"{DOCUMENTS}.window") != ctx.today.isoformat()
    if not is_new_day and str(_uncounted(ctx)) == known:
        return ReadCounts()
    since = min(since, datetime.combine(ctx.today, datetime.min.time()) - RECENT)
    recent = _pages_since(ctx, contracts.DOCUMENTS, "modifiedDate", since)
    landed = _land_documents(ctx, chain(_documents(ctx, STATUS, OPEN), recent))
    total = _settle_window(ctx, landed, f"({among('status_code', OPEN)} OR modified_at >= {literal(since)})")
    uncounted = _uncounted(ctx)
    # Fewer than before beside those staged: the VMS has lost one that still stands here.
    if uncounted is not None and known not in {None, "None"} and uncounted < int(known or 0):
        pages = ctx.vms.pages(contracts.DOCUMENTS.entity, fields=("key",))
        total += extract_documents_by_key(
            ctx, _staged_keys(ctx, "true") - {key for page in pages for key in keys(split(page).texts)}
        )
        uncounted = _uncounted(ctx)
    move_cursor(ctx, f"{DOCUMENTS}.uncounted", str(uncounted))
    return total


def _settle_window(ctx: Context, landed: LandingResult, window: str) -> ReadCounts:
    """Read by key the staged documents of a window that did not come, then note how far the VMS has been read."""
    total = landed.counts + extract_documents_by_key(ctx, _staged_keys(ctx, window) - landed.keys)
    move_to_newest(ctx, DOCUMENTS, landed.newest)
    move_cursor(ctx, f"{DOCUMENTS}.window", ctx.today.isoformat())
    return total


def _staged_keys(ctx: Context, where: str) -> set[int]:
    query = f"SELECT document_key FROM stg_vms.documents WHERE ({where}) AND status_code <> {literal(GONE)}"
    return {key for (key,) in ctx.warehouse.execute(query).fetchall()}


def _uncounted(ctx: Context) -> int | None:
    """Return how many documents the VMS has that are not staged (those set aside); None where it cannot count."""
    counted = ctx.vms.count(contracts.DOCUMENTS.entity)
    query = f"SELECT count(*) FROM stg_vms.documents WHERE status_code <> {literal(GONE)}"
    return None if counted is None else counted - number_of(ctx.warehouse.execute(query))


def note_posted(ctx: Context, keys: Iterable[int]) -> None:
    """Note that documents are posted, which Springline itself has just written to the VMS."""
    _set_status(ctx, sorted(set(keys)), "POS")


def extract_documents_by_key(ctx: Context, keys: Iterable[int]) -> ReadCounts:
    """Read documents by key, at most fifty a request; those the VMS no longer has become GONE."""
    asked = sorted(set(keys))
    if not asked:
        return ReadCounts()
    landed = _land_documents(ctx, _documents(ctx, "key", asked))
    missing = sorted(set(asked) - landed.keys)
    _set_status(ctx, missing, GONE)
    close_rejected(ctx, missing, side=SIDE, entity="Document")
    return landed.counts


def extract_documents_by_number(ctx: Context, numbers: Sequence[str]) -> ReadCounts:
    """Read documents by number, of any company, type and status."""
    return _land_documents(ctx, _documents(ctx, "documentNo", numbers)).counts if numbers else ReadCounts()


def extract_documents_by_type(ctx: Context, types: Sequence[str], *, since: date) -> ReadCounts:
    """Read the documents of some types dated since a day, of any status; those held that did not come become GONE."""
    (of_types,) = one_of("documentType.documentType", types)
    dated = at_least("documentDate", f"{since.isoformat()}T00:00:00")
    landed = _land_documents(ctx, _pages(ctx, contracts.DOCUMENTS, (of_types, dated)))
    held = f"{among('document_type', types)} AND document_date >= {literal(since)}"
    return landed.counts + extract_documents_by_key(ctx, _staged_keys(ctx, held) - landed.keys)


def extract_partners(ctx: Context) -> ReadCounts:
    """Read the business partners that have changed, they, an address, a contact or a bank account."""
    return _extract_changed(ctx, contracts.PARTNERS)


def extract_vessels(ctx: Context) -> ReadCounts:
    """Read the vessels that have changed."""
    return _extract_changed(ctx, contracts.VESSELS)


def extract_voyages(ctx: Context) -> ReadCounts:
    """Read the voyages that have changed, they themselves, their header or their vessel."""
    return _extract_changed(ctx, contracts.VOYAGES)


def extract_control_accounts(ctx: Context) -> ReadCounts:
    """Read the accounts APX and ARX of every company, whose GL accounts are the control accounts.

    Source: docs/mapping.md#1.
    """
    filters = tuple(one_of("accountCode", contracts.CONTROL_ACCOUNTS))
    return land(ctx, contracts.ACCOUNTS, _pages(ctx, contracts.ACCOUNTS, filters), side=SIDE, scope=EVERYTHING).counts


def extract_gl_accounts(ctx: Context) -> ReadCounts:
    """Read all accounts, whose GL accounts say on which accounts an actual may be posted."""
    pages = ctx.vms.pages(contracts.GL_ACCOUNTS.entity, fields=paths(contracts.GL_ACCOUNTS))
    return land(ctx, contracts.GL_ACCOUNTS, pages, side=SIDE, scope=EVERYTHING).counts


def extract_gl_accounts_if_needed(ctx: Context) -> ReadCounts:
    """Read all accounts, once a day at most, where an open GL document has a line that does not name its account.

    Whether such a line is revenue is then known by its GL account alone (docs/mapping.md#1).
    """
    today = ctx.today.isoformat()
    is_read = is_whole(ctx, GL_ACCOUNTS_READ) and read_cursor(ctx, GL_ACCOUNTS_READ) == today
    if is_read or ctx.warehouse.execute(_NAMES_NO_ACCOUNT).fetchone() is None:
        return ReadCounts()
    counts = extract_gl_accounts(ctx)
    move_cursor(ctx, GL_ACCOUNTS_READ, today)
    note_whole(ctx, GL_ACCOUNTS_READ)
    return counts


def extract_system(ctx: Context) -> ReadCounts:
    """Read the VMS's base currency."""
    body = ctx.vms.get("System", contracts.SYSTEM_KEY, fields=paths(contracts.SYSTEM))
    return land(ctx, contracts.SYSTEM, [b"[" + body + b"]"], side=SIDE, scope=EVERYTHING).counts


def extract_currencies(ctx: Context) -> ReadCounts:
    """Read the currencies that the VMS has."""
    return land(ctx, contracts.CURRENCIES, _pages(ctx, contracts.CURRENCIES, ()), side=SIDE, scope=EVERYTHING).counts


def extract_vms_exchange_rates(ctx: Context, since: date) -> ReadCounts:
    """Read the exchange rates of all days from ``since`` on; a rate of those days that was deleted goes here too."""
    pages = _pages(ctx, contracts.EXCHANGE_RATES, (at_least("exchangeRateDate", f"{since.isoformat()}T00:00:00"),))
    return land(ctx, contracts.EXCHANGE_RATES, pages, side=SIDE, scope=f"rate_date >= {literal(since)}").counts


def _extract_changed(ctx: Context, contract: Contract) -> ReadCounts:
    """Read what has changed since the last run; everything on the first run of a day, compared by hash.

    The cursor is the newest ``modifiedDate`` seen, in the VMS's own time, and moves once the landing is verified.
    """
    cursor, whole_day = f"vms.{contract.table}", f"vms.{contract.table}.whole"
    since, began = changes_since(ctx, cursor, overlap=OVERLAP), ctx.now()
    today = ctx.today.isoformat()
    # Once a day whole: reading changes never shows that something was deleted.
    if since is None or read_cursor(ctx, whole_day) != today:
        landed = land(ctx, contract, _pages(ctx, contract, ()), side=SIDE, scope=EVERYTHING)
        move_cursor(ctx, whole_day, today)
    else:
        landed = land(ctx, contract, _changed(ctx, contract, since), side=SIDE)
    note_changes_read(ctx, cursor, landed.newest, began=began, overlap=OVERLAP)
    return landed.counts


def _changed(ctx: Context, contract: Contract, since: datetime) -> Iterator[bytes]:
    """Yield what has changed by any of its times, all of which are asked at once: mostly none of them has anything."""
    readings = [_changed_by(ctx, contract, path, since) for path in MOVED_BY[contract.entity]]
    return chain.from_iterable(ctx.vms.begun(readings))


def _changed_by(ctx: Context, contract: Contract, path: str, since: datetime) -> Iterator[bytes]:
    try:
        yield from _pages_since(ctx, contract, path, since)
    except Refused as error:
        # Not every installation has a filter on every child's time.
        if path == "modifiedDate":
            raise
        # All is read on the first run of each day (of documents what is open or recent): the change comes a day late.
        _log.warning("changes are seen by night only", entity=contract.entity, path=path, reason=error.message)


def _pages_since(ctx: Context, contract: Contract, path: str, since: datetime) -> Iterator[bytes]:
    return _pages(ctx, contract, (at_least(path, since.isoformat(timespec="seconds")),))


def _pages(ctx: Context, contract: Contract, filters: Sequence[str]) -> Iterator[bytes]:
    return ctx.vms.pages(contract.entity, fields=paths(contract), filters=filters, is_parted=True)


def _documents(ctx: Context, path: str, values: Sequence[str] | Sequence[int]) -> Iterator[bytes]:
    return ctx.vms.pages_of("Document", path, values, fields=paths(contracts.DOCUMENTS), is_parted=True)


def _land_documents(ctx: Context, pages: Iterator[bytes]) -> LandingResult:
    # Without a scope: a document that did not come is never deleted here, it becomes GONE, and its story stays.
    landed = land(ctx, contracts.DOCUMENTS, pages, side=SIDE)
    _set_status(ctx, sorted(landed.rejected_keys), REJECTED)
    return landed


def _set_status(ctx: Context, keys: Sequence[int], status: str) -> None:
    """Give staged documents a status; their hash is cleared, so that they land as new when they come back."""
    if keys:
        fetched_at = ctx.now().astimezone(UTC).replace(tzinfo=None)
        with transaction(ctx.warehouse):
            changed = ctx.warehouse.execute(
                f"UPDATE stg_vms.documents SET status_code = {literal(status)}, content_hash = NULL, "
                f"fetched_at = {literal(fetched_at)} "
                f"WHERE {among('document_key', keys)} AND status_code <> {literal(status)}"
            )
            if number_of(changed):
                forget_readings(ctx.warehouse, "stg_vms.documents")
