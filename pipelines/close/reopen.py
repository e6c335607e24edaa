"""Reopens a sealed period: recorded with who, when and why; every pack that was sealed stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pipelines.core.errors import UsageError
from pipelines.core.periods import read_period
from pipelines.core.words import moment
from pipelines.steering.decisions import reason_text
from pipelines.stores.control import utc_text
from pipelines.stores.lost import open_control
from pipelines.stores.seals import REOPENED, reopen_period, reopenings

if TYPE_CHECKING:
    from pipelines.core.settings import Settings


@dataclass(frozen=True, slots=True)
class Reopening:
    """What `close reopen` has done; ``version`` is that of the next pack, ``is_new`` false when it was open already."""

    period: str
    version: int
    is_new: bool
    message: str

    def as_dict(self) -> dict[str, object]:
        """Return the object that `--json` prints."""
        return asdict(self)


def reopen(settings: Settings, *, period: str, reason: str, operator: str, now: Callable[[], datetime]) -> Reopening:
    """Reopen a sealed period (2026-10); reads neither side and changes no pack.

    Raises UsageError for a text that is no period, a period that was never sealed, and a missing reason.
    """
    read_period(period)
    words = reason_text(reason)
    with closing(open_control(settings)) as control:
        before = reopen_period(control, period, reason=words, operator=operator, at=utc_text(now()))
        past = reopenings(control, period)
    if before is None or not (before.is_sealed or before.state == REOPENED):
        raise UsageError(
            f"{period} is not sealed, so there is nothing to reopen.",
            next_step=f"springline close {period} looks at it.",
        )
    if before.is_sealed:
        told = f"{period} is reopened. Version {before.version} of its pack stays as it is."
    else:
        last = past[-1]
        told = f"{period} is open already: {last['operator']} reopened it at {moment(last['at'])} ({last['reason']})."
    following = f"Next: springline close {period} drafts version {before.version + 1}, and --seal seals it."
    return Reopening(period, before.version + 1, before.is_sealed, f"{told} {following}")
