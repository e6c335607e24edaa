"""What an answer proves: the moves that follow for the intents of one mutation."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple, cast

from pipelines.core.errors import Refused
from pipelines.load.finding import Finding, by_finding
from pipelines.load.ledger.parcels import halves
from pipelines.load.ledger.refusals import Gap, gap_message, refusal_message
from pipelines.load.ports import Node
from pipelines.outbox.states import State
from pipelines.outbox.store import Entry, Move


class Parcel(NamedTuple):
    """One intent on its way, and the inputs it adds to a mutation."""

    entry: Entry
    inputs: Sequence[Node]

    @property
    def nodes(self) -> list[Node]:
        """The nodes without their client ids."""
        return [item["node"] for item in self.inputs]

    @property
    def source(self) -> str | None:
        """The voucher type; the ledger looks a subledger code up among suppliers or among customers by it."""
        for node in self.nodes:
            return cast("str | None", node.get("transactionSource", {}).get("code"))
        return None


class Settlement(NamedTuple):
    """Moves to make now, what is to be sent again, one mutation each, and what the ledger lacks, by voucher type."""

    moves: list[Move]
    again: list[list[Parcel]]
    missing: Collection[tuple[str | None, Gap]] = ()


def by_answer(parcels: Sequence[Parcel], edges: Sequence[Node]) -> list[Move]:
    """Settle by the edges: an intent is sent when each of its inputs has come back with an id, else it is unknown.

    Edges are matched by the client id they echo, by position where the ledger echoes none.
    """
    inputs = [item for parcel in parcels for item in parcel.inputs]
    if len(edges) == len(inputs) and not any(edge.get("clientId") for edge in edges):
        edges = [{**edge, "clientId": item["clientId"]} for edge, item in zip(edges, inputs, strict=True)]
    ids = {edge.get("clientId"): (edge.get("node") or {}).get("dbId") for edge in edges}
    return [_by_ids(parcel, [ids.get(item["clientId"]) for item in parcel.inputs]) for parcel in parcels]


def carriers(parcels: Sequence[Parcel], known: Callable[[Parcel], Collection[Gap]]) -> dict[str, tuple[Entry, Gap]]:
    """Return the intents that refer to something the ledger does not have, by id, with the first such reference."""
    found: dict[str, tuple[Entry, Gap]] = {}
    for parcel in parcels:
        missing = known(parcel)
        gap = next((gap for node in parcel.nodes for gap in missing if gap.is_in(node)), None) if missing else None
        if gap is not None:
            found[parcel.entry.id] = (parcel.entry, gap)
    return found


def set_aside(found: Mapping[str, tuple[Entry, Gap]]) -> list[Move]:
    """Fail the carriers of a gap, each with a message that names it."""
    return [Move(entry.id, State.FAILED, gap_message(entry, gap), error_code=gap.code) for entry, gap in found.values()]


def by_refusal(
    parcels: Sequence[Parcel], refusal: Refused, *, named: Collection[Gap], findings: Mapping[str, Finding]
) -> Settlement:
    """Settle a refused mutation: carriers of what it names wait, the others go again, in halves when it names nothing.

    ``findings`` say what the refused call has left behind all the same; empty when it is known to leave nothing.
    """
    moves = [move for p in parcels if p.entry.id in findings for move in by_finding(p.entry, findings[p.entry.id])]
    settled = {move.intent for move in moves}
    rest = [p for p in parcels if p.entry.id not in settled]
    sources = _sources_in_doubt(rest, named)
    bad = {} if sources else carriers(rest, lambda _: named)
    again = [p for p in rest if p.entry.id not in bad]
    moves += set_aside(bad)
    if len(again) == 1 and len(parcels) == 1:
        (only,) = again
        message = refusal_message(only.entry, refusal, only.nodes)
        return Settlement([*moves, Move(only.entry.id, State.FAILED, message, error_code="refused")], [])
    missing = {(p.source, bad[p.entry.id][1]) for p in rest if p.entry.id in bad}
    moves += [Move(p.entry.id, State.TODO, "refused together with others") for p in again]
    if sources:
        return Settlement(moves, _by_source(again))
    parts = [again] if len(again) < len(parcels) else list(halves(again))
    return Settlement(moves, [list(part) for part in parts if part], missing)


def _by_ids(parcel: Parcel, found: list[object]) -> Move:
    if all(found):
        return Move(parcel.entry.id, State.SENT, remote_ids={"dbIds": [str(db_id) for db_id in found]})
    lacking = sum(not db_id for db_id in found)
    return Move(parcel.entry.id, State.UNKNOWN, f"the answer has no id for {lacking} of {len(found)} lines")


def _sources_in_doubt(parcels: Sequence[Parcel], named: Collection[Gap]) -> bool:
    """Tell whether a subledger code is named that vouchers of several types carry: one may be right, the other not."""
    partners = [gap for gap in named if gap.field == "subledger"]
    found = carriers(parcels, lambda _: partners)
    return len({parcel.source for parcel in parcels if parcel.entry.id in found}) > 1


def _by_source(parcels: Sequence[Parcel]) -> list[list[Parcel]]:
    ordered = sorted(parcels, key=lambda parcel: parcel.source or "")
    return [list(members) for _, members in groupby(ordered, key=lambda parcel: parcel.source or "")]
