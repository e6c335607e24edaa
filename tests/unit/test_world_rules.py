"""What is expected of each sample document, found again from the written files by plain arithmetic."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from stdnum import iban, luhn

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
PAYABLE, RECEIVABLE = {"INI", "CRI"}, {"INO", "CRO"}
GENERAL = {"ACC", "ACP", "ACR", "CAP", "CAR", "BAP", "BAR"}
VAT_ACCOUNTS = {"2700", "2710"}
ALL_RULES = {
    *("gl_account_missing", "control_account_missing", "control_account_on_line", "account_missing"),
    *(
        "external_document_no_missing",
        "partner_is_charterer",
        "partner_missing",
        "supplier_missing",
        "customer_missing",
    ),
    *("due_date_missing", "payment_terms_incomplete", "payment_terms_not_100"),
    *("voucher_not_balanced", "vat_not_at_rate", "vat_without_taxed_line", "tax_rule_missing", "currency_missing"),
    *("no_lines", "amount_missing", "too_many_lines", "document_key_too_large", "company_unknown", "period_closed"),
    *("vessel_missing", "voyage_missing", "dimension_missing"),
    *("line_currency_differs", "vat_on_gl_document", "project_not_open", "original_not_sent"),
}
ALL_WARNINGS = {
    *("kid_invalid", "kid_too_long", "iban_invalid", "date_in_future"),
    *("external_document_no_used", "external_document_no_too_long"),
    "original_unknown",
}
# Nothing is taken from the generator here, so that its rules are found a second time.
Row = dict[str, Any]


@dataclass(frozen=True)
class Sample:
    """Both sides' rows by file, and the settings."""

    vms: dict[str, list[Row]]
    ledger: dict[str, list[Row]]
    settings: dict[str, Any]

    def by(self, name: str, code: str) -> dict[str, Row]:
        return {row[code]: row for row in self.vms[name]}


def _read(path: Path) -> list[Row]:
    return [json.loads(line, parse_float=Decimal) for line in path.read_text(encoding="utf-8").splitlines()]


def _settings() -> dict[str, Any]:
    lines = (SAMPLE / "settings.env").read_text(encoding="utf-8").splitlines()
    values = dict(line.removeprefix("SPRINGLINE_").split("=", 1) for line in lines)
    return {name: json.loads(value) if value.startswith("[") else value for name, value in values.items()}


@pytest.fixture(scope="module")
def sample() -> Sample:
    sides = [{path.stem: _read(path) for path in (SAMPLE / side).glob("*.jsonl")} for side in ("vms", "ledger")]
    return Sample(sides[0], sides[1], _settings())


@pytest.fixture(scope="module")
def expected() -> dict[str, Row]:
    found: dict[str, Row] = json.loads((SAMPLE / "expected.json").read_text(encoding="utf-8"))["documents"]
    return found


def minor(currency: str) -> Decimal:
    return Decimal(1) if currency == "JPY" else Decimal("0.01")


def near(gap: Decimal, *, lines: int, currency: str) -> bool:
    return abs(gap) <= lines * max(Decimal("0.05"), minor(currency) / 2)


def rounded(value: Decimal, currency: str) -> Decimal:
    return value.quantize(minor(currency), rounding=ROUND_HALF_UP)


def broken(**rules: bool) -> set[str]:
    return {rule for rule, is_broken in rules.items() if is_broken}


class Judge:
    """Looks at one document after the other with what both sides hold at the start."""

    def __init__(self, sample: Sample) -> None:
        self.settings = sample.settings
        self.owners = {row["code"]: row["owner"] for row in sample.settings["COMPANIES"]}
        self.partners = sample.by("BusinessPartner", "businessPartnerCode")
        self.headers = sample.by("VoyageHeader", "referenceNo")
        self.voyages = sample.by("Voyage", "voyageHeader")
        self.vessels = {row["vesselCodes"][0]["vesselCode"]: row for row in sample.vms["Vessel"]}
        self.companies = sample.by("Company", "companyCode")
        self.accounts = sample.by("Account", "accountCode")
        self.control = {(row.get("company"), row["accountCode"]): row["glAccount"] for row in sample.vms["Account"]}
        self.projects = {row["code"]: row for row in sample.ledger["projects"]}
        self.documents = sample.by("Document", "documentNo")
        self.closed = {(row["owner"], row["period"]) for row in sample.ledger["periods_closed"]}
        self.there = {name: Counter(row.get("code") for row in rows) for name, rows in sample.ledger.items()}

    def rules(self, document: Row) -> set[str]:
        found = self._header(document) | self._identity(document)
        if document["documentType"] not in GENERAL:
            found |= self._partner(document) | self._terms(document)
        if document["documentLines"] and document["documentAmount"] is not None:
            found |= self._vat(document) | self._balance(document)
        return found.union(*(self._line(line) | self._links(document, line) for line in document["documentLines"]))

    def _links(self, document: Row, line: Row) -> set[str]:
        """Look at what a line leads to: the document it takes back, and the project of its voyage."""
        original, day = self.documents.get(line.get("refDocument", "")), document["documentDate"][:10]
        span = self.projects.get(line.get("voyage", ""), {"fromDate": day, "toDate": day})
        return broken(
            original_not_sent=original is not None
            and original["invoicingStatus"] != "POS"
            and bool(self.rules(original)),
            project_not_open=not span["fromDate"] <= day <= span["toDate"],
        )

    def _header(self, document: Row) -> set[str]:
        kind, lines = document["documentType"], document["documentLines"]
        account = "APX" if kind in PAYABLE else "ARX"
        details = [line for line in lines if line["glAccount"] not in VAT_ACCOUNTS]
        if kind in GENERAL:
            controls = [self._contra(document, line) for line in details]
            is_on_line = any(line["glAccount"] == own for line, own in zip(details, controls, strict=True))
        else:
            controls, is_on_line = [self.control.get((document["company"], account))], False
        return broken(
            control_account_missing=None in controls,
            control_account_on_line=is_on_line,
            vat_on_gl_document=kind in GENERAL and len(details) < len(lines),
            line_currency_differs=any("documentCurrency" in line for line in lines),
            no_lines=not lines,
            amount_missing=document["documentAmount"] is None,
            too_many_lines=max(1, len(document["documentPaymentTerms"])) + len(details) > 500,
        )

    def _contra(self, document: Row, line: Row) -> str | None:
        if not document["documentAmount"]:
            return "none is needed"
        own = self.accounts.get(line.get("account", ""), {})
        member = "balanceAccountAccrualAsset" if own.get("isRevenue") else "balanceAccountAccrual"
        found: str | None = own.get(member) or document["glAccount"]
        return found

    def _identity(self, document: Row) -> set[str]:
        owner = self.owners.get(document["company"])
        is_reversal = any("refDocument" in line for line in document["documentLines"])
        number = (document["externalDocumentNo"] or "").partition("|")[0].strip()
        return broken(
            company_unknown=owner is None,
            period_closed=(owner, document["documentDate"][:7]) in self.closed,
            document_key_too_large=document["key"] >= 2**31,
            currency_missing=not self.there["currencies"][document["documentCurrency"]],
            external_document_no_missing=document["documentType"] in PAYABLE and not number and not is_reversal,
        )

    def _partner(self, document: Row) -> set[str]:
        partner = self.partners.get(document["businessPartner"])
        if partner is None:
            return {"partner_missing"}
        kind = partner["businessPartnerType"]
        side = "supplier" if document["documentType"] in PAYABLE else "customer"
        count = self.there[f"{side}s"][partner["businessPartnerCode"]]
        is_created = count == 0 and kind in self.settings[f"PARTNERS__{side.upper()}_TYPES"]
        is_charterer = side == "supplier" and kind in self.settings["PARTNERS__CHARTERER_TYPES"]
        missing = set() if is_created or count == 1 else {f"{side}_missing"}
        return missing | broken(partner_is_charterer=is_charterer)

    def _terms(self, document: Row) -> set[str]:
        terms = document["documentPaymentTerms"]
        is_incomplete = any(term["dueDate"] is None or term["percentage"] is None for term in terms)
        return broken(
            due_date_missing=not terms and document["documentType"] not in {"CRI", "CRO"},
            payment_terms_incomplete=is_incomplete,
            payment_terms_not_100=bool(terms)
            and not is_incomplete
            and sum(term["percentage"] for term in terms) != 100,
        )

    def _vat(self, document: Row) -> set[str]:
        net_codes = self.settings["POSTING__REVERSE_CHARGE"]
        lines = document["documentLines"]
        vat = [line["documentAmount"] for line in lines if line["glAccount"] in VAT_ACCOUNTS]
        details = [line for line in lines if line["glAccount"] not in VAT_ACCOUNTS and line.get("vatRate")]
        taxed = [line for line in details if line["vatRate"]["vat"] not in net_codes]
        if document["documentType"] in GENERAL:
            return set()
        if vat and not taxed:
            return broken(vat_without_taxed_line=not self._carries_rate(document))
        due = sum((line["documentAmount"] * line["vatRate"]["vatRate"] for line in taxed), Decimal(0))
        is_near = near(due - sum(vat), lines=len(taxed), currency=document["documentCurrency"])
        return broken(vat_not_at_rate=not is_near)

    def _carries_rate(self, document: Row) -> bool:
        """Tell whether each VMS line of VAT has the rate and a base: all lines, or one of them."""
        lines, unit = document["documentLines"], document["documentCurrency"]
        nets = [line["documentAmount"] for line in lines if line["glAccount"] not in VAT_ACCOUNTS]
        carried = [line for line in lines if line["glAccount"] in VAT_ACCOUNTS]
        return all(
            line.get("vatRate")
            and any(near(base - line["quantity"], lines=1, currency=unit) for base in (sum(nets), *nets))
            and near(line["quantity"] * line["vatRate"]["vatRate"] - line["documentAmount"], lines=1, currency=unit)
            for line in carried
        )

    def _balance(self, document: Row) -> set[str]:
        lines = document["documentLines"]
        sent = sum(line["glAccount"] not in VAT_ACCOUNTS for line in lines)
        company_currency = self.companies[document["company"]]["currency"]
        is_even = [
            near(
                sum(rounded(line[name], unit) for line in lines) - rounded(document[name], unit),
                lines=sent,
                currency=unit,
            )
            for name, unit in (
                ("documentAmount", document["documentCurrency"]),
                ("companyCurrencyAmount", company_currency),
            )
        ]
        return broken(voucher_not_balanced=not all(is_even))

    def _line(self, line: Row) -> set[str]:
        account, rule, voyage = line["glAccount"], line.get("vatRate", {}).get("vat"), line.get("voyage")
        if account in VAT_ACCOUNTS:
            return set()
        found = broken(
            gl_account_missing=account is None,
            account_missing=account is not None and not self.there["accounts"][account],
            tax_rule_missing=rule is not None and not self.there["object_values"][rule],
        )
        return found if voyage is None else found | self._voyage(self.headers[voyage], self.voyages[voyage]["vessel"])

    def _voyage(self, header: Row, vessel: str) -> set[str]:
        is_no_voyage = header["isBudget"] or header["isTemplate"] or header["isEstimate"]
        pool = self.vessels[vessel]["vesselCodes"][0]["pool"] or {"poolCode": "DLVMS"}
        return broken(
            voyage_missing=is_no_voyage or header["voyageStatus"] == "EST",
            vessel_missing=self.there["object_values"][vessel] > 1,
            dimension_missing=not self.there["xgl_dimensions"][pool["poolCode"]],
        )


def warnings(
    document: Row, partners: dict[str, Row], used: set[tuple[str, str]], posted: frozenset[str]
) -> Iterator[str]:
    number, _, kid = (part.strip() for part in (document["externalDocumentNo"] or "").partition("|"))
    if kid and not (luhn.is_valid(kid) if kid.isdigit() else False) and not is_mod11(kid):
        yield "kid_invalid"
    if len(kid) > 30:
        yield "kid_too_long"
    if len(number) > 25:
        yield "external_document_no_too_long"
    if document["documentDate"] > "2026-11-02T23":
        yield "date_in_future"
    account = (partners.get(document["businessPartner"]) or {}).get("bankAccount") or {}
    if account.get("iban") and not iban.is_valid(account["iban"]):
        yield "iban_invalid"
    is_reversal = any("refDocument" in line for line in document["documentLines"])
    if number and not is_reversal and (document["businessPartner"], number) in used:
        yield "external_document_no_used"
    used.add((document["businessPartner"], number))
    if any(line.get("refDocument") in posted for line in document["documentLines"]):
        yield "original_unknown"


def is_mod11(kid: str) -> bool:
    total = sum(int(digit) * (2 + place % 6) for place, digit in enumerate(reversed(kid[:-1])) if digit.isdigit())
    return kid[:-1].isdigit() and kid[-1] == "0123456789-"[-total % 11]


def test_every_document_breaks_the_rules_it_was_made_for(sample: Sample, expected: dict[str, Row]) -> None:
    judge = Judge(sample)
    for document in sample.vms["Document"]:
        entry = expected[document["documentNo"]]
        if document["invoicingStatus"] != "POS" and entry["outcome"] in {"posted", "held", "ignored"}:
            found = judge.rules(document)
            assert set(entry["rules"]) <= found, (document["documentNo"], found)
            assert bool(found) == bool(entry["rules"]), (document["documentNo"], found)


def test_held_documents_have_nothing_else_wrong(sample: Sample, expected: dict[str, Row]) -> None:
    judge = Judge(sample)
    held = {no: entry for no, entry in expected.items() if entry["outcome"] == "held"}
    more = {
        document["documentNo"]: judge.rules(document) - set(held[document["documentNo"]]["rules"])
        for document in sample.vms["Document"]
        if document["documentNo"] in held
    }
    assert {no: rules for no, rules in more.items() if rules} == {}


def test_warnings_are_those_that_are_expected(sample: Sample, expected: dict[str, Row]) -> None:
    used: set[tuple[str, str]] = set()
    partners = sample.by("BusinessPartner", "businessPartnerCode")
    posted = frozenset(row["documentNo"] for row in sample.vms["Document"] if row["invoicingStatus"] == "POS")
    for document in sample.vms["Document"]:
        entry = expected[document["documentNo"]]
        if entry["outcome"] in {"posted", "held"} or entry["warnings"]:
            found = set(warnings(document, partners, used, posted))
            assert found == set(entry["warnings"]), document["documentNo"]


def test_nothing_is_posted_on_a_closed_voyage(sample: Sample, expected: dict[str, Row]) -> None:
    posted = [row for row in sample.vms["Document"] if expected[row["documentNo"]]["outcome"] == "posted"]
    closed = {row["referenceNo"] for row in sample.vms["VoyageHeader"] if row["voyageStatus"] == "CLO"}
    assert not [row for row in posted for line in row["documentLines"] if line.get("voyage") in closed]


def test_every_rule_and_every_warning_has_a_document(expected: dict[str, Row]) -> None:
    held = [entry for entry in expected.values() if entry["outcome"] == "held"]
    assert {rule for entry in held for rule in entry["rules"]} == ALL_RULES
    assert {warning for entry in expected.values() for warning in entry["warnings"]} == ALL_WARNINGS
    outcomes = Counter(entry["outcome"] for entry in expected.values())
    assert outcomes.keys() == {"posted", "held", "rejected", "shown", "ignored"}
    assert outcomes["rejected"] == 4


def test_every_type_of_document_is_posted(expected: dict[str, Row]) -> None:
    posted = {entry["type"] for entry in expected.values() if entry["outcome"] == "posted"}
    assert posted == PAYABLE | RECEIVABLE | GENERAL
    assert {entry["type"] for entry in expected.values() if entry["outcome"] == "shown"} == {"APR", "PMO"}
