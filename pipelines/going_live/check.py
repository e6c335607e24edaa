"""Runs every check of `springline check`, whatever became of the one before, and says what to fix, and where."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from pipelines.core.errors import SpringlineError
from pipelines.core.periods import OSLO
from pipelines.going_live import lines, set_up
from pipelines.going_live.line import Line
from pipelines.going_live.probe import Probe
from pipelines.stores.control import Control
from pipelines.stores.request_counts import RequestCounts

if TYPE_CHECKING:
    from rich.console import Console

    from pipelines.core.settings import Settings

# The first three ask whether a side is there at all; what hangs on them is then not checked, and not wrong by itself.
GATES = ("files", "VMS sign-in", "ledger token")
CHECKS: Mapping[str, Callable[[Probe], Line]] = {
    "files": lines.files,
    "VMS sign-in": lines.vms_sign_in,
    "VMS reading": lines.vms_reading,
    "ledger token": lines.ledger_token,
    "ledger reading": lines.ledger_reading,
    "ledger writing": lines.ledger_writing,
    "companies": lines.companies,
    "control accounts": lines.control_accounts,
    "dimensions": set_up.dimensions,
    "XGL": set_up.xgl,
    "voucher types": set_up.voucher_types,
    "tax rules": set_up.tax_rules,
    "partner types": set_up.partner_types,
    "base currencies": set_up.base_currencies,
    "clocks": lines.clocks,
}


def check_readiness(settings: Settings, *, now: Callable[[], datetime]) -> list[Line]:
    """Check everything that must be right before going live, one line each; reads only, needs nothing but settings."""
    month = f"{now().astimezone(OSLO):%Y-%m}"
    control = Control(settings.control_path)
    counts = RequestCounts(control, month=month)
    try:
        with Probe(settings, now=now, count=counts.count) as probe:
            return list(_lines(probe))
    finally:
        counts.save("check")
        control.close()


def _lines(probe: Probe) -> Iterator[Line]:
    shut: dict[int, str] = {}
    for name, check in CHECKS.items():
        try:
            yield check(probe)
        except SpringlineError as error:
            if name in GATES:
                shut[id(error)] = name
                yield Line(name, ok=False, message=error.message, next_step=error.next_step)
            elif gate := shut.get(id(error)):
                # The probe raises the same error again for whatever hangs on it: it is told once.
                yield Line(name, ok=None, message=f"not checked, because of: {gate}")
            else:
                yield Line(name, ok=None, message=f"Not checked: {error.message}", next_step=error.next_step)


def show_readiness(found: Sequence[Line], console: Console) -> None:
    """Print one line a check, and end with what to fix, where."""
    marks = {True: "ok", None: "look", False: "FIX"}
    table = Table("", "what", "found", title="Ready to go live?", title_justify="left")
    for line in found:
        table.add_row(marks[line.ok], line.name, escape(line.message))
    console.print(table)
    wrong = [line for line in found if line.ok is False]
    odd = [line for line in found if line.ok is None and line.next_step]
    for title, listed in (("To fix", wrong), ("To look at", odd)):
        if listed:
            console.print(f"{title}:")
        for line in listed:
            console.print(f"  {line.name}: {line.next_step or line.message}", markup=False, highlight=False)
    if all(line.ok or line.next_step for line in found) and not wrong:
        console.print("Nothing stands in the way of `springline preflight` and `springline run --dry-run`.")
