"""Makes a lost control store anew: from both systems (`rebuild`), or from a copy and both systems (`restore`).

Nothing is sent. What the other side has is recorded as sent, what only people knew is listed as lost, and every
document that is not posted yet waits until somebody confirms. The new store takes its place when all of that is done;
killed before, nothing has changed, and it is begun again.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Unpack

from pipelines.batch.run import BatchOptions, BatchResult, run_batch
from pipelines.core.disk import disk_fault
from pipelines.core.errors import SettingsError, UsageError
from pipelines.extract import steps as extract
from pipelines.load.delivery import CLOCK_MARGIN
from pipelines.models import steps as models
from pipelines.recovery.people import hold_the_open, lost_words
from pipelines.recovery.returns import find_returns
from pipelines.recovery.suppliers import SuppliersKept, keep_suppliers
from pipelines.recovery.vouchers import VouchersFound, find_vouchers
from pipelines.step.counts import Counts
from pipelines.step.step import Job, Step
from pipelines.stores.backup import LOG_FILES
from pipelines.stores.control import Control
from pipelines.stores.copies import copy_store, named, open_for_reading
from pipelines.stores.versions import MOVED, is_up_to_date, version_of
from pipelines.stores.warehouse import names_batch, open_warehouse

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from pipelines.core.settings import Settings
    from pipelines.step.context import Context

# How the names end of a store that is being made, and of the one whose place it takes. One of each is kept.
MAKING, REPLACED = ".rebuilding", ".replaced"
SYSTEMS = "both systems"
MOST_SHOWN = 20


@dataclass(slots=True)
class Recovery:
    """What was made anew, what could not be, and what waits; ``is_done`` once the store is in its place."""

    control: str
    origin: str
    vouchers: VouchersFound = field(default_factory=VouchersFound)
    payments: int = 0
    actuals: int = 0
    suppliers: SuppliersKept = field(default_factory=SuppliersKept)
    held: int = 0
    lost: list[str] = field(default_factory=list)
    is_read: bool = False
    is_done: bool = False
    batch: BatchResult | None = None

    @property
    def exit_code(self) -> int:
        """That of the batch that read both systems; 11 at least where it could not be done."""
        code = self.batch.exit_code if self.batch else 0
        return code if self.is_done or code else 11

    def as_dict(self) -> dict[str, object]:
        """Return the object that `--json` prints."""
        return {
            "control": self.control,
            "origin": self.origin,
            "done": self.is_done,
            "vouchers": self.vouchers.sent,
            "to_acknowledge": self.vouchers.to_acknowledge,
            "doubtful": self.vouchers.doubtful,
            "payments": self.payments,
            "actuals": self.actuals,
            "held": self.held,
            "suppliers_taken": self.suppliers.taken,
            "accounts_waiting": self.suppliers.waiting,
            "lost": self.lost,
            "problems": list(self.batch.problems) if self.batch else [],
            "exit_code": self.exit_code,
        }


def run_rebuild(settings: Settings, **options: Unpack[BatchOptions]) -> Recovery:
    """Make a control store from both systems alone.

    Raises UsageError when the one that is there is sound, BusyError while a batch holds the warehouse.
    """
    control = _not_moved(settings.control_path)
    if _is_sound(control):
        raise UsageError(
            f"The control store {control} is there and sound: nothing has to be rebuilt.",
            next_step="`springline verify` compares it with both systems; `springline restore` takes a copy instead.",
        )
    return _recover(settings, _cleared(control), Recovery(str(control), SYSTEMS), options)


def run_restore(settings: Settings, backup: Path, **options: Unpack[BatchOptions]) -> Recovery:
    """Put a copy in the place of the control store, with all that both systems have had since.

    Raises UsageError when the copy is not there or is no control store, SettingsError when it is damaged, when a newer
    release wrote it, or when it cannot be put there, BusyError while a batch holds the warehouse.
    """
    if not backup.is_file():
        raise UsageError(f"There is no file {backup}.", next_step="name a file that `springline backup` made.")
    making = _cleared(_not_moved(settings.control_path))
    try:
        with named(backup):
            copy_store(backup, making)
        with closing(Control(making)) as store:
            store.read("SELECT 1 FROM outbox_events LIMIT 1")
    except sqlite3.Error as error:
        making.unlink(missing_ok=True)
        message = f"{backup} is no sound copy of a control store: {error}."
        raise UsageError(message, next_step="name an older copy, or use `springline rebuild`.") from error
    except OSError as error:
        if told := disk_fault(error):
            raise told from error
        raise SettingsError(
            f"The copy {backup} could not be written to {making}: {error.strerror}. Nothing was changed.",
            next_step="see that its disk is sound, has room (`df -h`) and lets this user write; then do it again.",
        ) from error
    return _recover(settings, making, Recovery(str(settings.control_path), str(backup)), options)


def _recover(settings: Settings, making: Path, recovery: Recovery, options: BatchOptions) -> Recovery:
    recovery.lost = lost_words(settings, is_copy=recovery.origin != SYSTEMS)
    own = settings.model_copy(update={"control": making})
    with closing(Control(making)) as store:
        # With a mark in it, it is no store that was lost.
        store.keep_mark("recovered.from", recovery.origin)

    begun = time.monotonic()

    def look(ctx: Context) -> Counts:
        # What the process that lost the store had under way may still arrive; after this, "not there" proves something.
        left = begun + max(settings.ledger.timeout, settings.vms.timeout) + CLOCK_MARGIN - time.monotonic()
        if left > 0:
            ctx.report("waiting until calls of an earlier process are over", 0, 1)
            time.sleep(left)
        recovery.vouchers = find_vouchers(ctx)
        recovery.payments, recovery.actuals = find_returns(ctx)
        if recovery.origin == SYSTEMS:
            recovery.suppliers = keep_suppliers(ctx)
        recovery.held = hold_the_open(ctx, renumbered=recovery.vouchers.renumbered)
        recovery.is_read = True
        return Counts()

    job = Job(
        "rebuild",
        (
            Step("read partners, vessels and voyages", extract.read_vms_master_data),
            # With the control accounts, and all else that a voucher is drafted with.
            Step("read open documents", extract.read_open_documents),
            Step("read both sides", extract.read_everything_back),
            Step("build models", models.build_models),
            Step("look up what was sent", look),
        ),
    )
    recovery.batch = run_batch(own, jobs=[job], **options)
    if recovery.is_read:
        _put_in_place(settings, making, recovery.batch.batch_id)
        recovery.is_done = True
    else:
        _cleared(settings.control_path)
    return recovery


def _put_in_place(settings: Settings, making: Path, batch_id: str) -> None:
    control = settings.control_path
    # The warehouse's lock keeps every batch out meanwhile.
    with closing(open_warehouse(settings.warehouse_path)) as warehouse:
        if not names_batch(warehouse, batch_id):
            making.unlink(missing_ok=True)
            message = f"Another batch has run since {control} was read, so nothing was put in its place."
            raise SettingsError(message, next_step="do it again.")
        # The logs first: beside another file of that name they would damage it.
        for ending in (*LOG_FILES, ""):
            there = control.with_name(control.name + ending)
            kept = control.with_name(control.name + REPLACED + ending)
            kept.unlink(missing_ok=True)
            if there.exists():
                there.replace(kept)
        making.replace(control)


def _cleared(control: Path) -> Path:
    """Return the file in which the new store is made, without what a killed attempt has left of it."""
    # In the place of its last ending: what is kept beside it by its name stays the same.
    making = control.with_suffix(MAKING)
    for ending in ("", *LOG_FILES):
        making.with_name(making.name + ending).unlink(missing_ok=True)
    return making


def _not_moved(control: Path) -> Path:
    """Return the file of the store; SettingsError where it was moved, or two would live on."""
    with suppress(sqlite3.Error, OSError), closing(open_for_reading(control)) as store:
        if version_of(store) >= MOVED:
            is_up_to_date(store, control)
    return control


def _is_sound(control: Path) -> bool:
    try:
        with closing(open_for_reading(control)) as store:
            faults = store.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok"
            return not faults and bool(store.execute("SELECT EXISTS (SELECT 1 FROM batches)").fetchone()[0])
    except (sqlite3.Error, OSError):
        return False


def show_recovery(recovery: Recovery, console: Console) -> None:
    """Print whether it is done, what was found, what is lost, and what to do."""
    lines = [*_said(recovery), *(f"! {problem}" for problem in (recovery.batch.problems if recovery.batch else ()))]
    for line in lines:
        console.print(line, markup=False, highlight=False)


def _said(recovery: Recovery) -> list[str]:
    if not recovery.is_done:
        return [f"Nothing was changed: both systems could not be read. {recovery.control} is as it was. Run it again."]
    found = recovery.vouchers
    lines = [
        f"The control store {recovery.control} is made anew from {recovery.origin}. Nothing was sent.",
        f"Recorded as sent: {found.sent:,} vouchers ({found.to_acknowledge:,} still to be acknowledged), "
        f"{recovery.payments:,} payments, {recovery.actuals:,} actuals.",
    ]
    if found.doubtful:
        lines.append(f"Vouchers that could not be told for sure, of which nothing is sent: {len(found.doubtful):,}.")
        lines += _some(found.doubtful)
    kept = recovery.suppliers
    if kept.taken:
        lines.append(
            "Suppliers whose SWIFT code or routing number is taken as the VMS has it, since the ledger shows none: "
            f"{kept.taken:,}. One that waited for a release is not sent: compare them in Xledger."
        )
    if kept.waiting:
        lines.append(
            f"Suppliers with an account in the VMS that the ledger does not know: {kept.waiting:,}. Each waits for a "
            "second person after the next run, since one may be a known supplier under another code."
        )
    lines.append("Lost, because only the control store knew it:")
    lines += _some(recovery.lost)
    if recovery.held:
        lines.append(
            f"Documents on hold, since somebody may have held them and the ledger has none: {recovery.held:,}."
        )
    lines.append(
        "Next: hold, ignore and release again what people had decided; then `springline confirm --reason TEXT` lets "
        "all others go."
    )
    return lines


def _some(words: list[str]) -> list[str]:
    shown = [f"  {line}" for line in words[:MOST_SHOWN]]
    return [*shown, f"  … and {len(words) - MOST_SHOWN:,} more (--json has all)"] if len(words) > MOST_SHOWN else shown
