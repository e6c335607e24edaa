"""What can be switched: limits, hours of the posting job, and how strict the import is."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING

import msgspec

from pipelines.sandbox.ledger.errors import BadRequestError
from pipelines.sandbox.state import read_setting, write_setting

if TYPE_CHECKING:
    import sqlite3

_NAME = "ledger.settings"


class ServedLedgerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Null lifts a limit. Defaults are docs/systems/ledger.md#1-8 and #a1, #a3, #a10, #a13 to #a16, #l28."""

    burst_requests: int | None = 20
    burst_seconds: float = 5
    concurrency: int | None = 4
    credits_per_hour: int | None = 5_000
    query_timeout_seconds: float | None = 60
    # Added to every request, to bring about time-outs and parallel requests.
    latency_seconds: float = 0
    # All nodes or none: assumed; switch it off to see the other case (docs/systems/ledger.md#l1).
    atomic_mutations: bool = True
    # Off: the product must not depend on a refusal, since what is sent twice is booked twice
    # (docs/systems/ledger.md#l2).
    strict_duplicates: bool = False
    largest_file_bytes: int | None = 10_485_760
    posting_every_minutes: int | None = 30
    posting_from: time = time(6)
    posting_to: time = time(18)
    # Webhooks: how long one takes to start and a receiver may take, the pauses before each attempt (the last one again
    # and again), and after how long without success a webhook gives up.
    webhook_start_seconds: float = 5
    webhook_timeout_seconds: float = 10
    webhook_retry_seconds: tuple[float, ...] = (10, 60, 300, 900, 3_600)
    webhook_fault_seconds: float = 86_400
    # Root fields the token has no scope for (docs/systems/ledger.md#l22), and further tokens with their entities.
    denied_fields: tuple[str, ...] = ()
    tokens: dict[str, int] = {}


def read_settings(db: sqlite3.Connection) -> ServedLedgerSettings:
    """Read the settings as they were last switched."""
    return msgspec.convert(read_setting(db, _NAME, default={}), ServedLedgerSettings)


def change_settings(db: sqlite3.Connection, changed: object) -> ServedLedgerSettings:
    """Switch the given members and keep the others; raises BadRequestError for what is no setting."""
    if not isinstance(changed, dict):
        raise BadRequestError("settings are a JSON object")
    try:
        settings = msgspec.convert(msgspec.to_builtins(read_settings(db)) | changed, ServedLedgerSettings)
    except msgspec.ValidationError as error:
        raise BadRequestError(str(error)) from None
    if settings.posting_every_minutes is not None and settings.posting_every_minutes < 1:
        raise BadRequestError("posting_every_minutes is 1 or more, or null for a job that runs by hand only")
    if not settings.webhook_retry_seconds:
        raise BadRequestError("webhook_retry_seconds needs at least one pause")
    write_setting(db, _NAME, value=msgspec.to_builtins(settings))
    return settings
