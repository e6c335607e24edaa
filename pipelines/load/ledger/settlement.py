"""What an answer proves: the moves that follow for the intents of one mutation."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import groupby, islice
from typing import NamedTuple, cast

from pipelines.core.errors import Refused
from pipelines.load.ledger.refusals import (
    REFUSED,
    VALUE_REFUSED,
    Gap,
    gap_message,
    is_of_the_value,
    refusal_message,
)
from pipelines.load.look_up import LookUpFinding, Node, by_finding
from pipelines.outbox.entry import Entry, Move
from pipelines.outbox.states import State
from pipelines.wire.written import written_ids


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
        # The same in every node of a voucher; master data has none.
        for node in self.nodes:
            return cast("str | None", node.get("transactionSource", {}).get("code"))
        return None


class Settlement(NamedTuple):
    """Moves to make now, what is to be sent again, one mutation each, and what the ledger lacks, by voucher type."""

    moves: list[Move]
    again: list[list[Parcel]]
    missing: Collection[tuple[str | None, Gap]] = ()


def by_answer(parcels: Sequence[Parcel], edges: Sequence[Node]) -> list[Move]:
    """Settle by the edges: an intent is sent when each of its inputs has come back with an id, else it is unknown."""
    # An input without an id may or may not be in the ledger: its intent is `unknown` and never just sent again.
    ids = iter(written_ids([item for parcel in parcels for item in parcel.inputs], edges))
    return [_by_ids(parcel, list(islice(ids, len(parcel.inputs)))) for parcel in parcels]


def carriers(parcels: Sequence[Parcel], known: Callable[[Parcel], Collection[Gap]]) -> dict[str, tuple[Entry, Gap]]:
    """Return the intents that refer to something the ledger does not have, by id, with the first such reference."""
    carrying: dict[str, tuple[Entry, Gap]] = {}
    for parcel in parcels:
        missing = known(parcel)
        gap = next((gap for node in parcel.nodes for gap in missing if gap.is_in(node)), None) if missing else None
        if gap is not None:
            carrying[parcel.entry.id] = (parcel.entry, gap)
    return carrying


def set_aside(carrying: Mapping[str, tuple[Entry, Gap]]) -> list[Move]:
    """Fail the carriers of a gap, each with a message that names it."""
    return [Move(e.id, State.FAILED, gap_message(e, gap), error_code=gap.code) for e, gap in carrying.values()]


def by_refusal(
    parcels: Sequence[Parcel], refusal: Refused, *, named: Collection[Gap], findings: Mapping[str, LookUpFinding]
) -> Settlement:
    """Settle a refused mutation: what carries what it names fails, the rest goes again, in halves if it names nothing.

    ``findings`` say what the refused call has left behind all the same; empty when it is known to leave nothing.
    """
    moves = [move for p in parcels if p.entry.id in findings for move in by_finding(p.entry, findings[p.entry.id])]
    # What the read-back has found (whole or in part) must not go again, whatever the refusal says.
    settled = {move.intent for move in moves}
    rest = [p for p in parcels if p.entry.id not in settled]
    # The refusal names a code but not the voucher type it was looked up for: then each type goes by itself first, or
    # good vouchers to customers would fail for a code that only the suppliers lack.
    sources = _sources_in_doubt(rest, named)
    bad = {} if sources else carriers(rest, lambda _: named)
    again = [p for p in rest if p.entry.id not in bad]
    moves += set_aside(bad)
    if len(again) == 1 and len(parcels) == 1:
        # Alone, and still refused: it is this one.
        (only,) = again
        message = refusal_message(only.entry, refusal, only.nodes)
        code = VALUE_REFUSED if is_of_the_value(refusal) else REFUSED
        return Settlement([*moves, Move(only.entry.id, State.FAILED, message, error_code=code)], [])
    missing = {(p.source, bad[p.entry.id][1]) for p in rest if p.entry.id in bad}
    moves += [Move(p.entry.id, State.TODO, "refused together with others") for p in again]
    if sources:
        return Settlement(moves, _by_source(again))
    # Something was set aside, so the rest may pass as a whole; else the fault is in one half or the other.
    middle = 0 if len(again) < len(parcels) else len(again) // 2
    return Settlement(moves, [part for part in (again[:middle], again[middle:]) if part], missing)


def _by_ids(parcel: Parcel, db_ids: Sequence[object]) -> Move:
    if all(db_ids):
        return Move(parcel.entry.id, State.SENT, remote_ids={"dbIds": [str(db_id) for db_id in db_ids]})
    lacking = sum(not db_id for db_id in db_ids)
    return Move(parcel.entry.id, State.UNKNOWN, f"the answer has no id for {lacking} of {len(db_ids)} lines")


def _sources_in_doubt(parcels: Sequence[Parcel], named: Collection[Gap]) -> bool:
    """Tell whether a subledger code is named that vouchers of several types carry: one may be right, the other not."""
    partners = [gap for gap in named if gap.field == "subledger"]
    carrying = carriers(parcels, lambda _: partners)
    return len({parcel.source for parcel in parcels if parcel.entry.id in carrying}) > 1


def _by_source(parcels: Sequence[Parcel]) -> list[list[Parcel]]:
    ordered = sorted(parcels, key=lambda parcel: parcel.source or "")
    return [list(members) for _, members in groupby(ordered, key=lambda parcel: parcel.source or "")]
