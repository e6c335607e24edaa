"""Estimates and actuals to date per voyage and account, prorated by on-hire days (docs/systems/vms.md#4-2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.sandbox.vms.rates import latest_rates, price, rounded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.sandbox.vms.json import Obj
    from pipelines.sandbox.vms.store import VmsStore

# Not documented, as in documents.py.
_CLOSED = "CLO"
_DAY = timedelta(days=1)
_DAYS = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a voyage is estimated to cost or earn on an account, in the voyage currency, costs positive."""

    company: int
    voyage: int
    gl_account: str
    accrual_account: str
    currency: int
    total: Decimal
    fulfilment: Decimal = Decimal(1)
    text: str | None = None


class Estimates:
    """Reads estimates, voyages, off-hire, actuals and rates from the store."""

    def __init__(self, store: VmsStore) -> None:
        self._store = store
        self._rates: dict[date, dict[tuple[int, int], Decimal]] = {}

    def of(self, companies: set[int], voyages: set[int]) -> Iterator[Estimate]:
        """Give the estimates of some companies and voyages.

        They are the VoyageEstimate objects (the sandbox's own: the VMS's voyage calculation is not documented) and,
        where a voyage and account has none, what its latest accrual states as total estimate.
        """
        # Later ones win: the latest accrual over earlier ones, a stated estimate over both.
        found = {(one.company, one.voyage, one.gl_account): one for one in (*self._from_accruals(), *self._stated())}
        for company, voyage, account in sorted(found):
            if company in companies and voyage in voyages:
                yield found[company, voyage, account]

    def is_closed(self, voyage: int) -> bool:
        """Tell whether the voyage's status is Closed."""
        header = self._store.tables["VoyageHeader"].get(self._voyage(voyage).get("voyageHeader") or 0, {})
        return self._store.code_of("StatusType", header.get("voyageStatus") or 0) == _CLOSED

    def days(self, voyage: int) -> tuple[datetime, datetime] | None:
        """Give the voyage's start and end, None where it has none."""
        row = self._voyage(voyage)
        try:
            # In UTC, as the names say (docs/systems/vms.md#v9); the months here also begin at midnight UTC.
            start, end = (datetime.fromisoformat(str(row.get(f"voyage{side}DateGMT"))) for side in ("Start", "End"))
        except ValueError:
            return None
        return (start, end) if start < end else None

    def on_hire(self, voyage: int, first: date, until: date) -> Decimal:
        """Give the on-hire days of a voyage from ``first`` to before ``until``, to 4 decimals."""
        span = self.days(voyage)
        return Decimal(0) if span is None else self._on_hire(voyage, *span, first, until).quantize(_DAYS)

    def to_date(self, estimate: Estimate, until: date) -> Decimal:
        """Give the estimate up to before ``until``: the total, prorated by on-hire days."""
        span = self.days(estimate.voyage)
        if span is None:
            return Decimal(0)
        whole = self._on_hire(estimate.voyage, *span, date.min, date.max)
        done = self._on_hire(estimate.voyage, *span, date.min, until)
        share = done / whole if whole else Decimal(0)
        amount = estimate.total * estimate.fulfilment * share
        return rounded(amount, currency=self._store.code_of("Currency", estimate.currency))

    def actual(self, estimate: Estimate, until: date) -> Decimal:
        """Give what accounting and bunker transactions (type ACC) put on the voyage and account before ``until``."""
        total = Decimal(0)
        for key in self._store.indexes.find("DocumentLine", "voyage", value=estimate.voyage):
            line = self._store.tables["DocumentLine"][key]
            document = self._store.tables["Document"][line["document"]]
            if line.get("glAccount") == estimate.gl_account and self._counts(document, estimate, until=until):
                total += self._in_currency(line, document, estimate, until=until)
        return rounded(total, currency=self._store.code_of("Currency", estimate.currency))

    def rate(self, of: int, to: int, *, day: date) -> Decimal:
        """Give the price of one ``of`` in ``to`` on a day; raises ApiError 400 when there is none."""
        if day not in self._rates:
            self._rates[day] = latest_rates(self._store, day=day)
        return price(self._store, self._rates[day], of=of, to=to)

    def _counts(self, document: Obj, estimate: Estimate, *, until: date) -> bool:
        if str(document.get("documentDate"))[:10] >= until.isoformat():
            return False
        status = self._store.code_of("StatusType", document.get("invoicingStatus") or 0)
        kind = self._store.code_of("DocumentType", document.get("documentType") or 0)
        # Bunker transactions count from RFP on: the VMS already counts them as actuals (docs/systems/vms.md#3-8).
        return (kind, document.get("company")) == ("ACC", estimate.company) and status in ("RFP", "POS")

    def _in_currency(self, line: Obj, document: Obj, estimate: Estimate, *, until: date) -> Decimal:
        if document.get("documentCurrency") == estimate.currency:
            return _number(line.get("documentAmount"))
        company_currency = self._store.tables["Company"][estimate.company].get("currency") or estimate.currency
        # At the rate of the last day that counts.
        rate = self.rate(company_currency, estimate.currency, day=until - _DAY)
        return _number(line.get("companyCurrencyAmount")) * rate

    def _voyage(self, key: int) -> Obj:
        return self._store.tables["Voyage"][key]

    def _on_hire(self, voyage: int, start: datetime, end: datetime, first: date, until: date) -> Decimal:
        lower = max(start, datetime.combine(first, time.min))
        upper = min(end, datetime.combine(until, time.min))
        seconds = max((upper - lower).total_seconds(), 0.0)
        # Off-hire periods must not overlap: common days would be subtracted twice.
        for off in self._store.tables["Offhire"].values():
            if off.get("voyage") == voyage:
                away = datetime.fromisoformat(off["offhireFrom"]), datetime.fromisoformat(off["offhireTo"])
                seconds -= max((min(upper, away[1]) - max(lower, away[0])).total_seconds(), 0.0)
        return Decimal(int(seconds)) / int(_DAY.total_seconds())

    def _stated(self) -> Iterator[Estimate]:
        for row in self._store.tables["VoyageEstimate"].values():
            yield Estimate(
                row["company"],
                row["voyage"],
                row["glAccount"],
                row["accrualAccount"],
                row["documentCurrency"],
                Decimal(row["estimateAmount"]),
                Decimal(1 if row.get("fulfilmentLevel") is None else row["fulfilmentLevel"]),
                row.get("accountText"),
            )

    def _from_accruals(self) -> Iterator[Estimate]:
        kinds = self._store.keys_of("DocumentType", "ACP")
        keys = [key for kind in kinds for key in self._store.indexes.find("Document", "documentType", value=kind)]
        documents = [self._store.tables["Document"][key] for key in keys]
        for document in sorted(documents, key=lambda row: (str(row.get("documentDate")), row["key"])):
            total, head = document.get("estimateAmountTotal"), document.get("glAccount")
            for key in document.get("documentLines") or []:
                line = self._store.tables["DocumentLine"][key]
                voyage, account = line.get("voyage"), line.get("glAccount")
                if isinstance(total, int | Decimal) and head and account and voyage:
                    currency = document["documentCurrency"]
                    yield Estimate(document["company"], voyage, account, head, currency, Decimal(total))


def _number(value: object) -> Decimal:
    return Decimal(value) if isinstance(value, int | Decimal) else Decimal(0)
