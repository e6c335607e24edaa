"""Asks both systems what the checks need to know, each thing once; where that fails, the error is the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from pipelines.contracts import ledger as ledger_contracts
from pipelines.contracts import vms as vms_contracts
from pipelines.contracts.presence import values_at
from pipelines.contracts.shape import paths
from pipelines.core.errors import SpringlineError, Terminal
from pipelines.load.ledger.invoice_files import REMARK_FIELDS, InvoiceFiles, remarks_of
from pipelines.load.look_up import source_of
from pipelines.wire.filters import equals, one_of
from pipelines.wire.http import UNREADABLE, Answer, Call, HttpCaller
from pipelines.wire.ledger import LedgerClient, nodes_of
from pipelines.wire.limiter import RateLimiter
from pipelines.wire.query import Reading, selection_text
from pipelines.wire.shaped import shaped
from pipelines.wire.vms import VmsClient

if TYPE_CHECKING:
    from pipelines.contracts.contract import Contract
    from pipelines.core.settings import Settings
    from pipelines.load.ledger.file_rules import AttachedFile, NoFileError
    from pipelines.wire.http import CountRequest

Node = dict[str, Any]
T = TypeVar("T")

INTROSPECTION = (
    "{ __schema { mutationType { fields { name } } } "
    '__type(name: "AddGLImportItemsInputNode") { inputFields { name } } }'
)
# Objects looked into for members that never appear.
A_FEW = 100
A_FEW_FILES = 10
# Rows of one request: among so many booked vouchers every voucher type that is in use will be found.
SAMPLE = 1_000
HEADERS = Reading("journalHeaders", "transactionSource { code }", page_size=SAMPLE)
BOOK_ROWS = Reading(
    "transactions", "account { code } glDimension { glObject1 { code } glObject2 { code } }", page_size=SAMPLE
)


# The shape of the answer to INTROSPECTION, so that an answer of another shape is an error in words.
class _Names(msgspec.Struct):
    name: str


class _Probe(msgspec.Struct):
    class Data(msgspec.Struct):
        class Schema(msgspec.Struct, rename={"mutation_type": "mutationType"}):
            class Mutations(msgspec.Struct):
                fields: list[_Names]

            mutation_type: Mutations | None = None

        class Input(msgspec.Struct, rename={"input_fields": "inputFields"}):
            input_fields: list[_Names] | None = None

        schema: Schema | None = msgspec.field(name="__schema", default=None)
        import_item: Input | None = msgspec.field(name="__type", default=None)

    data: Data | None = None


class Probe:
    """What both systems say, read when it is first asked for.

    Every method raises SpringlineError; asked again, it raises the same object, so that `check` can tell that two
    checks failed for one reason, and no request is made twice.
    """

    def __init__(self, settings: Settings, *, now: Callable[[], datetime], count: CountRequest) -> None:
        """Make the clients; nothing is asked yet."""
        self.settings = settings
        self._now = now
        # What was read, or the error that kept it from being read, by name.
        self._known: dict[str, Any] = {}
        self._stack = ExitStack()
        self._vms = VmsClient(settings.vms, count=count, now=now)
        self._stack.callback(self._vms.close)
        self._ledger = LedgerClient(settings.ledger, count=count, now=now)
        self._stack.callback(self._ledger.close)
        # Two questions the clients do not ask: the ledger's schema, and the time at the head of any answer.
        self._plain = {side: self._caller(side, count, now) for side in ("vms", "ledger")}

    def close(self) -> None:
        """Close the connections."""
        self._stack.close()

    def _caller(self, side: str, count: CountRequest, now: Callable[[], datetime]) -> HttpCaller:
        caller = HttpCaller(
            side,
            timeout=(self.settings.vms if side == "vms" else self.settings.ledger).timeout,
            # One retry: a person waits for the answer.
            attempts=2,
            limiter=RateLimiter(5, seconds=1),
            count=count,
            connections=1,
            now=now,
        )
        self._stack.callback(caller.close)
        return caller

    def _once(self, name: str, read: Callable[[], T]) -> T:
        # An error is kept like an answer: the next check that needs this fails without asking again.
        if name not in self._known:
            try:
                self._known[name] = read()
            except SpringlineError as error:
                self._known[name] = error
        if isinstance(self._known[name], SpringlineError):
            raise self._known[name]
        known: T = self._known[name]
        return known

    def sign_in(self) -> None:
        """Sign in to the VMS and read one currency, the smoke test of its documentation."""
        self._once(
            "sign in", lambda: self._vms.find("Currency", filters=[equals("currencyCode", "USD")], fields=["key"])
        )

    def read_some(self, contract: Contract) -> list[Node]:
        """Read a few objects of a VMS contract with every member it names."""
        self.sign_in()
        # A generator: nothing is asked before its first page is taken, and only that one is.
        pages = self._vms.pages(contract.entity, fields=paths(contract), page_size=A_FEW)
        of = f"The VMS's {contract.entity}"
        return self._once(
            f"some {contract.entity}", lambda: shaped(next(pages, b"[]"), paths(contract), of=of, has_stubs=True)
        )

    def read_remarks(self) -> None:
        """Read a few remarks of the VMS, as far as the outbox needs them."""
        self.sign_in()
        pages = self._vms.pages("Remark", fields=("key", "source", "remarkTitle", "remark"), page_size=A_FEW)
        self._once("some Remark", lambda: next(pages, b"[]"))

    def vms_objects(self, entity: str, fields: Sequence[str], filters: Sequence[str] = ()) -> list[Node]:
        """Read all objects of a small VMS entity."""
        self.sign_in()
        return self._once(entity, lambda: self._vms.find(entity, filters=filters, fields=fields))

    def companies(self) -> dict[str, Node]:
        """Read the VMS companies by code."""
        fields = ["companyCode", "companyName", "currency.currencyCode"]
        return {company["companyCode"]: company for company in self.vms_objects("Company", fields)}

    def control_accounts(self) -> list[Node]:
        """Read the accounts APX and ARX."""
        fields = ["accountCode", "glAccount", "company.companyCode"]
        return self.vms_objects("Account", fields, list(one_of("accountCode", vms_contracts.CONTROL_ACCOUNTS)))

    def base_currency(self) -> str | None:
        """Read the VMS's base currency."""
        self.sign_in()
        contract = vms_contracts.SYSTEM
        body = self._once(
            "System", lambda: self._vms.get(contract.entity, vms_contracts.SYSTEM_KEY, fields=paths(contract))
        )
        [found] = shaped(b"[" + body + b"]", paths(contract), of="The VMS's System", has_stubs=True)
        return next((str(code) for code in values_at(found, "country.currency.currencyCode")), None)

    def schema(self) -> tuple[frozenset[str], datetime]:
        """Ask the ledger which mutations it has; give them and the time it answered at."""
        found, at = self._introspected()
        mutations = found.schema.mutation_type.fields if found and found.schema and found.schema.mutation_type else []
        return frozenset(mutation.name for mutation in mutations), at

    def import_members(self) -> frozenset[str]:
        """Ask the ledger which members a node of its import may have."""
        found, _ = self._introspected()
        members = found.import_item.input_fields if found and found.import_item else None
        return frozenset(member.name for member in members or ())

    def _introspected(self) -> tuple[_Probe.Data | None, datetime]:
        answer = self._once("schema", self._ask_schema)
        try:
            return msgspec.json.decode(answer.body, type=_Probe).data, date_of(answer)
        except UNREADABLE as error:
            raise Terminal(f"The ledger's answer ({answer.status}) is no GraphQL: {answer.excerpt()!r}.") from error

    def some_files(self) -> list[AttachedFile | NoFileError]:
        """List the files of a few documents as a delivery does; empty where none of the first remarks has any."""
        self.sign_in()

        def read() -> list[AttachedFile | NoFileError]:
            remarks = remarks_of(next(self._vms.pages("Remark", fields=REMARK_FIELDS, page_size=A_FEW), b"[]"))
            sources = dict.fromkeys(source_of(remark) for remark in remarks if remark.get("attachments"))
            return [*InvoiceFiles(self._vms, self.settings).choices([*sources][:A_FEW_FILES]).values()]

        return self._once("files", read)

    def read_file(self, file: AttachedFile) -> int:
        """Read one file of the VMS; return its size in bytes, raise NoFileError where it cannot be had."""
        return len(InvoiceFiles(self._vms, self.settings).content(file))

    def _ask_schema(self) -> Answer:
        settings = self.settings.ledger
        headers = {"Authorization": f"token {settings.token.get_secret_value()}", "Content-Type": "application/json"}
        body = msgspec.json.encode({"query": INTROSPECTION})
        # Read, not run: introspection names the mutations and changes nothing.
        return self._plain["ledger"].call(Call("POST", settings.url, "__schema", headers, body=body))

    def vms_time(self) -> datetime:
        """Return the time the VMS answers at; it need not let us in for that."""
        call = Call("GET", self.settings.vms.base_url, "GET /")
        return date_of(self._once("time", lambda: self._plain["vms"].call(call, judge=lambda _: None)))

    def now(self) -> datetime:
        """Return this machine's time."""
        return self._now()

    def take_token(self) -> None:
        """Read one entity of the ledger."""
        self.read_first([ledger_contracts.ENTITIES])

    def read_first(self, contracts: Sequence[Contract]) -> None:
        """Read one node of each connection with every field of its contract, all in one request."""
        name = f"first of {' '.join(contract.entity for contract in contracts)}"
        readings = [Reading(c.entity, selection_text(paths(c)), page_size=1) for c in contracts]
        self._once(name, lambda: self._ledger.read(readings))

    def nodes(self) -> dict[str, list[Node]]:
        """Read the ledger's reference data whole, and the voucher types of the first vouchers, in one request."""
        contracts = (
            ledger_contracts.ENTITIES,
            ledger_contracts.CURRENCIES,
            ledger_contracts.OBJECT_KINDS,
            ledger_contracts.ACCOUNTS,
            ledger_contracts.XGL_DIMENSIONS,
        )
        # First the smallest reading: where the token is refused, every check then gives that one reason.
        self.take_token()
        return self._once("nodes", lambda: self._whole(contracts))

    def _whole(self, contracts: Sequence[Contract]) -> dict[str, list[Node]]:
        readings = [*(Reading(c.entity, selection_text(paths(c)), object_status="ALL") for c in contracts), HEADERS]
        *whole, headers = self._ledger.read(readings)
        nodes = {
            reading.connection: nodes_of(pages, reading) for reading, pages in zip(readings[:-1], whole, strict=True)
        }
        return {**nodes, HEADERS.connection: nodes_of([next(headers, b"[]")], HEADERS)}

    def book_rows(self) -> list[Node]:
        """Read account and dimensions of the first rows of the general ledger."""
        self.take_token()
        return self._once("book rows", lambda: nodes_of([next(self._ledger.read([BOOK_ROWS])[0], b"[]")], BOOK_ROWS))

    def codes_of(self, contract: Contract) -> set[str]:
        """Read the code of every object of a ledger contract."""

        def read() -> set[str]:
            # Closed ones too, as a run reads them: whether one may be posted on is another question.
            reading = Reading(contract.entity, "code", object_status="ALL")
            [pages] = self._ledger.read([reading])
            return {str(node["code"]) for node in nodes_of(pages, reading)}

        return self._once(f"codes of {contract.entity}", read)

    def object_codes(self, kind_db_ids: Sequence[str]) -> dict[str, set[str]]:
        """Read the codes of these object kinds, by kind."""
        selection = "code objectKindDbId"

        def read() -> dict[str, set[str]]:
            codes: dict[str, set[str]] = {}
            for node in self._ledger.rows(
                "objectValues", selection=selection, filter={"objectKindDbId_in": kind_db_ids}
            ):
                codes.setdefault(str(node["objectKindDbId"]), set()).add(node["code"])
            return codes

        return self._once(f"values {kind_db_ids}", read) if kind_db_ids else {}


def date_of(answer: Answer) -> datetime:
    """Return the time in an answer's Date header (RFC 9110); Terminal when it has none."""
    try:
        return parsedate_to_datetime(answer.headers["date"])
    except (KeyError, ValueError) as error:
        raise Terminal(f"{answer.url} does not say what time it is there.") from error
