"""What can be switched on the VMS side, and its local time."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from pipelines.sandbox.state import read_setting, write_setting
from pipelines.sandbox.vms.values import DATE_FORMAT

if TYPE_CHECKING:
    import sqlite3

    from pipelines.sandbox.clock import Clock

_NAME = "vms"


class ServedVmsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Behaviour that the documentation leaves open; the defaults are the stricter or the less helpful reading."""

    # Whether a write to a child (an address) also moves the modifiedDate of its parent (the partner).
    child_moves_parent: bool = False
    # Whether a payment with a sign against the matrix is refused, or taken with a warning.
    sign_matrix: Literal["refuse", "warn"] = "refuse"
    # Whether (OR), (AND) and sub-queries may be used.
    enterprise: bool = True
    # The zone of the VMS's local times; the documentation names none.
    time_zone: str = "UTC"
    # Most objects on a page, whatever `limit` asks for, and whether a page says how many match in all.
    largest_page: int | None = None
    counts_objects: bool = True
    # Webhooks: seconds between two of the five attempts, how long a receiver may take, whether what is due goes out in
    # any order, and how many notifications may wait for a subscription before more are dropped.
    webhook_retry_seconds: float = 60.0
    webhook_timeout_seconds: float = 5.0
    webhook_shuffle: bool = False
    webhook_queue: int = 10_000


class Switches:
    """The settings that hold now, kept in the state file."""

    def __init__(self, db: sqlite3.Connection, *, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self.now = msgspec.convert(read_setting(db, _NAME, default={}), ServedVmsSettings)

    def change(self, changes: dict[str, object]) -> ServedVmsSettings:
        """Change some settings; raises ValueError for an unknown name or value."""
        changed = msgspec.convert({**msgspec.structs.asdict(self.now), **changes}, ServedVmsSettings)
        try:
            ZoneInfo(changed.time_zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"there is no time zone {changed.time_zone!r}") from error
        write_setting(self._db, _NAME, value=changed)
        self.now = changed
        return changed

    def local_now(self) -> datetime:
        """Give the VMS's local time, without zone, to the second."""
        zone = ZoneInfo(self.now.time_zone)
        return self._clock.now().astimezone(zone).replace(microsecond=0, tzinfo=None)

    def stamp(self) -> str:
        """Give the VMS's local time as it stands in JSON."""
        return self.local_now().strftime(DATE_FORMAT)
