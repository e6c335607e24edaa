"""Judges a storm by the books of both systems: what must be there is there once and to the cent, and nothing else is.

It reads both systems over HTTP and the journal of what people did. Of Springline it gets two lists to hold against the
books: what it says is held, and what it says differs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from tests.storm.books import LedgerBooks, VmsApi
from tests.storm.journal import DocumentStory, Journal

Row = dict[str, Any]
ZERO = Decimal(0)
POSTED, READY = "POS", "RFP"
RATE_DAYS = 7
RATE_TOLERANCE = Decimal("0.000001")
SIGN = {"AP": -1, "AR": 1}
# What people do in the ledger to a voucher that is there: it is theirs from then on.
UNDONE = frozenset({"items removed", "deleted in the ledger"})


class Violation(NamedTuple):
    """One thing that must not be, about one object."""

    invariant: str
    subject: str
    words: str


class Said(NamedTuple):
    """What Springline says: the documents it holds, by number, the words of every open break, and what it sent again.

    The last are the keys of documents of which `explain` says that they went a second time after a call of unknown fate
    (docs/reliability.md#sent-again).
    """

    held: Mapping[str, str]
    breaks: Sequence[str]
    sent_again: Collection[int] = ()


@dataclass(slots=True)
class Auditor:
    """The books as they are when the last run is over."""

    journal: Journal
    said: Said
    today: date
    documents: dict[int, Row]
    rates: list[Row]
    vouchers: list[Row]
    items: list[Row]
    ledger_rates: list[Row]
    accounts: dict[str, str | None]
    by_key: dict[int, list[Row]] = field(init=False)

    def __post_init__(self) -> None:
        """Sort the vouchers that were imported by the document they are of."""
        self.by_key = {}
        for voucher in self.vouchers:
            if voucher["importedAt"] and voucher["trRegNumber"]:
                self.by_key.setdefault(voucher["trRegNumber"], []).append(voucher)

    @classmethod
    def of(cls, vms: VmsApi, ledger: LedgerBooks, journal: Journal, said: Said, today: date) -> Auditor:
        """Read both systems; what waits in the ledger's import is booked first."""
        ledger.see("post", method="POST")
        return cls(
            journal,
            said,
            today,
            {row["key"]: row for row in vms.documents()},
            vms.rates(),
            ledger.see("vouchers"),
            ledger.see("import-items"),
            ledger.see("rates"),
            ledger.accounts(),
        )

    def violations(self, jobs: Collection[str] = ("documents", "payments", "rates", "actuals")) -> list[Violation]:
        """Judge what these jobs have had to do, and bank accounts always."""
        judges = {
            "documents": self._documents,
            "payments": self._payments,
            "rates": self._rates,
            "actuals": self._actuals,
        }
        found = [violation for job, judge in judges.items() if job in jobs for violation in judge()]
        return [*found, *self._accounts()]

    def times_sent(self, key: int) -> int:
        """Count how often a voucher was written: the ledger keeps what it received, but for what people took out."""
        numbers = Counter(row["node"]["trItemNumber"] for row in self.items if row["node"]["trRegNumber"] == key)
        return max(numbers.values(), default=0) + self.journal.documents[key].times_removed

    def _is_explained(self, story: DocumentStory) -> bool:
        names = {str(story.key), *story.numbers}
        return any(name in words for words in self.said.breaks for name in names)

    def _hold(self, story: DocumentStory) -> str | None:
        return next((self.said.held[number] for number in story.numbers if number in self.said.held), None)

    def _documents(self) -> Iterator[Violation]:
        for story in self.journal.documents.values():
            yield from self._document(story)

    def _document(self, story: DocumentStory) -> Iterator[Violation]:
        subject = f"{story.key} {story.versions[-1].number}"
        row = self.documents.get(story.key)
        status = row["invoicingStatus"]["statusTypeCode"] if row else None
        sent, there = self.times_sent(story.key), self.by_key.get(story.key, [])
        waiting = any(item["voucher"] is None for item in self.items if item["node"]["trRegNumber"] == story.key)
        is_told = story.is_forgotten or story.key in self.said.sent_again
        if sent > 1 and not (story.times_removed and is_told):
            yield Violation("doubled", subject, f"written {sent} times, {story.times_removed} of them taken out")
        if len(there) + waiting > 1:
            yield Violation("doubled", subject, f"{len(there)} vouchers and {int(waiting)} in the import")
        # What was removed before the control store was lost was never there, for all that anybody can know.
        sent -= story.times_removed if story.is_forgotten else 0
        if sent and (story.fault or story.is_kept_back):
            yield Violation("held went out", subject, story.fault or "kept back by a person")
        if not sent and status in {READY, POSTED}:
            yield from self._unsent(story, subject, status)
        is_alike = "may be in the ledger already" in (self._hold(story) or "")
        if sent and status == READY and not is_alike and not self._is_explained(story):
            yield Violation("not acknowledged", subject, "is in the ledger and still RFP")
        # Where the VMS does not have it any more either, both sides agree.
        if sent and row and not there and not waiting and not story.is_forgotten and not self._is_explained(story):
            yield Violation("unexplained", subject, f"gone from the ledger: {story.deeds}")
        for voucher in there:
            yield from self._amounts(story, subject, voucher)

    def _unsent(self, story: DocumentStory, subject: str, status: str) -> Iterator[Violation]:
        if status == POSTED and not story.is_forgotten and "set to posted by hand" not in story.deeds:
            yield Violation("acknowledged and not there", subject, "is POS, and nothing of it is in the ledger")
        if status == READY and not (story.fault or story.is_kept_back):
            hold = self._hold(story)
            if hold is None:
                yield Violation("lost", subject, "is RFP, and neither in the ledger nor held")
            elif not set(story.deeds) - {"entered"} and not self._is_about_a_rate(hold):
                yield Violation("held for nothing", subject, hold)

    def _is_about_a_rate(self, hold: str) -> bool:
        """Tell whether amounts are held against a rate that people have typed, right or wrong (docs/mapping.md#1-6)."""
        return hold.startswith("amounts_contradict") and any(deed.startswith("rate of") for deed in self.journal.deeds)

    def _amounts(self, story: DocumentStory, subject: str, voucher: Row) -> Iterator[Violation]:
        if any(sum(Decimal(line[name]) for line in voucher["lines"]) for name in ("amount", "invoiceAmount")):
            yield Violation("altered", subject, "its voucher does not balance")
        # Control lines alone carry an invoice date.
        entered = [[Decimal(one.amount), Decimal(one.company_amount)] for one in story.versions]
        if story.side in SIGN:
            controls = [line for line in voucher["lines"] if (line["sent"] or {}).get("invoiceDate")]
            booked = [SIGN[story.side] * _total(controls, name) for name in ("invoiceAmount", "amount")]
        else:
            # What has no partner has one line, with the sign it was entered with; its contra account is of the balance.
            costs = [line for line in voucher["lines"] if not line["balanceSheet"]]
            booked = [_total(costs, name) for name in ("invoiceAmount", "amount")]
        if booked not in entered:
            yield Violation("altered", subject, f"the ledger has {booked}, the VMS had {entered}")
        elif booked != entered[-1] and story.key in self.documents and not self._is_explained(story):
            yield Violation("unexplained", subject, f"the ledger has {booked}, the VMS {entered[-1]}: {story.deeds}")

    def _payments(self) -> Iterator[Violation]:
        told: dict[str, Decimal] = {}
        numbers = Counter(row["documentNo"] for row in self.documents.values() if _type(row) in {"PMI", "PMO"})
        yield from (Violation("paid twice", number, "is there twice") for number, count in numbers.items() if count > 1)
        for row in self.documents.values():
            if _type(row) in {"PMI", "PMO"}:
                number = row["documentLines"][0]["refDocument"]["documentNo"]
                told[number] = told.get(number, ZERO) + Decimal(row["documentAmount"])
        for story in self.journal.documents.values():
            if story.key not in self.documents or story.key not in self.by_key:
                continue
            row = self.documents[story.key]
            # A payment takes the sign of what it settles away (docs/mapping.md#3).
            settled = -abs(self._settled(story.key)) if Decimal(row["documentAmount"]) > 0 else self._settled(story.key)
            there = told.get(row["documentNo"], ZERO)
            is_same = abs(there) == abs(settled)
            if not is_same and not self._is_explained(story):
                yield Violation("payments", f"{story.key}", f"settled {settled}, the VMS has {there}: {story.deeds}")

    def _settled(self, key: int) -> Decimal:
        rows = [
            line["subledgerRow"] | line
            for voucher in self.by_key[key]
            for line in voucher["lines"]
            if line["subledgerRow"]
        ]
        return sum((Decimal(r["invoiceAmount"]) - Decimal(r["invoiceRemaining"]) for r in rows), ZERO)

    def _rates(self) -> Iterator[Violation]:
        there: dict[tuple[str, str], list[Decimal]] = {}
        for rate in self.rates:
            if rate["fromCurrency"]["currencyCode"] == "NOK":
                key = (str(rate["exchangeRateDate"])[:10], rate["currency"]["currencyCode"])
                there.setdefault(key, []).append(Decimal(str(rate["exchangeRate"])))
        first = str(self.today - timedelta(days=RATE_DAYS))
        for rate in self.ledger_rates:
            key = (rate["fromDate"], rate["from"])
            if rate["owner"] != 28600 or rate["to"] != "NOK" or not first < rate["fromDate"] <= str(self.today):
                continue
            wanted = Decimal(rate["unit"]) / Decimal(rate["rate"])
            found = there.get(key, [])
            is_right = len(found) == 1 and abs(found[0] - wanted) <= wanted * RATE_TOLERANCE
            if not is_right and not (key in self.journal.rates and self._names_rate(*key)):
                yield Violation("rates", " ".join(key), f"the ledger has {wanted:.9f}, the VMS {found}")

    def _names_rate(self, day: str, currency: str) -> bool:
        return any(day in words and currency in words for words in self.said.breaks)

    def _actuals(self) -> Iterator[Violation]:
        told: dict[tuple[str, ...], list[Decimal]] = {}
        for row in self.documents.values():
            line = row["documentLines"][0] if row["documentLines"] else {}
            if _type(row) == "ACC" and str(row["documentNo"]).startswith("ACT"):
                voyage = str(line["voyage"]["voyageHeader"]["referenceNo"])
                key: tuple[str, ...] = (str(row["documentDate"])[:7], voyage, str(line["glAccount"]), _currency(row))
                _add(told, key, row["documentAmount"], row["companyCurrencyAmount"])
        booked: dict[tuple[str, ...], list[Decimal]] = {}
        own = {story.key: story for story in self.journal.documents.values() if story.side not in SIGN}
        unknowable: set[tuple[str, ...]] = set()
        for voucher in self.vouchers:
            # Accruals and bunker transactions the VMS has already (docs/mapping.md#5).
            story = own.get(voucher["trRegNumber"]) if voucher["importedAt"] else None
            for line in voucher["lines"]:
                if line["project"] and not line["balanceSheet"]:
                    key = (voucher["postedDate"][:7], line["project"], line["account"], line["currency"])
                    if story is None:
                        _add(booked, key, line["invoiceAmount"], line["amount"])
                    elif self.journal.is_store_lost and (story.key not in self.documents or story.is_forgotten):
                        # Nothing says any more that it came from the VMS (docs/reliability.md#sent-again).
                        unknowable.add(key)
        for key in sorted((booked.keys() | told.keys()) - unknowable):
            sums = [one.get(key, [ZERO, ZERO]) for one in (booked, told)]
            if sums[0] != sums[1] and not any(key[1] in words and key[2] in words for words in self.said.breaks):
                yield Violation("actuals", " ".join(key), f"the ledger has {sums[0]}, the VMS {sums[1]}")

    def _accounts(self) -> Iterator[Violation]:
        for code, account in self.accounts.items():
            allowed = self.journal.accounts.get(code, set())
            if account and not _is_one_of(account, allowed):
                yield Violation("bank account", code, f"…{account[-4:]} was released by nobody")
        for item in self.items:
            partner = str((item["node"].get("subledger") or {}).get("code"))
            account = item["node"].get("bankAccount")
            if account and not _is_one_of(account, self.journal.accounts.get(partner, set())):
                yield Violation("bank account", partner, f"…{account[-4:]} stands on {item['node']['extOrderNumber']}")


def _is_one_of(account: str, allowed: set[str]) -> bool:
    # An IBAN ends with the national number, which is what the ledger may have of it.
    return any(one.endswith(account) or account.endswith(one) for one in allowed)


def _add(sums: dict[tuple[str, ...], list[Decimal]], key: tuple[str, ...], *amounts: object) -> None:
    before = sums.get(key, [ZERO, ZERO])
    sums[key] = [one + Decimal(str(amount)) for one, amount in zip(before, amounts, strict=True)]


def _total(lines: Sequence[Row], name: str) -> Decimal:
    return sum((Decimal(line[name]) for line in lines), ZERO)


def _type(row: Row) -> str:
    return str(row["documentType"]["documentType"])


def _currency(row: Row) -> str:
    return str(row["documentCurrency"]["currencyCode"])
