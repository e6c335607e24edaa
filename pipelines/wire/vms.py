"""Client of the VMS's REST API: pages of objects, single objects, writes (docs/systems/vms.md#1)."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import msgspec

from pipelines.core.errors import ExtractError, Forbidden, Refused, Terminal, Unclear
from pipelines.core.hiding import hide_in_text
from pipelines.wire.ahead import map_ahead
from pipelines.wire.filters import Scalar, above, fields_header, one_of
from pipelines.wire.http import UNREADABLE, Answer, Call, CountRequest, HttpCaller
from pipelines.wire.limiter import RateLimiter
from pipelines.wire.pages import (
    OPEN_IT,
    Listing,
    NoArrayError,
    NotJsonError,
    Reading,
    Unreadable,
    is_object,
    keys,
    split,
)
from pipelines.wire.shaped import shaped
from pipelines.wire.sign_in import NEXT_STEP, SignIn
from pipelines.wire.twice import twice_in

if TYPE_CHECKING:
    import httpx

    from pipelines.core.settings_systems import VmsSettings

SIDE = "vms"
# A limit for a VMS that never comes to an end.
MOST_PAGES = 100_000
# A page that one object breaks is read again in so many parts.
PARTS = 10
# HTTP statuses.
REDIRECT, BAD_REQUEST, UNAUTHORIZED, FORBIDDEN = 300, 400, 401, 403

Object = dict[str, Any]

# The VMS reads amounts as JSON numbers.
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_OBJECT = msgspec.json.Decoder(Object, float_hook=Decimal)


class _VmsError(msgspec.Struct):
    message: str = ""


class VmsClient:
    """The VMS; safe to use from several threads.

    Every method raises Refused with the VMS's own message when it refuses, Terminal for wrong credentials, Forbidden
    for missing rights, Transient when there was no answer; a write raises Transient with ``sent`` when its fate is
    unknown.
    ``fields`` are dotted paths.
    """

    def __init__(
        self,
        settings: VmsSettings,
        *,
        count: CountRequest,
        now: Callable[[], datetime],
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``now`` is the clock (aware); ``transport`` and ``sleep`` are the tests' to replace."""
        self._base = settings.base_url.rstrip("/")
        self._page_size = settings.page_size
        self._workers = settings.workers
        # Less than one a second is one in so many seconds: a limiter lets whole requests through.
        requests = max(1, round(settings.requests_per_second))
        self._http = HttpCaller(
            SIDE,
            timeout=settings.timeout,
            attempts=settings.attempts,
            limiter=RateLimiter(requests, seconds=requests / settings.requests_per_second, sleep=sleep),
            count=count,
            connections=settings.workers,
            now=now,
            transport=transport,
        )
        self._sign_in = SignIn(settings, http=self._http, now=now)

    def pages(
        self,
        entity: str,
        *,
        fields: Sequence[str],
        filters: Sequence[str] = (),
        page_size: int | None = None,
        is_parted: bool = False,
    ) -> Iterator[bytes]:
        """Yield the objects that pass all filters, a JSON array a page, in the order of key.

        Each page asks for the keys above the last one seen. Page numbers would shift: documents leave a status while
        they are being read (that is what posting does), and each that leaves moves one behind it past the reader.
        A page is the last when it is empty, or when as many objects have come as the VMS counted at the first page
        (docs/mapping.md#0): a server may give fewer than were asked for.
        Raises ExtractError when a page is no JSON array twice in a row, or when the keys do not rise; ``is_parted``
        reads an array that one object breaks in parts, and yields that object by itself as Unreadable.
        """
        limit = page_size or self._page_size
        last: int | None = None
        reading = Reading()
        for number in range(1, MOST_PAGES + 1):
            listing = Listing(entity, fields, filters, number, is_parted)
            page_keys = yield from self._window(listing, reading, last=last, limit=limit)
            if reading.is_over:
                return
            last = _advance(page_keys, last, entity=entity)
        raise ExtractError(f"{entity}: more than {MOST_PAGES} pages.", next_step="set a larger vms.page_size.")

    def pages_of(
        self,
        entity: str,
        path: str,
        values: Iterable[Scalar],
        *,
        fields: Sequence[str],
        filters: Sequence[str] = (),
        is_parted: bool = False,
    ) -> Iterator[bytes]:
        """Yield the objects whose ``path`` is one of ``values``: at most fifty values a request, some at a time."""

        def read(chosen: str) -> list[bytes]:
            return list(self.pages(entity, fields=fields, filters=(*filters, chosen), is_parted=is_parted))

        for pages in map_ahead(read, one_of(path, values), workers=self._workers, ahead=2 * self._workers):
            yield from pages

    def begun(self, readings: Sequence[Iterator[bytes]]) -> Iterator[Iterator[bytes]]:
        """Yield readings in their order, the first page of each read ahead, some at a time."""

        def begin(reading: Iterator[bytes]) -> Iterator[bytes]:
            return chain(list(islice(reading, 1)), reading)

        return map_ahead(begin, readings, workers=self._workers, ahead=len(readings))

    def find(
        self, entity: str, *, filters: Sequence[str], fields: Sequence[str], at_most: int = 10_000
    ) -> list[Object]:
        """Return the objects that pass all filters, for small look-ups; see ``shaped`` for what they are held against.

        Raises ExtractError when there are more than ``at_most``.
        """
        objects: list[Object] = []
        for page in self.pages(entity, fields=fields, filters=filters):
            objects += shaped(page, fields, of=f"The VMS's {entity}", has_stubs=True)
            if len(objects) > at_most:
                raise ExtractError(f"More than {at_most} objects {entity} pass {' and '.join(filters)}.")
        return objects

    def count(self, entity: str) -> int | None:
        """Return how many objects there are, in one small request; None where the VMS does not say.

        Source: docs/systems/vms.md#1-6.
        """
        answer = self._call(
            "GET",
            entity,
            headers={"fields": fields_header(["key"])},
            parameters=[("pageNumber", "1"), ("limit", "1")],
        )
        return _total(answer)

    def get(self, entity: str, key: int, *, fields: Sequence[str] | None = None) -> bytes:
        """Return one object as it comes; raises Refused with status 404 when there is none.

        Raises ExtractError when the answer is no JSON object twice in a row.
        """
        headers = {} if fields is None else {"fields": fields_header(fields)}
        # Twice, as in `_page`.
        for _ in range(2):
            answer = self._call("GET", f"{entity}/{key}", headers=headers)
            if is_object(answer.body):
                return answer.body
        raise ExtractError(f"{answer.url}: no JSON object but {answer.excerpt()!r}.", next_step=OPEN_IT)

    def put(self, entity: str, key: int, body: Mapping[str, object]) -> Object:
        """Change the given members of an object and return the object as it is then; see ``post``."""
        request = f"{entity}/{key}"
        return _written(self._call("PUT", request, body=_ENCODER.encode(body)), request=f"PUT {request}")

    def post(self, entity: str, body: Mapping[str, object]) -> Object:
        """Create an object and return it; raises Unclear when the answer is no object, whatever its status.

        Whether the object is the one that was meant is the caller's to judge.
        """
        return _written(self._call("POST", entity, body=_ENCODER.encode(body)), request=f"POST {entity}")

    def delete(self, entity: str, key: int) -> None:
        """Remove an object; raises Refused with status 404 where there is none.

        The answer has no object that would prove it: whether it is gone shows when it is read.
        """
        self._call("DELETE", f"{entity}/{key}")

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _window(
        self, listing: Listing, reading: Reading, *, last: int | None, limit: int
    ) -> Generator[bytes, None, Sequence[int]]:
        """Yield the next objects above the key ``last``, at most ``limit``, and return their keys."""
        try:
            page, objects = self._page(listing, last=last, limit=limit, reading=reading)
        except NoArrayError as error:
            if not listing.is_parted or not error.body.lstrip().startswith(b"["):
                raise
            # Down to the one object: it is set aside by its key, and all others of the page are kept.
            if limit == 1:
                key = self._next_key(listing, last)
                yield Unreadable(error.body, key=key)
                reading.add(1)
                return [key]
        else:
            if objects:
                yield page
            reading.add(len(objects))
            return keys(objects)
        part, end, all_keys = max(1, limit // PARTS), reading.seen + limit, list[int]()
        while reading.seen < end:
            part_keys = yield from self._window(listing, reading, last=last, limit=min(part, end - reading.seen))
            all_keys += part_keys
            if reading.is_over:
                break
            last = _advance(part_keys, last, entity=listing.entity)
        return all_keys

    def _next_key(self, listing: Listing, last: int | None) -> int:
        """Return the key of the first object above ``last``, of which nothing else can be read."""
        _, objects = self._page(listing._replace(fields=("key",)), last=last, limit=1, reading=None)
        return _advance(keys(objects), last, entity=listing.entity)

    def _page(
        self, listing: Listing, *, last: int | None, limit: int, reading: Reading | None
    ) -> tuple[bytes, Sequence[bytes]]:
        filters = listing.filters if last is None else (*listing.filters, above("key", last))
        parameters = [*(("filter", text) for text in filters), ("sort", "key(AS)")]
        # Always page 1: the filter above the last key moves on, not the page number (see `pages`).
        parameters += [("pageNumber", "1"), ("limit", str(limit))]
        headers = {"fields": fields_header(listing.fields)}
        # Counting costs the VMS a query of its own: the first page is asked for it, which a short page is held against.
        if last is not None:
            headers["noCount"] = "YES"
        # Twice: a proxy's page or a cut connection passes; what comes twice is the VMS's answer.
        for is_last_try in (False, True):
            answer = self._call("GET", listing.entity, headers=headers, parameters=parameters)
            if reading is not None and last is None:
                reading.total = _total(answer)
            try:
                texts = split(answer.body).texts
            except NotJsonError as error:
                if is_last_try:
                    message = f"{answer.url}, page {listing.number}: no JSON array but {answer.excerpt()!r}."
                    raise NoArrayError(message, body=answer.body) from error
                continue
            # Objects may leave while they are read, so a page with nothing on it is believed when it comes twice.
            if texts or is_last_try or reading is None or not reading.lacks_some:
                return answer.body, texts
        raise AssertionError

    def _call(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        parameters: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
    ) -> Answer:
        content = {} if body is None else {"Content-Type": "application/json"}
        common = {"Accept": "application/json", **content, **(headers or {})}
        operation = f"{method} {path.partition('/')[0]}"

        def call(authorization: str) -> Answer:
            signed = {**common, "Authorization": authorization}
            is_write = method != "GET"
            url = f"{self._base}/{path}"
            return self._http.call(Call(method, url, operation, signed, parameters, body, is_write=is_write))

        header = self._sign_in.header()
        answer = call(header)
        # The VMS may end a token early. 401 means that nothing was done, so a write may go again too; once only.
        if answer.status == UNAUTHORIZED and self._sign_in.forget(header):
            answer = call(self._sign_in.header())
        _refuse(answer, request=f"{method} {path}")
        return answer


def _total(answer: Answer) -> int | None:
    total = answer.headers.get("totalObjectsNumber", "")
    return int(total) if total.isdecimal() else None


def _advance(page_keys: Sequence[int], last: int | None, *, entity: str) -> int:
    # A VMS that ignored the filter would give the same page for ever.
    newest = max(page_keys, default=None)
    if newest is None or (last is not None and newest <= last):
        raise ExtractError(
            f"{entity}: a page brought no key above {last}, so reading it cannot go on.",
            next_step="ask whoever runs the VMS why it does not honour key(GT).",
        )
    return newest


def _refuse(answer: Answer, *, request: str) -> None:
    """Raise what an answer's status says (docs/systems/vms.md#1-9)."""
    if answer.status < REDIRECT:
        return
    if answer.status < BAD_REQUEST:
        # Not followed: the address in the settings is wrong, or something stands in between.
        raise Terminal(
            f"VMS: {request} was sent elsewhere ({answer.status}).", next_step="check SPRINGLINE_VMS__BASE_URL."
        )
    message = _message(answer)
    # No refusal of the object but of us: every other object would fare the same, so it stops the job.
    if answer.status in {UNAUTHORIZED, FORBIDDEN}:
        kind = Forbidden if answer.status == FORBIDDEN else Terminal
        raise kind(
            f"VMS: {request} is not allowed ({answer.status}: {message}).",
            next_step=f"{NEXT_STEP[:-1]}; after 403, the security roles of the API's user.",
            sent=False,
        )
    raise Refused(
        f"VMS: {request} was refused ({answer.status}: {message}).",
        problems=((str(answer.status), message),),
        status=answer.status,
    )


def _message(answer: Answer) -> str:
    try:
        return hide_in_text(msgspec.json.decode(answer.body, type=_VmsError).message) or answer.excerpt()
    except UNREADABLE:
        return answer.excerpt()


def _written(answer: Answer, *, request: str) -> Object:
    """Return the object that a write was answered with; a proxy's page or an empty body proves no write."""
    try:
        written = _OBJECT.decode(answer.body)
    except UNREADABLE as error:
        raise Unclear(
            f"VMS: {request} was answered ({answer.status}) with no object but {answer.excerpt()!r}."
        ) from error
    if name := twice_in(answer.body):
        raise Unclear(f"VMS: {request} was answered ({answer.status}) with an object that has {name!r} twice.")
    return written
