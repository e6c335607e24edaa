"""Slow and obvious: docs/mapping.md#1-1 to #1-5 in plain Python, the oracle the SQL models are compared with."""

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
    """Share the VAT over taxed lines by net x rate: cut toward zero, the rest a unit each to the largest remainders."""
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
    sign = {"AP": -1, "AR": 1, "GL": -tenant.gl_sign}[kind]
    lines = sorted(document.lines, key=lambda line: line.key)
    details = [line for line in lines if line.account not in tenant.vat_accounts]
    vat_lines = [line for line in lines if line.account in tenant.vat_accounts]
    terms = sorted(document.terms, key=lambda t: (t.due or date.max, t.key))
    broken: set[str] = set()
    amounts = [
        sent_amounts(document, details, vat_lines, measure=measure, tenant=tenant, broken=broken)
        for measure in ("amount", "company_amount")
    ]
    broken |= broken_requirements(document, kind=kind, terms=terms, has_details=bool(details))
    account = control_account(document, tenant, kind=kind, broken=broken)
    common = common_fields(document, kind=kind)
    controls = control_lines(document, details, terms=terms, kind=kind, sign=sign, today=tenant.today)
    first_due = controls[0]["due_date"]
    rows = [common | {"account": account} | row for row in controls]
    rows += [
        common | detail_line(document, line, tenant, kind=kind, due=first_due) | {
            "currency_amount": -sign * currency_amount, "amount": -sign * company_amount
        }
        for line, currency_amount, company_amount in zip(details, *amounts, strict=True)
    ]  # fmt: skip
    numbered = tuple(row | {"tr_item_number": n} for n, row in enumerate(rows, 1))
    return Voucher(numbered, frozenset(broken))


def sent_amounts(
    document: Document,
    details: list[Line],
    vat_lines: list[Line],
    *,
    measure: str,
    tenant: Tenant,
    broken: set[str],
) -> list[Decimal]:
    """Return the detail lines' amounts in one currency: net, share of the VAT, rounding rest (1.3, 1.4)."""
    currency = document.currency if measure == "amount" else document.company_currency
    tolerance = max(Decimal("0.05"), unit(currency) / 2)
    nets = [rounded(getattr(line, measure), currency) for line in details]
    vat = sum((rounded(getattr(line, measure), currency) for line in vat_lines), Decimal(0))
    taxed = [i for i, line in enumerate(details) if line.vat_rate and line.vat_code not in tenant.reverse_charge]
    rates = [details[i].vat_rate or Decimal(0) for i in taxed]
    if measure == "amount":
        expected = sum((nets[i] * rate for i, rate in zip(taxed, rates, strict=True)), Decimal(0))
        if taxed and abs(vat - expected) > len(taxed) * tolerance:
            broken.add("vat_not_at_rate")
        if vat_lines and not taxed:
            broken.add("vat_without_taxed_line")
    if taxed:
        for i, share in zip(taxed, vat_shares([nets[i] for i in taxed], rates, vat, currency), strict=True):
            nets[i] += share
    rest = rounded(getattr(document, measure), currency) - sum(nets)
    if nets and abs(rest) <= len(nets) * tolerance:
        nets[max(range(len(nets)), key=lambda i: (abs(nets[i]), -i))] += rest
    elif nets:
        broken.add("voucher_not_balanced")
    return nets


def external_number(document: Document) -> tuple[str | None, str | None]:
    """Return the number before the pipe and the KID behind it."""
    before, _, after = (document.external or "").partition("|")
    return before.strip() or None, after.strip() or None


def is_reversal(document: Document) -> bool:
    """Tell whether a line refers to another document."""
    return any(line.reference for line in document.lines)


def broken_requirements(document: Document, *, kind: str, terms: list[Term], has_details: bool) -> set[str]:
    """Return the requirements of 1.2 and 1.6 that the document itself breaks."""
    is_credit = document.type in {"CRI", "CRO"}
    is_subledger = kind in {"AP", "AR"}
    has_gap = any(t.percentage is None or (t.due is None and not is_credit) for t in terms)
    has_percentages = all(t.percentage is not None for t in terms)
    failing = {
        "no_lines": not has_details,
        "gl_account_missing": any(line.account is None for line in document.lines),
        "partner_missing": is_subledger and document.partner is None,
        "due_date_missing": is_subledger and not terms and not is_credit,
        "payment_terms_incomplete": is_subledger and has_gap,
        "payment_terms_not_100": is_subledger
        and bool(terms)
        and has_percentages
        and sum(t.percentage or 0 for t in terms) != 100,
        "external_document_no_missing": kind == "AP"
        and not is_reversal(document)
        and external_number(document)[0] is None,
    }
    return {rule for rule, fails in failing.items() if fails}


def control_account(document: Document, tenant: Tenant, *, kind: str, broken: set[str]) -> str | None:
    """Return the control account; on GL vouchers it must not be a line's own."""
    if kind == "AP":
        return tenant.payables
    if kind == "AR":
        return tenant.receivables
    account = document.gl_account
    if account is not None and all(line.account != account for line in document.lines):
        return account
    override = tenant.accrual_control.get(document.type)
    if override is None:
        broken.add("control_account_missing" if account is None else "control_account_on_line")
    return override or account


def common_fields(document: Document, *, kind: str) -> dict[str, object]:
    """Return what all lines of a voucher share."""
    external, kid = external_number(document)
    return {
        "voucher_type": kind,
        "voucher_no": document.key,
        "currency": document.currency,
        "voucher_date": document.day,
        "fiscal_year": document.day.year,
        "period_no": document.day.month,
        "invoice_no": document.number if is_reversal(document) or external is None else external,
        "x_identifier": kid,
        "ext_order_number": document.number,
    }


def control_lines(
    document: Document, details: list[Line], *, terms: list[Term], kind: str, sign: int, today: date
) -> list[dict[str, object]]:
    """Return one control line per payment term, one in all for GL vouchers."""
    is_credit = document.type in {"CRI", "CRO"}
    is_split = kind != "GL" and bool(terms)
    dues = [today if is_credit else t.due for t in terms] if is_split else [today if is_credit else None]
    percentages = (
        [Decimal(100) if t.percentage is None else t.percentage for t in terms] if is_split else [Decimal(100)]
    )
    name = f" {document.partner_name}" if document.partner_name else ""
    parts = [
        split(rounded(total, currency), percentages, currency)
        for total, currency in (
            (document.amount, document.currency),
            (document.company_amount, document.company_currency),
        )
    ]
    return [
        {
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
        for due, part, company_part in zip(dues, *parts, strict=True)
    ]


def detail_line(document: Document, line: Line, tenant: Tenant, *, kind: str, due: object) -> dict[str, object]:
    """Return a detail line without its amounts."""
    is_other_partner = kind == "AP" and line.partner is not None and line.partner != document.partner
    both_singapore = document.company_country == "SG" and document.partner_country == "SG"
    return {
        "account": line.account,
        "posting1": line.vessel,
        "posting2": line.voyage,
        "posting3": "LS" if both_singapore else "FS",
        "xgl": xgl(line, tenant),
        "subledger_no": line.partner if is_other_partner else None,
        "subledger_bank_account": None,
        "due_date": due if is_other_partner else None,
        "tax_rule": tenant.tax_rules.get(line.vat_code, line.vat_code) if line.vat_code else None,
        "invoice_date": None,
        "text": (line.text or "")[:100] or None,
    }


def xgl(line: Line, tenant: Tenant) -> str:
    """Return the XGL code of a line by the tenant's setting."""
    if tenant.xgl == "poolCode" and line.pool:
        return line.pool
    if tenant.xgl == "isTc" and line.is_tc is not None:
        return "TC" if line.is_tc else "VC"
    return "DLVMS"
