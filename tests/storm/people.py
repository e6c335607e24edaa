"""What people do on both sides between two runs, each deed at random and written into the journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from random import Random
from typing import Any

from tests.storm.books import LedgerBooks
from tests.storm.journal import DocumentStory
from tests.storm.site import Site
from tests.storm.worlds import (
    AMOUNTS,
    FAULTS,
    FIRST_KEY,
    GENERAL,
    NO_PARTNER,
    RATE_DAYS,
    new_document,
    reversal_of,
    story_of,
    version_of,
    with_fault,
)

Row = dict[str, Any]
LINE = dict.fromkeys(AMOUNTS, "*")
HEAD = {
    **LINE,
    "documentNo": "*",
    "invoicingStatus": {"statusTypeCode": "*"},
    "documentType": {"documentType": "*"},
    "documentLines": LINE,
}
# What of an accrual its reversal repeats.
WHOLE: Row = {
    "documentNo": "*",
    "documentType": {"documentType": "*"},
    "documentCurrency": {"currencyCode": "*"},
    "company": {"companyCode": "*"},
    "invoicingStatus": {"statusTypeCode": "*"},
    "glAccount": "*",
    **dict.fromkeys(AMOUNTS, "*"),
    "documentLines": {
        **dict.fromkeys((*AMOUNTS, "glAccount", "documentLineText", "quantity"), "*"),
        "voyage": {"voyageHeader": {"referenceNo": "*"}},
        "businessUnit": {"businessUnitCode": "*"},
    },
}
# IBANs that pass their check, none of them anybody's at the start.
IBANS = ("DE02100500000024290661", "DE02120300000000202051", "DE02500105170137075030", "DE02300209000106531065")
SUPPLIERS = ("60501", "60502", "60503", "60504", "60505", "60526")
PAY_DAY = "2026-11-02"
# What people enter has keys and codes from here on.
FIRST_OF_PEOPLE, LAST_OF_PEOPLE = FIRST_KEY, FIRST_KEY + 900_000


@dataclass(slots=True)
class People:
    """Everybody at work on one site; who does what to what is decided anew for each deed."""

    site: Site
    rng: Random = field(init=False)
    suppliers: list[str] = field(default_factory=lambda: [*SUPPLIERS])
    done: Counter[str] = field(default_factory=Counter)
    # What was refused while a run had the warehouse, and is done again once it is over.
    put_off: list[Callable[[], None]] = field(default_factory=list)

    def catch_up(self) -> None:
        """Do what had to wait for the end of a run."""
        waiting, self.put_off = self.put_off, []
        for deed in waiting:
            deed()

    def do(self, name: str, chance: int) -> None:
        """Let somebody do something; what cannot be done now is left."""
        self.rng, before = Random(chance), len(self.site.journal.deeds)  # noqa: S311 no secret
        # What the sandbox refuses nobody can do in earnest either.
        with suppress(ValueError):
            DEED_OF[name](self)
        self.done[name] += len(self.site.journal.deeds) > before

    def choose(self, stories: Iterable[DocumentStory]) -> DocumentStory | None:
        """Choose a document: the same one whatever others there are, which is why a story can be cut down."""
        salt = self.rng.random()
        return min(stories, key=lambda one: sha256(f"{salt} {one.versions[0].number}".encode()).digest(), default=None)

    def go_home(self) -> None:
        """Open every period that somebody closed."""
        for period in self.site.control("GET", "ledger/periods"):
            if period["period"] >= "2026-08":
                self.site.control("POST", "ledger/periods", {**period, "closed": False})

    def document(self, *, is_sent: bool | None = None) -> DocumentStory | None:
        """Choose a document: one that was sent, one that was not, or any."""
        stories = [s for s in self.site.journal.documents.values() if "deleted in the VMS" not in s.deeds]
        if is_sent is not None:
            sent = {item["node"]["trRegNumber"] for item in self.site.control("GET", "ledger/import-items")}
            stories = [story for story in stories if (story.key in sent) is is_sent]
        return self.choose(stories)

    def voucher(self) -> tuple[DocumentStory, Row] | None:
        """Choose a document with the voucher that is booked for it."""
        booked = {row["trRegNumber"]: row for row in self.site.control("GET", "ledger/vouchers") if row["importedAt"]}
        story = self.choose(story for key, story in self.site.journal.documents.items() if key in booked)
        return (story, booked[story.key]) if story else None


def enter_an_invoice(people: People) -> None:
    """Enter another invoice in the VMS, now and then one with a fault."""
    document = new_document(people.rng, _new_key(people))
    fault = people.rng.choice(FAULTS) if document["documentType"] == "INI" and people.rng.random() < 0.15 else ""
    _enter(people, document, fault)


def enter_an_accrual(people: People) -> None:
    """Enter an accrual or a bunker transaction in the VMS."""
    _enter(people, new_document(people.rng, _new_key(people), GENERAL))


def take_an_accrual_back(people: People) -> None:
    """Enter the reversal of an accrual or a bunker transaction, whatever became of it; one has one at most."""
    stories = [s for s in people.site.journal.documents.values() if s.side == NO_PARTNER and not s.is_reversal]
    story = people.choose(s for s in stories if not {"deleted in the VMS", "taken back"} & {*s.deeds})
    if story is None:
        return
    document = people.site.vms.call("GET", f"Document/{story.key}", fields=WHOLE)
    lines = [_plain(line, WHOLE["documentLines"]) for line in document["documentLines"]]
    document = _plain(document, {name: of for name, of in WHOLE.items() if name != "documentLines"})
    document["documentLines"] = lines
    reversal = _enter(people, reversal_of(document, _new_key(people)))
    reversal.is_reversal = True
    people.site.journal.note("taken back", story.key)
    # What takes back a document that is held, changed or deleted may wait for ever.
    people.site.journal.note("takes another back", reversal.key)


def _plain(row: Row, fields: Row) -> Row:
    return {name: _named(row[name], of) for name, of in fields.items()}


def _named(value: Any, fields: Any) -> Any:  # noqa: ANN401 any JSON value
    """Give a reference as the API takes it: by what it is called."""
    if not isinstance(fields, dict) or value is None:
        return value
    [(name, of)] = fields.items()
    return _named(value[name], of)


def _new_key(people: People) -> int:
    return people.rng.randint(FIRST_OF_PEOPLE, LAST_OF_PEOPLE)


def _enter(people: People, document: Row, fault: str = "") -> DocumentStory:
    given = with_fault(document, fault) if fault else document
    given = {name: value for name, value in given.items() if name not in {"key", "modifiedDate"}}
    document["key"] = people.site.vms.call("POST", "Document", given)["key"]
    people.site.journal.documents[document["key"]] = story = story_of(document, fault=fault)
    people.site.journal.note("entered", document["key"])
    return story


def attach_a_file(people: People) -> None:
    """Attach an invoice's file to a document that was not sent."""
    if (story := people.document(is_sent=False)) is None:
        return
    file = {"file": "JVBERi0xLjcgYW4gaW52b2ljZQ==", "fileName": f"{story.versions[-1].number}.pdf"}
    people.site.vms.call("POST", "Remark", {"remarkTitle": "invoice", "source": story.key, "attachments": [file]})
    people.site.journal.note("file attached", story.key)


def book_what_was_imported(people: People) -> None:
    """Let the ledger book what waits in its import."""
    people.site.control("POST", "ledger/post", {})
    people.site.journal.note("booked what was imported")


def change_amounts(people: People) -> None:
    """Double every amount of a document."""
    if (story := people.document()) is None:
        return
    path = f"Document/{story.key}"
    before = people.site.vms.call("GET", path, fields=HEAD)
    lines = [{"key": line["key"], **_doubled(line)} for line in before["documentLines"]]
    changed = {**before, **_doubled(before)}
    people.site.vms.call("PUT", path, {**_doubled(before), "documentLines": lines})
    story.versions.append(version_of(changed))
    people.site.journal.note("amounts changed", story.key)


def _doubled(row: Row) -> Row:
    return {name: row[name] * 2 for name in AMOUNTS if row.get(name) is not None}


def renumber(people: People) -> None:
    """Give a document another number."""
    if (story := people.document()) is None:
        return
    number = f"{story.versions[-1].number}R"
    is_read = people.site.is_read(story.versions[-1].number)
    people.site.vms.call("PUT", f"Document/{story.key}", {"documentNo": number})
    story.versions.append(
        story.versions[-1].__class__(number, story.versions[-1].amount, story.versions[-1].company_amount)
    )
    people.site.journal.note("renumbered", story.key)
    # Springline says that a document it has not read is meant by its number alone.
    if story.is_kept_back and not is_read:
        story.is_kept_back = people.site.steer("hold", number).value is True


def change_partner(people: People) -> None:
    """Put a document on another supplier."""
    story = people.document()
    if story is None or story.side != "AP":
        return
    people.site.vms.call("PUT", f"Document/{story.key}", {"businessPartner": people.rng.choice(SUPPLIERS)})
    people.site.journal.note("partner changed", story.key)


def delete_document(people: People) -> None:
    """Delete a document in the VMS."""
    if (story := people.document()) is None:
        return
    people.site.vms.call("DELETE", f"Document/{story.key}")
    people.site.journal.note("deleted in the VMS", story.key)


def set_to_posted(people: People) -> None:
    """Set a document that was sent to posted by hand, before Springline does."""
    if (story := people.document(is_sent=True)) is None:
        return
    people.site.vms.call("PUT", f"Document/{story.key}", {"invoicingStatus": "POS"})
    people.site.journal.note("set to posted by hand", story.key)


def pay(people: People) -> None:
    """Pay some invoices or credit notes, in part or as a whole."""
    for _ in range(people.rng.randint(1, 3)):
        if found := people.voucher():
            _pay(people, *found)


def _pay(people: People, story: DocumentStory, voucher: Row) -> None:
    rows = [line for line in voucher["lines"] if line["subledgerRow"] and _open(line)]
    if not rows:
        return
    line = people.rng.choice(rows)
    size = _open(line) if people.rng.random() < 0.5 else (_open(line) / people.rng.randint(2, 3)).quantize(Decimal(1))
    rate = Decimal(line["amount"]) / Decimal(line["invoiceAmount"])
    payment = {
        "owner": voucher["owner"],
        "side": story.side,
        "source": people.rng.choice(("DR", "OCR", "BA")),
        "date": PAY_DAY,
        "currency": line["currency"],
        "amount": str(size),
        "company_amount": str((size * rate).quantize(Decimal("0.01"))),
        "subledger": line["subledger"],
        "match": [{"row": line["subledgerRow"]["dbId"], "amount": str(size)}],
    }
    people.site.control("POST", "ledger/payments", payment)
    people.site.journal.payments += 1
    people.site.journal.note("paid", story.key)


def _open(line: Row) -> Decimal:
    return abs(Decimal(line["subledgerRow"]["invoiceRemaining"]))


def undo_a_match(people: People) -> None:
    """Undo the match of an invoice."""
    if (found := people.voucher()) is None:
        return
    story, voucher = found
    matches = [line["subledgerRow"]["matchId"] for line in voucher["lines"] if line["subledgerRow"]]
    for match_id in filter(None, matches):
        people.site.control("POST", "ledger/unmatch", {"match_id": match_id})
        people.site.journal.note("match undone", story.key)
        return


def reverse_voucher(people: People) -> None:
    """Reverse a voucher in the ledger."""
    if (found := people.voucher()) is None:
        return
    story, voucher = found
    people.site.control("POST", "ledger/corrupt", {"voucher": voucher["dbId"], "reverse": True})
    people.site.journal.note("reversed in the ledger", story.key)


def delete_voucher(people: People) -> None:
    """Delete a voucher in the ledger."""
    if (found := people.voucher()) is None:
        return
    story, voucher = found
    people.site.control("POST", "ledger/corrupt", {"voucher": voucher["dbId"], "delete": True})
    people.site.journal.note("deleted in the ledger", story.key)


def remove_import_items(people: People) -> None:
    """Take the import items of a voucher out of the ledger before it is booked."""
    waiting = [item for item in people.site.control("GET", "ledger/import-items") if item["voucher"] is None]
    keys = {item["node"]["trRegNumber"] for item in waiting} & people.site.journal.documents.keys()
    if (story := people.choose(people.site.journal.documents[key] for key in keys)) is None:
        return
    key = story.key
    rows = [item["dbId"] for item in waiting if item["node"]["trRegNumber"] == key]
    people.site.control("POST", "ledger/import-items/remove", {"rows": rows})
    people.site.journal.documents[key].times_removed += 1
    people.site.journal.note("items removed", key)


def close_a_period(people: People) -> None:
    """Close a period of an entity."""
    period = {
        "owner": people.rng.choice((28601, 28602)),
        "period": people.rng.choice(("2026-08", "2026-09", "2026-10")),
    }
    people.site.control("POST", "ledger/periods", {**period, "closed": True})
    people.site.journal.note(f"closed {period['owner']} {period['period']}")


def open_periods(people: People) -> None:
    """Open every closed period again."""
    people.go_home()
    people.site.journal.note("opened periods")


def change_bank_account(people: People) -> None:
    """Enter another bank account of a supplier in the VMS."""
    code, partner = _partner(people)
    if partner["bankAccount"] is None:
        return
    account = people.rng.choice(IBANS)
    people.site.vms.call("PUT", f"BankAccount/{partner['bankAccount']['key']}", {"iban": account})
    people.site.vms.call(
        "PUT", f"BusinessPartner/{partner['key']}", {"businessPartnerName": partner["businessPartnerName"]}
    )
    people.site.journal.note(f"bank account of {code} changed")


def rename_partner(people: People) -> None:
    """Give a supplier another name in the VMS."""
    code, partner = _partner(people)
    name = f"{partner['businessPartnerName'].split(' *')[0]} *{people.rng.randint(1, 99)}"
    people.site.vms.call("PUT", f"BusinessPartner/{partner['key']}", {"businessPartnerName": name})
    people.site.journal.note(f"{code} renamed")


def _partner(people: People) -> tuple[str, Row]:
    code = people.rng.choice(people.suppliers)
    fields = {"businessPartnerName": "*", "bankAccount": {"iban": "*"}}
    path = f"BusinessPartner?sort=key(AS)&limit=1&pageNumber=1&filter=businessPartnerCode(EQ){code}"
    found = people.site.vms.call("GET", path, fields=fields)
    if not found:
        raise ValueError(code)
    return code, found[0]


def release_bank_account(people: People) -> None:
    """Let a second person release what waits."""
    changes = "SELECT partner_code, new_account FROM bank_changes WHERE decision IS NULL ORDER BY change_id"
    waiting = people.site.ask(changes)
    if not waiting:
        return
    code, account = people.rng.choice(waiting)
    if people.site.steer("release", f"supplier:{code}").value is True:
        people.site.journal.accounts.setdefault(code, set()).update(new for of, new in waiting if of == code)
        people.site.journal.note(f"bank account of {code} released: {str(account)[-4:]}")


def keep_back(people: People) -> None:
    """Put a document on hold or on the ignore list, which is refused for one that was sent."""
    if (story := people.document(is_sent=False)) is None:
        return
    in_flight = people.site.ask("SELECT 1 FROM outbox WHERE kind = 'voucher' AND document_key = ?", story.key)
    action = people.rng.choice(("hold", "ignore"))
    if not in_flight and people.site.steer(action, story.versions[-1].number).value is True:
        story.is_kept_back = True
        people.site.journal.note(action, story.key)


def let_go(people: People) -> None:
    """Lift what somebody put on a document."""
    kept = [story for story in people.site.journal.documents.values() if story.is_kept_back]
    story = people.choose(kept)
    if story and people.site.steer("release", story.versions[-1].number).value is True:
        story.is_kept_back = False
        people.site.journal.note("released", story.key)


def retry(people: People) -> None:
    """Ask for another try of a document."""
    if (story := people.document()) is not None:
        done = people.site.steer("retry", story.versions[-1].number).value
        if done is True:
            people.site.journal.note("retried", story.key)


def copy_the_control_store(people: People) -> None:
    """Make a copy of the control store."""
    if people.site.ask("SELECT 1 FROM batches"):
        people.site.back_up()
        people.site.journal.note("control store copied")


def restore_the_control_store(people: People) -> None:
    """Lose the control store and put the copy in its place, then decide again."""
    if people.site.copy.exists():
        _recover(people, is_copy=True)


def rebuild_the_control_store(people: People) -> None:
    """Lose the control store and make one from both systems, then decide again."""
    if people.site.ask("SELECT 1 FROM batches"):
        _recover(people, is_copy=False)


def _recover(people: People, *, is_copy: bool) -> None:
    done = people.site.recover(is_copy=is_copy)
    journal = people.site.journal
    if "BusyError" in done.traceback:
        journal.note("control store lost in the middle of a run")
        people.put_off.append(lambda: _recover(people, is_copy=is_copy))
        return
    journal.note("control store restored" if is_copy else "control store rebuilt")
    if done.value != []:
        journal.broken.append(f"the control store did not come back: {done}")
        return
    for story in journal.documents.values():
        # What was removed from the ledger before the store was lost, nobody can know of (docs/how-to/recovery.md).
        story.is_forgotten |= bool(story.times_removed)
        if story.is_kept_back:
            people.site.steer("hold", story.versions[-1].number)
    people.site.confirm()


def publish_rate(people: People) -> None:
    """Enter a rate of the day in the ledger."""
    day = f"{people.site.now:%Y-%m-%d}"
    currency = people.rng.choice(("USD", "EUR", "GBP"))
    if people.rng.random() < 0.3:
        day = people.rng.choice(RATE_DAYS)
    rate = {"owner": 28600, "from": currency, "to": "NOK", "rate": f"1{people.rng.randint(0, 9)}.5", "fromDate": day}
    known = {(row["from"], row["fromDate"]) for row in people.site.control("GET", "ledger/rates")}
    if (currency, day) in known:
        # Another value where one may have been sent.
        people.site.journal.rates.add((day, currency))
    people.site.control("POST", "ledger/rates", rate)
    people.site.journal.note(f"rate of {currency} on {day}")


def type_a_rate(people: People) -> None:
    """Enter a rate in the VMS by hand."""
    currency, day = people.rng.choice(("USD", "EUR", "GBP")), people.rng.choice(RATE_DAYS)
    pair = {"fromCurrency": "NOK", "currency": currency, "exchangeRate": 0.1}
    people.site.vms.call("POST", "ExchangeRate", {**pair, "exchangeRateDate": f"{day}T00:00:00"})
    people.site.journal.rates.add((day, currency))
    people.site.journal.note(f"rate of {currency} on {day} typed into the VMS")


def touch_a_rate(people: People) -> None:
    """Change or delete a rate in the VMS, ours or somebody's."""
    rates = [rate for rate in people.site.vms.rates() if rate["fromCurrency"]["currencyCode"] == "NOK"]
    if not rates:
        return
    rate = people.rng.choice(rates)
    day, currency = str(rate["exchangeRateDate"])[:10], rate["currency"]["currencyCode"]
    if people.rng.random() < 0.5:
        people.site.vms.call("DELETE", f"ExchangeRate/{rate['key']}")
    else:
        people.site.vms.call("PUT", f"ExchangeRate/{rate['key']}", {"exchangeRate": 0.2})
    people.site.journal.rates.add((day, currency))
    people.site.journal.note(f"rate of {currency} on {day} changed or deleted in the VMS")


def enter_a_supplier(people: People) -> None:
    """Enter another supplier in the VMS, with a bank account."""
    code = str(people.rng.randint(FIRST_OF_PEOPLE, LAST_OF_PEOPLE))
    partner = {
        "businessPartnerCode": code,
        "businessPartnerName": f"Agency {code}",
        "businessPartnerSort": code,
        "businessPartnerType": "AG",
        "addresses": [{"address1": "Kaigata 1", "zipCode": "5003", "city": "Bergen", "country": "NO"}],
        "bankAccount": {"iban": people.rng.choice(IBANS)},
    }
    people.site.vms.call("POST", "BusinessPartner", partner)
    people.suppliers.append(code)
    people.site.journal.note(f"supplier {code} entered")


def book_by_hand(people: People) -> None:
    """Book a cost on a voyage by hand."""
    amount = f"{people.rng.randint(1, 900)}.50"
    common = {"currency": "NOK", "text": "by hand"}
    lines = [
        {"account": "4300", "project": "V001-2601", "amount": amount, "invoiceAmount": amount, **common},
        {"account": "2960", "amount": f"-{amount}", "invoiceAmount": f"-{amount}", **common},
    ]
    day = f"2026-10-{people.rng.randint(10, 30)}"
    voucher = {"owner": 28601, "source": "GL", "postedDate": day, "text": "by hand", "lines": lines}
    people.site.control("POST", "ledger/vouchers", voucher)
    people.site.journal.note(f"booked {amount} by hand")


def look_at_the_books(site: Site) -> None:
    """Note the account that a supplier was created with: nobody has to release that."""
    for code, account in LedgerBooks.of(site.environ).accounts().items():
        if account and code not in site.journal.accounts:
            site.journal.accounts[code] = {account}


RATE_DEEDS = (publish_rate, type_a_rate, touch_a_rate)
PARTNER_DEEDS = (change_bank_account, rename_partner, release_bank_account, enter_a_supplier)
DEEDS: tuple[Callable[[People], None], ...] = (
    enter_an_invoice, enter_an_invoice, enter_an_accrual, take_an_accrual_back, attach_a_file,
    change_amounts, renumber, change_partner, delete_document, set_to_posted,
    pay, pay, pay, pay, pay, pay, undo_a_match, undo_a_match, reverse_voucher,
    delete_voucher, remove_import_items, remove_import_items, close_a_period, open_periods, keep_back, let_go, retry,
    book_by_hand, copy_the_control_store, restore_the_control_store, rebuild_the_control_store,
    change_bank_account, *PARTNER_DEEDS, *RATE_DEEDS,
)  # fmt: skip
DEED_OF: dict[str, Callable[[People], None]] = {
    deed.__name__.replace("_", " "): deed for deed in (book_what_was_imported, *DEEDS)
}
