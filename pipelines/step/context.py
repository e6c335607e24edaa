"""What every step of a batch is given: who runs, for which day, with which settings, stores and clients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

    from pipelines.core.settings import Settings
    from pipelines.stores.control import Control
    from pipelines.wire.ledger import LedgerClient
    from pipelines.wire.vms import VmsClient


@dataclass(frozen=True, slots=True)
class Context:
    """One batch.

    ``today`` is the accounting day in Europe/Oslo, ``now`` the clock (aware UTC), ``report`` receives progress:
    what is being done, how many are done, how many there are (0 when unknown); ``tell`` receives what an operator must
    know in words.
    """

    batch_id: str
    today: date
    now: Callable[[], datetime]
    operator: str
    settings: Settings
    # What was decided and sent cannot be read again anywhere; the warehouse can be rebuilt from both systems
    # (docs/architecture.md#three-stores).
    control: Control
    warehouse: duckdb.DuckDBPyConnection
    vms: VmsClient
    ledger: LedgerClient
    report: Callable[[str, int, int], None]
    is_dry_run: bool = False
    tell: Callable[[str], None] = lambda _message: None
    # How old what is known of the ledger's master data may be when a document is new.
    ledger_age: timedelta = timedelta(0)
