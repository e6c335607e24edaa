"""Runs every check of `springline check`, also behind one that failed, and says what to fix, and where."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING

from pipelines.core.drawing import draw_table
from pipelines.core.errors import SpringlineError
from pipelines.core.periods import OSLO
from pipelines.going_live import access, mapping, set_up
from pipelines.going_live.check_line import CheckLine
from pipelines.going_live.probe import Probe
from pipelines.stores.lost import refuse_lost_control
from pipelines.stores.opening import open_for_question
from pipelines.stores.request_counts import RequestCounts
from pipelines.stores.systems import refuse_other_systems

if TYPE_CHECKING:
    from rich.console import Console

    from pipelines.core.settings import Settings

# These ask whether a side is there at all. Where it is not, the checks that need it are not made, and are not wrong.
GATES = ("files", "VMS sign-in", "ledger token")
CHECKS: Mapping[str, Callable[[Probe], CheckLine]] = {
    "files": access.files,
    "VMS sign-in": access.vms_sign_in,
    "VMS reading": access.vms_reading,
    "ledger token": access.ledger_token,
    "ledger reading": access.ledger_reading,
    "ledger writing": access.ledger_writing,
    "companies": set_up.companies,
    "control accounts": set_up.control_accounts,
    "dimensions": set_up.dimensions,
    "XGL": set_up.xgl,
    "voucher types": set_up.voucher_types,
    "tax rules": set_up.tax_rules,
    "VAT rows": set_up.vat_rows,
    "mapping files": mapping.mapping_files,
    "partner types": set_up.partner_types,
    "rules off": set_up.rules_switched_off,
    "base currencies": set_up.base_currencies,
    "invoice files": access.invoice_files,
    "clocks": access.clocks,
}


def check_readiness(settings: Settings, *, now: Callable[[], datetime]) -> list[CheckLine]:
    """Check everything that must be right before going live, one line each; reads only, needs nothing but settings.

    The requests are counted where the control store can be written.
    """
    month = f"{now().astimezone(OSLO):%Y-%m}"
    refuse_lost_control(settings)
    with closing(open_for_question(settings.control_place)) as control:
        refuse_other_systems(control, settings)
        counts = RequestCounts(control, month=month)
        try:
            with closing(Probe(settings, now=now, count=counts.count)) as probe:
                return list(_lines(probe))
        finally:
            counts.save("check")


def _lines(probe: Probe) -> Iterator[CheckLine]:
    gate_of: dict[int, str] = {}
    for name, check in CHECKS.items():
        try:
            yield check(probe)
        except SpringlineError as error:
            if name in GATES:
                gate_of[id(error)] = name
                yield CheckLine(name, ok=False, message=error.message, next_step=error.next_step)
            elif gate := gate_of.get(id(error)):
                # The probe raises one and the same error for all that needs this side: it is explained once.
                yield CheckLine(name, ok=None, message=f"not checked, because of: {gate}")
            else:
                yield CheckLine(name, ok=None, message=f"Not checked: {error.message}", next_step=error.next_step)


def show_readiness(lines: Sequence[CheckLine], console: Console) -> None:
    """Print one line a check, and end with what to fix, where."""
    marks = {True: "ok", None: "look", False: "FIX"}
    rows = ((marks[line.ok], line.name, line.message) for line in lines)
    console.print(draw_table(("", "what", "found"), rows, title="Ready to go live?"))
    to_fix = [line for line in lines if line.ok is False]
    to_look_at = [line for line in lines if line.ok is None and line.next_step]
    for title, listed in (("To fix", to_fix), ("To look at", to_look_at)):
        if listed:
            console.print(f"{title}:")
        for line in listed:
            console.print(f"  {line.name}: {line.next_step or line.message}", markup=False, highlight=False)
    # A check that could not be made has no next step of its own: then nobody knows whether anything is in the way.
    if all(line.ok or line.next_step for line in lines) and not to_fix:
        console.print("Nothing stands in the way of `springline preflight` and `springline run --dry-run`.")
