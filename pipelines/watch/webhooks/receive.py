"""The routes that both systems call when something has changed: POST /webhooks/vms and POST /webhooks/ledger.

A call is checked, kept and answered; nothing is fetched. Whatever it says is a pointer only: the job that it names
looks for everything that is ready, so neither the order of calls nor a lost one matters.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from pipelines.core.errors import SpringlineError
from pipelines.watch.webhooks.calls import (
    SIGNATURE,
    BasicSignIn,
    Signatures,
    UnreadableError,
    ledger_events,
    vms_events,
)
from pipelines.watch.webhooks.events import Event, EventStore, FullError, Side
from pipelines.watch.webhooks.ready import LEDGER_PATH, VMS_PATH, faults

if TYPE_CHECKING:
    from starlette.requests import Request

    from pipelines.core.settings import Settings

# Bytes of a body. The VMS points to one object; the ledger tells, after a while away, of thousands at once.
LARGEST_BODY = {"vms": 64 * 1024, "ledger": 512 * 1024}
# Seconds in which the whole body must have come.
BODY_SECONDS = 10.0
# Calls that wait to be written, and how many are written in one transaction.
MOST_CALLS, MOST_AT_ONCE = 500, 100
# Seconds after which whoever is turned away may come again.
RETRY_SECONDS = 30
# Refusals are told once in so long, with their number: each may be somebody's attack.
TELL_EVERY = timedelta(minutes=1)

_log = structlog.get_logger(__name__)

Count = Callable[[str, str], None]


def routes(
    settings: Settings,
    wake: Callable[[], None],
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    count: Count = lambda _side, _outcome: None,
) -> list[BaseRoute]:
    """Return the routes of the sides that may call; a side for which a setting is missing has none, and is logged.

    ``wake`` is called behind each new event, on the server's thread: it must return at once. ``count`` gets side and
    outcome of every call: accepted, repeated, ignored, refused, unreadable, too large, too slow or turned away.
    """
    if settings.webhooks.url is None:
        return []
    for fault in faults(settings, ("vms", "ledger")):
        _log.error("webhooks_off", reason=fault)
    receiver = _Receiver(settings, EventStore(settings, now=now), wake, now=now, count=count)
    served: list[BaseRoute] = []
    if not faults(settings, ["vms"]):
        served.append(Route(VMS_PATH, receiver.vms, methods=["POST"]))
    if not faults(settings, ["ledger"]):
        served.append(Route(LEDGER_PATH, receiver.ledger, methods=["POST"]))
    return served


class _RefusedError(Exception):
    """A call is not taken: why, in a word, and the status to answer."""

    def __init__(self, outcome: str, status: int) -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.status = status


class _Receiver:
    """Takes the calls of both sides; all of it runs on the server's loop, but for the writing."""

    def __init__(
        self,
        settings: Settings,
        store: EventStore,
        wake: Callable[[], None],
        *,
        now: Callable[[], datetime],
        count: Count,
    ) -> None:
        webhooks = settings.webhooks
        self._store = store
        self._wake = wake
        self._now = now
        self._count = count
        self._waiting: list[tuple[Sequence[Event], asyncio.Future[list[Event]]]] = []
        self._writer: asyncio.Task[None] | None = None
        # Refused since that was last told.
        self._refused: Counter[str] = Counter()
        self._tell_at: datetime | None = None
        if not faults(settings, ["vms"]) and webhooks.vms_password is not None:
            self._sign_in = BasicSignIn(webhooks.vms_username, webhooks.vms_password.get_secret_value())
        if not faults(settings, ["ledger"]):
            self._signatures = Signatures(settings.ledger.token.get_secret_value())

    async def vms(self, request: Request) -> Response:
        """Take a call of the VMS."""
        return await self._answered("vms", self._from_vms(request))

    async def ledger(self, request: Request) -> Response:
        """Take a call of the ledger."""
        return await self._answered("ledger", self._from_ledger(request))

    async def _answered(self, side: Side, taking: Awaitable[Response]) -> Response:
        try:
            return await taking
        except _RefusedError as refusal:
            return self._refuse(side, refusal)

    async def _from_vms(self, request: Request) -> Response:
        # Before a byte of the body is read.
        if not self._sign_in.is_right(request.headers.getlist("authorization")):
            raise _RefusedError("refused", 401)
        return await self._take("vms", _read_events(await _body(request, "vms"), vms_events))

    async def _from_ledger(self, request: Request) -> Response:
        now = self._now()
        at = self._signatures.sent_at(request.headers.getlist("date"), now=now)
        if at is None:
            raise _RefusedError("refused", 401)
        body = await _body(request, "ledger")
        if not self._signatures.is_right(request.headers.getlist(SIGNATURE), body, at=at):
            raise _RefusedError("refused", 401)
        # A signature is good once. Tried again, a delivery has a time and a signature of its own.
        if self._signatures.is_replay(body, at=at):
            raise _RefusedError("refused", 409)
        answer = await self._take("ledger", _read_events(body, ledger_events))
        self._signatures.remember(body, at=at, now=now)
        return answer

    async def _take(self, side: Side, events: Sequence[Event]) -> Response:
        """Answer 200 when the events are on disk, or were before."""
        if not events:
            self._count(side, "ignored")
            return PlainTextResponse("nothing looks at this")
        try:
            new = await self._keep(events)
        except FullError:
            raise _RefusedError("turned away", 503) from None
        except (sqlite3.Error, OSError, SpringlineError) as error:
            _log.error("webhook_not_kept", side=side, error=str(error))
            raise _RefusedError("turned away", 503) from error
        for event in new:
            _log.info("webhook", side=side, job=event.job, subject=event.subject)
        self._count(side, "accepted" if new else "repeated")
        return PlainTextResponse("accepted" if new else "known")

    async def _keep(self, events: Sequence[Event]) -> list[Event]:
        """Have events written, together with those of other calls, and return the new ones."""
        if len(self._waiting) >= MOST_CALLS:
            raise FullError
        kept: asyncio.Future[list[Event]] = asyncio.get_running_loop().create_future()
        self._waiting.append((events, kept))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        return await kept

    async def _write(self) -> None:
        # One transaction for all that came while the one before was written: each waits for the disk.
        while self._waiting:
            calls, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
            [written] = await asyncio.gather(
                asyncio.to_thread(self._store.keep, [events for events, _ in calls]), return_exceptions=True
            )
            for number, (_, kept) in enumerate(calls):
                # Done already where the server ends meanwhile.
                if kept.done():
                    continue
                if isinstance(written, BaseException):
                    kept.set_exception(written)
                else:
                    kept.set_result(written[number])
            if not isinstance(written, BaseException) and any(written):
                self._wake()

    def _refuse(self, side: Side, refusal: _RefusedError) -> Response:
        self._count(side, refusal.outcome)
        self._refused[f"{side} {refusal.outcome}"] += 1
        now = self._now()
        if self._tell_at is None or now >= self._tell_at:
            _log.warning("webhooks_refused", calls=dict(self._refused))
            self._refused.clear()
            self._tell_at = now + TELL_EVERY
        # What of the body has not come yet is not waited for.
        headers = {"Connection": "close"}
        if refusal.status == 503:  # noqa: PLR2004 a status of HTTP
            headers["Retry-After"] = str(RETRY_SECONDS)
        if side == "vms" and refusal.status == 401:  # noqa: PLR2004 a status of HTTP
            headers["WWW-Authenticate"] = "Basic"
        return PlainTextResponse(refusal.outcome, status_code=refusal.status, headers=headers)


async def _body(request: Request, side: Side) -> bytes:
    """Read a body, no more of it than the limit, and no longer than it should take."""
    limit = LARGEST_BODY[side]
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or len(length) > len(str(limit)) or int(length) > limit:
        raise _RefusedError("too large", 413)
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                chunks.append(chunk)
                size += len(chunk)
                # Also where no length was given, or where it was not kept to.
                if size > limit:
                    raise _RefusedError("too large", 413)
    except TimeoutError:
        raise _RefusedError("too slow", 408) from None
    except ClientDisconnect:
        # Nobody hears the answer any more.
        raise _RefusedError("unreadable", 400) from None
    return b"".join(chunks)


def _read_events(body: bytes, read: Callable[[bytes], list[Event]]) -> list[Event]:
    try:
        return read(body)
    except UnreadableError:
        raise _RefusedError("unreadable", 400) from None
