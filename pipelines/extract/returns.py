"""What each job from the ledger back to the VMS reads of both systems, before anything is compared."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pipelines.contracts.ledger import ENTITIES
from pipelines.contracts.shape import paths
from pipelines.contracts.tables import create_tables
from pipelines.contracts.vms import GL_ACCOUNTS
from pipelines.extract import ledger, vms
from pipelines.extract.books import BOOKS, extract_books
from pipelines.extract.cursors import is_moved_in_batch
from pipelines.extract.land import EVERYTHING, Extracted, land
from pipelines.wire import ledger as ledger_wire
from pipelines.wire import vms as vms_wire

if TYPE_CHECKING:
    from pipelines.step.context import Context


def extract_rates(ctx: Context) -> Extracted:
    """Read both sides' exchange rates of the last ``rates.days`` days, and the VMS's base currency."""
    since = ctx.today - timedelta(days=ctx.settings.rates.days)
    total = vms.extract_system(ctx) + vms.extract_vms_exchange_rates(ctx, since)
    return total + _read_entities_once(ctx) + ledger.extract_ledger_rates(ctx, since)


def extract_ledger_books(ctx: Context) -> Extracted:
    """Read the ledger's books unless a job of this batch has read them: what follows them writes to the VMS alone."""
    return _read_entities_once(ctx) + (Extracted() if is_moved_in_batch(ctx, BOOKS) else extract_books(ctx))


def extract_actuals(ctx: Context) -> Extracted:
    """Read the ledger's books, and the voyages and GL accounts of the VMS."""
    pages = ctx.vms.pages(GL_ACCOUNTS.entity, fields=paths(GL_ACCOUNTS))
    total = land(ctx, GL_ACCOUNTS, pages, side=vms_wire.SIDE, scope=EVERYTHING).counts
    return total + vms.extract_voyages(ctx) + extract_ledger_books(ctx)


def _read_entities_once(ctx: Context) -> Extracted:
    """Read the ledger's entities unless they are here: other jobs keep them up to date, and requests are metered."""
    create_tables(ctx.warehouse, ENTITIES, side=ledger_wire.SIDE)
    if ctx.warehouse.execute("SELECT 1 FROM stg_ledger.entities LIMIT 1").fetchone():
        return Extracted()
    return ledger.read_and_land(ctx, [ledger.Wanted(ENTITIES, scope=EVERYTHING)])
