"""One small world in which a day has something to do for every flow, and the steps of that day, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from pipelines.batch.run import BatchOptions
from pipelines.core.errors import SpringlineError
from pipelines.core.settings import load_settings
from pipelines.going_live.adopt import run_adopt
from tests.flow.world import read_rows, sample_documents, write_world
from tests.storm.books import VmsApi
from tests.storm.forks import Kill, in_child
from tests.storm.journal import Journal
from tests.storm.people import look_at_the_books
from tests.storm.site import Ran, Site
from tests.storm.worlds import RATE_DAYS, story_of, with_fault

Row = dict[str, Any]
# What is in the books the evening before: an invoice of a supplier, one of a customer, a credit note, and an accrual.
BOOKED = ("2706004", "2706184", "2706298")
# Taken by the import and refused by the posting: its period was closed in between.
REFUSED = "2706166"
# What the day brings: both sides, both credit notes, and what each is of in the ledger's own terms.
ENTERED = ("2706046", "2706250", "2706304", "2706028")
FAULTY, KEPT_BACK = "2706112", "2706022"
# In the books before Springline was there: of the documents before this day, the only one.
ADOPTED, ADOPTED_BEFORE = "2706126", date(2026, 8, 6)
ACCRUAL, REVERSAL, BUNKER, PROVISION = "ACP2609-001", "ACR2610-001", "BT-260001", "BAP2609-012"
# A supplier whose new account waits for a second person, and one who is called otherwise now.
CHANGED, RENAMED, NEW_SUPPLIER, NEW_CUSTOMER = "60503", "60504", "69001", "69002"
NEW_ACCOUNT = "DE02120300000000202051"
VESSEL, VOYAGE = "V900", "V900-2601"
OWN = {
    "SPRINGLINE_POSTING__REMARKS": "true",
    "SPRINGLINE_POSTING__ATTACHMENTS": "true",
    "SPRINGLINE_POSTING__CLOSED_PERIOD": "next_open",
    # Here a time-out is a fault alone, also on a busy machine.
    "SPRINGLINE_VMS__TIMEOUT": "10",
    "SPRINGLINE_LEDGER__TIMEOUT": "10",
}
JOBS = ("master-data", "documents", "rates", "payments", "actuals", "reconcile", "publish")
AN_HOUR = timedelta(minutes=70)


class Flow(NamedTuple):
    """One part of the day: a job of the batch, what one person decides, or adopting what was there before all that."""

    name: str
    # A job, or an action and what it is about.
    jobs: tuple[str, ...] = ()
    decision: tuple[str, str] = ("", "")
    # What happens before it begins.
    prologue: Callable[[Site], None] = lambda _site: None


def write_everything(folder: Path, journal: Journal) -> Path:
    """Write the seed: what is posted today is pending until the day begins."""
    booked = [*sample_documents(*BOOKED, REFUSED, ACCRUAL)]
    entered = [*sample_documents(*ENTERED, KEPT_BACK, REVERSAL, BUNKER, PROVISION)]
    faulty = [with_fault(document, "no external number") for document in sample_documents(FAULTY)]
    for document in (*booked, *entered, *faulty):
        if document["documentType"] in {"INI", "CRI", "INO", "CRO"}:
            fault = "no external number" if document["documentNo"] == FAULTY else ""
            journal.documents[document["key"]] = story_of(document, fault=fault)
    pending = [{**document, "invoicingStatus": "INV"} for document in (*entered, *faulty)]
    rates = [row for row in read_rows("ledger/exchange_rates") if row["fromDate"] in RATE_DAYS]
    files = {
        "vms/Document": [*booked, *sample_documents(ADOPTED), *pending],
        "vms/ExchangeRate": [],
        "ledger/exchange_rates": rates,
    }
    return write_world(folder, files)


def book_by_hand_long_ago(site: Site) -> None:
    """Book the invoice that is adopted, as a bookkeeper types it in."""
    [document] = sample_documents(ADOPTED)
    amount = {"currency": document["documentCurrency"], "amount": str(document["documentAmount"])}
    partner = {"subledger": document["businessPartner"], "invoiceNumber": document["externalDocumentNo"]}
    lines = [_line("2400", f"-{amount['amount']}", **partner), _line("4300", amount["amount"])]
    lines = [line | {"currency": amount["currency"]} for line in lines]
    voucher = {"owner": 28601, "source": "AP", "postedDate": "2026-08-05", "text": "long ago", "lines": lines}
    site.control("POST", "ledger/vouchers", voucher)


def _line(account: str, amount: str, **members: object) -> Row:
    return {"account": account, "currency": "NOK", "amount": amount, "invoiceAmount": amount, **members}


def live_until_this_morning(site: Site) -> None:
    """Run the evening before, and let people do on both sides what today's flows are about."""
    partner = _partner(site, CHANGED)
    site.vms.call("PUT", f"BankAccount/{partner['bankAccount']['key']}", {"iban": NEW_ACCOUNT})
    site.vms.call("PUT", f"BusinessPartner/{partner['key']}", {"businessPartnerName": partner["businessPartnerName"]})
    look_at_the_books(site)
    site.run(*JOBS)
    site.control("POST", "ledger/periods", {"owner": 28602, "period": "2026-09", "closed": True})
    site.control("POST", "ledger/post", {})
    look_at_the_books(site)
    site.pass_time(timedelta(hours=10))
    # Over night nobody is signed in any more.
    site.vms = VmsApi.of(site.environ)
    _pay(site, BOOKED[0], "AP", "DR")
    _pay(site, BOOKED[1], "AR", "OCR")
    _book_by_hand(site)
    pair = {"owner": 28600, "from": "USD", "to": "NOK"}
    site.control("POST", "ledger/rates", {**pair, "rate": "10.5", "fromDate": "2026-11-03"})
    _enter_masters(site)
    for document in site.vms.documents():
        if document["invoicingStatus"]["statusTypeCode"] == "INV":
            site.vms.call("PUT", f"Document/{document['key']}", {"invoicingStatus": "RFP"})
    _attach(site)


def _partner(site: Site, code: str) -> Row:
    fields = {"businessPartnerName": "*", "bankAccount": {"iban": "*"}}
    path = f"BusinessPartner?sort=key(AS)&limit=1&pageNumber=1&filter=businessPartnerCode(EQ){code}"
    [found] = site.vms.call("GET", path, fields=fields)
    return dict(found)


def _pay(site: Site, number: str, side: str, source: str) -> None:
    """Pay the first term of an invoice, or a part of it."""
    [voucher] = [
        row
        for row in site.control("GET", "ledger/vouchers")
        if any((line["sent"] or {}).get("extOrderNumber") == number for line in row["lines"])
    ]
    line = next(line for line in voucher["lines"] if line["subledgerRow"])
    payment = {
        "owner": voucher["owner"], "side": side, "source": source, "date": "2026-11-02", "currency": line["currency"],
        "amount": "600.00", "company_amount": "600.00" if line["currency"] == "NOK" else "6300.00",
        "subledger": line["subledger"], "match": [{"row": line["subledgerRow"]["dbId"], "amount": "600.00"}],
    }  # fmt: skip
    site.control("POST", "ledger/payments", payment)
    site.journal.note("paid", voucher["trRegNumber"])


def _book_by_hand(site: Site) -> None:
    lines = [_line("4300", "77.50", project="V001-2601", text="by hand"), _line("2960", "-77.50", text="by hand")]
    voucher = {"owner": 28601, "source": "GL", "postedDate": "2026-10-15", "text": "by hand", "lines": lines}
    site.control("POST", "ledger/vouchers", voucher)


def _enter_masters(site: Site) -> None:
    """Enter what the ledger does not have yet, a supplier who is paid today among it."""
    site.vms.call("POST", "BusinessPartner", _new_partner(NEW_SUPPLIER, "AG"))
    site.vms.call("POST", "BusinessPartner", _new_partner(NEW_CUSTOMER, "CH"))
    renamed = _partner(site, RENAMED)
    site.vms.call("PUT", f"BusinessPartner/{renamed['key']}", {"businessPartnerName": "Called Otherwise AS"})
    vessel = {"vesselName": "Ny Tind", "imoNumber": "9719999", "vesselCodes": [{"vesselCode": VESSEL}]}
    site.vms.call("POST", "Vessel", {**vessel, "flag": "NO", "voyageCurrency": "USD", "builtYear": 2020})
    site.vms.call("POST", "VoyageHeader", {"referenceNo": VOYAGE})
    dates = {"voyageStartDateGMT": "2026-10-01T18:00:00", "voyageEndDateGMT": "2026-12-01T18:00:00"}
    site.vms.call("POST", "Voyage", {"voyageHeader": VOYAGE, "vessel": "Ny Tind", "isTc": False, **dates})
    for number, partner in ((ENTERED[0], NEW_SUPPLIER), (ENTERED[1], NEW_CUSTOMER)):
        [document] = [row for row in site.vms.documents() if row["documentNo"] == number]
        site.vms.call("PUT", f"Document/{document['key']}", {"businessPartner": partner})


def _new_partner(code: str, kind: str) -> Row:
    names = {"businessPartnerCode": code, "businessPartnerName": f"Partner {code}", "businessPartnerSort": code}
    address = {"address1": "Kaigata 1", "zipCode": "5003", "city": "Bergen", "country": "NO"}
    account = {"iban": "DE02500105170137075030"}
    return {**names, "businessPartnerType": kind, "bankAccount": account, "addresses": [address]}


def _attach(site: Site) -> None:
    [document] = [row for row in site.vms.documents() if row["documentNo"] == ENTERED[3]]
    file = {"file": "JVBERi0xLjcgYW4gaW52b2ljZQ==", "fileName": f"{ENTERED[3]}.pdf"}
    site.vms.call("POST", "Remark", {"remarkTitle": "invoice", "source": document["key"], "attachments": [file]})


FLOWS = (
    # The first command that is ever run: both stores are made in it.
    Flow("adoption", prologue=book_by_hand_long_ago),
    Flow("release of an account", decision=("release", f"supplier:{CHANGED}"), prologue=live_until_this_morning),
    Flow("hold", decision=("hold", KEPT_BACK)),
    Flow("retry", decision=("retry", REFUSED)),
    # First of the jobs, for it needs none of the others and costs little.
    *(Flow(job, (job,)) for job in sorted(JOBS, key=lambda job: job != "rates")),
)


def act(site: Site, flow: Flow, kill: Kill | None = None) -> Ran:
    """Do a flow in a child, which may be killed in it."""
    if flow.jobs:
        return site.run(*flow.jobs, kill=kill)
    action, name = flow.decision
    if not action:
        ran = in_child(partial(_adopt, site.environ, site.now), kill=kill)
        return Ran(ran.value, traceback=ran.traceback)
    decided = site.steer(action, name, kill=kill)
    if action == "release":
        site.journal.accounts[name.removeprefix("supplier:")].add(NEW_ACCOUNT)
    for story in site.journal.documents.values():
        story.is_kept_back |= action == "hold" and name in story.numbers
    return Ran(None if decided.value is None else 0, traceback=decided.traceback)


def _adopt(environ: dict[str, str], now: datetime) -> int:
    settings = load_settings(None, environ=environ)
    options: BatchOptions = {"operator": "kari", "now": lambda: now, "today": now.date()}
    try:
        return run_adopt(settings, before=ADOPTED_BEFORE, is_acknowledged=True, **options).exit_code
    except SpringlineError as error:
        return error.exit_code
