"""Reads a call of either side: who it is from, and which events it tells.

Source: docs/systems/vms.md#2, docs/systems/ledger.md.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import msgspec

from pipelines.watch.webhooks.events import Event
from pipelines.wire.http import UNREADABLE
from pipelines.wire.twice import twice_in

# What has changed in the VMS -> the job that looks. A change of what is part of an object may be told by itself.
VMS_JOBS: Mapping[str, str] = {
    "Document": "documents",
    "DocumentLine": "documents",
    "BusinessPartner": "master-data",
    "Address": "master-data",
    "ContactInfo": "master-data",
    "BankAccount": "master-data",
    "Bank": "master-data",
    "Vessel": "master-data",
    "VoyageHeader": "master-data",
    "Voyage": "master-data",
}
# The same of the ledger, by the field of the subscription.
LEDGER_JOBS: Mapping[str, str] = {
    "suppliers": "master-data",
    "customers": "master-data",
    "projects": "master-data",
    "arTransactions": "payments",
    "apTransactions": "payments",
    "transactions": "payments",
    "exchangeRates": "rates",
}
SIGNATURE = "x-xl-webhook-signature"
# A call whose Date is further off, to either side, is not taken (docs/systems/ledger.md).
WINDOW = timedelta(minutes=15)
# Signatures that are remembered for as long; only genuine ones come in, so nobody else can fill this.
MOST_SIGNATURES = 20_000
# Characters of an id; a longer one, and one with characters that no store takes, is kept as its hash.
LONGEST_ID = 100

_KEY = re.compile(r"-?\d{1,19}", re.ASCII)


class _VmsCall(msgspec.Struct, rename="camel"):
    # Only a sample of it is documented, and its end is cut off: what is not needed may be missing.
    object_type: str
    event_type: str = ""
    id: str | int | None = None
    dataloy_object: str | int | None = None


class _Node(msgspec.Struct, rename="camel"):
    # A number on older types and text on newer ones (docs/systems/ledger.md#1-5).
    db_id: str | int | None = None


class _Edge(msgspec.Struct):
    node: _Node | None = None


class _Mutated(msgspec.Struct):
    edges: list[_Edge] | None = None


class _LedgerCall(msgspec.Struct):
    data: dict[str, msgspec.Raw] | None = None


_VMS_CALL = msgspec.json.Decoder(_VmsCall)
_LEDGER_CALL = msgspec.json.Decoder(_LedgerCall)
_MUTATED = msgspec.json.Decoder(_Mutated | None)


class UnreadableError(Exception):
    """The body is not what this side sends."""


class BasicSignIn:
    """User name and password of Basic authentication."""

    def __init__(self, username: str, password: str) -> None:
        """Keep hashes alone: compared, they say nothing of a length either."""
        # Java writes ISO 8859-1 where it is not told otherwise, browsers UTF-8.
        pair = f"{username}:{password}"
        forms = {pair.encode(), pair.encode("latin-1", errors="replace")}
        self._expected = [hashlib.sha256(form).digest() for form in forms]

    def is_right(self, headers: Sequence[str]) -> bool:
        """Return whether the headers `Authorization` of a request are one, and right; in constant time."""
        scheme, _, encoded = headers[0].partition(" ") if len(headers) == 1 else ("", "", "")
        try:
            given = base64.b64decode(encoded.strip(), validate=True)
        except (binascii.Error, ValueError):
            return False
        digest = hashlib.sha256(given).digest()
        is_one = [hmac.compare_digest(digest, expected) for expected in self._expected]
        return any(is_one) and scheme.lower() == "basic"


class Signatures:
    """Checks what the ledger signs with the API token: who sent it, when, and that it comes for the first time."""

    def __init__(self, token: str) -> None:
        """Raise ValueError for a token that is no base64url, as the ledger's are (docs/systems/ledger.md#1-2)."""
        self._key = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        # What was accepted -> until when it is remembered, oldest first.
        self._seen: OrderedDict[bytes, datetime] = OrderedDict()

    def sent_at(self, dates: Sequence[str], *, now: datetime) -> datetime | None:
        """Return the time of the header `Date`, None when there is not one, or one outside the window."""
        try:
            [text] = dates
            at = parsedate_to_datetime(text)
            # "-0000" stands for UTC without a place, and comes without a zone.
            at = at if at.tzinfo else at.replace(tzinfo=UTC)
            return at if abs(now - at) <= WINDOW else None
        except (ValueError, OverflowError):
            return None

    def is_right(self, signatures: Sequence[str], body: bytes, *, at: datetime) -> bool:
        """Return whether the headers with the signature are one, and that of ``body`` and its time; constant time."""
        given = signatures[0].strip().rstrip("=").encode("latin-1", "replace") if len(signatures) == 1 else b""
        return hmac.compare_digest(given, self.sign(body, at=at))

    def sign(self, body: bytes, *, at: datetime) -> bytes:
        """Return the signature of a body sent at a time: base64url of HMAC-SHA256 over `seconds.body`."""
        message = b"%d." % int(at.timestamp()) + body
        return base64.urlsafe_b64encode(hmac.digest(self._key, message, "sha256")).rstrip(b"=")

    def is_replay(self, body: bytes, *, at: datetime) -> bool:
        """Return whether just this was accepted before."""
        return self.sign(body, at=at) in self._seen

    def remember(self, body: bytes, *, at: datetime, now: datetime) -> None:
        """Keep what was accepted until its time is outside the window."""
        while self._seen and (len(self._seen) >= MOST_SIGNATURES or next(iter(self._seen.values())) < now):
            self._seen.popitem(last=False)
        # The window reaches to both sides: what was dated ahead stays good for longer.
        self._seen[self.sign(body, at=at)] = now + 2 * WINDOW


def vms_events(body: bytes) -> list[Event]:
    """Return the event of a call of the VMS, none for an object that no job looks at.

    Raises UnreadableError.
    """
    try:
        call = _VMS_CALL.decode(body)
    except UNREADABLE as error:
        raise UnreadableError from error
    # A body may say one thing to us and another to whoever looked at it before.
    if twice_in(body):
        raise UnreadableError
    key = "" if call.dataloy_object is None else str(call.dataloy_object)
    if key and not _KEY.fullmatch(key):
        raise UnreadableError
    job = VMS_JOBS.get(call.object_type)
    if job is None:
        return []
    event_id = str(call.id) if call.id not in {None, ""} else _hash(body)
    is_kept = len(event_id) <= LONGEST_ID and event_id.isprintable()
    event_id = event_id if is_kept else _hash(event_id.encode("utf-8", "surrogatepass"))
    return [Event("vms", event_id, job, f"{call.object_type} {key}".rstrip())]


def ledger_events(body: bytes) -> list[Event]:
    """Return an event for each field of a call of the ledger that has changes and that a job looks at.

    The id is the hash of the body: a repeated delivery has the same one, whatever its date, and two changes differ at
    least in their syncVersion. Raises UnreadableError.
    """
    try:
        data = _LEDGER_CALL.decode(body).data or {}
        # Under the subscription's alias; where somebody made one without, under the field's own name.
        fields = {name.removesuffix("Mutated"): raw for name, raw in data.items()}
        changed = {name: _MUTATED.decode(raw) for name, raw in fields.items() if name in LEDGER_JOBS}
    except UNREADABLE as error:
        raise UnreadableError from error
    if twice_in(body):
        raise UnreadableError
    digest = _hash(body)
    return [
        Event("ledger", f"{name} {digest}", LEDGER_JOBS[name], _subject(name, connection.edges))
        for name, connection in changed.items()
        if connection is not None and connection.edges
    ]


def _subject(name: str, edges: Sequence[_Edge]) -> str:
    ids = [str(edge.node.db_id) for edge in edges if edge.node is not None and edge.node.db_id is not None]
    last = ids[-1] if ids and _KEY.fullmatch(ids[-1]) else ""
    if len(edges) == 1:
        return f"{name} {last}".rstrip()
    return f"{len(edges)} {name}" + (f", the last {last}" if last else "")


def _hash(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:40]
