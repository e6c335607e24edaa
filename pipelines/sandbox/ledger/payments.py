"""Payments booked by hand: bank, control account and adjustments in one voucher, matched with what they settle."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import msgspec

from pipelines.sandbox.ledger.books import Voucher
from pipelines.sandbox.ledger.entities import chain
from pipelines.sandbox.ledger.errors import BadRequestError
from pipelines.sandbox.ledger.hand import book_checked, line_columns, owner_id, source_row
from pipelines.sandbox.ledger.matching import join, settled_row
from pipelines.sandbox.ledger.naming import TABLES, Named, open_shares
from pipelines.sandbox.ledger.store import RowChanges
from pipelines.sandbox.ledger.values import ZERO, LedgerType, Row, money

if TYPE_CHECKING:
    from datetime import datetime

    from pipelines.sandbox.ledger.store import LedgerStore


class Adjustment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row beside the payment (exchange difference, charge, rounding); its amounts are signed, debit positive."""

    currency: str
    amount: str
    company_amount: str
    text: str | None = None
    type: str | None = None
    account: str | None = None


class Payment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One payment; ``amount`` and ``company_amount`` are sizes, their sign follows from what is settled (``match``).

    Without a match money goes out on AP and comes in on AR, unless it is a ``refund``.
    """

    owner: int
    side: Literal["AP", "AR"]
    source: str
    date: str
    currency: str
    amount: str
    company_amount: str
    subledger: str
    text: str | None = None
    payment_type: str | None = "ELECTRONIC_PAYMENT"
    match: list[Named] = []
    adjustments: list[Adjustment] = []
    refund: bool = False
    bank_account: str | None = None


def book_payment(store: LedgerStore, given: Payment, now: datetime) -> Row:
    """Book a payment and match it; gives voucher, rows and match id, raises BadRequestError."""
    owner = owner_id(store, given.owner)
    table = TABLES[given.side]
    shares = open_shares(store, given.match, owner=owner, side=given.side, partner=given.subledger)
    sign = _sign(given, shares)
    account = shares[0][0]["accountDbId"] if shares else _control_account(store, given, owner=owner)["dbId"]
    changes = RowChanges()
    voucher = Voucher(
        owner=owner,
        source=source_row(store, given.source),
        posted_date=given.date,
        text=given.text,
        lines=_lines(store, given, sign=sign, account=store.rows[account]["code"], owner=owner),
        is_imported=False,
    )
    header = book_checked(store, changes, voucher, now=now, may_be_closed=False)
    # In the order of the lines: the payment first, then its adjustments.
    booked = [row for (name, _), row in changes.puts.items() if name == table]
    match_id = 0
    if shares:
        _settle(changes, table, booked, shares, given, sign=sign)
        taking_part = [row["dbId"] for row in [*booked, *(row for row, _ in shares)]]
        match_id = join(store, changes, dict.fromkeys(taking_part, table))
    store.commit(changes, now=now)
    return {
        "voucher": header["dbId"],
        "transaction_number": header["transactionNumber"],
        "payment": booked[0]["dbId"],
        "rows": [row["dbId"] for row in booked],
        "match_id": match_id,
    }


def _sign(given: Payment, shares: list[tuple[Row, Decimal]]) -> int:
    """A payment stands opposite to the net of what it settles: negative on AR, positive on AP, refunds mirrored."""
    # In company currency, because the settled rows may be in several currencies.
    net = sum((size * Decimal(row["amount"]) / abs(Decimal(row["invoiceAmount"])) for row, size in shares), ZERO)
    if net:
        return -1 if net > 0 else 1
    return -1 if (given.side == "AR") is not given.refund else 1


def _lines(store: LedgerStore, given: Payment, *, sign: int, account: str, owner: int) -> list[Row]:
    size, company = Decimal(given.amount), Decimal(given.company_amount)
    if size <= 0 or company <= 0:
        raise BadRequestError("amount and company_amount of a payment are sizes above zero")
    # 1920 bank, 8160 exchange loss, 7770 bank charges: numbers of the Norwegian standard chart of accounts.
    bank = _counter_account(store, given.bank_account, ("1920",), owner=owner)
    lines = _pair(
        given, account, bank, amount=sign * size, company=sign * company,
        currency=given.currency, text=given.text, sl_type=given.payment_type,
    )  # fmt: skip
    for item in given.adjustments:
        counter = _counter_account(store, item.account, ("8160", "7770"), owner=owner)
        # Each has its own counter line, so the voucher balances in company currency and in its own
        # (docs/systems/ledger.md#l5).
        lines += _pair(
            given, account, counter, amount=Decimal(item.amount), company=Decimal(item.company_amount),
            currency=item.currency, text=item.text, sl_type=item.type,
        )  # fmt: skip
    columns = [line_columns(store, line, owner=owner, source=given.source) for line in lines]
    return [line | ({"paymentDate": given.date} if line.get("subledgerDbId") else {}) for line in columns]


def _pair(
    given: Payment, account: str, counter: str, *, amount: Decimal, company: Decimal, currency: str,
    text: str | None, sl_type: str | None,
) -> list[Row]:  # fmt: skip
    kind = {} if sl_type is None else {"slTransactionType": {"name": sl_type}}
    shared = {"currency": currency, "text": text}
    return [
        {"account": account, "amount": money(company), "invoiceAmount": money(amount), "subledger": given.subledger}
        | shared
        | kind,
        {"account": counter, "amount": money(-company), "invoiceAmount": money(-amount)} | shared,
    ]


def _settle(
    changes: RowChanges, table: str, booked: list[Row], shares: list[tuple[Row, Decimal]], given: Payment, *, sign: int
) -> None:
    """Take off what is settled, from the invoices and from the payment; what it has too much stays open on it."""
    net = ZERO
    for row, size in shares:
        known = changes.puts.get((table, row["dbId"]), row)
        changes.put(table, settled_row(known, size=size, paid_on=given.date))
        net -= sign * size.copy_sign(Decimal(row["invoiceAmount"]))
    currencies = {row["currencyDbId"] for row in [*booked, *(row for row, _ in shares)]}
    total = sum((sign * Decimal(row["invoiceAmount"]) for row in booked), ZERO)
    # In several currencies nothing says how much was paid too much: then the payment counts as used up.
    rest = max(total - net, ZERO) if len(currencies) == 1 else ZERO
    for place, row in enumerate(booked):
        size = abs(Decimal(row["invoiceRemaining"]))
        # What was paid too much stays open on the payment itself, never on an adjustment.
        left = min(rest, size) if place == 0 else ZERO
        changes.put(table, settled_row(row, size=size - left, paid_on=given.date))


def _control_account(store: LedgerStore, given: Payment, *, owner: int) -> Row:
    wanted = LedgerType[given.side]
    seen = [row for row in _accounts(store, owner=owner) if row.get("ledgerTypeDbId") == wanted]
    if not seen:
        raise BadRequestError(f"no {given.side} control account")
    return seen[0]


def _counter_account(store: LedgerStore, given: str | None, usual: tuple[str, ...], *, owner: int) -> str:
    codes = {row["code"]: row for row in _accounts(store, owner=owner)}
    for code in (given,) if given else usual:
        if code in codes:
            return str(code)
    plain = [code for code, row in codes.items() if row.get("balanceSheet") and not row.get("ledgerTypeDbId")]
    if given or not plain:
        raise BadRequestError(f"no account {given or ' or '.join(usual)}")
    return str(plain[0])


def _accounts(store: LedgerStore, *, owner: int) -> list[Row]:
    seen = chain(store, owner)
    return sorted((row for row in store.tables["accounts"].rows.values() if row["ownerDbId"] in seen), key=_code)


def _code(row: Row) -> str:
    return str(row["code"])
