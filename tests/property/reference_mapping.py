"""Slow and obvious: mapping.md sections 1.1 to 1.5 in plain Python, the oracle the SQL models are compared with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

MINOR_UNITS = {"USD": 2, "NOK": 2, "EUR": 2, "JPY": 0, "SGD": 2, "KWD": 3}
VOUCHER_TYPES = {"INI": "AP", "CRI": "AP", "INO": "AR", "CRO": "AR"}


@dataclass(frozen=True)
class Line:
    """One VMS document line."""

    key: int
    amount: Decimal
    company_amount: Decimal
    account: str | None = "4300"
    text: str | None = None
    vat_rate: Decimal | None = None
    vat_code: str | None = None
    partner: str | None = None
    reference: str | None = None
    voyage: str | None = None
    is_tc: bool | None = None
    vessel: str | None = None
    pool: str | None = None


@dataclass(frozen=True)
class Term:
    """One VMS payment term."""

    key: int
    due: date | None
    percentage: Decimal | None


@dataclass(frozen=True)
class Document:
    """One VMS document."""

    key: int
    number: str
    type: str
    day: date
    currency: str
    amount: Decimal
    company_amount: Decimal
    external: str | None = None
    gl_account: str | None = None
    partner: str | None = "60526"
    partner_name: str | None = "Nordic Agency AS"
    partner_country: str | None = "NO"
    company_country: str = "NO"
    company_currency: str = "NOK"
    iban: str | None = None
    bank_account: str | None = None
    terms: tuple[Term, ...] = ()
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Tenant:
    """The settings that shape a voucher."""

    today: date
    xgl: str | None = None
    vat_accounts: tuple[str, ...] = ("2700", "2710")
    reverse_charge: tuple[str, ...] = ()
    tax_rules: dict[str, str] = field(default_factory=dict)
    accrual_control: dict[str, str] = field(default_factory=dict)
    gl_sign: int = 1
    payables: str = "2400"
    receivables: str = "1500"


@dataclass(frozen=True)
class Voucher:
    """What the ledger must receive, or the rules that hold the document."""

    lines: tuple[dict[str, object], ...]
    broken_rules: frozenset[str]


def rounded(value: Decimal, currency: str) -> Decimal:
    """Round half away from zero to the currency's minor units."""
    return value.quantize(Decimal(1).scaleb(-MINOR_UNITS[currency]), rounding=ROUND_HALF_UP)


def unit(currency: str) -> Decimal:
    """Return the currency's smallest unit."""
    return Decimal(1).scaleb(-MINOR_UNITS[currency])


def vat_shares(nets: list[Decimal], rates: list[Decimal], vat: Decimal, currency: str) -> list[Decimal]:
    """Share the VAT over taxed lines by net x rate: cut toward zero, what is left one unit each to the largest rests."""
    smallest = unit(currency)
    weights = [Fraction(net) * Fraction(rate) for net, rate in zip(nets, rates, strict=True)]
    total = sum(weights)
    exact = [Fraction(vat) * weight / total if total else Fraction(0) for weight in weights]
    cut = [int(share / Fraction(smallest)) for share in exact]
    left = int(Fraction(vat) / Fraction(smallest)) - sum(cut)
    rests = [abs(share / Fraction(smallest) - units) for share, units in zip(exact, cut, strict=True)]
    order = sorted(range(len(nets)), key=lambda i: (-rests[i], i))
    step = 1 if left > 0 else -1
    for n in range(abs(left)):
        cut[order[n % len(order)]] += step
    return [units * smallest for units in cut]


def split(total: Decimal, percentages: list[Decimal], currency: str) -> list[Decimal]:
    """Split a rounded total over payment terms, the rest on the last."""
    parts = [rounded(total * p / 100, currency) for p in percentages[:-1]]
    return [*parts, total - sum(parts)]


def national_account(document: Document) -> str | None:
    """Return the payee account: a Norwegian IBAN as its national number, else the IBAN, else the number."""
    if document.iban is None:
        return document.bank_account
    iban = document.iban.replace(" ", "").upper()
    return iban[4:] if iban.startswith("NO") and len(iban) == 15 else iban


def agreed(values: list[str | None]) -> str | None:
    """Return the one value all lines have, or None."""
    return values[0] if values and len(set(values)) == 1 else None


def map_document(document: Document, tenant: Tenant) -> Voucher:
    """Map one document; amounts signed, debit positive."""
    kind = VOUCHER_TYPES.get(document.type, "GL")
    sign = -1 if kind == "AP" else 1 if kind == "AR" else -tenant.gl_sign
    broken: set[str] = set()
    terms = sorted(document.terms, key=lambda t: (t.due or date.max, t.key))
    lines = sorted(document.lines, key=lambda line: line.key)
    details = [line for line in lines if line.account not in tenant.vat_accounts]
    vat_lines = [line for line in lines if line.account in tenant.vat_accounts]
    is_credit = document.type in {"CRI", "CRO"}
    is_reversal = any(line.reference for line in lines)
    before, _, after = (document.external or "").partition("|")
    external, kid = before.strip() or None, after.strip() or None
    invoice_no = document.number if is_reversal or external is None else external

    amounts: dict[str, list[Decimal]] = {}
    for measure, currency in (("amount", document.currency), ("company_amount", document.company_currency)):
        total = rounded(getattr(document, measure), currency)
        nets = [rounded(getattr(line, measure), currency) for line in details]
        vat = sum((rounded(getattr(line, measure), currency) for line in vat_lines), Decimal(0))
        taxed = [
            i for i, line in enumerate(details) if line.vat_rate and line.vat_code not in tenant.reverse_charge
        ]
        if taxed:
            rates = [details[i].vat_rate or Decimal(0) for i in taxed]
            for i, share in zip(taxed, vat_shares([nets[i] for i in taxed], rates, vat, currency), strict=True):
                nets[i] += share
        if measure == "amount":
            expected = sum(
                (rounded(details[i].amount, currency) * (details[i].vat_rate or 0) for i in taxed), Decimal(0)
            )
            if taxed and abs(vat - expected) > len(taxed) * max(Decimal("0.05"), unit(currency) / 2):
                broken.add("vat_not_at_rate")
            if vat_lines and not taxed:
                broken.add("vat_without_taxed_line")
        rest = total - sum(nets)
        if abs(rest) <= len(nets) * max(Decimal("0.05"), unit(currency) / 2):
            if nets:
                nets[max(range(len(nets)), key=lambda i: (abs(nets[i]), -i))] += rest
        elif nets:
            broken.add("voucher_not_balanced")
        amounts[measure] = nets

    if not details:
        broken.add("no_lines")
    if kind in {"AP", "AR"}:
        if document.partner is None:
            broken.add("partner_missing")
        if not terms and not is_credit:
            broken.add("due_date_missing")
        if any(t.percentage is None or (t.due is None and not is_credit) for t in terms):
            broken.add("payment_terms_incomplete")
        elif terms and sum(t.percentage or 0 for t in terms) != 100:
            broken.add("payment_terms_not_100")
    if kind == "AP" and not is_reversal and external is None:
        broken.add("external_document_no_missing")
    if any(line.account is None for line in lines):
        broken.add("gl_account_missing")

    if kind == "AP":
        account: str | None = tenant.payables
    elif kind == "AR":
        account = tenant.receivables
    else:
        account = document.gl_account
        if account is None or any(line.account == account for line in lines):
            override = tenant.accrual_control.get(document.type)
            if override is None:
                broken.add("control_account_missing" if account is None else "control_account_on_line")
            account = override or account

    dues: list[date | None]
    percentages: list[Decimal]
    if kind == "GL" or not terms:
        dues, percentages = [tenant.today if is_credit else None], [Decimal(100)]
    else:
        dues = [tenant.today if is_credit else t.due for t in terms]
        percentages = [t.percentage if t.percentage is not None else Decimal(100) for t in terms]
    total = rounded(document.amount, document.currency)
    company_total = rounded(document.company_amount, document.company_currency)
    common: dict[str, object] = {
        "voucher_type": kind,
        "voucher_no": document.key,
        "currency": document.currency,
        "voucher_date": document.day,
        "fiscal_year": document.day.year,
        "period_no": document.day.month,
        "invoice_no": invoice_no,
        "x_identifier": kid,
        "ext_order_number": document.number,
    }
    name = f" {document.partner_name}" if document.partner_name else ""
    sent: list[dict[str, object]] = [
        common
        | {
            "account": account,
            "posting1": agreed([line.vessel for line in details]),
            "posting2": agreed([line.voyage for line in details]),
            "posting3": None,
            "xgl": None,
            "subledger_no": document.partner if kind != "GL" else None,
            "subledger_bank_account": national_account(document) if kind == "AP" else None,
            "due_date": due,
            "tax_rule": None,
            "currency_amount": sign * part,
            "amount": sign * company_part,
            "invoice_date": document.day if kind != "GL" else None,
            "text": (document.number + name)[:100],
        }
        for due, part, company_part in zip(
            dues,
            split(total, percentages, document.currency),
            split(company_total, percentages, document.company_currency),
            strict=True,
        )
    ]
    both_singapore = document.company_country == "SG" and document.partner_country == "SG"
    for i, line in enumerate(details):
        xgl = "DLVMS"
        if tenant.xgl == "poolCode" and line.pool:
            xgl = line.pool
        if tenant.xgl == "isTc" and line.is_tc is not None:
            xgl = "TC" if line.is_tc else "VC"
        partner = line.partner if kind == "AP" and line.partner and line.partner != document.partner else None
        sent.append(
            common
            | {
                "account": line.account,
                "posting1": line.vessel,
                "posting2": line.voyage,
                "posting3": "LS" if both_singapore else "FS",
                "xgl": xgl,
                "subledger_no": partner,
                "subledger_bank_account": None,
                "due_date": dues[0] if partner else None,
                "tax_rule": tenant.tax_rules.get(line.vat_code, line.vat_code) if line.vat_code else None,
                "currency_amount": -sign * amounts["amount"][i],
                "amount": -sign * amounts["company_amount"][i],
                "invoice_date": None,
                "text": (line.text or "")[:100] or None,
            }
        )
    numbered = tuple(row | {"tr_item_number": n} for n, row in enumerate(sent, 1))
    return Voucher(numbered, frozenset(broken))
