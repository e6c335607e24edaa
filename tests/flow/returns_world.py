"""A small world with invoices in the books: people pay and match in the ledger, and the jobs bring it back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

from pipelines.batch import jobs
from pipelines.batch.run import run_batch
from pipelines.core.settings import load_settings
from pipelines.core.table_ref import TableRef
from pipelines.models import steps as model_steps
from pipelines.models.build import build
from pipelines.outbox.entry import Move
from pipelines.outbox.states import State
from pipelines.outbox.store import Outbox
from pipelines.step.counts import Counts
from pipelines.step.step import Job, Step
from pipelines.stores.control import Control
from pipelines.stores.control_copy import copy_control
from pipelines.stores.settings_tables import write_settings
from tests.flow.returns_seed import FIRST_KEY, PARTNERS, Invoice, Row, booked, returns_seed, sent
from tests.support.ask_ledger import ask_ledger
from tests.support.sandbox_server import running_sandbox

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.batch.run import BatchResult
    from pipelines.core.settings import Settings
    from pipelines.step.context import Context

TODAY = date(2026, 11, 2)
MODELS = "springline.models.json"
CLOCK = "2026-11-02T08:00:00Z"
NO_LIMITS = {"burst_requests": None, "concurrency": None, "credits_per_hour": None, "posting_every_minutes": None}
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
        "sourceCurrencyCode": "*",
        "exchangeRate": "*",
        "exchangeRateDate": "*",
        "businessPartner": {"businessPartnerCode": "*"},
        "isAccountsPayable": "*",
        "glAccount": "*",
        "refDocument": {"documentNo": "*"},
        "voyage": {"voyageHeader": {"referenceNo": "*"}},
    },
}


def _building(*names: str) -> Callable[[Context], Counts]:
    """Build these models and what they read, no others: the posting models have tests of their own."""

    def run(ctx: Context) -> Counts:
        write_settings(ctx.warehouse, ctx.settings, today=ctx.today)
        copy_control(ctx.warehouse, ctx.control)
        models = model_steps.open_models(ctx).models
        wanted = set(map(TableRef.parse, names))
        for model in reversed(models):
            wanted |= set(model.reads) if model.ref in wanted else set()
        build(ctx.warehouse, models, only=wanted)
        return Counts()

    return run


def _with_few_models(job: Job, *names: str) -> Job:
    steps = (Step(s.name, _building(*names)) if s.run is model_steps.build_models else s for s in job.steps)
    return Job(job.name, tuple(steps))


RATES = _with_few_models(jobs.RATES, "post.rate_changes", "post.rate_breaks")
PAYMENTS = _with_few_models(jobs.PAYMENTS, "post.payment_changes", "post.payment_breaks", "post.unplaced_matches")
MASTER_DATA = _with_few_models(
    jobs.MASTER_DATA,
    "post.master_breaks",
    "post.renamed_partners",
    "post.bank_changes",
    "post.seen_accounts",
    "post.company_changes",
    "post.supplier_changes",
    "post.customer_changes",
    "post.cost_centre_changes",
    "post.project_changes",
)
ACTUALS = _with_few_models(jobs.ACTUALS, "post.actual_changes", "post.actual_breaks")


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
        self.sandbox = running_sandbox(folder, returns_seed(folder / "seed", self.invoices.values(), rates))
        self.sandbox.control("POST", "clock", {"now": CLOCK})
        self.sandbox.control("POST", "ledger/settings", NO_LIMITS)
        self.vms = self.sandbox.vms()
        self.environ = {
            **self.sandbox.env,
            "SPRINGLINE_WAREHOUSE": str(folder / "springline.duckdb"),
            "SPRINGLINE_PUBLISHED": str(folder / "published"),
            "SPRINGLINE_VMS__ATTEMPTS": "1",
            # How long a call without an answer may still be at work: the sandbox's take milliseconds.
            "SPRINGLINE_VMS__TIMEOUT": "0.5",
            **{f"SPRINGLINE_{name}": value for name, value in environ.items()},
        }
        self.started = datetime.now(UTC)
        self.later = timedelta(0)
        self.note_sent()

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

    def note_sent(self) -> None:
        with self.outbox() as outbox:
            intents = [sent(FIRST_KEY + place, invoice) for place, invoice in enumerate(self.invoices.values())]
            outbox.store_intents(intents)
            outbox.apply(Move(intent.id, State.SENDING) for intent in intents)
            outbox.apply(Move(intent.id, State.SENT) for intent in intents)

    @contextmanager
    def outbox(self) -> Iterator[Outbox]:
        """Open the outbox, as a run before would have."""
        control = Control(self.settings.control_path)
        yield Outbox(control, batch_id="before", now=self.now)
        control.close()

    def run(self, *chosen: Job, **environ: str) -> BatchResult:
        variables = {f"SPRINGLINE_{name}": value for name, value in environ.items()}
        settings = load_settings(None, environ={**self.environ, **variables})
        return run_batch(settings, jobs=chosen, operator="night run", now=self.now, today=TODAY)

    @property
    def settings(self) -> Settings:
        return load_settings(None, environ=self.environ)

    def ask(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        """Query the control store."""
        control = Control(self.settings.control_path)
        try:
            return [tuple(row) for row in control.read(statement, values)]
        finally:
            control.close()

    def rows(self, number: str) -> list[int]:
        """Give the ids of an invoice's rows in the ledger."""
        text = booked(self.invoices[number])["text"]
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

    def rename_customer(self, code: str, new: str) -> None:
        """Give a customer another code in the ledger."""
        query = (
            f'{{ customers(first: 1, ownerSet: ALL, filter: {{code: "{code}"}}) {{ edges {{ node {{ dbId }} }} }} }}'
        )
        [edge] = ask_ledger(self.environ, query)["customers"]["edges"]
        mutation = "mutation ($n: [UpdateCustomersInput!]!) { updateCustomers(inputs: $n) { edges { node { dbId } } } }"
        ask_ledger(self.environ, mutation, n=[{"clientId": "by hand", "node": {**edge["node"], "code": new}}])

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
