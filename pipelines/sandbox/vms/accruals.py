"""Period end in the VMS: generates accruals and their reversals, and posts them in a batch.

Source: docs/systems/vms.md#4-2.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from pipelines.sandbox.vms.errors import ApiError
from pipelines.sandbox.vms.estimates import Estimate, Estimates
from pipelines.sandbox.vms.rates import rounded

if TYPE_CHECKING:
    from pipelines.sandbox.vms.json import Obj
    from pipelines.sandbox.vms.store import VmsStore
    from pipelines.sandbox.vms.write import Writer

# Only these two are made here: how the amounts of CAP, CAR, BAP and BAR come about is not documented, so they come with
# a seed.
_ACCRUAL, _REVERSAL = "ACP", "ACR"


class AccrualRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the generate dialog asks: the month, for which company and voyage (none: all), and what to do with it."""

    period: str
    company: str | None = None
    voyage: str | None = None
    # Accruals of zero are left out unless this is set.
    write_all: bool = False
    # Post the batch (RFP); otherwise it waits in PEN.
    post: bool = True


@dataclass(frozen=True, slots=True)
class AccrualPeriod:
    """A calendar month: its first and last day, and the first day of the next."""

    first: date
    last: date
    next_first: date

    @classmethod
    def read(cls, text: str) -> AccrualPeriod:
        """Read ``2026-10``; raises ApiError 400."""
        try:
            first = date.fromisoformat(f"{text}-01")
        except ValueError as error:
            raise ApiError(f"'period' must be a month such as 2026-10, not {text!r}.") from error
        # 31 days after the first of a month is always in the next month.
        next_first = (first + timedelta(days=31)).replace(day=1)
        return cls(first, next_first - timedelta(days=1), next_first)


class Accruals:
    """Generates one period's documents within one unit of work."""

    def __init__(self, store: VmsStore, writer: Writer) -> None:
        self._store = store
        self._writer = writer
        self._estimates = Estimates(store)

    def generate(self, run: AccrualRun) -> dict[str, object]:
        """Make an ACP on the last day and an ACR on the first day of the next month for each estimate that needs one.

        Gives the numbers of documents made and posted, and what was skipped with the reason. What still waits in
        PEN is made anew; what was posted stays.
        """
        period = AccrualPeriod.read(run.period)
        companies = self._keys("Company", run.company)
        voyages = self._keys("Voyage", run.voyage)
        made: list[str] = []
        skipped: list[dict[str, str]] = []
        for estimate in self._estimates.of(companies, voyages):
            reason = self._skip(estimate, period, write_all=run.write_all)
            if reason is None:
                made.append(self._make(estimate, period))
            else:
                skipped.append({**self._name(estimate), "reason": reason})
        # All that is pending for these companies, from earlier runs too: a batch post asks for no voyage.
        posted = self._post(period, companies) if run.post else 0
        return {"accruals": made, "reversals": len(made), "posted": posted, "skipped": skipped}

    def _keys(self, entity: str, code: str | None) -> set[int]:
        if code is None:
            return set(self._store.tables[entity])
        keys = set(self._store.keys_of(entity, code))
        if not keys:
            raise ApiError(f"There is no {entity} with the code {code!r}.")
        return keys

    def _name(self, estimate: Estimate) -> dict[str, str]:
        return {
            "company": self._store.code_of("Company", estimate.company),
            "voyage": self._store.code_of("Voyage", estimate.voyage),
            "gl_account": estimate.gl_account,
        }

    def _skip(self, estimate: Estimate, period: AccrualPeriod, *, write_all: bool) -> str | None:
        if self._estimates.is_closed(estimate.voyage):
            return "voyage closed"
        if estimate.fulfilment == 0:
            return "fulfilment level zero"
        if self._estimates.days(estimate.voyage) is None:
            return "voyage without start and end"
        # From here on the run writes: the pending documents of an earlier run are removed, even if no new ones follow.
        if self._drop_pending(estimate, period):
            return "posted already"
        if not write_all and self._figures(estimate, period)["documentAmount"] == 0:
            return "accrual is zero"
        return None

    def _figures(self, estimate: Estimate, period: AccrualPeriod) -> dict[str, Decimal]:
        """Give the amounts of an accrual in the voyage currency: the estimate to date less the actual to date."""
        year = date(period.first.year, 1, 1)
        # The day itself does not count: until the first of the next month is the whole month.
        estimated = [self._estimates.to_date(estimate, day) for day in (period.next_first, period.first, year)]
        actual = [self._estimates.actual(estimate, day) for day in (period.next_first, period.first, year)]
        return {
            "documentAmount": estimated[0] - actual[0],
            "estimateAmount": estimated[0] - estimated[1],
            "estimateAmountYtd": estimated[0] - estimated[2],
            "estimateAmountTotal": estimate.total,
            "accountAmount": actual[0] - actual[1],
            "accountAmountYtd": actual[0] - actual[2],
        }

    def _make(self, estimate: Estimate, period: AccrualPeriod) -> str:
        figures = self._figures(estimate, period)
        amount = figures["documentAmount"]
        company_currency = self._store.tables["Company"][estimate.company].get("currency") or estimate.currency
        rate = self._estimates.rate(estimate.currency, company_currency, day=period.last)
        in_company = rounded(amount * rate, currency=self._store.code_of("Currency", company_currency))
        amounts = {"documentAmount": amount, "sourceCurrencyAmount": amount, "companyCurrencyAmount": in_company}
        name = self._name(estimate)
        seen = {"voyage": estimate.voyage, "snapshotDate": _time(period.last)}
        shared = {
            "company": estimate.company,
            "documentCurrency": estimate.currency,
            "documentText": f"Accrual {period.first:%Y-%m} {name['voyage']} {estimate.gl_account}",
            # The contra account; the account of the cost or revenue is on the line (docs/mapping.md#1).
            "glAccount": estimate.accrual_account,
            "voyageSnapshot": self._writer.create("VoyageSnapshot", seen),
            "invoicingStatus": "PEN",
            **figures,
        }
        line = {
            "documentCurrency": estimate.currency,
            "exchangeRate": 1,
            "glAccount": estimate.gl_account,
            "documentLineText": estimate.text or shared["documentText"],
            "quantity": self._estimates.on_hire(estimate.voyage, period.first, period.next_first),
            "voyage": estimate.voyage,
            "invoicingStatus": "PEN",
        }
        number = self._number(name["company"], period)
        own = {"documentType": _ACCRUAL, "documentNo": f"{_ACCRUAL}{number}", "documentDate": _time(period.last)}
        lines = [{**line, **amounts}]
        # Before the reversal, whose line refers to it (docs/systems/vms.md#v12).
        accrual = self._writer.create("Document", {**shared, **own, **amounts, "documentLines": lines})
        negated = {name: -amount for name, amount in amounts.items()}
        day = _time(period.next_first)
        own = {"documentType": _REVERSAL, "documentNo": f"{_REVERSAL}{number}", "documentDate": day}
        lines = [{**line, **negated, "refDocument": accrual}]
        self._writer.create("Document", {**shared, **own, **negated, "documentLines": lines})
        return f"{_ACCRUAL}{number}"

    def _number(self, company: str, period: AccrualPeriod) -> str:
        prefix = f"{period.first:%Y%m}-{company}-"
        taken = {document["documentNo"] for document in self._documents(_ACCRUAL, period.last)}
        count = len(taken) + 1
        while f"{_ACCRUAL}{prefix}{count}" in taken:
            count += 1
        return f"{prefix}{count}"

    def _documents(self, kind: str, day: date) -> list[Obj]:
        table = self._store.tables["Document"]
        kinds = self._store.keys_of("DocumentType", kind)
        keys = sorted(key for one in kinds for key in self._store.indexes.find("Document", "documentType", value=one))
        return [table[key] for key in keys if str(table[key].get("documentDate"))[:10] == day.isoformat()]

    def _is_pending(self, document: Obj) -> bool:
        return document.get("invoicingStatus") in self._store.keys_of("StatusType", "PEN")

    def _drop_pending(self, estimate: Estimate, period: AccrualPeriod) -> bool:
        """Remove what an earlier run left in PEN; tell whether the accrual was posted, and so must stay."""
        # The reversal first: an accrual cannot be removed while its reversal refers to it.
        for kind, day in ((_REVERSAL, period.next_first), (_ACCRUAL, period.last)):
            for document in self._documents(kind, day):
                lines = [self._store.tables["DocumentLine"][key] for key in document.get("documentLines") or []]
                of = [(document.get("company"), line.get("voyage"), line.get("glAccount")) for line in lines]
                if (estimate.company, estimate.voyage, estimate.gl_account) in of:
                    if not self._is_pending(document):
                        return True
                    self._writer.delete("Document", document["key"])
        return False

    def _post(self, period: AccrualPeriod, companies: set[int]) -> int:
        waiting = [*self._documents(_ACCRUAL, period.last), *self._documents(_REVERSAL, period.next_first)]
        chosen = [one for one in waiting if self._is_pending(one) and one.get("company") in companies]
        for document in chosen:
            # All lines, by key: a line that a PUT leaves out is removed (docs/systems/vms.md#1-8).
            lines: list[dict[str, Any]] = [
                {"key": key, "invoicingStatus": "RFP"} for key in document.get("documentLines") or []
            ]
            self._writer.update("Document", document["key"], {"invoicingStatus": "RFP", "documentLines": lines})
        return len(chosen)


def _time(day: date) -> str:
    return datetime(day.year, day.month, day.day).isoformat()  # noqa: DTZ001 (the VMS has no zones)
