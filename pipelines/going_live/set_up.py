"""The checks of the set-up of both systems: companies, accounts, dimensions, tax rules, partner types, currencies."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from pipelines.checks.steps import rules_off
from pipelines.contracts import vms as vms_contracts
from pipelines.contracts.presence import values_at
from pipelines.core.mapping_files import TAX_RULES, find_mappings
from pipelines.core.words import plural
from pipelines.going_live.access import SCOPES
from pipelines.going_live.check_line import CheckFault, CheckLine, judge, named
from pipelines.going_live.companies import mapped_companies, read_entities

if TYPE_CHECKING:
    from pipelines.core.settings_books import CompanySettings
    from pipelines.going_live.companies import Entities
    from pipelines.going_live.probe import Probe

VOUCHER_TYPES = ("AP", "AR", "GL")
# docs/mapping.md#1-1: posting 3, and the XGL a line has when nothing else gives it one.
LOCATIONS = ("FS", "LS")
FALLBACK_XGL = "DLVMS"
BY_CHARTER = ("TC", "VC")
TAX_RULE = "TAX_RULE"
HELD = {"AP": "supplier invoices", "AR": "customer invoices"}
IN_XLEDGER = "set it up in Xledger"


def companies(probe: Probe) -> CheckLine:
    """Every company of the settings is on both sides; what the VMS has besides is named."""
    entities, known = read_entities(probe), probe.companies()
    mapped = mapped_companies(probe)
    faults = list(_company_faults(mapped, entities, known.keys()))
    if not mapped:
        faults.append(("no VMS company stands for a ledger entity", "set [[companies]] in the settings"))
    left = known.keys() - {company.code for company in mapped}
    others = probe.settings.companies_others
    # Left alone by a setting: somebody has decided that, and nothing is to be looked at.
    if others == "leave" and probe.settings.companies:
        left = set()
    reason = "not configured" if probe.settings.companies and others != "post" else "no entity has this code"
    step = 'add [[companies]] where it should post, or set companies_others = "leave" to leave all others alone'
    notes = [(f"{named(left)} of the VMS: {reason}; documents of it will be held", step)]
    good = f"{named(company.code for company in mapped)} are on both sides"
    return judge("companies", good=good, faults=faults, notes=notes if left else ())


def _company_faults(
    mapped: Sequence[CompanySettings], entities: Entities, known: Collection[str]
) -> Iterator[CheckFault]:
    for company in mapped:
        if company.code not in known:
            yield f"the VMS has no company {company.code}", "correct its code in [[companies]]"
        for role, code in (("owner", company.owner), ("link", company.link)):
            if code is not None and code not in entities.by_code:
                yield f"the ledger has no entity {code}", f"correct {role} of company {company.code} in [[companies]]"
        both = company.owner in entities.by_code and company.link in entities.by_code
        # Vouchers of the owner name partners and projects that are created in the link.
        if both and company.link not in entities.seen_by(company.owner):
            message = f"entity {company.owner} does not see what is created in {company.link}"
            yield message, f"correct link of company {company.code} in [[companies]]"


def control_accounts(probe: Probe) -> CheckLine:
    """APX and ARX of every company that posts have a GL account, and the ledger has it on the right side.

    A company may have one side only: then documents of the other are held by a rule, and the rest go on.
    """
    entities = read_entities(probe).by_code
    # A company whose entity is unknown is a fault of the check of companies; it is not told twice.
    posting = [company for company in mapped_companies(probe) if company.owner in entities]
    accounts = {str(node["code"]): (node.get("ledgerType") or {}).get("name") for node in probe.nodes()["accounts"]}
    faults: list[CheckFault] = []
    notes: list[CheckFault] = []
    for company in posting:
        missing: list[CheckFault] = []
        for side, code, in_settings in (
            ("AP", "APX", company.payables_account),
            ("AR", "ARX", company.receivables_account),
        ):
            account = in_settings or _vms_account(probe, code, company.code)
            if account is None:
                step = (
                    f"set the GL account of {code} of that company in the VMS, "
                    "or payables_account and receivables_account in [[companies]]"
                )
                missing.append((f"company {company.code} has no GL account in {code}, {HELD[side]} will be held", step))
            elif account not in accounts:
                faults.append((f"the ledger has no account {account} ({code} of {company.code})", "add it in Xledger"))
            # An account without a ledger type is an ordinary GL account, and that can be meant.
            elif accounts[account] not in {side, None}:
                message = f"account {account} ({code} of {company.code}) is of the ledger type {accounts[account]}"
                faults.append((message, "choose the control account of that side"))
        (faults if len(missing) == len(HELD) else notes).extend(missing)
    good = f"APX and ARX of {len(posting)} companies"
    return judge("control accounts", good=good, faults=faults, notes=notes)


def _vms_account(probe: Probe, code: str, company: str) -> str | None:
    """Return the GL account of a VMS account of this company, or of one that is every company's."""
    for account in probe.control_accounts():
        of = (account.get("company") or {}).get("companyCode")
        if account["accountCode"] == code and of in {company, None} and (account.get("glAccount") or "").strip():
            return str(account["glAccount"]).strip()
    return None


def dimensions(probe: Probe) -> CheckLine:
    """A kind stands behind glObject1 and glObject3 of every entity that posts; glObject3 has FS and LS."""
    entities = read_entities(probe)
    posting = sorted({company.owner for company in mapped_companies(probe)} & entities.by_code.keys())
    faults = [
        (f"entity {code} has no object kind behind {field} ({meaning})", IN_XLEDGER)
        for code in posting
        for field, meaning in (("glObject1", "vessels"), ("glObject3", "locations"))
        if entities.object_kind(code, field) is None
    ]
    for kind in sorted({kind for code in posting if (kind := entities.object_kind(code, "glObject3")) is not None}):
        if missing := set(LOCATIONS) - probe.object_codes([kind]).get(kind, set()):
            faults.append((f"the kind behind glObject3 ({kind}) has no {named(missing)}", "add the values in Xledger"))
    good = f"glObject1 and glObject3 of {len(posting)} entities, with FS and LS"
    return judge("dimensions", good=good, faults=faults)


def xgl(probe: Probe) -> CheckLine:
    """Every XGL code that a line can be given is there."""
    known = {str(node["code"]) for node in probe.nodes()["xglDimensions"]}
    chosen = probe.settings.posting.xgl
    needed = {FALLBACK_XGL, *(BY_CHARTER if chosen == "isTc" else ())}
    faults = [(f"there is no XGL {code}", "add it in Xledger") for code in sorted(needed - known)]
    notes: list[CheckFault] = []
    if chosen == "poolCode" and (missing := _pools(probe) - known):
        message = f"no XGL has the code of pool {named(missing)}; documents of its vessels will be held"
        notes.append((message, "add them in Xledger, or change posting.xgl"))
    good = f"{named(needed)} and all pools" if chosen == "poolCode" else named(needed)
    return judge("XGL", good=good, faults=faults, notes=notes)


def _pools(probe: Probe) -> set[str]:
    """Return the codes of all pools; the vendor hangs them on a vessel's codes, older installations on the vessel."""
    places = ["vesselCodes.pool.poolCode", "pool.poolCode"]
    vessels = probe.vms_objects(vms_contracts.VESSELS.entity, places)
    return {str(code).strip() for place in places for code in values_at(vessels, place) if code}


def voucher_types(probe: Probe) -> CheckLine:
    """AP, AR and GL are known; the API lists no voucher types, so only those of booked vouchers can be seen."""
    seen = {(node.get("transactionSource") or {}).get("code") for node in probe.nodes()["journalHeaders"]}
    unseen = [code for code in VOUCHER_TYPES if code not in seen]
    message = f"{named(unseen)} in no voucher looked at, which says nothing: the API has no list of voucher types"
    notes = [(message, "make sure in Xledger that they are set up")] if unseen else []
    return judge("voucher types", good=f"{named(VOUCHER_TYPES)} are in use", notes=notes)


def tax_rules(probe: Probe) -> CheckLine:
    """Every VAT code of the VMS is a tax rule of the ledger, by itself or by the mapping file (posting.tax_rules)."""
    # What is wrong with the file itself is told by the check of mapping files.
    rows, _ = find_mappings(probe.settings)
    mapping = {row.cells["vat_code"]: row.cells["tax_rule"] for row in rows[TAX_RULES]}
    kinds = [str(node["dbId"]) for node in probe.nodes()["objectKinds"] if str(node["name"]).upper() == TAX_RULE]
    if not kinds:
        message = "The ledger shows no kind TAX_RULE."
        return CheckLine("tax rules", ok=None, message=message, next_step=f"{SCOPES}.")
    known = set().union(*probe.object_codes(kinds).values())
    codes = {str(vat["vatCode"]).strip() for vat in probe.vms_objects("Vat", ["vatCode"])}
    faults = [
        (f"{code} is mapped to the tax rule {rule}, which the ledger does not have", "correct posting.tax_rules")
        for code, rule in sorted(mapping.items())
        if rule not in known
    ]
    # A note and no fault: such a document is held by a rule, and the others go on.
    left = {code for code in codes if code not in mapping and code not in known}
    message = f"without a tax rule: VAT code {named(left)}; documents with it will be held"
    notes = [(message, "add the rules in Xledger, or map the codes in posting.tax_rules")] if left else []
    return judge("tax rules", good=f"{len(codes)} VAT codes", faults=faults, notes=notes)


def vat_rows(probe: Probe) -> CheckLine:
    """Tell which way the ledger books the VAT that it splits off a line: with or without the dimensions of that line.

    The comparison reads both (docs/systems/ledger.md#l26): VAT with dimensions is known by its account, so that the
    accounts of posting.vat_accounts have to be there.
    """
    accounts = set(probe.settings.posting.vat_accounts)
    missing = accounts - {str(node["code"]) for node in probe.nodes()["accounts"]}
    rows = [row for row in probe.book_rows() if (row.get("account") or {}).get("code") in accounts]
    split = sum(any((row.get("glDimension") or {}).values()) for row in rows)
    if not rows:
        way = f"no row on {named(accounts)} among the first of the books: the way shows once a taxed voucher is booked"
    elif split in {0, len(rows)}:
        way = f"VAT stands in rows {'with' if split else 'without'} the dimensions of its line"
    else:
        way = f"VAT stands with the dimensions of its line in {split} of {plural(len(rows), 'row')}"
    message = f"the ledger has no account {named(missing)}, which posting.vat_accounts names"
    notes = [(message, "name the ledger's VAT accounts there: VAT with dimensions is known by them alone")]
    return judge("VAT rows", good=f"{way}; both ways are read", notes=notes if missing else ())


def partner_types(probe: Probe) -> CheckLine:
    """Partner types of the settings exist in the VMS, and each type of the VMS is a supplier's or a customer's."""
    partners = probe.settings.partners
    # The vendor's spelling first, then that of older installations (docs/mapping.md#0).
    fields = ["businessPartnerType", "businessPartnerTypeCode", "businessPartnerTypeDesc"]
    types = {
        str(code): node.get("businessPartnerTypeDesc")
        for node in probe.vms_objects("BusinessPartnerType", fields)
        if (code := node.get("businessPartnerType") or node.get("businessPartnerTypeCode"))
    }
    mapped = {*partners.supplier_types, *partners.customer_types}
    faults: list[CheckFault] = []
    if not mapped:
        described = sorted(f"{code} ({words})" for code, words in types.items())
        step = f"set partners.supplier_types and partners.customer_types; the VMS has {', '.join(described)}"
        faults.append(("no partner type is mapped, so no partner is created", step))
    if unknown := {*mapped, *partners.charterer_types} - types.keys():
        faults.append((f"the VMS has no partner type {named(unknown)}", "correct partners.…_types in the settings"))
    left = {f"{code} ({types[code]})" for code in types.keys() - mapped}
    message = f"partners of type {named(left)} are neither supplier nor customer and are not created"
    # A charterer's type is among those that are left: made a supplier's, its invoices would be paid.
    step = "add a type whose partners all pay us to partners.customer_types, one whom we pay to supplier_types"
    notes = [(message, step)]
    return judge("partner types", good=f"{len(types)} types", faults=faults, notes=notes if left and mapped else ())


def rules_switched_off(probe: Probe) -> CheckLine:
    """No posting requirement is switched off without a word (posting.rules_off)."""
    off = rules_off(probe.settings)
    notes = [(off, "take it out of posting.rules_off where that is no longer meant")] if off else []
    return judge("rules off", good="every posting requirement is on", notes=notes)


def base_currencies(probe: Probe) -> CheckLine:
    """Company and entity keep their books in one currency; the ledger knows the VMS's base currency."""
    entities, in_vms = read_entities(probe).by_code, probe.companies()
    faults: list[CheckFault] = []
    for company in mapped_companies(probe):
        there = (entities.get(company.owner, {}).get("currency") or {}).get("code")
        here = (in_vms.get(company.code, {}).get("currency") or {}).get("currencyCode")
        if here and there and here != there:
            message = f"company {company.code} is in {here}, its entity {company.owner} in {there}"
            step = "correct the currency, or the owner in [[companies]]: amounts would be taken for others"
            faults.append((message, step))
    owner = probe.settings.rates.owner
    if owner is not None and owner not in entities:
        faults.append((f"the ledger has no entity {owner}", "correct rates.owner in the settings"))
    base = probe.base_currency()
    # Only rates need it: a note, not a fault.
    is_known = base in {str(node["code"]) for node in probe.nodes()["currencies"]}
    notes = [(f"the ledger has no currency {base}, the VMS's base", "open it in Xledger before rates are sent")]
    good = f"VMS {base}, companies as their entities"
    return judge("base currencies", good=good, faults=faults, notes=() if is_known else notes)
