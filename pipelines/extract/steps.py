"""Steps that read both systems into the staging schemas."""

from __future__ import annotations

import json
from datetime import date, timedelta

from pipelines.contracts.tables import create_staging_tables
from pipelines.extract import books, ledger, vms
from pipelines.extract.cursors import is_moved_in_batch, move_cursor
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
# The cursor that every reading of the import confirms.
IMPORT = "ledger.import"


def read_vms_master_data(ctx: Context) -> Counts:
    """Read partners, vessels and voyages that have moved since the last run."""
    _prepare(ctx)
    return _counts(vms.extract_partners(ctx), vms.extract_vessels(ctx), vms.extract_voyages(ctx))


def read_ledger(ctx: Context) -> Counts:
    """Read the ledger's reference data, suppliers, customers and projects, once a batch and again after writing there.

    The ledger's requests are metered: a second job of the same batch uses what the first one read.
    """
    written = ctx.control.one("SELECT max(updated_at) FROM outbox WHERE target = 'ledger' AND kind <> 'voucher'")
    mark = f"{ctx.batch_id} {written}"
    if ctx.control.mark(LEDGER_READ) == mark:
        return Counts()
    counts = _counts(ledger.extract_master_data(ctx))
    ctx.control.keep_mark(LEDGER_READ, mark)
    return counts


def note_acknowledged(ctx: Context) -> Counts:
    """Note as posted what was acknowledged, so that the next run need not read it from the VMS again."""
    staged = ctx.warehouse.execute("SELECT document_key FROM stg_vms.documents WHERE status_code = 'RFP'").fetchall()
    sent = ctx.control.read(
        named_statements("extract")["acknowledged"], {"keys": json.dumps([key for (key,) in staged])}
    )
    vms.note_posted(ctx, {row["document_key"] for row in sent})
    return Counts()


def read_open_documents(ctx: Context) -> Counts:
    """Read the documents that are ready for posting, and the accounts their vouchers are controlled by."""
    _prepare(ctx)
    return _counts(vms.extract_open_documents(ctx), vms.extract_control_accounts(ctx))


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


def read_everything_back(ctx: Context) -> Counts:
    """Read what both sides have now, also of what this batch has sent itself.

    Every document that has changed, the rates of the VMS, the ledger's master data and books, and what waits in its
    import.
    """
    _prepare(ctx)
    counts = _counts(vms.extract_documents(ctx), vms.extract_vms_exchange_rates(ctx, _rates_since(ctx)))
    return counts + read_ledger(ctx) + _counts(books.extract_books_once(ctx)) + read_import_back(ctx)


def read_rates(ctx: Context) -> Counts:
    """Read both sides' exchange rates of the last ``rates.days`` days, and the VMS's base currency."""
    _prepare(ctx)
    since = _rates_since(ctx)
    in_vms = _counts(vms.extract_system(ctx), vms.extract_vms_exchange_rates(ctx, since))
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


def _counts(*extracted: ReadCounts) -> Counts:
    return Counts(extracted=sum(e.landed for e in extracted), rejected=sum(e.rejected for e in extracted))
