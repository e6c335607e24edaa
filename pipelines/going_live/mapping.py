"""The check of the mapping files: what each does, which lines match no open document, what the ledger lacks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from pipelines.contracts import ledger as ledger_contracts
from pipelines.contracts.presence import values_at
from pipelines.core.mapping_files import (
    DIMENSIONS,
    FIXED,
    GL_ACCOUNTS,
    PARTNERS,
    TAX_RULES,
    company_faults,
    find_mappings,
    ledger_faults,
    mapping_paths,
)
from pipelines.core.words import plural
from pipelines.going_live.check_line import CheckFault, CheckLine, judge, named
from pipelines.wire.filters import equals

if TYPE_CHECKING:
    from pipelines.core.mapping_files import MappingRow, Mappings
    from pipelines.going_live.probe import Probe

# Where the codes stand in a document that each of the files is about.
_PLACES: dict[str, tuple[str, ...]] = {
    GL_ACCOUNTS: (
        "glAccount", "documentLines.glAccount", "documentLines.account.balanceAccountAccrual",
        "documentLines.account.balanceAccountAccrualAsset",
    ),
    PARTNERS: ("businessPartner.businessPartnerCode", "documentLines.businessPartner.businessPartnerCode"),
    TAX_RULES: ("documentLines.vatRate.vat.vatCode",),
}  # fmt: skip
_COMPANY = "company.companyCode"
# Where the ledger keeps the codes of each dimension, as pipelines/checks/mapping.py reads them from staging.
_FIXED = {
    "posting1": ledger_contracts.OBJECT_VALUES,
    "posting2": ledger_contracts.PROJECTS,
    "posting3": ledger_contracts.OBJECT_VALUES,
    "xgl": ledger_contracts.XGL_DIMENSIONS,
}
# The keys of the two files that go by one code.
_CODES = {TAX_RULES: "vat_code", PARTNERS: "vms_partner", GL_ACCOUNTS: "vms_account"}


def mapping_files(probe: Probe) -> CheckLine:
    """Every mapping file is right, each of its lines is of use for an open document, and the ledger has its codes."""
    paths = mapping_paths(probe.settings)
    if not paths:
        return judge("mapping files", good="none: codes of the VMS are the ledger's")
    mappings, faults = find_mappings(probe.settings)
    nodes = probe.nodes()
    # Only where the file names a code: there may be thousands of projects.
    fixed = {row.cells["dimension"] for row in mappings[DIMENSIONS] if row.cells["source"] == FIXED}
    faults += ledger_faults(
        mappings,
        accounts={str(node["code"]) for node in nodes["accounts"]},
        codes={dimension: probe.codes_of(contract) for dimension, contract in _FIXED.items() if dimension in fixed},
    )
    if not probe.settings.companies or probe.settings.companies_others == "post":
        for setting in (GL_ACCOUNTS, DIMENSIONS):
            faults += company_faults(setting, mappings[setting], probe.companies().keys())
    found: list[CheckFault] = [(f"{fault.place}: {fault.problem}", fault.next_step) for fault in faults]
    used = _used(probe)
    notes = [*_unused(mappings, used), *_several(mappings), *_without_voyage(mappings)]
    good = "; ".join(_told(setting, path.name, mappings[setting], used) for setting, path in paths.items())
    line = judge("mapping files", good=good, faults=found, notes=notes)
    # What each file does is told whatever else there is to say.
    return line if line.ok else replace(line, message=f"{good}. {line.message}")


def _used(probe: Probe) -> dict[str, set[tuple[str, str]]]:
    """Return by setting what the documents that are ready for posting use: company and code."""
    used: dict[str, set[tuple[str, str]]] = {setting: set() for setting in (*_CODES, DIMENSIONS)}
    ready = [equals("invoicingStatus.statusTypeCode", "RFP")]
    fields = [_COMPANY, *chain.from_iterable(_PLACES.values())]
    for document in probe.vms_objects("Document", fields, ready):
        company = str(next(values_at(document, _COMPANY), ""))
        used[DIMENSIONS].add((company, ""))
        for setting, places in _PLACES.items():
            codes = (str(code).strip() for place in places for code in values_at(document, place))
            used[setting] |= {(company, code) for code in codes if code}
    # The control accounts of the company are mapped as well.
    for account in probe.control_accounts():
        used[GL_ACCOUNTS].add(("", str(account.get("glAccount") or "").strip()))
    return used


def _is_used(setting: str, row: MappingRow, used: dict[str, set[tuple[str, str]]]) -> bool:
    company, code = row.cells.get("company", ""), row.cells.get(_CODES.get(setting, ""), "")
    return any(code == found and (not company or not of or company == of) for of, found in used[setting])


def _told(setting: str, file: str, rows: Sequence[MappingRow], used: dict[str, set[tuple[str, str]]]) -> str:
    number = sum(_is_used(setting, row, used) for row in rows)
    return f"{file}: {plural(len(rows), 'line')}, {number} of use for open documents"


def _unused(mappings: Mappings, used: dict[str, set[tuple[str, str]]]) -> Iterator[CheckFault]:
    for setting, rows in mappings.items():
        lines = [row for row in rows if not _is_used(setting, row, used)]
        if lines:
            words = named(f"{row.line:>5}".strip() for row in lines)
            codes = named(code for row in lines if (code := row.cells.get(_CODES.get(setting, ""), "")))
            message = f"{lines[0].file} line {words} matches no open document{f' ({codes})' if codes else ''}"
            yield message, "look whether the codes are those of the VMS: Excel takes leading zeros away"


def _several(mappings: Mappings) -> Iterator[CheckFault]:
    leading: dict[tuple[str, str], list[MappingRow]] = {}
    for row in mappings[GL_ACCOUNTS]:
        leading.setdefault((row.cells["company"], row.cells["ledger_account"]), []).append(row)
    for (_, account), rows in leading.items():
        if len(rows) > 1:
            message = f"{named(row.cells['vms_account'] for row in rows)} become the ledger's account {account}"
            first = rows[0].cells["vms_account"]
            step = f"actuals on it go back to {first}: put the line of another first if they should not"
            yield message, step


def _without_voyage(mappings: Mappings) -> Iterator[CheckFault]:
    for row in mappings[DIMENSIONS]:
        if row.cells["dimension"] == "posting2" and row.cells["source"] != "voyage":
            message = f"{row.place} puts {row.cells['source']} into posting2, so no actuals of these vouchers go back"
            yield message, "leave voyage in posting2 where the VMS should have actuals"
