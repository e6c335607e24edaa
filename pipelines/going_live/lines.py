"""The checks of `springline check`, in the order in which one leads to the next."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from pipelines.contracts import ledger as ledger_contracts
from pipelines.contracts import vms as vms_contracts
from pipelines.core.errors import SpringlineError, WireError
from pipelines.going_live.chart import Company, Entities, mapped_companies, read_entities
from pipelines.going_live.line import Line, judged, named
from pipelines.going_live.probe import Probe, difference

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.contracts.contract import Contract

Pair = tuple[str, str]

# Every mutation that a job runs (all that wire/query.py knows but one).
MUTATIONS = (
    "addCompanies", "addSuppliers", "updateSuppliers", "addCustomers", "updateCustomers", "addObjectValues",
    "updateObjectValues", "addProjects", "updateProjects", "addGLImportItems", "updateGLImportItems",
)  # fmt: skip
CLOCKS_AGREE, CLOCKS_DIFFER = timedelta(seconds=60), timedelta(minutes=5)
SCOPES = "give the token the scope in Xledger (System Access, GraphQL, API tokens)"
OR_ACCOUNTS = "or payables_account and receivables_account in [[companies]]"
ROLES = "give the API's user the role, or the field, in the VMS"


def files(probe: Probe) -> Line:
    """The folders of the warehouse, the control store and the published file can be written."""
    settings = probe.settings
    wanted = {settings.warehouse_path.parent, settings.control_path.parent, settings.published}
    faults = [
        (f"{folder} cannot be written", "set warehouse, control and published to folders this user may write to")
        for folder in sorted(wanted)
        if not os.access(_existing(folder), os.W_OK)
    ]
    return judged("files", good=f"warehouse {settings.warehouse_path}, control {settings.control_path}", faults=faults)


def vms_sign_in(probe: Probe) -> Line:
    """The VMS is there and lets us in."""
    probe.sign_in()
    return Line("VMS sign-in", ok=True, message=f"signed in to {probe.settings.vms.base_url}")


def vms_reading(probe: Probe) -> Line:
    """Every object and member that the jobs read can be read."""
    probe.sign_in()
    faults = list(_unreadable((contract.entity, _reader(probe, contract)) for contract in vms_contracts.ALL))
    good = f"{len(vms_contracts.ALL)} entities with every member; whether it may write shows at the first document"
    return judged("VMS reading", good=good, faults=[(told, ROLES) for told in faults])


def ledger_token(probe: Probe) -> Line:
    """The ledger is there and takes the token."""
    probe.take_token()
    return Line("ledger token", ok=True, message=f"{probe.settings.ledger.url} takes the token")


def ledger_reading(probe: Probe) -> Line:
    """Every connection and field that the jobs read can be read; asked one by one only where all at once fails."""
    probe.take_token()
    good = f"{len(ledger_contracts.ALL)} connections with every field"
    try:
        probe.read_first(ledger_contracts.ALL)
    except WireError:
        faults = _unreadable((c.entity, _first_reader(probe, c)) for c in ledger_contracts.ALL)
        return judged("ledger reading", good=good, faults=[(told, SCOPES) for told in faults])
    return Line("ledger reading", ok=True, message=good)


def ledger_writing(probe: Probe) -> Line:
    """The mutations that the jobs run exist; a scope to use them shows only when one is used."""
    probe.take_token()
    known, _ = probe.schema()
    missing = [name for name in MUTATIONS if name not in known]
    good = f"{len(MUTATIONS)} mutations are there; whether the token may use them shows at the first voucher"
    return judged("ledger writing", good=good, faults=[(f"no mutation {name}", SCOPES) for name in missing])


def companies(probe: Probe) -> Line:
    """Every company of the settings is on both sides; what the VMS has besides is named."""
    entities, known = read_entities(probe), probe.companies()
    mapped = mapped_companies(probe)
    faults = list(_company_faults(mapped, entities, known))
    if not mapped:
        faults.append(("no VMS company stands for a ledger entity", "set [[companies]] in the settings"))
    left = known.keys() - {company.code for company in mapped}
    notes = [
        (f"{named(left)} of the VMS is no entity, its documents will be held", "add [[companies]] where it should post")
    ]
    good = f"{named(company.code for company in mapped)} are on both sides"
    return judged("companies", good=good, faults=faults, notes=notes if left else ())


def _company_faults(
    mapped: Sequence[Company], entities: Entities, known: dict[str, dict[str, object]]
) -> Iterator[Pair]:
    for company in mapped:
        if company.code not in known:
            yield f"the VMS has no company {company.code}", "correct its code in [[companies]]"
        for role, code in (("owner", company.owner), ("link", company.link)):
            if code is not None and code not in entities.by_code:
                yield f"the ledger has no entity {code}", f"correct {role} of company {company.code} in [[companies]]"
        both = company.owner in entities.by_code and company.link in entities.by_code
        if both and company.link not in entities.seen_by(company.owner):
            told = f"entity {company.owner} does not see what is created in {company.link}"
            yield told, f"correct link of company {company.code} in [[companies]]"


def control_accounts(probe: Probe) -> Line:
    """APX and ARX of every company that posts have a GL account, and the ledger has it on the right side."""
    entities = read_entities(probe)
    posting = [company for company in mapped_companies(probe) if company.owner in entities.by_code]
    accounts = {str(node["code"]): (node.get("ledgerType") or {}).get("name") for node in probe.nodes()["accounts"]}
    faults: list[Pair] = []
    for company in posting:
        for side, code in (("AP", "APX"), ("AR", "ARX")):
            account = company.account(side) or _vms_account(probe, code, company.code)
            if account is None:
                step = f"set the GL account of {code} of that company in the VMS, {OR_ACCOUNTS}"
                faults.append((f"company {company.code} has no GL account in {code}", step))
            elif account not in accounts:
                faults.append((f"the ledger has no account {account} ({code} of {company.code})", "add it in Xledger"))
            elif accounts[account] not in {side, None}:
                told = f"account {account} ({code} of {company.code}) is of the ledger type {accounts[account]}"
                faults.append((told, "choose the control account of that side"))
    return judged("control accounts", good=f"APX and ARX of {len(posting)} companies", faults=faults)


def _vms_account(probe: Probe, code: str, company: str) -> str | None:
    for account in probe.control_accounts():
        of = (account.get("company") or {}).get("companyCode")
        if account["accountCode"] == code and of in {company, None} and (account.get("glAccount") or "").strip():
            return str(account["glAccount"]).strip()
    return None


def clocks(probe: Probe) -> Line:
    """This machine's clock agrees with both systems': incremental reading and tokens go by it."""
    faults: list[Pair] = []
    notes: list[Pair] = []
    for side, there in (("VMS", probe.vms_time()), ("ledger", probe.schema()[1])):
        apart = difference(probe.now(), there)
        if apart > CLOCKS_AGREE:
            told = (
                f"the clock of the {side} differs by {int(apart.total_seconds())} seconds",
                "set this machine's clock",
            )
            (faults if apart > CLOCKS_DIFFER else notes).append(told)
    return judged("clocks", good="this machine and both systems agree within a minute", faults=faults, notes=notes)


def _reader(probe: Probe, contract: Contract) -> Callable[[], None]:
    return lambda: probe.read_one(contract)


def _first_reader(probe: Probe, contract: Contract) -> Callable[[], None]:
    return lambda: probe.read_first([contract])


def _unreadable(readers: Iterator[tuple[str, Callable[[], None]]]) -> Iterator[str]:
    for name, read in readers:
        try:
            read()
        except SpringlineError as error:
            yield f"{name}: {error.message.rstrip('.')}"


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest above it that is there: the rest will be created."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
