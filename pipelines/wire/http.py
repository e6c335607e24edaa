"""The one HTTP caller: limits, counts, retries, and says of each failure whether the request may have been done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
import msgspec
import stamina

from pipelines.core.errors import Terminal, Transient
from pipelines.core.hiding import hide_in_text
from pipelines.core.words import moment
from pipelines.wire.client import make_client
from pipelines.wire.limiter import RateLimiter
from pipelines.wire.unpacked import BrokenPackingError, TooLargeError, unpacked

# Bytes: a filter that is ignored, or a page size that is, must not fill the memory.
LARGEST_ANSWER = 128 * 1024 * 1024
# Longer waits that the other side asks for are the caller's to decide on.
LONGEST_PAUSE = 60.0
# A hundred years: what is longer is no time that a calendar has.
LONGEST_WAIT = 36_525 * 86_400.0
TOO_MANY_REQUESTS = 429
SERVER_ERRORS = 500
LATER = "this usually passes by itself: run again; if it does not pass, ask whoever runs that system."

# What msgspec raises for a body that is no JSON: also for bytes that are no text, and for one nested too deeply.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

# Raised before a byte of the request has left: nothing can have been done.
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
# Raised for an address or an answer that another try will not improve.
_HOPELESS = (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError)

CountRequest = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Call:
    """One request. ``operation`` is what it is counted as; ``is_write`` that it must not be carried out twice."""

    method: str
    url: str
    operation: str
    headers: Mapping[str, str] = field(default_factory=dict)
    parameters: Sequence[tuple[str, str]] = ()
    # Never shown: it may be somebody's invoice, or a password.
    body: bytes | None = field(default=None, repr=False)
    is_write: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    # When it had come (aware): a pause that it asks for begins then.
    at: datetime

    def excerpt(self, length: int = 200) -> str:
        """Return the first characters of the body on one line, for a message: without secrets and bank accounts."""
        text = " ".join(self.body[: 4 * length].decode("utf-8", errors="replace").split())
        return hide_in_text(text)[:length]


Judge = Callable[[Answer], None]


def judge_status(answer: Answer) -> None:
    """Raise Transient for an answer that says `later` or `broken`; every other status is the caller's to read.

    429 refuses before anything was done; after 5xx (and 529, overload) a write may have been carried out.
    """
    if answer.status != TOO_MANY_REQUESTS and answer.status < SERVER_ERRORS:
        return
    wait = _retry_after(answer)
    until, next_step = "", LATER
    if wait is not None and wait > LONGEST_PAUSE:
        # Nobody waits for so long; who runs it must know that a run before then is in vain.
        time = moment(answer.at + timedelta(seconds=wait))
        until, next_step = f" It asks for a pause until {time}.", f"run again after {time}."
    raise Transient(
        f"{answer.url} answered {answer.status}: {answer.excerpt()}.{until}",
        next_step=next_step,
        sent=answer.status != TOO_MANY_REQUESTS,
        retry_after=wait,
    )


class HttpCaller:
    """Calls one side; safe to use from several threads.

    ``count(side, operation)`` is called for every request that is sent, repeated ones included, from any thread.
    """

    def __init__(
        self,
        side: str,
        *,
        timeout: float,
        attempts: int,
        limiter: RateLimiter,
        count: CountRequest,
        connections: int,
        now: Callable[[], datetime],
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Open no connection yet; ``timeout`` in seconds for each read and write, ``now`` the clock (aware).

        Raises SettingsError where a variable of the environment keeps the client from being made.
        """
        self._side = side
        self._limiter = limiter
        self._count = count
        self._now = now
        # No limit in time: `attempts` is the limit, and a time-out of minutes must not eat the second try.
        self._retry = stamina.RetryingCaller(
            attempts=attempts, timeout=None, wait_initial=0.2, wait_max=10.0, wait_jitter=0.5
        )
        # Tests put an answer into the transport; everything above it is what runs in earnest.
        self._client = make_client(timeout=timeout, connections=connections, transport=transport)

    def call(self, call: Call, *, judge: Judge = judge_status) -> Answer:
        """Send a request, again while it is worth it, and return the answer that ``judge`` let pass.

        A read is sent again after every Transient; a write only when it is certain that it was not carried out,
        else Transient with ``sent`` leaves its fate to whoever can look it up. Raises Transient, Terminal, and what
        ``judge`` raises.
        """

        def attempt() -> Answer:  # takes no argument: stamina logs those
            answer = self._send(call)
            judge(answer)
            return answer

        return self._retry(_worth_another_try(call), attempt)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _send(self, call: Call) -> Answer:
        # Counted before it goes: what breaks on its way may have been counted by the other side all the same.
        self._limiter.wait()
        self._count(self._side, call.operation)
        try:
            return self._exchange(call)
        except _NEVER_SENT as error:
            raise Transient(
                f"No connection to {call.url}: {_reason(error)}",
                next_step=f"check the address of the {self._side} in the settings and the network.",
                sent=False,
            ) from error
        except _HOPELESS as error:
            raise Terminal(
                f"{call.method} {call.url} cannot be done: {_reason(error)}",
                next_step=f"check the address of the {self._side} in the settings.",
            ) from error
        except httpx.HTTPError as error:
            # Time-outs and cut connections: `sent` is left at true, for a write may have been carried out.
            raise Transient(
                f"{call.method} {call.url} got no answer: {_reason(error).rstrip('.')}.", next_step=LATER
            ) from error

    def _exchange(self, call: Call) -> Answer:
        with self._client.stream(
            call.method, call.url, params=list(call.parameters) or None, headers=call.headers, content=call.body
        ) as response:
            try:
                body = unpacked(
                    response.iter_raw(), encoding=response.headers.get("content-encoding", ""), limit=LARGEST_ANSWER
                )
            except TooLargeError:
                raise Terminal(
                    f"{call.url} answered with more than {LARGEST_ANSWER >> 20} MiB.",
                    next_step=f"set a smaller {self._side.lower()}.page_size in the settings.",
                ) from None
            except BrokenPackingError as error:
                raise Transient(f"{call.method} {call.url} got no whole answer: {error}.", next_step=LATER) from error
            return Answer(response.status_code, response.headers, body, str(response.url), self._now())


def _worth_another_try(call: Call) -> Callable[[Exception], bool | float]:
    def decide(error: Exception) -> bool | float:
        # The one rule against writing twice: a write that may have arrived is never repeated here, whatever the error.
        if not isinstance(error, Transient) or (call.is_write and error.sent):
            return False
        if error.retry_after is None:
            return True
        return error.retry_after if error.retry_after <= LONGEST_PAUSE else False

    return decide


def _retry_after(answer: Answer) -> float | None:
    """Return the pause that an answer asks for, in seconds: a number, or the time when it is over (RFC 9110)."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdecimal():
        return min(float(text), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    # "-0000" stands for UTC without a place, and comes without a zone.
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(0.0, (aware - answer.at).total_seconds()), LONGEST_WAIT)


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
