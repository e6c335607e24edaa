"""The checks of what can be reached: files, both systems with every member read and every mutation run, clocks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.contracts import ledger as ledger_contracts
from pipelines.contracts import vms as vms_contracts
from pipelines.contracts.presence import absent_members
from pipelines.core.access import group_number
from pipelines.core.errors import SpringlineError, WireError
from pipelines.core.lake_place import LakePlace
from pipelines.going_live.check_line import CheckFault, CheckLine, judge
from pipelines.load.ledger.file_rules import AttachedFile, NoFileError

if TYPE_CHECKING:
    from pipelines.contracts.contract import Contract
    from pipelines.going_live.probe import Probe

# Every mutation that a job runs (all that wire/query.py knows but one).
MUTATIONS = (
    "addCompanies", "addSuppliers", "updateSuppliers", "addCustomers", "updateCustomers", "addObjectValues",
    "updateObjectValues", "addProjects", "updateProjects", "addGLImportItems", "updateGLImportItems",
)  # fmt: skip
# Below the first nobody need act; above the second the windows of incremental reading no longer overlap safely.
CLOCKS_AGREE, CLOCKS_DIFFER = timedelta(seconds=60), timedelta(minutes=5)
# Where a partner's type stands; the rule on charterers stands on it.
TYPES = {
    vms_contracts.DOCUMENTS.table: "businessPartner.businessPartnerType.businessPartnerType",
    vms_contracts.PARTNERS.table: "businessPartnerType.businessPartnerType",
}
UNREADABLE = "partner types cannot be read, so supplier invoices will be held"
LOOK = (
    "where one of these is in use, ask whoever runs the VMS what it is called, and whether the API's user may read it"
)
FILE_MEMBER = "invoiceFile"
FILE_LOOK = "attach a PDF to a remark of one invoice in the VMS, and check again"
SCOPES = "give the token the scope in Xledger (System Access, GraphQL, API tokens)"
ROLES = "give the API's user the role, or the field, in the VMS"


def files(probe: Probe) -> CheckLine:
    """The folders of the warehouse, the control store and the published file can be written; a lake can be reached."""
    settings = probe.settings
    group_number(settings.published_group)
    stores = (settings.warehouse_path, settings.control_place)
    folders = {*(store.parent for store in stores if isinstance(store, Path)), settings.published}
    faults = [
        (f"{folder} cannot be written", "set warehouse, control and published to folders this user may write to")
        for folder in sorted(folders)
        if not os.access(_existing(folder), os.W_OK)
    ]
    warehouse = f"warehouse {settings.warehouse_path}"
    if isinstance(settings.warehouse, LakePlace):
        from pipelines.stores.lake.attach import reach  # noqa: PLC0415 DuckDB is for whoever has a lake

        reach(settings)
        warehouse = f"lake {settings.warehouse} with its data in {settings.data}, scratch {settings.warehouse_path}"
    return judge("files", good=f"{warehouse}, control {settings.control_place}", faults=faults)


def vms_sign_in(probe: Probe) -> CheckLine:
    """The VMS is there and lets us in."""
    probe.sign_in()
    return CheckLine("VMS sign-in", ok=True, message=f"signed in to {probe.settings.vms.base_url}")


def vms_reading(probe: Probe) -> CheckLine:
    """Every object and member that the jobs read can be read."""
    probe.sign_in()
    good = f"{len(vms_contracts.ALL)} entities with every member; whether it may write shows at the first document"
    faults = [*_unreadable(vms_contracts.ALL, probe.read_some, ROLES), *_unreadable_remarks(probe)]
    if faults:
        return judge("VMS reading", good=good, faults=faults)
    absent = {c.table: absent_members(c, probe.read_some(c)) for c in vms_contracts.ALL}
    is_on = "partner_is_charterer" not in probe.settings.posting.rules_off
    read = [c.table for c in vms_contracts.ALL if c.table in TYPES and probe.read_some(c)]
    if is_on and read and all(TYPES[table] in absent[table] for table in read):
        faults.append((UNREADABLE, f'{ROLES}; or switch the rule off: posting.rules_off = ["partner_is_charterer"]'))
    notes = [
        (f"none of {len(probe.read_some(c))} {c.entity} ({c.table}) has {', '.join(absent[c.table])}", LOOK)
        for c in vms_contracts.ALL
        if absent[c.table]
    ]
    return judge("VMS reading", good=good, faults=faults, notes=notes)


def ledger_token(probe: Probe) -> CheckLine:
    """The ledger is there and takes the token."""
    probe.take_token()
    return CheckLine("ledger token", ok=True, message=f"{probe.settings.ledger.url} takes the token")


def ledger_reading(probe: Probe) -> CheckLine:
    """Every connection and field that the jobs read can be read."""
    probe.take_token()
    good = f"{len(ledger_contracts.ALL)} connections with every field"
    try:
        # All in one request, because the ledger counts them; one by one only where that fails, to name what fails.
        probe.read_first(ledger_contracts.ALL)
    except WireError:
        faults = _unreadable(ledger_contracts.ALL, lambda contract: probe.read_first([contract]), SCOPES)
        return judge("ledger reading", good=good, faults=faults)
    return CheckLine("ledger reading", ok=True, message=good)


def ledger_writing(probe: Probe) -> CheckLine:
    """The mutations that the jobs run exist; a scope to use them shows only when one is used."""
    probe.take_token()
    # By introspection: to try a mutation would write into the books.
    known, _ = probe.schema()
    faults = [(f"no mutation {name}", SCOPES) for name in MUTATIONS if name not in known]
    good = f"{len(MUTATIONS)} mutations are there; whether the token may use them shows at the first voucher"
    return judge("ledger writing", good=good, faults=faults)


def invoice_files(probe: Probe) -> CheckLine:
    """The invoices' files can be read, and the ledger takes them (posting.attachments)."""
    name = "invoice files"
    if not probe.settings.posting.attachments:
        return CheckLine(name, ok=True, message="not sent along, since posting.attachments is off")
    is_taken = FILE_MEMBER in probe.import_members()
    step = "switch posting.attachments off"
    faults = [] if is_taken else [(f"an import item of the ledger has no member {FILE_MEMBER}", step)]
    found = probe.some_files()
    file = next((file for file in found if isinstance(file, AttachedFile)), None)
    reason = next((choice for choice in found if isinstance(choice, NoFileError)), None)
    good = ""
    if file is not None:
        try:
            reason, good = (
                None,
                f"{file.label} was read, {probe.read_file(file):,} bytes; the ledger has a place for it",
            )
        except NoFileError as error:
            reason = error
    notes = [(f"no file could be had: {reason}", reason.next_step or FILE_LOOK)] if reason else []
    if not found:
        notes = [("none of the first remarks in the VMS has a file, so none could be tried", FILE_LOOK)]
    return judge(name, good=good, faults=faults, notes=notes)


def clocks(probe: Probe) -> CheckLine:
    """This machine's clock agrees with both systems': incremental reading and tokens go by it."""
    faults: list[CheckFault] = []
    notes: list[CheckFault] = []
    for side, there in (("VMS", probe.vms_time()), ("ledger", probe.schema()[1])):
        apart = abs(probe.now() - there)
        if apart > CLOCKS_AGREE:
            (faults if apart > CLOCKS_DIFFER else notes).append(
                (f"the clock of the {side} differs by {int(apart.total_seconds())} seconds", "set this machine's clock")
            )
    return judge("clocks", good="this machine and both systems agree within a minute", faults=faults, notes=notes)


def _unreadable(contracts: Iterable[Contract], read: Callable[[Contract], object], step: str) -> Iterator[CheckFault]:
    for contract in contracts:
        try:
            read(contract)
        except SpringlineError as error:
            yield f"{contract.entity}: {error.message.rstrip('.')}", step


def _unreadable_remarks(probe: Probe) -> Iterator[CheckFault]:
    """Yield why remarks cannot be read, where they are to be written: each is looked up before it is written."""
    if not probe.settings.posting.remarks:
        return
    try:
        probe.read_remarks()
    except SpringlineError as error:
        step = "let the API's user read and write Remark in the VMS, or set posting.remarks = false"
        yield f"Remark: {error.message.rstrip('.')}", step


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest above it that is there: the first run creates the rest."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
