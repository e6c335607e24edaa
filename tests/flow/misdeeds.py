"""What people do behind Springline's back to payments, rates, master data and control accounts, with what undoes it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.flow.drift import voucher
from tests.flow.live_world import Live

Row = dict[str, Any]
Undo = Callable[[], object]

FIELDS = {
    "documentNo": "*",
    "documentAmount": "*",
    "companyCurrencyAmount": "*",
    "sourceCurrencyAmount": "*",
    "documentLines": {"key": "*", "refDocument": {"documentNo": "*"}},
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A row that a deed is told by: its table, its subject, state and words of the reason."""

    table: str
    subject: str
    state: str
    reason: str
    is_break: bool = True


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody does, and every row of rec that tells of it; ``{2706035}`` in a subject is that document's key."""

    do: Callable[[Live], Undo]
    shown: tuple[Shown, ...]


def control_lines(live: Live, number: str) -> list[Row]:
    """Give a document's lines on the control account, as the ledger has booked them."""
    found = voucher(live, number)["lines"]
    return [line for line in found if line["subledgerRow"] and line["subledger"] == found[0]["subledger"]]


def pay(live: Live, shares: Sequence[tuple[str, str]], **members: object) -> Row:
    """Book a payment of so many percent of each document, at its own rate unless ``members`` say otherwise."""
    match, amount, company = [], Decimal(0), Decimal(0)
    for number, percent in shares:
        for line in control_lines(live, number):
            part = (Decimal(line["invoiceAmount"]) * Decimal(percent) / 100).quantize(Decimal("0.01"))
            match.append({"row": line["subledgerRow"]["dbId"], "amount": str(abs(part))})
            amount += part
            company += (Decimal(line["amount"]) * Decimal(percent) / 100).quantize(Decimal("0.01"))
    found = voucher(live, shares[0][0])
    first = found["lines"][0]
    payment = {
        "owner": found["owner"],
        "side": found["source"],
        "source": "DR",
        "date": "2026-11-02",
        "currency": first["currency"],
        "amount": str(abs(amount)),
        "company_amount": str(abs(company)),
        "subledger": first["subledger"],
        "match": match,
    }
    return dict(live.sandbox.control("POST", "ledger/payments", {**payment, **members}))


def payment_documents(live: Live, number: str) -> list[Row]:
    """Give the payment documents of the VMS that refer to a document."""
    answer = live.vms.get(
        "/Document",
        params={"filter": "documentType.documentType(IN)(PMI,PMO)"},
        headers={"fields": json.dumps(FIELDS)},
    )
    rows: list[Row] = answer.raise_for_status().json()
    return [row for row in rows if row["documentLines"][0]["refDocument"]["documentNo"] == number]


def _change(live: Live, document: Row, amounts: Row) -> None:
    line = {"key": document["documentLines"][0]["key"], **amounts}
    live.vms.put(f"/Document/{document['key']}", json={**amounts, "documentLines": [line]}).raise_for_status()


def _update(live: Live, connection: str, node: Row) -> None:
    name = connection[0].upper() + connection[1:]
    inputs = [{"clientId": "by hand", "node": node}]
    selection = "{ edges { node { dbId } } }"
    live.ledger(
        f"mutation ($inputs: [Update{name}Input!]!) {{ update{name}(inputs: $inputs) {selection} }}", inputs=inputs
    )


def _edit(live: Live, connection: str, code: str, before: Row, after: Row) -> Undo:
    db_id = str(live.ids(connection, code)[0])
    _update(live, connection, {"dbId": db_id, **after})
    return lambda: _update(live, connection, {"dbId": db_id, **before})


def undo_match(live: Live) -> Undo:
    """Undo the match of a payment that the VMS has been told of."""
    (line,) = control_lines(live, "2706035")
    match_id = line["subledgerRow"]["matchId"]
    opened = live.sandbox.control("POST", "ledger/unmatch", {"match_id": match_id})["rows"]
    return lambda: live.sandbox.control("POST", "ledger/match", {"rows": opened})


def delete_payment_in_vms(live: Live) -> Undo:
    """Delete a payment document that was sent; it is undone by entering it again."""
    (document,) = payment_documents(live, "2706036")
    body = live.vms.get(f"/Document/{document['key']}").raise_for_status().json()
    live.vms.delete(f"/Document/{document['key']}").raise_for_status()
    return lambda: _enter_again(live, "2706036", body)


def _enter_again(live: Live, number: str, body: Row) -> None:
    names = ("documentNo", "documentDate", "documentAmount", "companyCurrencyAmount", "sourceCurrencyAmount")
    _type_payment(live, number, {name: body[name] for name in names})


def _type_payment(live: Live, number: str, members: Row) -> Row:
    invoice = live.document(number, "documentAmount")
    found = voucher(live, number)
    amounts = {name: members[name] for name in ("documentAmount", "companyCurrencyAmount", "sourceCurrencyAmount")}
    line = {**amounts, "glAccount": "4300", "isAccountsPayable": True, "refDocument": invoice["key"]}
    return live.post(
        "Document",
        documentType="PMO",
        company=str(found["owner"]),
        businessPartner=found["lines"][0]["subledger"],
        documentCurrency=found["lines"][0]["currency"],
        invoicingStatus="POS",
        documentLines=[line],
        **members,
    )


def change_payment_in_vms(live: Live) -> Undo:
    """Make a payment document that was sent ten less."""
    (document,) = payment_documents(live, "2706037")
    names = ("documentAmount", "companyCurrencyAmount", "sourceCurrencyAmount")
    before = {name: document[name] for name in names}
    _change(live, document, {name: value + 10 for name, value in before.items()})
    return lambda: _change(live, document, before)


def type_payment_into_vms(live: Live) -> Undo:
    """Type a payment into the VMS that nobody has made."""
    amounts = {"documentAmount": -25, "companyCurrencyAmount": -250, "sourceCurrencyAmount": -25}
    typed = _type_payment(live, "2706038", {"documentNo": "PAID-1", "documentDate": "2026-11-02T00:00:00", **amounts})
    return lambda: live.vms.delete(f"/Document/{typed['key']}").raise_for_status()


def pay_too_much(live: Live) -> Undo:
    """Pay an invoice of the ledger 10.00 more than it is; it is undone by deleting the payment, before it is told."""
    (line,) = control_lines(live, "2706039")
    more = str(abs(Decimal(line["invoiceAmount"])) + 10)
    match = [{"row": line["subledgerRow"]["dbId"], "amount": str(abs(Decimal(line["invoiceAmount"])))}]
    paid = pay(live, [("2706039", "100")], amount=more, match=match)
    return lambda: _take_back(live, paid)


def pay_without_match(live: Live) -> Undo:
    """Pay a partner of ours and match it with nothing."""
    paid = pay(live, [("2706040", "50")], match=[])
    return lambda: _take_back(live, paid)


def _take_back(live: Live, paid: Row) -> None:
    if paid["match_id"]:
        live.sandbox.control("POST", "ledger/unmatch", {"match_id": paid["match_id"]})
    live.sandbox.control("POST", "ledger/corrupt", {"voucher": paid["voucher"], "delete": True})


def type_on_control_account(live: Live) -> Undo:
    """Type a voucher straight onto the control account."""
    subledger = control_lines(live, "2706001")[0]["subledger"]
    lines = [
        {"account": "2400", "currency": "NOK", "subledger": subledger, "amount": "-77.00", "invoiceAmount": "-77.00"},
        {"account": "7770", "currency": "NOK", "amount": "77.00", "invoiceAmount": "77.00"},
    ]
    typed = live.sandbox.control(
        "POST",
        "ledger/vouchers",
        {"owner": 28601, "source": "GL", "postedDate": "2026-10-15", "text": "correction", "lines": lines},
    )
    return lambda: live.sandbox.control("POST", "ledger/corrupt", {"voucher": typed["voucher"], "delete": True})


def _rate(live: Live, currency: str) -> Row:
    """Give the VMS's rate of a currency for one krone on the last day there is."""
    fields = {"exchangeRate": "*", "fromCurrency": {"currencyCode": "*"}, "currency": {"currencyCode": "*"}}
    answer = live.vms.get(
        "/ExchangeRate",
        params={"filter": "exchangeRateDate(GTE)2026-10-30T00:00:00"},
        headers={"fields": json.dumps(fields)},
    )
    pairs = {
        (row["fromCurrency"]["currencyCode"], row["currency"]["currencyCode"]): row
        for row in answer.raise_for_status().json()
    }
    return dict(pairs["NOK", currency])


def change_rate_in_vms(live: Live) -> Undo:
    """Enter another rate in the VMS."""
    rate = _rate(live, "EUR")
    path = f"/ExchangeRate/{rate['key']}"
    live.vms.put(path, json={"exchangeRate": rate["exchangeRate"] * 1.01}).raise_for_status()
    return lambda: live.vms.put(path, json={"exchangeRate": rate["exchangeRate"]}).raise_for_status()


def delete_rate_in_vms(live: Live) -> Undo:
    """Delete a rate in the VMS that was sent."""
    rate = _rate(live, "GBP")
    live.vms.delete(f"/ExchangeRate/{rate['key']}").raise_for_status()
    return lambda: live.post(
        "ExchangeRate",
        fromCurrency="NOK",
        currency="GBP",
        exchangeRate=rate["exchangeRate"],
        exchangeRateDate="2026-10-30T00:00:00",
    )


def rename_supplier(live: Live) -> Undo:
    """Give a supplier another name in the ledger."""
    before = {"description": "Nordic Agency AS"}
    return _edit(live, "suppliers", "60526", before, {"description": "Nordic Agencies"})


def close_supplier(live: Live) -> Undo:
    """Close a supplier in the ledger."""
    return _edit(live, "suppliers", "60501", {"toDate": None}, {"toDate": "2026-10-31"})


def change_bank_account(live: Live) -> Undo:
    """Give a supplier another bank account in the ledger."""
    query = '{ subledgers(first: 5, ownerSet: ALL, filter: {code: "60502"}) { edges { node { bankAccount } } } }'
    (edge,) = live.ledger(query)["subledgers"]["edges"]
    return _edit(live, "suppliers", "60502", edge["node"], {"bankAccount": "DE02120300000000202051"})


def renumber_project(live: Live) -> Undo:
    """Give a project another code, so that the voyage has none."""
    return _edit(live, "projects", "V001-2507", {"code": "V001-2507"}, {"code": "V001-OLD"})


def redate_project(live: Live) -> Undo:
    """Let a project end on another day."""
    query = '{ projects(first: 5, ownerSet: ALL, filter: {code: "V001-2601"}) { edges { node { toDate } } } }'
    (edge,) = live.ledger(query)["projects"]["edges"]
    return _edit(live, "projects", "V001-2601", edge["node"], {"toDate": "2027-06-30"})


def rename_cost_centre(live: Live) -> Undo:
    """Give a vessel's cost centre another name."""
    query = '{ objectValues(first: 5, ownerSet: ALL, filter: {code: "V001"}) { edges { node { description } } } }'
    (edge,) = live.ledger(query)["objectValues"]["edges"]
    return _edit(live, "objectValues", "V001", edge["node"], {"description": "Renamed"})


PAYMENTS, RATES, PARTNERS, VOYAGES = "rec.payments", "rec.exchange_rates", "rec.partners", "rec.voyages"
ACCOUNTS = "rec.control_accounts"

DEEDS = (
    Deed(
        undo_match,
        (
            Shown(PAYMENTS, "{2706035}", "match undone", "a match was undone"),
            Shown(PAYMENTS, "AP row of {2706035}", "unmatched in ledger", "not matched"),
        ),
    ),
    Deed(
        delete_payment_in_vms,
        (Shown(PAYMENTS, "{2706036}", "not yet in VMS", "and the VMS does not have it now"),),
    ),
    Deed(change_payment_in_vms, (Shown(PAYMENTS, "{2706037}", "not yet in VMS", "in the VMS now"),)),
    Deed(
        type_payment_into_vms,
        (
            Shown(PAYMENTS, "vms:PAID-1", "unmatched in ledger", "was typed into the VMS"),
            Shown(PAYMENTS, "{2706038}", "unmatched in ledger", "PAID-1 of EUR 25.00 was typed", is_break=False),
        ),
    ),
    Deed(
        pay_too_much,
        (
            Shown(PAYMENTS, "{2706039}", "not yet in VMS", "is on its way", is_break=False),
            Shown(PAYMENTS, "AP row", "over paid", "GBP 10.00", is_break=False),
        ),
    ),
    Deed(pay_without_match, (Shown(PAYMENTS, "AP row", "unmatched in ledger", "not matched"),)),
    Deed(
        type_on_control_account,
        (Shown(ACCOUNTS, "28601:2400:NOK", "differs", "typed by hand on the account (-77.00)"),),
    ),
    Deed(change_rate_in_vms, (Shown(RATES, "2026-10-30:NOK:EUR", "rate differs", "in the VMS and"),)),
    Deed(delete_rate_in_vms, (Shown(RATES, "2026-10-30:NOK:GBP", "only in ledger", "the VMS does not have it now"),)),
    Deed(rename_supplier, (Shown(PARTNERS, "supplier:60526", "fields differ", "Nordic Agencies in the ledger"),)),
    Deed(
        close_supplier, (Shown(PARTNERS, "supplier:60501", "fields differ", "closed in the ledger since 2026-10-31"),)
    ),
    Deed(
        change_bank_account,
        (Shown(PARTNERS, "supplier:60502", "waiting for confirmation", "2051 in the ledger", is_break=False),),
    ),
    Deed(
        renumber_project,
        (
            Shown(VOYAGES, "voyage:V001-2507", "only in VMS", "The ledger has no project"),
            Shown(VOYAGES, "voyage:V001-OLD", "only in ledger", "wants no project", is_break=False),
        ),
    ),
    # Projects go without an end: what the ledger sets as one is its own (docs/mapping.md#2).
    Deed(redate_project, ()),
    Deed(rename_cost_centre, (Shown(VOYAGES, "vessel:V001", "fields differ", "Renamed"),)),
)
