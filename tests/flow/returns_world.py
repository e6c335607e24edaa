"""A small world with invoices in the books: people pay and match in the ledger, and the jobs bring it back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self, cast

from pipelines import extract_steps, post_steps
from pipelines.batch import run_batch
from pipelines.control import Control
from pipelines.counts import Counts
from pipelines.extract.returns import extract_actuals, extract_payments, extract_rates
from pipelines.jobs import Job, Step
from pipelines.load.actuals import deliver_actuals
from pipelines.load.payments import deliver_payments
from pipelines.load.rates import deliver_rates
from pipelines.models.build import build
from pipelines.models.external import read_external
from pipelines.models.store import open_catalog
from pipelines.models.table_ref import TableRef
from pipelines.outbox.intent import Intent, Json, Kind
from pipelines.outbox.states import State
from pipelines.outbox.store import Move, Outbox
from pipelines.reconcile.returns import note_actual_breaks, note_payment_breaks, note_rate_breaks
from pipelines.resources import sql_folder
from pipelines.settings import load_settings
from pipelines.warehouse import copy_control, write_settings
from tests.sandbox_server import running_sandbox, write_seed

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.batch import BatchResult
    from pipelines.context import Context
    from pipelines.extract.land import Extracted
    from pipelines.load.delivered import Delivered

Row = dict[str, Any]
TODAY = date(2026, 11, 2)
MODELS = "springline.models.json"
CLOCK = "2026-11-02T08:00:00Z"
NO_LIMITS = {"burst_requests": None, "concurrency": None, "credits_per_hour": None, "posting_every_minutes": None}
SIDES = {"INI": "AP", "CRI": "AP", "INO": "AR", "CRO": "AR"}
PARTNERS = {"AP": "60526", "AR": "70001"}
CONTROL = {"AP": "2400", "AR": "1500"}
MEMBERS = (
    "documentNo", "documentAmount", "companyCurrencyAmount", "sourceCurrencyAmount", "documentDate",
    "externalDocumentNo", "glAccount",
)  # fmt: skip
FIELDS = {
    **dict.fromkeys(MEMBERS, "*"),
    "documentType": {"documentType": "*"},
    "documentCurrency": {"currencyCode": "*"},
    "company": {"companyCode": "*"},
    "businessPartner": {"businessPartnerCode": "*"},
    "documentLines": {
        "exchangeRate": "*",
        "isAccountsPayable": "*",
        "glAccount": "*",
        "refDocument": {"documentNo": "*"},
        "voyage": {"voyageHeader": {"referenceNo": "*"}},
    },
}


@dataclass(frozen=True, slots=True)
class Invoice:
    """A document of the VMS whose voucher is in the books; amounts in its currency, credit notes negative."""

    number: str
    type: str
    amounts: tuple[str, ...]
    currency: str = "USD"
    rate: str = "10"
    external: str | None = None
    is_typed: bool = False

    @property
    def side(self) -> str:
        return SIDES[self.type]

    @property
    def invoice_number(self) -> str:
        return self.external or self.number

    @property
    def text(self) -> str:
        return f"{self.number} {'Nordic Agency AS' if self.side == 'AP' else 'Both Ltd'}"

    @property
    def total(self) -> Decimal:
        return sum(map(Decimal, self.amounts), Decimal(0))


def _lines(objects: Mapping[str, Iterable[Row]]) -> dict[str, str]:
    return {name: "\n".join(json.dumps(item, default=str) for item in items) for name, items in objects.items()}


def _ledger(invoices: Iterable[Invoice], rates: Iterable[Row]) -> dict[str, list[Row]]:
    vessels = [{"kind": "VESSEL", "code": "V001", "description": "Alpha", "owner": 28600}]
    codes = ("AP", "AR", "GL", "DR", "OCR", "BA", "XX")
    return {
        "currencies": [{"code": c, "minor": 0 if c == "JPY" else 2} for c in ("NOK", "USD", "EUR", "SGD", "JPY")],
        "countries": [{"code": "NO"}],
        "entities": [
            {"ownerCode": 28600, "description": "Group", "currency": "NOK", "glObjects": {"glObject1": "VESSEL"}},
            {"ownerCode": 28601, "description": "Norway", "currency": "NOK", "parent": 28600},
        ],
        "object_values": vessels,
        "accounts": [
            {"code": "1500", "description": "Receivables", "owner": 28600, "balanceSheet": True, "ledgerType": "AR"},
            {"code": "1920", "description": "Bank", "owner": 28600, "balanceSheet": True},
            {"code": "2400", "description": "Payables", "owner": 28600, "balanceSheet": True, "ledgerType": "AP"},
            {"code": "2960", "description": "Accruals", "owner": 28600, "balanceSheet": True},
            *({"code": code, "description": code, "owner": 28600} for code in ("3000", "4300", "4999", "7770", "8160")),
        ],
        "transaction_sources": [{"code": code} for code in codes],
        "suppliers": [{"code": "60526", "description": "Nordic Agency AS", "owner": 28600}],
        "companies": [{"code": "70001", "description": "Both Ltd", "owner": 28600}],
        "customers": [{"code": "70001", "description": "Both Ltd", "owner": 28600, "company": "70001"}],
        "projects": [
            {"code": code, "description": code, "owner": 28600, "fromDate": "2026-01-01", "toDate": "2027-12-31"}
            for code in ("V001-2601", "V001-2602", "OFFICE")
        ],
        "exchange_rates": list(rates),
        "vouchers": [_voucher(invoice) for invoice in invoices],
    }  # fmt: skip


def _voucher(invoice: Invoice) -> Row:
    sign = -1 if invoice.side == "AP" else 1
    common = {"currency": invoice.currency, "text": invoice.text}
    control = [
        {
            "account": CONTROL[invoice.side],
            "subledger": PARTNERS[invoice.side],
            "invoiceNumber": invoice.invoice_number,
            "invoiceAmount": str(sign * Decimal(amount)),
            "amount": str(sign * Decimal(amount) * Decimal(invoice.rate)),
            "dueDate": f"2026-11-{10 + place}",
            **common,
        }
        for place, amount in enumerate(invoice.amounts)
    ]
    total = -sign * invoice.total
    cost = {"account": "4300", "invoiceAmount": str(total), "amount": str(total * Decimal(invoice.rate)), **common}
    return {
        "owner": 28601,
        "source": invoice.side,
        "postedDate": "2026-10-05",
        "text": f"{invoice.number} typed by hand" if invoice.is_typed else invoice.text,
        "imported": not invoice.is_typed,
        "lines": [*control, cost],
    }


def _vms(invoices: Iterable[Invoice]) -> dict[str, list[Row]]:
    statuses = [("PEN", "D"), ("INV", "D"), ("RFP", "D"), ("POS", "D"), ("OPR", "V")]
    types = ("INI", "INO", "CRI", "CRO", "PMI", "PMO", "ACC", "ACP", "ACR")
    return {
        "Currency": [{"currencyCode": code} for code in ("NOK", "USD", "EUR", "SGD", "JPY")],
        "Country": [{"countryCode": "NO", "currency": "NOK"}, {"countryCode": "US", "currency": "USD"}],
        "StatusType": [{"statusTypeCode": c, "statusTypeDesc": c, "statusClass": kind} for c, kind in statuses],
        "DocumentType": [{"documentType": code, "documentTypeDesc": code} for code in types],
        "Company": [{"companyCode": "28601", "companyName": "Norway", "country": "NO", "currency": "NOK"}],
        "System": [{"key": 1000000, "country": "US"}],
        "BusinessPartner": [
            {"businessPartnerCode": code, "businessPartnerName": code, "businessPartnerSort": code}
            for code in PARTNERS.values()
        ],
        "Vessel": [{"vesselName": "Alpha", "vesselCodes": [{"vesselCode": "V001"}]}],
        "VoyageHeader": [{"referenceNo": "V001-2601", "voyageStatus": "OPR"}],
        "Voyage": [{"voyageHeader": "V001-2601", "vessel": "V001"}],
        "Account": [{"accountCode": code, "glAccount": code} for code in ("3000", "4300")],
        "Document": [_document(5_200_000 + place, invoice) for place, invoice in enumerate(invoices)],
    }


def _document(key: int, invoice: Invoice) -> Row:
    amounts = {
        "documentAmount": float(invoice.total),
        "companyCurrencyAmount": float(invoice.total * Decimal(invoice.rate)),
    }
    return {
        "key": key,
        "documentType": invoice.type,
        "documentNo": invoice.number,
        "documentDate": "2026-10-05T00:00:00",
        "documentCurrency": invoice.currency,
        "company": "28601",
        "businessPartner": PARTNERS[invoice.side],
        "invoicingStatus": "POS",
        **amounts,
        "documentLines": [{**amounts, "glAccount": "4300", "voyage": "V001-2601"}],
    }


def _reading(extract: Callable[[Context], Extracted]) -> Callable[[Context], Counts]:
    def run(ctx: Context) -> Counts:
        extract_steps._prepare(ctx)
        return extract_steps._counts(extract(ctx))

    return run


def _sending(deliver: Callable[[Context], Delivered]) -> Callable[[Context], Counts]:
    return lambda ctx: post_steps._counts(ctx, deliver(ctx))


def _building(*names: str) -> Callable[[Context], Counts]:
    """Build these models and what they read, no others: the posting models have tests of their own."""

    def run(ctx: Context) -> Counts:
        write_settings(ctx.warehouse, ctx.settings, today=ctx.today, tax_rules={})
        copy_control(ctx.warehouse, ctx.control)
        cache = ctx.settings.warehouse_path.with_suffix(".models.json")
        models = open_catalog(sql_folder(), read_external(ctx.warehouse), cache=cache).models
        wanted = set(map(TableRef.parse, names))
        for model in reversed(models):
            wanted |= set(model.reads) if model.ref in wanted else set()
        build(ctx.warehouse, models, only=wanted)
        return Counts()

    return run


def _job(
    name: str,
    extract: Callable[[Context], Extracted],
    models: tuple[str, ...],
    note: Callable[[Context], Counts],
    deliver: Callable[[Context], Delivered],
) -> Job:
    return Job(
        name,
        (
            Step(f"read {name}", _reading(extract)),
            Step("build models", _building(*models)),
            Step("note breaks", note),
            Step(f"send {name}", _sending(deliver), writes_outside=True),
        ),
    )


RATE_MODELS = ("post.rate_changes", "post.rate_breaks")
PAYMENT_MODELS = ("post.payment_changes", "post.payment_breaks", "post.unplaced_matches")
ACTUAL_MODELS = ("post.actual_changes", "post.actual_breaks")
RATES = _job("rates", extract_rates, RATE_MODELS, note_rate_breaks, deliver_rates)
PAYMENTS = _job("payments", extract_payments, PAYMENT_MODELS, note_payment_breaks, deliver_payments)
ACTUALS = _job("actuals", extract_actuals, ACTUAL_MODELS, note_actual_breaks, deliver_actuals)


def _copy_models(source: Path, target: Path) -> None:
    """Share the verified models with the worlds of other modules, as the runs of one installation do."""
    if (source / MODELS).exists():
        shutil.copy(source / MODELS, target / MODELS)


class Returns:
    """The running world, and one installation of Springline that has sent these invoices."""

    def __init__(
        self, folder: Path, invoices: Iterable[Invoice] = (), *, rates: Iterable[Row] = (), **environ: str
    ) -> None:
        self.folder = folder
        self.invoices = {invoice.number: invoice for invoice in invoices}
        _copy_models(folder.parent, folder)
        listed = list(self.invoices.values())
        seed = write_seed(folder / "seed", _lines(_vms(listed)), _lines(_ledger(listed, rates)))
        self.sandbox = running_sandbox(folder, seed)
        self.sandbox.control("POST", "clock", {"now": CLOCK})
        self.sandbox.control("POST", "ledger/settings", NO_LIMITS)
        self.vms = self.sandbox.vms()
        self.environ = {
            **self.sandbox.env,
            "SPRINGLINE_WAREHOUSE": str(folder / "springline.duckdb"),
            "SPRINGLINE_VMS__ATTEMPTS": "1",
            # How long a call without an answer may still be at work: the sandbox's take milliseconds.
            "SPRINGLINE_VMS__TIMEOUT": "0.5",
            **{f"SPRINGLINE_{name}": value for name, value in environ.items()},
        }
        self.started = datetime.now(UTC)
        self.later = timedelta(0)
        self._note_sent(listed)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.vms.close()
        self.sandbox.close()
        _copy_models(self.folder, self.folder.parent)

    def sign_in(self) -> None:
        """Take a new token, where the old one has run out."""
        self.vms.close()
        self.vms = self.sandbox.vms()

    def now(self) -> datetime:
        """Give the sandbox's time, ``later`` by what a test has let pass."""
        return datetime(2026, 11, 2, 8, tzinfo=UTC) + (datetime.now(UTC) - self.started) + self.later

    def _note_sent(self, invoices: Iterable[Invoice]) -> None:
        with self.outbox() as outbox:
            intents = [_intent(5_200_000 + place, invoice) for place, invoice in enumerate(invoices)]
            outbox.store_intents(intents)
            outbox.apply(Move(intent.id, State.SENDING) for intent in intents)
            outbox.apply(Move(intent.id, State.SENT) for intent in intents)

    @contextmanager
    def outbox(self) -> Iterator[Outbox]:
        """Open the outbox, as a run before would have."""
        control = Control(load_settings(None, environ=self.environ).control_path)
        yield Outbox(control, batch_id="before", now=self.now)
        control.close()

    def run(self, *jobs: Job, **environ: str) -> BatchResult:
        variables = {f"SPRINGLINE_{name}": value for name, value in environ.items()}
        settings = load_settings(None, environ={**self.environ, **variables})
        return run_batch(settings, jobs=jobs, operator="night run", now=self.now, today=TODAY)

    def ask(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        """Query the control store."""
        control = Control(load_settings(None, environ=self.environ).control_path)
        try:
            return [tuple(row) for row in control.read(statement, values)]
        finally:
            control.close()

    def rows(self, number: str) -> list[int]:
        """Give the ids of an invoice's rows in the ledger."""
        text = _voucher(self.invoices[number])["text"]
        vouchers = [v for v in self.sandbox.control("GET", "ledger/vouchers") if v["text"] == text]
        return [line["subledgerRow"]["dbId"] for line in vouchers[0]["lines"] if line["subledgerRow"]]

    def pay(self, amount: str, settles: Mapping[str, str] | None = None, **members: object) -> Row:
        """Book a payment by hand that settles so much of each document; ``members`` are the payment's own."""
        given = settles or {}
        side = self.invoices[next(iter(given))].side if given else str(members["side"])
        parts = [{"invoice_number": self.invoices[n].invoice_number, "amount": size} for n, size in given.items()]
        payment = {
            "owner": 28601,
            "side": side,
            "source": "DR",
            "date": "2026-10-20",
            "currency": "USD",
            "amount": amount,
            "company_amount": str(Decimal(amount) * 10),
            "subledger": PARTNERS[side],
            "match": parts,
            **members,
        }
        return dict(self.sandbox.control("POST", "ledger/payments", payment))

    def match(self, *rows: int, settled: Mapping[int, str] | None = None) -> int:
        body = {"rows": list(rows), "settled": {str(row): size for row, size in (settled or {}).items()}}
        return int(self.sandbox.control("POST", "ledger/match", body)["match_id"])

    def unmatch(self, match_id: int) -> None:
        self.sandbox.control("POST", "ledger/unmatch", {"match_id": match_id})

    def book(
        self, *lines: Row, source: str = "GL", text: str = "by hand", day: str = "2026-10-15", **members: object
    ) -> Row:
        """Book a voucher by hand; a line is account, amount in NOK and what else it has."""
        given = [{"currency": "NOK", "invoiceAmount": line["amount"], "text": text, **line} for line in lines]
        voucher = {"owner": 28601, "source": source, "postedDate": day, "text": text, "lines": given, **members}
        return dict(self.sandbox.control("POST", "ledger/vouchers", voucher))

    def documents(self, *types: str) -> list[Row]:
        """Give the VMS's documents of these types, oldest first."""
        found = self.vms.get(
            "/Document",
            params={"filter": f"documentType.documentType(IN)({','.join(types)})", "sort": "key(AS)"},
            headers={"fields": json.dumps(FIELDS)},
        )
        rows: list[Row] = json.loads(found.raise_for_status().text, parse_float=Decimal, parse_int=Decimal)
        return rows

    def paid(self, number: str) -> list[tuple[str, ...]]:
        """Give type, amount, source amount and company amount of what the VMS has been told of an invoice."""
        return [
            (
                row["documentType"]["documentType"],
                *(f"{row[name]:.2f}" for name in MEMBERS[1:2] + MEMBERS[3:4] + MEMBERS[2:3]),
            )
            for row in self.documents("PMI", "PMO")
            if row["documentLines"][0]["refDocument"]["documentNo"] == number
        ]

    def breaks(self) -> dict[str, list[str]]:
        """Give the messages of the open breaks by kind."""
        found: dict[str, list[str]] = {}
        for kind, message in self.ask("SELECT kind, message FROM breaks WHERE until IS NULL ORDER BY kind, subject"):
            found.setdefault(kind, []).append(message)
        return found


def _intent(key: int, invoice: Invoice) -> Intent:
    sign = -1 if invoice.side == "AP" else 1
    look_up = {
        "lines": len(invoice.amounts) + 1,
        "source": invoice.side,
        "ext_order_number": invoice.number,
        "posted_date": "2026-10-05",
        "text": invoice.text,
        "invoice_number": invoice.invoice_number,
        "subledger": PARTNERS[invoice.side],
        "currency": invoice.currency,
        "control_amount": str(sign * invoice.total),
    }
    return Intent(
        Kind.VOUCHER,
        str(key),
        "ledger",
        payload=[],
        source_hash="hash",
        look_up=cast("Json", look_up),
        company_code="28601",
        owner_code=28601,
        document_key=key,
        document_no=invoice.number,
    )
