"""Steps that read both systems into the staging schemas."""

from __future__ import annotations

from pipelines.context import Context
from pipelines.counts import Counts
from pipelines.extract import ledger, returns, seeds, vms
from pipelines.extract.land import Extracted
from pipelines.extract.tables import create_staging_tables

# The job level of an import item that the ledger has booked (xledger.md A9).
BOOKED = 3
LEDGER_READ = "ledger.read_in"


def read_vms_master_data(ctx: Context) -> Counts:
    """Read partners, vessels and voyages that have moved since the last run."""
    _prepare(ctx)
    return _counts(vms.extract_partners(ctx), vms.extract_vessels(ctx), vms.extract_voyages(ctx))


def read_ledger(ctx: Context) -> Counts:
    """Read the ledger's reference data, suppliers, customers and projects, once a batch and again after writing there.

    The ledger is metered by the request: a second job of the same batch goes by what the first one read.
    """
    written = ctx.control.one("SELECT max(updated_at) FROM outbox WHERE target = 'ledger' AND kind <> 'voucher'")
    mark = f"{ctx.batch_id} {written}"
    if ctx.control.one("SELECT value FROM meta WHERE name = ?", (LEDGER_READ,)) == mark:
        return Counts()
    counts = _counts(ledger.extract_master_data(ctx))
    with ctx.control.write() as connection:
        connection.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (LEDGER_READ, mark))
    return counts


def note_acknowledged(ctx: Context) -> Counts:
    """Note as posted what was acknowledged, so that the next run does not read it again to find that out."""
    staged = ctx.warehouse.execute("SELECT document_key FROM stg_vms.documents WHERE status_code = 'RFP'").fetchall()
    ready = {key for (key,) in staged}
    sent = ctx.control.read("SELECT document_key FROM outbox WHERE kind = 'acknowledgement' AND state = 'sent'")
    vms.note_posted(ctx, ready & {row["document_key"] for row in sent})
    return Counts()


def read_open_documents(ctx: Context) -> Counts:
    """Read the documents that are ready for posting, and the accounts their vouchers are controlled by."""
    _prepare(ctx)
    return _counts(vms.extract_open_documents(ctx), vms.extract_control_accounts(ctx))


def read_import_back(ctx: Context) -> Counts:
    """Read what the ledger's import says of vouchers that were sent and are not seen booked yet."""
    levels = ctx.warehouse.execute(
        "SELECT tr_reg_number, min(job_level), max(job_level) FROM stg_ledger.import_items GROUP BY tr_reg_number"
    ).fetchall()
    booked = {number for number, lowest, highest in levels if lowest == highest == BOOKED}
    sent = ctx.control.read("SELECT document_key FROM outbox WHERE kind = 'voucher' AND state = 'sent'")
    waiting = {row["document_key"] for row in sent} - booked
    return _counts(ledger.extract_import_state(ctx, sorted(waiting))) if waiting else Counts()


def read_rates(ctx: Context) -> Counts:
    """Read both sides' exchange rates."""
    _prepare(ctx)
    return _counts(returns.extract_rates(ctx))


def read_payments(ctx: Context) -> Counts:
    """Read the supplier and customer rows of the ledger, match by match."""
    _prepare(ctx)
    return _counts(returns.extract_payments(ctx))


def read_actuals(ctx: Context) -> Counts:
    """Read the general ledger's rows on projects."""
    _prepare(ctx)
    return _counts(returns.extract_actuals(ctx))


def _prepare(ctx: Context) -> None:
    """Make every table the models stand on, so that they find it before anything has landed in it."""
    seeds.load_seeds(ctx)
    create_staging_tables(ctx.warehouse)


def _counts(*extracted: Extracted) -> Counts:
    return Counts(extracted=sum(e.landed for e in extracted), rejected=sum(e.rejected for e in extracted))
