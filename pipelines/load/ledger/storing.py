"""Stores the intents of a large batch beside the sending of its first vouchers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.load.ledger.vouchers import NOTHING, Following, voucher_intents
from pipelines.load.look_up import chunks
from pipelines.outbox.store import Outbox
from pipelines.stores.lost import refuse_lost_control

if TYPE_CHECKING:
    from pipelines.step.context import Context

# Intents in one transaction: until it ends, a mutation that goes meanwhile waits to be noted.
STORED_AT_ONCE = 500


@contextmanager
def storing_beside(context: Context, keys: Sequence[int]) -> Iterator[Following]:
    """Store the drafted vouchers of these documents in a thread, while a block sends others.

    Killed in between, some have their intents and others have none: the next batch checks and stores them all again.
    """
    if not keys:
        yield NOTHING
        return
    with ThreadPoolExecutor(1, thread_name_prefix="storing") as thread:
        yield Following(frozenset(keys), thread.submit(_store, context, keys).result)


def _store(context: Context, keys: Sequence[int]) -> None:
    """Store on connections of this thread's own."""
    # A file that has gone meanwhile would be begun anew.
    refuse_lost_control(context.settings)
    with closing(context.control.beside()) as control, closing(context.warehouse.cursor()) as warehouse:
        beside = replace(context, control=control, warehouse=warehouse)
        for some in chunks(keys, size=STORED_AT_ONCE):
            # Made first: while they are written, nobody else can write.
            Outbox.of(beside).store_intents([*voucher_intents(beside, some)])
