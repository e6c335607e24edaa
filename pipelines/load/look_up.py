"""Looking up on the other side what it has already: how it is asked, what it says of one intent, and what follows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar, cast

from pipelines.core.errors import ExtractError, WireError
from pipelines.outbox.entry import Entry, Move
from pipelines.outbox.intent import Json
from pipelines.outbox.states import State
from pipelines.wire.ledger import nodes_of
from pipelines.wire.query import Reading

if TYPE_CHECKING:
    from pipelines.wire.ledger import LedgerClient

Node = dict[str, Any]
T = TypeVar("T")

# What can go wrong when the other side is asked what it has.
LOOK_UP_ERRORS = (WireError, ExtractError)
# Values in one filter: a thousand texts of a hundred characters are a request of 100 kB.
QUESTION = 1_000


class Presence(Enum):
    """Whether the other side has it."""

    ABSENT = auto()
    COMPLETE = auto()
    # Something is there that we must not add to: only a person can decide.
    CONFLICT = auto()
    # The answer cannot be compared; nothing may be sent on it.
    UNDECIDED = auto()


@dataclass(frozen=True, slots=True)
class LookUpFinding:
    """Whether it is there, the ids on the other side, the reason in words; ``code`` names the case of a conflict."""

    presence: Presence
    detail: str = ""
    remote_ids: Mapping[str, Json] | None = None
    code: str | None = None


ABSENT = LookUpFinding(Presence.ABSENT)


def complete(detail: str, remote_ids: Mapping[str, Json]) -> LookUpFinding:
    """Say that it is there, whole."""
    return LookUpFinding(Presence.COMPLETE, detail, remote_ids)


def conflict(code: str, detail: str, remote_ids: Mapping[str, Json] | None = None) -> LookUpFinding:
    """Say that a person must decide."""
    return LookUpFinding(Presence.CONFLICT, detail, remote_ids, code)


def source_of(remark: Node) -> int:
    """Return the key of the object that a remark belongs to, 0 where it names none."""
    source = remark.get("source")
    # A plain key as documented; other references of the VMS come as a stub.
    key = source.get("key") if isinstance(source, dict) else source
    return int(key or 0)


def by_finding(entry: Entry, finding: LookUpFinding) -> list[Move]:
    """Settle an intent that a look-up has found: whole, or so that a person must decide."""
    match finding.presence:
        case Presence.COMPLETE:
            return [Move(entry.id, State.SENT, finding.detail, cast("Json", finding.remote_ids))]
        case Presence.CONFLICT:
            # Failed, never sent again on top: what lies there is not ours to change.
            return [Move(entry.id, State.FAILED, finding.detail, cast("Json", finding.remote_ids), finding.code)]
        case _:
            return []


def one_of(connection: str, column: str, values: Iterable[object], *, selection: str) -> Reading:
    """Ask a connection for the nodes whose ``column`` is one of ``values``."""
    return Reading(connection, selection, {f"{column}_in": sorted(set(values), key=str)})


def ask(ledger: LedgerClient, readings: Sequence[Reading]) -> list[list[Node]]:
    """Read several connections whole; one without values in its filter is not asked and has no nodes."""
    # A filter without values can find nothing; what the API makes of one is not documented.
    to_ask = [reading for reading in readings if all((reading.filter or {}).values())]
    pages = iter(ledger.read(to_ask) if to_ask else ())
    answers = {id(reading): nodes_of(next(pages), reading, is_whole=True) for reading in to_ask}
    return [answers.get(id(reading), []) for reading in readings]


def chunks(items: Iterable[T], *, size: int) -> Iterator[list[T]]:
    """Cut a sequence into lists of ``size``, the last one shorter."""
    remaining = iter(items)
    while chunk := list(islice(remaining, size)):
        yield chunk


def code_of(node: Node, name: str) -> str | None:
    """Return the code of what a node refers to, None where it refers to nothing."""
    reference = node.get(name)
    return reference.get("code") if reference else None
