"""The steps that deliver, to the ledger and to the VMS: the door of this room."""

from __future__ import annotations

from collections.abc import Callable, Collection

from pipelines.load.delivery import WITHDRAWN, DeliveryResult
from pipelines.load.ledger import vouchers
from pipelines.load.ledger.master_data import deliver_master_data
from pipelines.load.ledger.storing import storing_beside
from pipelines.load.ledger.vouchers import store_voucher_intents
from pipelines.load.vms.acknowledge import acknowledging_beside, deliver_acknowledgements
from pipelines.load.vms.actuals import deliver_actuals
from pipelines.load.vms.payments import deliver_payments
from pipelines.load.vms.rates import deliver_rates
from pipelines.load.vms.remarks import write_remarks
from pipelines.step.context import Context
from pipelines.step.counts import Counts

__all__ = [
    "WITHDRAWN",
    "acknowledge",
    "send_actuals",
    "send_master_data",
    "send_payments",
    "send_rates",
    "send_vouchers",
    "settle_vouchers",
    "store_voucher_intents",
    "write_reasons",
]


# Vouchers that are stored before any is sent: some ten mutations, in the time of which the others are stored.
AT_FIRST = 1_000


def send_master_data(ctx: Context) -> Counts:
    """Add to the ledger, or correct there, what partners, vessels and voyages need."""
    return _counts(ctx, deliver_master_data(ctx))


def settle_vouchers(ctx: Context) -> Counts:
    """Find out what became of the vouchers that an earlier run left in flight; what did not arrive is open again."""
    in_flight = "SELECT count(*) FROM outbox WHERE kind = 'voucher' AND state IN ('sending', 'unknown')"
    if not ctx.control.one(in_flight):
        return Counts()
    # What stays unknown is looked up again, and reported, when vouchers are sent: not twice in one batch.
    return Counts(sent=vouchers.settle_vouchers(ctx).sent)


def send_rates(ctx: Context) -> Counts:
    """Post to the VMS the exchange rates it lacks."""
    return _counts(ctx, deliver_rates(ctx))


def send_payments(ctx: Context) -> Counts:
    """Post to the VMS what was paid on its invoices."""
    return _counts(ctx, deliver_payments(ctx))


def send_actuals(ctx: Context) -> Counts:
    """Post to the VMS what the books say was spent and earned on its voyages."""
    return _counts(ctx, deliver_actuals(ctx))


def send_vouchers(
    ctx: Context, *, ready_documents: Callable[[Context], frozenset[int]], among: Collection[int] | None = None
) -> Counts:
    """Store an intent for each document that is ready, and deliver all vouchers that are not settled.

    ``ready_documents`` gives the keys of the documents that were checked and that nothing holds at this moment;
    ``among`` restricts those for which an intent is stored. Of a large batch the first go while the others are stored,
    and are acknowledged while the last go.
    """
    ready = ready_documents(ctx)
    due = sorted(ready if among is None else ready.intersection(among))
    store_voucher_intents(ctx, due[:AT_FIRST])
    with acknowledging_beside(ctx) as taken, storing_beside(ctx, due[AT_FIRST:]) as following:
        return _counts(ctx, vouchers.deliver_vouchers(ctx, ready=ready, taken=taken, following=following))


def acknowledge(ctx: Context) -> Counts:
    """Set the documents whose vouchers the ledger has taken to posted in the VMS."""
    # `sent` counts documents posted in the ledger, and each was counted there already. What waits for the VMS to answer
    # is no failure of this batch: the next one goes on with it.
    result = deliver_acknowledgements(ctx)
    return _counts(ctx, DeliveryResult(failed=result.failed, unknown=result.unknown, problems=result.problems))


def write_reasons(ctx: Context) -> Counts:
    """Write to the held documents in the VMS why they are held, where the settings say so."""
    # Counted nowhere: a remark that could not be written makes no delivery incomplete, it is only told.
    write_remarks(ctx)
    return Counts()


def _counts(ctx: Context, result: DeliveryResult) -> Counts:
    for problem in result.problems:
        ctx.tell(problem)
    # What waits counts as unknown, so that the batch ends with the exit code for an incomplete delivery.
    return Counts(sent=result.sent, failed=result.failed, unknown=result.unknown + result.waiting)
