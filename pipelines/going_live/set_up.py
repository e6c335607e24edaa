"""The checks of the set-up in both systems: dimensions, voucher types, tax rules, partner types, currencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.contracts import vms as vms_contracts
from pipelines.core.tax_rules import read_tax_rules
from pipelines.going_live.chart import mapped_companies, read_entities
from pipelines.going_live.line import Line, judged, named

if TYPE_CHECKING:
    from pipelines.going_live.probe import Probe

Pair = tuple[str, str]

VOUCHER_TYPES = ("AP", "AR", "GL")
# mapping.md 1.1: posting 3, and the XGL a line has when nothing else gives it one.
LOCATIONS = ("FS", "LS")
FALLBACK_XGL = "DLVMS"
BY_CHARTER = ("TC", "VC")
TAX_RULE = "TAX_RULE"
IN_XLEDGER = "set it up in Xledger"


def dimensions(probe: Probe) -> Line:
    """A kind stands behind glObject1 and glObject3 of every entity that posts; glObject3 has FS and LS."""
    entities = read_entities(probe)
    posting = {company.owner for company in mapped_companies(probe)} & entities.by_code.keys()
    faults: list[Pair] = []
    for code in sorted(posting):
        for field, meaning in (("glObject1", "vessels"), ("glObject3", "locations")):
            if entities.kind(code, field) is None:
                faults.append((f"entity {code} has no object kind behind {field} ({meaning})", IN_XLEDGER))
    locations = {kind for code in posting if (kind := entities.kind(code, "glObject3")) is not None}
    for kind, codes in ((kind, probe.object_codes([kind]).get(kind, set())) for kind in sorted(locations)):
        if missing := set(LOCATIONS) - codes:
            faults.append((f"the kind behind glObject3 ({kind}) has no {named(missing)}", "add the values in Xledger"))
    return judged(
        "dimensions", good=f"glObject1 and glObject3 of {len(posting)} entities, with FS and LS", faults=faults
    )


def xgl(probe: Probe) -> Line:
    """Every XGL code that a line can be given is there."""
    known = {str(node["code"]) for node in probe.nodes()["xglDimensions"]}
    chosen = probe.settings.posting.xgl
    needed = {FALLBACK_XGL, *(BY_CHARTER if chosen == "isTc" else ())}
    faults = [(f"there is no XGL {code}", "add it in Xledger") for code in sorted(needed - known)]
    notes: list[Pair] = []
    if chosen == "poolCode" and (missing := _pools(probe) - known):
        told = f"pools {named(missing)} are no XGL, documents of their vessels will be held"
        notes.append((told, "add them in Xledger, or change posting.xgl"))
    return judged(
        "XGL",
        good=f"{named(needed)} and all pools" if chosen == "poolCode" else named(needed),
        faults=faults,
        notes=notes,
    )


def _pools(probe: Probe) -> set[str]:
    vessels = probe.vms_objects(vms_contracts.VESSELS.entity, ["pool.poolCode"])
    return {vessel["pool"]["poolCode"].strip() for vessel in vessels if (vessel.get("pool") or {}).get("poolCode")}


def voucher_types(probe: Probe) -> Line:
    """AP, AR and GL are known; the API lists no voucher types, so only those of booked vouchers can be seen."""
    seen = {(node.get("transactionSource") or {}).get("code") for node in probe.nodes()["journalHeaders"]}
    unseen = [code for code in VOUCHER_TYPES if code not in seen]
    told = f"{named(unseen)} in no voucher looked at, which says nothing: the API has no list of voucher types"
    notes = [(told, "make sure in Xledger that they are set up")] if unseen else []
    return judged("voucher types", good=f"{named(VOUCHER_TYPES)} are in use", faults=(), notes=notes)


def tax_rules(probe: Probe) -> Line:
    """Every VAT code of the VMS is a tax rule of the ledger, by itself or by the mapping file (posting.tax_rules)."""
    mapping = read_tax_rules(probe.settings.posting.tax_rules)
    kinds = [str(node["dbId"]) for node in probe.nodes()["objectKinds"] if str(node["name"]).upper() == TAX_RULE]
    if not kinds:
        return Line("tax rules", ok=None, message="The ledger shows no kind TAX_RULE.", next_step="ask for its scope.")
    known = set().union(*probe.object_codes(kinds).values())
    codes = {str(vat["vatCode"]).strip() for vat in probe.vms_objects("Vat", ["vatCode"])}
    faults = [
        (f"{code} is mapped to the tax rule {rule}, which the ledger does not have", "correct posting.tax_rules")
        for code, rule in sorted(mapping.items())
        if rule not in known
    ]
    left = {code for code in codes if code not in mapping and code not in known}
    told = f"VAT codes {named(left)} are no tax rules, documents with them will be held"
    notes = [(told, "add the rules in Xledger, or map the codes in posting.tax_rules")] if left else []
    return judged("tax rules", good=f"{len(codes)} VAT codes", faults=faults, notes=notes)


def partner_types(probe: Probe) -> Line:
    """Partner types of the settings exist in the VMS, and each type of the VMS is a supplier's or a customer's."""
    partners = probe.settings.partners
    types = {
        str(found["businessPartnerTypeCode"]): found.get("businessPartnerTypeDesc")
        for found in probe.vms_objects("BusinessPartnerType", ["businessPartnerTypeCode", "businessPartnerTypeDesc"])
    }
    mapped = {*partners.supplier_types, *partners.customer_types}
    faults: list[Pair] = []
    if not mapped:
        step = "set partners.supplier_types and partners.customer_types"
        faults.append(("no partner type is mapped, so no partner is created", step))
    if odd := {*mapped, *partners.charterer_types} - types.keys():
        faults.append((f"the VMS has no partner type {named(odd)}", "correct partners.…_types in the settings"))
    left = {f"{code} ({types[code]})" for code in types.keys() - mapped}
    told = f"partners of type {named(left)} are neither supplier nor customer and are not created"
    notes = [(told, "add them to partners.supplier_types or customer_types where they should be")]
    return judged("partner types", good=f"{len(types)} types", faults=faults, notes=notes if left and mapped else ())


def base_currencies(probe: Probe) -> Line:
    """Company and entity keep their books in one currency; the ledger knows the VMS's base currency."""
    entities, companies = read_entities(probe), probe.companies()
    faults: list[Pair] = []
    for company in mapped_companies(probe):
        there = (entities.by_code.get(company.owner, {}).get("currency") or {}).get("code")
        here = (companies.get(company.code, {}).get("currency") or {}).get("currencyCode")
        if here and there and here != there:
            told = f"company {company.code} is in {here}, its entity {company.owner} in {there}"
            faults.append(
                (told, "correct the currency, or the owner in [[companies]]: amounts would be taken for others")
            )
    base = probe.base_currency()
    known = {str(node["code"]) for node in probe.nodes()["currencies"]}
    notes = [(f"the ledger has no currency {base}, the VMS's base", "open it in Xledger before rates are sent")]
    owner = probe.settings.rates.owner
    if owner is not None and owner not in entities.by_code:
        faults.append((f"the ledger has no entity {owner}", "correct rates.owner in the settings"))
    return judged(
        "base currencies",
        good=f"VMS {base}, companies as their entities",
        faults=faults,
        notes=notes if base not in known else (),
    )
