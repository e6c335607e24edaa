"""Steps that read both systems into the staging schemas."""

from __future__ import annotations

import json
from datetime import date, timedelta

from pipelines.contracts.tables import create_staging_tables
from pipelines.extract import books, ledger, originals, vms
from pipelines.extract.cursors import is_moved_in_batch, move_cursor
from pipelines.extract.land import ReadCounts
from pipelines.step.context import Context
from pipelines.step.counts import Counts
from pipelines.stores import seeds
from pipelines.stores.control import named_statements
from pipelines.stores.control_copy import copy_control

# The mark of the last reading of the ledger's master data: the batch, and what was last written there.
LEDGER_READ = "ledger.read_in"
# The cursor that every reading of the import confirms.
IMPORT = "ledger.import"
# Vouchers sent that are not seen booked yet: job level 3 is that of an item the ledger has booked
# (docs/systems/ledger.md#a9). A voucher that was adopted has its header from the start, and never was in the import.
WAITING = """
SELECT vouchers.document_key FROM ctl.sent_vouchers AS vouchers
WHERE vouchers.state = 'sent' AND vouchers.header_db_id IS NULL AND vouchers.document_key NOT IN (
    SELECT tr_reg_number FROM stg_ledger.import_items WHERE tr_reg_number IS NOT NULL
    GROUP BY tr_reg_number HAVING min(job_level) = 3 AND max(job_level) = 3
)
"""
# Without those whose header is in the books. NULL is kept out, because NOT IN a list with a NULL is never true.
NOT_IN_BOOKS = """
AND (vouchers.owner_code, vouchers.voucher_type, vouchers.header_text) NOT IN (
    SELECT (try_cast(entities.code AS INTEGER), booked.source_code, booked.header_text)
    FROM stg_ledger.transactions AS booked
    INNER JOIN stg_ledger.entities AS entities ON booked.owner_db_id = entities.entity_db_id
    WHERE booked.imported_at IS NOT NULL AND booked.source_code IS NOT NULL AND booked.header_text IS NOT NULL
    AND try_cast(entities.code AS INTEGER) IS NOT NULL
)
"""


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
    """Read the documents that are ready for posting, what they reverse, and their control accounts."""
    _prepare(ctx)
    read = vms.extract_open_documents(ctx)
    originals_read = originals.extract_originals(ctx)
    return _counts(read, originals_read, vms.extract_control_accounts(ctx), vms.extract_gl_accounts_if_needed(ctx))


def read_import_back(ctx: Context) -> Counts:
    """Read what the ledger's import says of vouchers that were sent and are not seen booked yet, once after a sending.

    When there are very many, as after the warehouse was built anew, those the books have are not asked for.
    """
    if is_moved_in_batch(ctx, IMPORT) and not ctx.control.one(
        named_statements("extract")["sent_since_import_was_read"]
    ):
        return Counts()
    # What was just sent is in the control store; the statement below reads the warehouse's copy.
    copy_control(ctx.warehouse, ctx.control)
    waiting = [key for (key,) in ctx.warehouse.execute(WAITING).fetchall()]
    if len(waiting) > ledger.LARGEST_LIST:
        waiting = [key for (key,) in ctx.warehouse.execute(f"{WAITING} {NOT_IN_BOOKS}").fetchall()]
    counts = _counts(ledger.extract_import_state(ctx, waiting)) if waiting else Counts()
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


def _rates_since(ctx: Context) -> date:
    return ctx.today - timedelta(days=ctx.settings.rates.days)


def _prepare(ctx: Context) -> None:
    """Make every table the models read, so that they find it also before anything has landed in it."""
    seeds.load_seeds(ctx.warehouse)
    create_staging_tables(ctx.warehouse)


def _counts(*extracted: ReadCounts) -> Counts:
    return Counts(extracted=sum(e.landed for e in extracted), rejected=sum(e.rejected for e in extracted))
