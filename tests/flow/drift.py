"""What people do behind Springline's back to documents and vouchers that were posted, each with what undoes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.flow.live_world import Live

Row = dict[str, Any]
Undo = Callable[[], object]
Deed = Callable[[Live, str], Undo]


@dataclass(frozen=True, slots=True)
class Drift:
    """One deed on one document, and how rec.documents shows it: state, drift, and words of the reason."""

    number: str
    do: Deed
    state: str
    drift: str | None
    reason: str
    is_orphan: bool = False


def voucher(live: Live, number: str) -> Row:
    """Give the voucher the ledger has booked for a document, with its lines."""
    (found,) = live.sandbox.control("GET", f"ledger/vouchers?trRegNumber={live.document(number)['key']}")
    return dict(found)


def _corrupt(live: Live, header: int, **deed: object) -> Row:
    return dict(live.sandbox.control("POST", "ledger/corrupt", {"voucher": header, **deed}))


def _set(live: Live, header: int, row: int, **members: object) -> Undo:
    def put(values: Row) -> object:
        return _corrupt(live, header, row=row, set=values)

    (line,) = [line for line in _lines(live, header) if line["dbId"] == row]
    before = {name: line[name] for name in members}
    put(dict(members))
    return lambda: put(before)


def _lines(live: Live, header: int) -> list[Row]:
    (found,) = [one for one in live.sandbox.control("GET", "ledger/vouchers") if one["dbId"] == header]
    return list(found["lines"])


def _book(live: Live, **voucher_of: object) -> Undo:
    booked = live.sandbox.control("POST", "ledger/vouchers", voucher_of)
    return lambda: _corrupt(live, booked["voucher"], delete=True)


def _copied(found: Row, **changes: object) -> Row:
    """Give a voucher as it would be typed in once more: its rows as they are, VAT split off already."""
    lines = []
    for line in found["lines"]:
        names = ("account", "currency", "glObject1", "project", "subledger", "amount", "invoiceAmount", "text")
        copied = {name: line[name] for name in names if line[name] is not None}
        if row := line["subledgerRow"]:
            copied |= {name: row[name] for name in ("invoiceNumber", "invoiceDate", "dueDate") if row[name]}
        lines.append(copied)
    common = {name: found[name] for name in ("owner", "source", "postedDate", "text")}
    return {**common, "lines": lines, **changes}


def edit_amount(live: Live, number: str) -> Undo:
    """Take 100.00 off the control line and off the first cost line."""
    found = voucher(live, number)
    control, cost = (
        found["lines"][0],
        next(line for line in found["lines"] if line["project"] and not line["subledger"]),
    )
    undone = [_set(live, found["dbId"], line["dbId"], **_less(line, sign)) for line, sign in ((control, 1), (cost, -1))]
    return lambda: [undo() for undo in undone]


def _less(line: Row, sign: int) -> Row:
    return {name: str(Decimal(line[name]) + 100 * sign) for name in ("amount", "invoiceAmount")}


def move_to_voyage(live: Live, number: str) -> Undo:
    """Put the first cost line on another voyage."""
    found = voucher(live, number)
    line = next(line for line in found["lines"] if line["project"] and not line["subledger"])
    other = "V001-2601" if line["project"] != "V001-2601" else "V002-2602"
    return _set(live, found["dbId"], line["dbId"], project=other)


def split_less_vat(live: Live, number: str) -> Undo:
    """Split 100.00 less VAT off the line, as a rule with a lower rate would."""
    found = voucher(live, number)
    net, vat = (next(line for line in found["lines"] if line["account"] == account) for account in ("4300", "2710"))
    undone = [_set(live, found["dbId"], line["dbId"], **_less(line, sign)) for line, sign in ((net, 1), (vat, -1))]
    return lambda: [undo() for undo in undone]


def change_partner(live: Live, number: str) -> Undo:
    """Put the control line on another customer's subledger."""
    found = voucher(live, number)
    line = next(line for line in found["lines"] if line["subledger"])
    return _set(live, found["dbId"], line["dbId"], subledger="61010" if line["subledger"] != "61010" else "61001")


def delete_voucher(live: Live, number: str) -> Undo:
    """Delete the voucher; it is undone by typing it in again under its text."""
    found = voucher(live, number)
    _corrupt(live, found["dbId"], delete=True)
    return lambda: _book(live, **_copied(found))


def reverse_voucher(live: Live, number: str) -> Undo:
    """Reverse the voucher in the ledger."""
    reversal = _corrupt(live, voucher(live, number)["dbId"], reverse=True)["voucher"]
    return lambda: _corrupt(live, reversal, delete=True)


def book_again(live: Live, number: str) -> Undo:
    """Let the same voucher be imported a second time."""
    return _book(live, **_copied(voucher(live, number), imported=True))


def type_as_well(live: Live, number: str) -> Undo:
    """Type the invoice into the ledger by hand as well."""
    return _book(live, **_copied(voucher(live, number), text="from the paper invoice"))


def change_amount_in_vms(live: Live, number: str) -> Undo:
    """Make the first line and the total 50.00 more, in both currencies."""
    before = live.document(number, "documentAmount", "companyCurrencyAmount")
    names = ("documentAmount", "companyCurrencyAmount")
    line = before["documentLines"][0]
    more = [{name: row[name] + 50 for name in names} for row in (line, before)]
    live.put_lines(number, {0: more[0]}, **more[1])
    return lambda: live.put_lines(number, {0: {name: line[name] for name in names}}, **{n: before[n] for n in names})


def change_text_in_vms(live: Live, number: str) -> Undo:
    """Write another text into the first line."""
    live.put_lines(number, {0: {"documentLineText": "something else"}})
    return lambda: live.put_lines(number, {0: {"documentLineText": _text(live, number)}})


def _text(live: Live, number: str) -> str:
    """Give the text the first line was sent with."""
    sent = [line["sent"] for line in voucher(live, number)["lines"] if line["sent"]]
    return str(next(node["text"] for node in sent if "invoiceDate" not in node and "subledger" not in node))


def change_date_in_vms(live: Live, number: str) -> Undo:
    """Give the document another date."""
    before = live.document(number, "documentDate")["documentDate"]
    live.put(number, documentDate="2026-08-31T00:00:00")
    return lambda: live.put(number, documentDate=before)


def delete_in_vms(live: Live, number: str) -> Undo:
    """Delete the document in the VMS; it is undone by reversing its voucher."""
    header = voucher(live, number)["dbId"]
    live.vms.delete(f"/Document/{live.document(number)['key']}").raise_for_status()
    return lambda: _corrupt(live, header, reverse=True)


def import_under_its_number(live: Live, number: str) -> Undo:
    """Let something else import a voucher under the number of a document that is held."""
    lines = [
        {"account": "2400", "currency": "NOK", "subledger": "60501", "invoiceNumber": "X-1", "dueDate": "2026-12-01",
         "amount": "-80.00", "invoiceAmount": "-80.00"},
        {"account": "4300", "currency": "NOK", "amount": "80.00", "invoiceAmount": "80.00", "text": "cost"},
    ]  # fmt: skip
    text = f"{number} by another way"
    return _book(live, owner=28601, source="AP", postedDate="2026-11-02", text=text, lines=lines, imported=True)


DRIFTS = (
    Drift("2706011", edit_amount, "amount differs", "amount changed in the ledger", "account 4300"),
    Drift("2706012", move_to_voyage, "fields differ", "lines changed in the ledger", "project V0"),
    Drift("2706008", split_less_vat, "fields differ", "VAT differs", "the ledger has booked NOK 6,813.61"),
    Drift("2706179", change_partner, "fields differ", "lines changed in the ledger", "the ledger has 61010"),
    Drift("2706060", delete_voucher, "only in VMS", "deleted in the ledger", "do not have it any more"),
    Drift("2706182", reverse_voucher, "amount differs", "reversed in the ledger", "reversed by voucher"),
    Drift("ACP2609-004", book_again, "amount differs", "booked twice", "booked again by voucher"),
    Drift("2706014", type_as_well, "fields differ", "suspected duplicate", "which is not of the VMS"),
    Drift("2706015", change_amount_in_vms, "amount differs", "amount changed in the VMS", "the VMS has NOK 270,306.08"),
    Drift("2706061", change_text_in_vms, "fields differ", "changed in the VMS", "something else"),
    Drift("2706183", change_date_in_vms, "fields differ", "changed in the VMS", "the VMS has 2026-08-31"),
    Drift("2706017", delete_in_vms, "only in ledger", "deleted in the VMS", "the VMS does not have it any more"),
    Drift("2708001", import_under_its_number, "only in ledger", None, "Springline never sent it", is_orphan=True),
)
