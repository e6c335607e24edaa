"""Steps that read both systems into the staging schemas."""

from __future__ import annotations

import json
from datetime import date, timedelta

from pipelines.contracts import vms as contracts
from pipelines.contracts.tables import create_staging_tables
from pipelines.extract import books, ledger, originals, vms
from pipelines.extract.absent import tell_absent
from pipelines.extract.clean import clean_staged
from pipelines.extract.cursors import is_moved_in_batch, move_cursor, moved_at, read_cursor
from pipelines.extract.land import ReadCounts
from pipelines.extract.ledger import extract_import_state
from pipelines.extract.vms import extract_documents_by_key
from pipelines.step.context import Context
from pipelines.step.counts import Counts
from pipelines.stores import seeds
from pipelines.stores.control import named_statements
from pipelines.stores.control_copy import copy_control

__all__ = [
    "extract_documents_by_key",
    "extract_import_state",
    "note_acknowledged",
    "read_actuals",
    "read_everything_back",
    "read_import_back",
    "read_ledger",
    "read_open_documents",
    "read_payments",
    "read_rates",
    "read_vms_master_data",
]

# The mark of the last reading of the ledger's master data: the batch, and what was last written there.
LEDGER_READ = "ledger.read_in"
# The cursor of the last look at it: for which documents it was taken, and when.
LEDGER_LOOK = "ledger.look"
# The ledger's requests are metered: without anything new to ask about it is looked at no more often than this.
BETWEEN_LOOKS = timedelta(hours=1)
# The cursor that every reading of the import confirms.
IMPORT = "ledger.import"


def read_vms_master_data(ctx: Context) -> Counts:
    """Read partners, vessels and voyages that have moved since the last run."""
    _prepare(ctx)
    partners = vms.extract_partners(ctx)
    if partners.landed:
        tell_absent(ctx, contracts.PARTNERS)
    return _counts(partners, vms.extract_vessels(ctx), vms.extract_voyages(ctx))


def read_ledger(ctx: Context) -> Counts:
    """Read the ledger's reference data, suppliers, customers and projects, once a batch and again after writing there.

    The ledger's requests are metered: a second job of the same batch uses what the first one read.
    """
    written = _last_written(ctx)
    # A write of this batch makes the mark another one, so that what was just created is read back.
    mark = f"{ctx.batch_id} {written}"
    counts = Counts()
    if ctx.control.mark(LEDGER_READ) != mark:
        counts = _counts(ledger.extract_master_data(ctx))
        ctx.control.keep_mark(LEDGER_READ, mark)
    # Noted in a cursor: a warehouse that was put back from an older copy forgets its cursors, and looks anew.
    look = json.dumps({"written": written, "fetches": sorted(_open_fetches(ctx))})
    move_cursor(ctx, LEDGER_LOOK, look, is_confirmed=True)
    return counts


def read_ledger_when_due(ctx: Context) -> Counts:
    """Read the ledger as ``read_ledger`` does when an open document is new or changed, else once an hour.

    So an idle tick asks the VMS only. What is held for something the ledger lacks goes with the next look, at the
    latest an hour after it was added there; ``run master-data`` looks at once. A look that is younger than
    ``ctx.ledger_age`` does for new documents too; those that are still open at the next run are due then.
    """
    known, looked_at = read_cursor(ctx, LEDGER_LOOK), moved_at(ctx, LEDGER_LOOK)
    if known is None or looked_at is None or not timedelta(0) <= ctx.now() - looked_at < BETWEEN_LOOKS:
        return read_ledger(ctx)
    look = json.loads(known)
    is_new = ctx.now() - looked_at >= ctx.ledger_age and bool(_open_fetches(ctx) - {*look["fetches"]})
    return read_ledger(ctx) if is_new or look["written"] != _last_written(ctx) else Counts()


def _last_written(ctx: Context) -> str | None:
    """Return when master data was last written to the ledger."""
    found = ctx.control.one(named_statements("extract")["last_written"])
    return None if found is None else str(found)


def _open_fetches(ctx: Context) -> set[str]:
    """Return by which readings the open documents came: a new or changed one came by a reading not seen before."""
    create_staging_tables(ctx.warehouse)
    found = ctx.warehouse.execute(
        "SELECT DISTINCT fetch_id FROM stg_vms.documents WHERE status_code = 'RFP'"
    ).fetchall()
    return {fetch for (fetch,) in found}


def note_acknowledged(ctx: Context) -> Counts:
    """Note as posted what was acknowledged, so that the next run need not read it from the VMS again."""
    staged = ctx.warehouse.execute("SELECT document_key FROM stg_vms.documents WHERE status_code = 'RFP'").fetchall()
    sent = ctx.control.read(
        named_statements("extract")["acknowledged"], {"keys": json.dumps([key for (key,) in staged])}
    )
    vms.note_posted(ctx, {row["document_key"] for row in sent})
    return Counts()


def read_open_documents(ctx: Context) -> Counts:
    """Read the documents that are ready for posting, what they reverse, and their control accounts."""
    _prepare(ctx)
    documents, accounts = vms.extract_open_documents(ctx), vms.extract_control_accounts(ctx)
    # Told when something new was read, not at every idle tick.
    tell_absent(
        ctx, *([contracts.DOCUMENTS] if documents.landed else []), *([contracts.ACCOUNTS] if accounts.landed else [])
    )
    originals_read = originals.extract_originals(ctx)
    return _counts(documents, originals_read, accounts, vms.extract_gl_accounts_if_needed(ctx))


def read_import_back(ctx: Context) -> Counts:
    """Read what the ledger's import says of vouchers that were sent and are not seen booked yet, once after a sending.

    When there are very many, as after the warehouse was built anew, those the books have are not asked for.
    """
    if is_moved_in_batch(ctx, IMPORT) and not ctx.control.one(
        named_statements("extract")["sent_since_import_was_read"]
    ):
        return Counts()
    # What was just sent is in the control store; the statements below read the warehouse's copy.
    copy_control(ctx.warehouse, ctx.control)
    waiting = _voucher_keys(ctx, "waiting")
    if len(waiting) > ledger.LARGEST_LIST:
        waiting -= _voucher_keys(ctx, "in_books")
    counts = _counts(extract_import_state(ctx, waiting)) if waiting else Counts()
    move_cursor(ctx, IMPORT, ctx.batch_id, is_confirmed=True)
    return counts


def read_import_back_when_due(ctx: Context) -> Counts:
    """Read the import back after a sending; what waits there without one is asked for once an hour."""
    read_at = moved_at(ctx, IMPORT)
    is_recent = read_at is not None and timedelta(0) <= ctx.now() - read_at < BETWEEN_LOOKS
    if is_recent and not ctx.control.one(named_statements("extract")["sent_since_import_was_read"]):
        return Counts()
    return read_import_back(ctx)


def read_everything_back(ctx: Context) -> Counts:
    """Read what both sides have now, also of what this batch has sent itself.

    Every document that has changed, the rates of the VMS, the ledger's master data and books, and what waits in its
    import.
    """
    _prepare(ctx)
    counts = _counts(vms.extract_documents(ctx), vms.extract_vms_exchange_rates(ctx, _rates_since(ctx)))
    return counts + read_ledger(ctx) + _counts(books.extract_books_once(ctx)) + read_import_back(ctx)


def read_rates(ctx: Context) -> Counts:
    """Read both sides' exchange rates of the last ``rates.days`` days, the VMS's currencies and its base currency."""
    _prepare(ctx)
    since = _rates_since(ctx)
    in_vms = _counts(vms.extract_system(ctx), vms.extract_currencies(ctx), vms.extract_vms_exchange_rates(ctx, since))
    return in_vms + _counts(ledger.extract_entities_once(ctx), ledger.extract_ledger_rates(ctx, since))


def read_payments(ctx: Context) -> Counts:
    """Read the supplier and customer rows of the ledger, match by match."""
    _prepare(ctx)
    return _counts(books.extract_books_once(ctx))


def read_actuals(ctx: Context) -> Counts:
    """Read the general ledger's rows on projects, and the voyages and GL accounts of the VMS."""
    _prepare(ctx)
    return _counts(vms.extract_gl_accounts(ctx), vms.extract_voyages(ctx), books.extract_books_once(ctx))


def _voucher_keys(ctx: Context, name: str) -> set[int]:
    return {key for (key,) in ctx.warehouse.execute(named_statements("extract", folder="steps")[name]).fetchall()}


def _rates_since(ctx: Context) -> date:
    return ctx.today - timedelta(days=ctx.settings.rates.days)


def _prepare(ctx: Context) -> None:
    """Make every table the models read, so that they find it also before anything has landed in it."""
    seeds.load_seeds(ctx.warehouse)
    create_staging_tables(ctx.warehouse)
    clean_staged(ctx)


def _counts(*extracted: ReadCounts) -> Counts:
    return Counts(extracted=sum(e.landed for e in extracted), rejected=sum(e.rejected for e in extracted))
