"""The control API of the ledger under /_sandbox/ledger: what its people do by hand, and what tests look at."""

from __future__ import annotations

from decimal import InvalidOperation
from typing import TYPE_CHECKING, TypeVar

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from pipelines.sandbox.ledger.calendar import PostingPeriod, Rate, publish_rates, set_period
from pipelines.sandbox.ledger.errors import BadRequestError
from pipelines.sandbox.ledger.files import files
from pipelines.sandbox.ledger.hand import HandVoucher, book_by_hand
from pipelines.sandbox.ledger.matching import MatchedRows, Unmatch, match_rows, unmatch_rows
from pipelines.sandbox.ledger.naming import NamedMatch, NamedUnmatch, match_named, unmatch_named
from pipelines.sandbox.ledger.payments import Payment, book_payment
from pipelines.sandbox.ledger.store import RowChanges
from pipelines.sandbox.ledger.tamper import Corruption, corrupt
from pipelines.sandbox.ledger.values import JobLevel, Row
from pipelines.sandbox.ledger.views import import_items, vouchers
from pipelines.sandbox.ledger.webhooks import WebhookSwitch, switch_webhook

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from starlette.datastructures import QueryParams
    from starlette.requests import Request

    from pipelines.sandbox.ledger.core import Ledger
    from pipelines.sandbox.ledger.store import LedgerStore

    Read = Callable[[Ledger, QueryParams], object]
    Write = Callable[[Ledger, bytes], object]

_Input = TypeVar("_Input", bound=msgspec.Struct)


class Removal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Import items to take out by hand."""

    rows: list[int]


def control_routes(ledger: Ledger) -> list[Route]:
    """Give the routes; answers are JSON, what cannot be done is 400 with {"error": …}."""
    paths: dict[str, tuple[Read | None, Write | None]] = {
        "settings": (_get_settings, _set_settings),
        "credits": (_get_credits, None),
        "post": (None, _post),
        "vouchers": (_get_vouchers, _by_hand(HandVoucher, _book_voucher)),
        "import-items": (_get_import_items, None),
        "files": (_get_files, None),
        "import-items/remove": (None, _by_hand(Removal, _remove_import_items)),
        "payments": (None, _by_hand(Payment, book_payment)),
        "match": (None, _by_hand(MatchedRows, match_rows)),
        "match/named": (None, _by_hand(NamedMatch, match_named)),
        "unmatch": (None, _by_hand(Unmatch, unmatch_rows)),
        "unmatch/named": (None, _by_hand(NamedUnmatch, unmatch_named)),
        "corrupt": (None, _by_hand(Corruption, corrupt)),
        "periods": (_get_periods, _by_hand(PostingPeriod, _set_period)),
        "webhooks": (_get_webhooks, _by_hand(WebhookSwitch, switch_webhook)),
        "webhooks/posts": (_get_webhook_posts, None),
        "rates": (_get_rates, _by_hand(Rate, _publish)),
    }
    return [_route(ledger, path, read, write) for path, (read, write) in paths.items()]


def _route(ledger: Ledger, path: str, read: Read | None, write: Write | None) -> Route:
    async def endpoint(request: Request) -> Response:
        return await _answer(ledger, request, read, write)

    methods = [method for method, handler in (("GET", read), ("POST", write)) if handler is not None]
    return Route(f"/_sandbox/ledger/{path}", endpoint, methods=methods)


async def _answer(ledger: Ledger, request: Request, read: Read | None, write: Write | None) -> Response:
    body = await request.body()

    # On a thread: it may have to wait for the lock, which the event loop must not do.
    def work() -> object:
        with ledger.store.lock:
            # What the posting job should have booked by now is booked before anybody looks.
            ledger.post_when_due()
            if request.method == "POST" and write is not None:
                return write(ledger, body)
            return read(ledger, request.query_params) if read is not None else {}

    try:
        return _json(await run_in_threadpool(work))
    except (BadRequestError, msgspec.MsgspecError) as error:
        return _json({"error": str(error)}, status=400)
    # Decimal raises it for a text that is no number.
    except InvalidOperation:
        return _json({"error": "an amount is no decimal number"}, status=400)


def _json(value: object, *, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def _by_hand(kind: type[_Input], work: Callable[[LedgerStore, _Input, datetime], Row]) -> Write:
    """Make a handler of what a person does: one object, or a list of them done in turn up to the first refused."""

    def write(ledger: Ledger, body: bytes) -> object:
        decoded = msgspec.json.decode(body)
        is_list = isinstance(decoded, list)
        # Not strict, since some dbIds leave the ledger as strings.
        given = [msgspec.convert(item, kind, strict=False) for item in (decoded if is_list else [decoded])]
        done = [work(ledger.store, item, ledger.now()) for item in given]
        return done if is_list else done[0]

    return write


def _get_settings(ledger: Ledger, _: QueryParams) -> object:
    return ledger.settings


def _set_settings(ledger: Ledger, body: bytes) -> object:
    return ledger.change_settings(msgspec.json.decode(body))


def _get_credits(ledger: Ledger, _: QueryParams) -> Row:
    return {"used": ledger.limits.used(), "refused": ledger.limits.refused()}


def _post(ledger: Ledger, _: bytes) -> object:
    return ledger.post()


def _get_vouchers(ledger: Ledger, query: QueryParams) -> list[Row]:
    return vouchers(ledger.store, owner=query.get("owner"), source=query.get("source"), number=query.get("trRegNumber"))


def _book_voucher(store: LedgerStore, given: HandVoucher, now: datetime) -> Row:
    header = book_by_hand(store, given, now=now)
    return {"voucher": header["dbId"], "transaction_number": header["transactionNumber"]}


def _get_import_items(ledger: Ledger, query: QueryParams) -> list[Row]:
    return import_items(ledger.store, number=query.get("trRegNumber"))


def _get_files(ledger: Ledger, _: QueryParams) -> list[Row]:
    return files(ledger.store)


def _get_webhooks(ledger: Ledger, _: QueryParams) -> list[Row]:
    return ledger.webhooks.listed()


def _get_webhook_posts(ledger: Ledger, _: QueryParams) -> list[Row]:
    return [one._asdict() for one in ledger.webhooks.posts()]


# By hand only: that the API can do this is assumed, and the product does not use it (docs/systems/ledger.md#a25).
def _remove_import_items(store: LedgerStore, given: Removal, now: datetime) -> Row:
    changes = RowChanges()
    for db_id in given.rows:
        item = store.tables["import_items"].rows.get(db_id)
        if item is None or item["jobLevelDbId"] == JobLevel.DONE:
            raise BadRequestError(f"import item {db_id} {'does not exist' if item is None else 'is already posted'}")
        changes.remove("import_items", item)
        for error in store.tables["import_errors"].having("transactionDbId", db_id):
            changes.remove("import_errors", error)
    store.commit(changes, now=now)
    return {"removed": sum(table == "import_items" for table, _ in changes.removed)}


def _get_periods(ledger: Ledger, _: QueryParams) -> list[Row]:
    store = ledger.store
    closed = [(store.rows[row["ownerDbId"]], row["periodDbId"]) for row in store.tables["periods_closed"].scan()]
    return [{"owner": owner["ownerCode"], "period": _period(db_id), "closed": True} for owner, db_id in closed]


def _set_period(store: LedgerStore, given: PostingPeriod, now: datetime) -> Row:
    set_period(store, given, now=now)
    return msgspec.to_builtins(given)  # type: ignore[no-any-return]


def _get_rates(ledger: Ledger, _: QueryParams) -> list[Row]:
    store = ledger.store
    return [
        {
            "dbId": row["dbId"],
            "owner": store.rows[row["ownerDbId"]]["ownerCode"],
            "from": row["currencyFromCode"],
            "to": row["currencyToCode"],
            "unit": row["currencyUnit"],
            "rate": row["exchangeRate"],
            "fromDate": row["fromDate"],
            "toDate": row["toDate"],
            "type": store.rows[row["exchangeTypeDbId"]]["name"],
        }
        for row in store.tables["exchange_rates"].scan()
    ]


def _publish(store: LedgerStore, given: Rate, now: datetime) -> Row:
    return {"row": publish_rates(store, [given], now=now)[0]}


def _period(db_id: int) -> str:
    return f"{db_id // 10_000}-{db_id // 100 % 100:02}"
