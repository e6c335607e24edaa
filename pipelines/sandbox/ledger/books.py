"""Books a voucher: its header, a general-ledger row per line with VAT split off, and the subledger rows."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.sandbox.ledger.entities import chain, company_currency
from pipelines.sandbox.ledger.values import (
    HUNDRED,
    ZERO,
    JobLevel,
    LedgerType,
    PaymentStatus,
    Row,
    SlType,
    local,
    money,
    period_id,
    period_row,
    rounded,
)

if TYPE_CHECKING:
    from datetime import datetime

    from pipelines.sandbox.ledger.store import LedgerStore, RowChanges

# Rows of these sources are invoices or credit notes; rows of others are payments, or were entered by hand. SO and OS
# (sales orders, opening balance) were seen in client code.
INVOICE_SOURCES = frozenset({"AP", "AR", "SO", "OS"})
_FIRST_VOUCHER_NO = 120_001
_RATE_DIGITS = Decimal("0.000000001")
# Columns that a general-ledger row takes over from its line as they are.
_GL = (
    "text", "accountDbId", "currencyDbId", "glObject1DbId", "glObject3DbId", "glObject4DbId", "glObject5DbId",
    "taxRuleDbId", "xglDbId", "quantity", "amount3", "amount4", "amount5", "subledgerDbId", "importItemDbId", "isTax",
)  # fmt: skip
_SUBLEDGER = (
    "text", "accountDbId", "currencyDbId", "glObject1DbId", "glObject3DbId", "glObject4DbId", "glObject5DbId",
    "xglDbId", "subledgerDbId", "invoiceNumber", "invoiceDate", "dueDate", "bankAccount", "extIdentifier",
    "paymentReference",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Voucher:
    """What is to be booked: lines are columns of import items, their amounts complete; debit is positive."""

    owner: int
    source: Row
    posted_date: str
    text: str | None
    lines: list[Row]
    tr_reg_number: int | None = None
    file: int | None = None
    is_imported: bool = True


def minor_units(store: LedgerStore, currency: int) -> int:
    """Give the decimals of a currency (ISO 4217)."""
    return int(store.rows[currency].get("minor", 2))


def completed(store: LedgerStore, line: Row, *, owner: int) -> Row:
    """Fill in the currency and the amount that follows from the others; what cannot follow stays absent."""
    company = company_currency(store, owner)
    filled = {**line, "currencyDbId": line.get("currencyDbId") or company["dbId"]}
    # The product sends both amounts (docs/mapping.md#1-1); a person may enter only one of them.
    amount, foreign, rate = (filled.get(name) for name in ("amount", "invoiceAmount", "exchangeRate"))
    is_company = filled["currencyDbId"] == company["dbId"]
    if amount is None and foreign is not None and (is_company or rate is not None):
        # The rate as text: a Decimal made from a float would have all its binary digits.
        value = Decimal(foreign) * (1 if rate is None or is_company else Decimal(str(rate)))
        filled["amount"] = money(rounded(value, minor=minor_units(store, company["dbId"])))
    if foreign is None and amount is not None and is_company:
        filled["invoiceAmount"] = amount
    return filled


def vat_account(store: LedgerStore, line: Row, *, source: Row, owner: int) -> tuple[str, int | None]:
    """Give the VAT account of a taxed line, its code and its dbId: the rule's own, else 2710 input or 2700 output."""
    # That VAT is split off is assumed (docs/systems/ledger.md#l6), and no source names the account: these two are the
    # usual VAT accounts (docs/mapping.md#1-3).
    is_input = source["code"] == "AP" or (source["code"] != "AR" and Decimal(line["amount"]) > 0)
    code: str = store.rows[line["taxRuleDbId"]].get("account") or ("2710" if is_input else "2700")
    seen = chain(store, owner)
    found = [row for row in store.tables["accounts"].having("code", code) if row["ownerDbId"] in seen]
    return code, found[0]["dbId"] if found else None


def tax_percent(store: LedgerStore, line: Row) -> Decimal:
    """Give the percent of a line's tax rule; control accounts carry no tax."""
    rule = store.rows.get(line.get("taxRuleDbId", 0))
    # A control line is the whole claim, VAT included: only detail lines are split (docs/mapping.md#1-3).
    if rule is None or store.rows[line["accountDbId"]].get("ledgerTypeDbId"):
        return ZERO
    return Decimal(rule.get("percent") or 0)


def book(store: LedgerStore, changes: RowChanges, voucher: Voucher, *, now: datetime) -> Row:
    """Add a voucher's rows to ``changes`` and give its header; whether it may be booked was checked before."""
    header = changes.put("headers", _header(store, voucher, now=now))
    for line in voucher.lines:
        for position, part in enumerate(_parts(store, line, voucher)):
            row = changes.put("transactions", _gl_row(store, part, header))
            # The first part is the line itself; the second is its VAT, which no partner owes.
            if position == 0 and _is_control(store, part):
                subledger = _subledger_row(store, part, header, gl_row=row, source=voucher.source["code"])
                changes.put(_subledger_table(store, part), subledger)
    return header


def _header(store: LedgerStore, voucher: Voucher, *, now: datetime) -> Row:
    first_month = int(store.rows[voucher.owner].get("fiscalYearStartMonth") or 1)
    period = period_id(voucher.posted_date, first_month=first_month)
    at = local(now)
    return store.new(
        ownerDbId=voucher.owner,
        # Each entity has its own series, so the number alone does not identify a voucher.
        transactionNumber=store.next(f"transactionNumber:{voucher.owner}", first=_FIRST_VOUCHER_NO),
        text=voucher.text,
        postedDate=voucher.posted_date,
        createdAt=at,
        modifiedAt=at,
        registeredAt=at,
        # Null for what a person entered: this is how imported vouchers are recognised (docs/systems/ledger.md#4-3).
        importedAt=at if voucher.is_imported else None,
        fiscalYear=period_row(period)["fiscalYear"],
        periodDbId=period,
        transactionSourceDbId=voucher.source["dbId"],
        jobLevelDbId=int(JobLevel.DONE),
        archive=False,
        # For the tests only: the API shows it on import items and not in the books (docs/systems/ledger.md#4-3).
        trRegNumber=voucher.tr_reg_number,
        invoiceFileDbId=voucher.file,
    )


def _parts(store: LedgerStore, line: Row, voucher: Voucher) -> list[Row]:
    """Split a gross line into its net and its VAT (docs/systems/ledger.md#l6); a line without VAT stays as it is."""
    percent = tax_percent(store, line)
    if not percent:
        return [line]
    company = company_currency(store, voucher.owner)["dbId"]
    # Computed in each currency, with its own decimals: converting one tax need not give the other.
    tax = {
        name: rounded(Decimal(line[name]) * percent / (HUNDRED + percent), minor=minor_units(store, currency))
        for name, currency in (("amount", company), ("invoiceAmount", line["currencyDbId"]))
    }
    # The net is what remains, not rounded by itself: net and VAT must add up to the line in both currencies.
    net = {**line, **{name: money(Decimal(line[name]) - tax[name]) for name in tax}, "taxAmount": money(tax["amount"])}
    _, account = vat_account(store, line, source=voucher.source, owner=voucher.owner)
    # No dimensions: rows of VAT have none (docs/systems/ledger.md#l26).
    kept = {name: line.get(name) for name in ("text", "currencyDbId", "exchangeRate", "taxRuleDbId", "importItemDbId")}
    vat = {**kept, **{name: money(value) for name, value in tax.items()}, "accountDbId": account, "isTax": True}
    return [net, vat]


def _gl_row(store: LedgerStore, line: Row, header: Row) -> Row:
    period = period_row(header["periodDbId"])
    partner = store.rows.get(line.get("subledgerDbId", 0), {})
    row = store.new(
        ownerDbId=header["ownerDbId"],
        headerDbId=header["dbId"],
        amount=line["amount"],
        invoiceAmount=line["invoiceAmount"],
        taxAmount=line.get("taxAmount", "0.00"),
        # The product sends a voyage as project (docs/mapping.md#1-1), others as glObject2; the books have one column.
        glObject2DbId=line.get("projectDbId") or line.get("glObject2DbId"),
        companyDbId=line.get("companyDbId") or partner.get("companyDbId"),
        periodDbId=header["periodDbId"],
        periodId=header["periodDbId"],
        monthNumber=period["monthNumber"],
        periodNumber=period["fiscalPeriod"],
        positionNumber=line.get("positionNumber") or line.get("trItemNumber"),
        # 0 where nothing is matched; a client must also take null (docs/systems/ledger.md#2-2).
        matchId=0,
        reconciled=False,
    )
    return _present(row | {name: line.get(name) for name in _GL})


def _is_control(store: LedgerStore, line: Row) -> bool:
    return bool(store.rows[line["accountDbId"]].get("ledgerTypeDbId") and line.get("subledgerDbId"))


def _subledger_table(store: LedgerStore, line: Row) -> str:
    is_ap = store.rows[line["accountDbId"]]["ledgerTypeDbId"] == LedgerType.AP
    return "ap_rows" if is_ap else "ar_rows"


def _subledger_row(store: LedgerStore, line: Row, header: Row, *, gl_row: Row, source: str) -> Row:
    ledger_type = store.rows[line["accountDbId"]]["ledgerTypeDbId"]
    sl_type = line.get("slTransactionTypeDbId")
    if sl_type is None and source in INVOICE_SOURCES:
        # Invoices are positive on AR [client] and negative on AP [inf] (docs/systems/ledger.md#l24).
        is_invoice = (Decimal(line["invoiceAmount"]) < 0) is (ledger_type == LedgerType.AP)
        sl_type = int(SlType.INVOICE if is_invoice else SlType.CREDIT_MEMO)
    row = store.new(
        ownerDbId=header["ownerDbId"],
        headerDbId=header["dbId"],
        headerCreatedAt=header["createdAt"],
        headerModifiedAt=header["modifiedAt"],
        headerTransactionSourceDbId=header["transactionSourceDbId"],
        glRowDbId=gl_row["dbId"],
        amount=line["amount"],
        invoiceAmount=line["invoiceAmount"],
        # Signed like the row itself.
        invoiceRemaining=line["invoiceAmount"],
        exchangeRate=_rate(line),
        glObject2DbId=gl_row.get("glObject2DbId"),
        companyDbId=gl_row.get("companyDbId"),
        periodDbId=header["periodDbId"],
        ledgerTypeDbId=ledger_type,
        slTransactionTypeDbId=sl_type,
        paymentStatusDbId=int(PaymentStatus.OPEN),
        matchId=0,
        reconciled=False,
        paymentDate=line.get("paymentDate"),
        invoiceFileDbId=header.get("invoiceFileDbId"),
    )
    return _present(row | {name: line.get(name) for name in _SUBLEDGER})


def _rate(line: Row) -> str | None:
    if line.get("exchangeRate") is not None:
        return str(line["exchangeRate"])
    foreign = Decimal(line["invoiceAmount"])
    return f"{(Decimal(line['amount']) / foreign).quantize(_RATE_DIGITS).normalize():f}" if foreign else None


def _present(row: Row) -> Row:
    return {name: value for name, value in row.items() if value is not None}
