"""Slow and obvious: docs/mapping.md#0 and #1-1 to #1-6 in plain Python, the oracle the SQL models are compared with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

MINOR_UNITS = {"USD": 2, "NOK": 2, "EUR": 2, "JPY": 0, "SGD": 2, "KWD": 3}
VOUCHER_TYPES = {"INI": "AP", "CRI": "AP", "INO": "AR", "CRO": "AR"}


@dataclass(frozen=True)
class VesselCode:
    """One code of a vessel, for some time and perhaps for one company."""

    key: int
    code: str
    entry: date | None = None
    exit: date | None = None
    company: str | None = None
    pool: str | None = None


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
    codes: tuple[VesselCode, ...] = ()
    own_code: str | None = None
    own_pool: str | None = None
    vessel_pool: str | None = None
    currency: str | None = None
    quantity: Decimal | None = None
    commission: int | None = None
    partner_type: str | None = None
    account_code: str | None = None
    is_revenue: bool | None = None
    balance: str | None = None
    asset: str | None = None


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
    gl_sign: str = "1"
    line_currency: str = "hold"
    broker_types: tuple[str, ...] = ()
    revenue_accounts: tuple[str, ...] = ()
    has_commissions: bool = False
    company: str = "28601"
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
    sign = {"AP": -1, "AR": 1, "GL": -1}[kind]
    broken: set[str] = set()
    lines = in_one_currency(document, sorted(document.lines, key=lambda line: line.key), tenant, broken=broken)
    details = [line for line in lines if line.account not in tenant.vat_accounts]
    vat_lines = [line for line in lines if line.account in tenant.vat_accounts]
    terms = sorted(document.terms, key=lambda t: (t.due or date.max, t.key))
    amounts = [
        sent_amounts(document, details, vat_lines, measure=measure, tenant=tenant, broken=broken)
        for measure in ("amount", "company_amount")
    ]
    broken |= broken_requirements(document, kind=kind, terms=terms, has_details=bool(details))
    common = common_fields(document, kind=kind)
    codes = tax_codes(document, details, vat_lines, tenant=tenant)
    signs = [-sign if kind != "GL" else direction(line, tenant) for line in details]
    sent = [tuple(s * a for a in pair) for s, pair in zip(signs, zip(*amounts, strict=True), strict=True)]
    if kind == "GL":
        broken |= {"vat_on_gl_document"} if vat_lines else set()
        controls = contra_lines(document, details, sent, tenant=tenant, broken=broken)
    else:
        account = tenant.payables if kind == "AP" else tenant.receivables
        controls = [
            {"account": account} | row
            for row in control_lines(document, details, tenant=tenant, terms=terms, kind=kind, sign=sign)
        ]
    first_due = controls[0]["due_date"] if controls else None
    rows = [common | row for row in controls]
    rows += [
        common | detail_line(document, line, tenant, kind=kind, due=first_due) | {
            "tax_rule": tenant.tax_rules.get(code, code) if code else None,
            "currency_amount": currency_amount, "amount": company_amount,
        }
        for line, code, (currency_amount, company_amount) in zip(details, codes, sent, strict=True)
    ]  # fmt: skip
    if rows and not controls:
        rows[0]["text"] = f"{document.number} {details[0].text or ''}".strip()[:100]
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
    by_line = taxes(document, details, vat_lines, tenant=tenant)
    taxed = sorted(by_line)
    rates = [by_line[i][0] for i in taxed]
    if measure == "amount":
        broken |= vat_faults(document, details, vat_lines, by_line)
    if taxed:
        for i, share in zip(taxed, vat_shares([nets[i] for i in taxed], rates, vat, currency), strict=True):
            nets[i] += share
    rest = rounded(getattr(document, measure), currency) - sum(nets)
    if nets and abs(rest) <= len(nets) * tolerance:
        nets[max(range(len(nets)), key=lambda i: (abs(nets[i]), -i))] += rest
    elif nets:
        broken.add("voucher_not_balanced")
    return nets


def in_one_currency(document: Document, lines: list[Line], tenant: Tenant, *, broken: set[str]) -> list[Line]:
    """Bring every line into the document's currency where the setting says so; else a line in another one is held."""
    if all(line.currency in {None, document.currency} for line in lines):
        return lines
    if tenant.line_currency != "convert" or document.type not in VOUCHER_TYPES:
        broken.add("line_currency_differs")
        return lines
    total = rounded(document.amount, document.currency)
    weights = [rounded(line.company_amount, document.company_currency) for line in lines]
    shares = vat_shares(weights, [Decimal(1)] * len(lines), total, document.currency) if sum(weights) else None
    return [replace(line, amount=share) for line, share in zip(lines, shares or [Decimal(0)] * len(lines), strict=True)]


def taxes(
    document: Document, details: list[Line], vat_lines: list[Line], *, tenant: Tenant
) -> dict[int, tuple[Decimal, str | None, int | None]]:
    """Return rate, VAT code and the VAT line that carries it (None: the line itself) by place of the taxed lines."""
    own: dict[int, tuple[Decimal, str | None, int | None]] = {
        i: (line.vat_rate, line.vat_code, None)
        for i, line in enumerate(details)
        if line.vat_rate and line.vat_code not in tenant.reverse_charge
    }
    if own or not vat_lines:
        return own
    found: dict[int, tuple[Decimal, str | None, int | None]] = {}
    for n, line in enumerate(vat_lines):
        based = base_of(document, line, details)
        if not based or line.vat_rate is None or found.keys() & set(based):
            return {}
        found |= dict.fromkeys(based, (line.vat_rate, line.vat_code, n))
    return found


def base_of(document: Document, vat_line: Line, details: list[Line]) -> list[int]:
    """Return the places of the lines without a rate that a VAT line carries the rate for."""
    if not vat_line.vat_rate or vat_line.quantity is None:
        return []
    within = max(Decimal("0.05"), unit(document.currency) / 2)
    free = {i: rounded(line.amount, document.currency) for i, line in enumerate(details) if line.vat_rate is None}
    if free and abs(vat_line.quantity - sum(free.values())) <= within:
        return list(free)
    alone = [i for i, net in free.items() if abs(vat_line.quantity - net) <= within]
    return alone if len(alone) == 1 else []


def vat_faults(
    document: Document,
    details: list[Line],
    vat_lines: list[Line],
    by_line: dict[int, tuple[Decimal, str | None, int | None]],
) -> set[str]:
    """Return what is wrong with the VAT lines: none is taxed, or they do not follow the rate."""
    if vat_lines and not by_line:
        return set() if document.type not in VOUCHER_TYPES else {"vat_without_taxed_line"}
    within = max(Decimal("0.05"), unit(document.currency) / 2)
    unclear = {carrier for _, _, carrier in by_line.values()} == {None} and any(
        base_of(document, line, details) for line in vat_lines
    )
    faults = {"vat_without_taxed_line"} if unclear and document.type in VOUCHER_TYPES else set()
    expected: dict[int | None, Decimal] = {}
    for i, (rate, _, carrier) in by_line.items():
        expected[carrier] = expected.get(carrier, Decimal(0)) + rounded(details[i].amount, document.currency) * rate
    vat = [rounded(line.amount, document.currency) for line in vat_lines]
    if None in expected:
        off = abs(sum(vat, Decimal(0)) - expected[None]) > len(by_line) * within
    else:
        off = any(abs(vat[n] - wanted) > within for n, wanted in expected.items() if n is not None)
    return faults | ({"vat_not_at_rate"} if off else set())


def tax_codes(document: Document, details: list[Line], vat_lines: list[Line], *, tenant: Tenant) -> list[str | None]:
    """Return the VAT code of each detail line: its own, or that of the VAT line that carries its rate."""
    by_line = taxes(document, details, vat_lines, tenant=tenant)
    return [by_line[i][1] or line.vat_code if i in by_line else line.vat_code for i, line in enumerate(details)]


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


def is_revenue(line: Line, tenant: Tenant) -> bool:
    """Tell whether the VMS's account of a line is one of revenue; a line without one is known by its GL account."""
    if line.is_revenue is not None or line.account_code is not None:
        return bool(line.is_revenue)
    return line.account in tenant.revenue_accounts


def direction(line: Line, tenant: Tenant) -> int:
    """Return what makes a line of a GL document debit-positive."""
    if tenant.gl_sign == "revenue":
        return -1 if is_revenue(line, tenant) else 1
    return int(tenant.gl_sign)


def contra_account(document: Document, line: Line, tenant: Tenant) -> tuple[str | None, bool]:
    """Return the contra account of a line, and whether only the line's own was found."""
    found = [tenant.accrual_control.get(document.type)]
    if document.type in {"ACP", "ACR", "CAP", "CAR"}:
        found.append(line.asset if is_revenue(line, tenant) else line.balance)
    found.append(document.gl_account)
    known = [account for account in found if account]
    usable = [account for account in known if account != line.account]
    return (usable[0], False) if usable else (None, bool(known))


def contra_lines(
    document: Document,
    details: list[Line],
    sent: list[tuple[Decimal, ...]],
    *,
    tenant: Tenant,
    broken: set[str],
) -> list[dict[str, object]]:
    """Return one control line per contra account in the order of first use; none where the lines balance themselves."""
    nets = [
        [direction(line, tenant) * rounded(getattr(line, measure), currency) for line in details]
        for measure, currency in (("amount", document.currency), ("company_amount", document.company_currency))
    ]
    contra = [contra_account(document, line, tenant) for line in details]
    if any(sum(net) for net in nets) or not details:
        if any(own for _, own in contra):
            broken.add("control_account_on_line")
        elif not details or any(account is None for account, _ in contra):
            broken.add("control_account_missing")
    if not any(sum(pair[i] for pair in sent) for i in (0, 1)):
        return []
    if "control_account_on_line" not in broken and any(account is None for account, _ in contra):
        broken.add("control_account_missing")
    rows: list[dict[str, object]] = []
    for account in dict.fromkeys(account for account, _ in contra):
        own = [i for i, (other, _) in enumerate(contra) if other == account]
        currency_amount, amount = (-sum((sent[i][n] for i in own), Decimal(0)) for n in (0, 1))
        if currency_amount or amount:
            chosen = [details[i] for i in own]
            rows.append(
                bare_control(document, chosen, tenant)
                | {"account": account, "currency_amount": currency_amount, "amount": amount}
            )
    return rows


def vessel(document: Document, line: Line, tenant: Tenant) -> tuple[str | None, str | None]:
    """Return the vessel code and the pool a line counts for (section 0)."""
    if line.own_code:
        return line.own_code, line.own_pool or line.vessel_pool
    codes = sorted(line.codes, key=lambda code: code.key)
    holding = [
        code
        for code in codes
        if (code.entry is None or code.entry <= document.day) and (code.exit is None or document.day <= code.exit)
    ]
    ours = [code for code in holding if code.company == tenant.company]
    for code in (*ours, *holding, *codes):
        return code.code, code.pool or line.vessel_pool
    return None, line.vessel_pool


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
    document: Document, details: list[Line], *, tenant: Tenant, terms: list[Term], kind: str, sign: int
) -> list[dict[str, object]]:
    """Return one control line per payment term of an invoice or credit note."""
    is_credit = document.type in {"CRI", "CRO"}
    dues = [tenant.today if is_credit else t.due for t in terms] or [tenant.today if is_credit else None]
    percentages = [Decimal(100) if t.percentage is None else t.percentage for t in terms] or [Decimal(100)]
    parts = [
        split(rounded(total, currency), percentages, currency)
        for total, currency in (
            (document.amount, document.currency),
            (document.company_amount, document.company_currency),
        )
    ]
    return [
        bare_control(document, details, tenant)
        | {
            "subledger_no": document.partner,
            "subledger_bank_account": national_account(document) if kind == "AP" else None,
            "due_date": due,
            "currency_amount": sign * part,
            "amount": sign * company_part,
            "invoice_date": document.day,
        }
        for due, part, company_part in zip(dues, *parts, strict=True)
    ]


def bare_control(document: Document, lines: list[Line], tenant: Tenant) -> dict[str, object]:
    """Return a control line over some lines without account and amounts."""
    name = f" {document.partner_name}" if document.partner_name else ""
    return {
        "posting1": agreed([vessel(document, line, tenant)[0] for line in lines]),
        "posting2": agreed([line.voyage for line in lines]),
        "posting3": None,
        "xgl": None,
        "subledger_no": None,
        "subledger_bank_account": None,
        "due_date": None,
        "tax_rule": None,
        "invoice_date": None,
        "text": (document.number + name)[:100],
    }


def is_commission(document: Document, line: Line, tenant: Tenant) -> bool:
    """Tell whether a line is another partner's commission."""
    if line.partner is None or line.partner == document.partner:
        return False
    if line.commission is not None or line.partner_type in tenant.broker_types:
        return True
    return not tenant.broker_types and not tenant.has_commissions


def detail_line(document: Document, line: Line, tenant: Tenant, *, kind: str, due: object) -> dict[str, object]:
    """Return a detail line without its amounts."""
    is_other_partner = kind == "AP" and is_commission(document, line, tenant)
    both_singapore = document.company_country == "SG" and document.partner_country == "SG"
    return {
        "account": line.account,
        "posting1": vessel(document, line, tenant)[0],
        "posting2": line.voyage,
        "posting3": "LS" if both_singapore else "FS",
        "xgl": xgl(document, line, tenant),
        "subledger_no": line.partner if is_other_partner else None,
        "subledger_bank_account": None,
        "due_date": due if is_other_partner else None,
        "invoice_date": None,
        "text": (line.text or "")[:100] or None,
    }


def xgl(document: Document, line: Line, tenant: Tenant) -> str:
    """Return the XGL code of a line by the tenant's setting."""
    pool = vessel(document, line, tenant)[1]
    if tenant.xgl == "poolCode" and pool:
        return pool
    if tenant.xgl == "isTc" and line.is_tc is not None:
        return "TC" if line.is_tc else "VC"
    return "DLVMS"
