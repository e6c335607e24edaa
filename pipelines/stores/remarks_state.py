"""How far the reasons of holds are written to the VMS as remarks: kept for the next run, and shown by `status`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.stores.control import Control

_MARK = "remarks.state"


@dataclass(frozen=True, slots=True)
class RemarksState:
    """A hash of the reasons as last seen, whether any of them is not written yet, and what kept it from being written.

    ``again`` is the time (UTC, ISO 8601) before which the same is not tried again; empty: the next run tries.
    """

    reasons: str = ""
    is_left: bool = False
    again: str = ""
    problem: str = ""


def read_state(control: Control) -> RemarksState:
    """Return what the last run has kept."""
    kept = control.mark(_MARK)
    return RemarksState(**json.loads(kept)) if kept else RemarksState()


def keep_state(control: Control, state: RemarksState) -> None:
    """Keep a state for the next run; written only when it is another one."""
    if read_state(control) != state:
        control.keep_mark(_MARK, json.dumps(asdict(state)))
