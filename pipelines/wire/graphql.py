"""One GraphQL endpoint: reads the errors before the data, whatever the HTTP status, and waits out the limits."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from pipelines.core.errors import Refused, Terminal, Transient
from pipelines.core.hiding import hide_in_text
from pipelines.core.periods import OSLO
from pipelines.core.times import read_time
from pipelines.core.words import moment
from pipelines.wire.http import LONGEST_WAIT, UNREADABLE, Answer, Call, HttpCaller, Judge, judge_status
from pipelines.wire.shaped import ASK
from pipelines.wire.twice import twice_in
from pipelines.wire.upload import Upload, multipart

if TYPE_CHECKING:
    from collections.abc import Sequence

BURST = "BAD_REQUEST.BURST_RATE_LIMIT_REACHED"
CONCURRENCY = "BAD_REQUEST.CONCURRENCY_LIMIT_REACHED"
CREDITS = "BAD_REQUEST.INSUFFICIENT_CREDITS"
# Seconds to wait, as the vendor's own samples do (docs/systems/ledger.md#1-7); credits name their time, else twenty
# minutes.
WAITS: Mapping[str, float] = {BURST: 5.0, CONCURRENCY: 1.0, CREDITS: 1200.0}
# HTTP statuses.
REDIRECT, BAD_REQUEST = 300, 400
NOT_SIGNED_IN = frozenset({401, 403})
# Body too large, kind of body not taken: said before a request is looked into, so nothing was carried out.
UNTAKEN = frozenset({413, 415})
NEXT_STEP = "check SPRINGLINE_LEDGER__TOKEN and SPRINGLINE_LEDGER__URL, and the scopes of the token."

# Characters of the ledger's errors in one message: a mutation of 500 nodes may be refused with 500 texts.
LONGEST = 1000

Data = dict[str, msgspec.Raw]


class _GraphqlError(msgspec.Struct):
    message: str | None = None
    code: str | None = None
    extensions: dict[str, Any] | None = None

    @property
    def problem(self) -> tuple[str, str]:
        """The error's code (at its top level, else in its extensions) and its message."""
        # Both places are in use (docs/systems/ledger.md#1-7).
        inner = (self.extensions or {}).get("code", "")
        return self.code or str(inner or ""), self.message or ""


class _Answer(msgspec.Struct):
    errors: list[_GraphqlError] | None = None
    data: Data | None = None


@dataclass(slots=True)
class _LimitError(Exception):
    """A limit of the ledger was met: nothing was carried out."""

    problem: tuple[str, str]
    reset_at: str | None


class _NoGraphqlError(Terminal):
    """An answer is no GraphQL at all; whether a write was carried out is not known."""


class GraphqlCaller:
    """Runs operations; safe to use from several threads.

    A limit is waited out: 5 s after a burst, 1 s after too many at once, until the named time when the credits are
    used up, but never longer than ``longest_wait`` seconds at a time nor oftener than ``attempts`` times.
    """

    def __init__(
        self,
        http: HttpCaller,
        *,
        url: str,
        token: str,
        attempts: int,
        longest_wait: float,
        now: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``now`` is the clock (aware); ``sleep`` is the tests' to replace."""
        self._http = http
        self._url = url
        self._headers = {
            "Authorization": f"token {token}",
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        self._attempts = attempts
        self._longest_wait = longest_wait
        self._now = now
        self._sleep = sleep

    def execute(
        self,
        query: str,
        variables: Mapping[str, object],
        *,
        operation: str,
        is_write: bool = False,
        uploads: Sequence[Upload] = (),
    ) -> Data:
        """Run one operation and return its data, each field as raw JSON; ``uploads`` go along in the same request.

        Any error means that the whole request failed (docs/systems/ledger.md#1-7). Raises Refused with every code and
        message, Terminal for a wrong token or an answer that is no GraphQL, Transient when a limit outlasts the waiting
        (not carried out), or when there was no answer or a time-out (a write may have been carried out).
        """
        body = msgspec.json.encode({"query": query, "variables": variables})
        headers = self._headers
        judge: Judge = _judge
        if uploads:
            content_type, body = multipart(body, uploads)
            headers, judge = {**headers, "Content-Type": content_type}, _judge_upload
        if is_write:
            judge = _of_one_meaning(judge)
        call = Call("POST", self._url, operation, headers, body=body, is_write=is_write)
        # Around the caller's own retries: those are for a network that fails, this is for a ledger that says "later".
        for attempt in range(1, self._attempts + 1):
            try:
                return _data(self._answer(call, judge))
            except _LimitError as limit:
                wait = self._wait(limit)
                # Used-up credits may come back much later than a batch should wait.
                if wait > self._longest_wait or attempt == self._attempts:
                    raise _limited(limit, wait, until=self._now() + timedelta(seconds=wait)) from limit
                self._sleep(wait)
        raise AssertionError

    def _answer(self, call: Call, judge: Judge) -> Answer:
        """Make a call, a read once more: a proxy's page or a cut answer passes; what comes twice is the ledger's."""
        try:
            return self._http.call(call, judge=judge)
        except _NoGraphqlError:
            if call.is_write:
                raise
            return self._http.call(call, judge=judge)

    def _wait(self, limit: _LimitError) -> float:
        wait = WAITS[limit.problem[0]]
        if limit.reset_at is None:
            return wait
        try:
            # The ledger writes times as Norwegian local time without a zone (docs/systems/ledger.md#1-5).
            reset_at = read_time(limit.reset_at).replace(tzinfo=OSLO)
        except ValueError:
            # Words we cannot read must not end a batch that would only have to wait.
            return wait
        # At least a second: the two clocks may differ, and a time that has passed would ask again at once.
        return min(max(1.0, (reset_at - self._now()).total_seconds()), LONGEST_WAIT)


def _limited(limit: _LimitError, wait: float, *, until: datetime) -> Transient:
    code, message = limit.problem
    return Transient(
        f"The ledger takes no more requests: {message} ({code}).",
        next_step=f"nothing was sent; run again after {moment(until)}.",
        sent=False,
        retry_after=wait,
    )


def _judge(answer: Answer) -> None:
    """Raise what an answer says went wrong; the errors in the body count, whatever the HTTP status.

    Source: docs/systems/ledger.md#a2.
    """
    # The body first: an input error may come with 200 as with 400, and its text is what an accountant needs.
    parsed = _parse(answer)
    if parsed is not None and parsed.errors:
        _raise(parsed.errors, answer)
    judge_status(answer)
    if answer.status in NOT_SIGNED_IN:
        raise Terminal(f"The ledger does not accept the token ({answer.status}).", next_step=NEXT_STEP, sent=False)
    if REDIRECT <= answer.status < BAD_REQUEST:
        # Not followed: the token is for the address in the settings alone.
        raise _NoGraphqlError(
            f"The ledger's address sends elsewhere ({answer.status}).", next_step="check SPRINGLINE_LEDGER__URL."
        )
    if parsed is None or parsed.data is None:
        raise _NoGraphqlError(
            f"The ledger's answer ({answer.status}) is no GraphQL but {answer.excerpt()!r}.",
            next_step="check SPRINGLINE_LEDGER__URL.",
        )


def _of_one_meaning(judge: Judge) -> Judge:
    """Judge the answer to a write only where no member stands twice: it may say both `done` and `refused`."""

    def look(answer: Answer) -> None:
        if name := twice_in(answer.body):
            raise _NoGraphqlError(f"The ledger's answer ({answer.status}) has {name!r} twice.", next_step=ASK)
        judge(answer)

    return look


def _judge_upload(answer: Answer) -> None:
    """Judge the answer to a request with files: a server that does not take the body has refused it."""
    if answer.status in UNTAKEN:
        problem = (str(answer.status), f"the request with the file is not taken ({answer.status})")
        raise Refused(f"The ledger refused: {problem[1]}", problems=(problem,), status=answer.status)
    _judge(answer)


def _raise(errors: Sequence[_GraphqlError], answer: Answer) -> None:
    """Raise what the errors of an answer mean; each kind says whether anything can have been carried out.

    The order matters. A limit first: nothing was carried out, and waiting helps. Then the token: no later try helps.
    Then a time-out inside the ledger, or a status from 500 on: a mutation may have been carried out. Only what is left
    is a refusal, on which the couriers send again without the vouchers that it names.
    """
    for error in errors:
        if error.problem[0] in WAITS:
            reset_at = (error.extensions or {}).get("resetAt")
            raise _LimitError(error.problem, str(reset_at) if reset_at else None)
    problems = tuple(error.problem for error in errors)
    texts = "; ".join(f"{message} ({code})" if code else message for code, message in problems)
    said = hide_in_text(texts)[:LONGEST]
    if answer.status in NOT_SIGNED_IN or "Bad format for API Token" in said:
        raise Terminal(f"The ledger does not accept the token: {said}", next_step=NEXT_STEP, sent=False)
    if "query timed out" in said:
        raise Transient(f"The ledger took too long: {said}", next_step="set a smaller ledger.page_size.")
    judge_status(answer)
    raise Refused(f"The ledger refused: {said}", problems=problems, status=answer.status)


def _parse(answer: Answer) -> _Answer | None:
    try:
        return msgspec.json.decode(answer.body, type=_Answer)
    except UNREADABLE:
        return None


def _data(answer: Answer) -> Data:
    parsed = _parse(answer)
    return {} if parsed is None or parsed.data is None else parsed.data
