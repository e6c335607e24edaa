"""What the outbox gives back: an intent as it is kept, its latest version, and a move to another state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pipelines.outbox.intent import Json, Kind, read_json
from pipelines.outbox.states import State
from pipelines.stores.control_types import ControlRow

# These write an object of its own in the VMS, which people know by its own number and not by that of a document.
_NAMED_BY_KEY = frozenset({Kind.PAYMENT, Kind.RATE, Kind.ACTUAL, Kind.REMARK})


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One intent as the outbox keeps it, without its payload (which is large, and read only to be sent)."""

    id: str
    kind: Kind
    natural_key: str
    state: State
    company_code: str | None
    owner_code: int | None
    document_key: int | None
    document_no: str | None
    # Calls begun, and when the last one was: it may be under way on the other side for as long as its time-out.
    attempts: int
    attempted_at: datetime | None
    error_code: str | None
    last_error: str | None
    look_up: Mapping[str, Json]
    remote_ids: Mapping[str, Json]

    @classmethod
    def of(cls, row: ControlRow) -> Entry:
        """Read a row of the statements `entries` and `vouchers`, whose columns are these fields."""
        return cls(
            **dict(row)
            | {
                "kind": Kind(row["kind"]),
                "state": State(row["state"]),
                "attempted_at": row["attempted_at"] and datetime.fromisoformat(row["attempted_at"]),
                "look_up": members_of(row["look_up"]),
                "remote_ids": members_of(row["remote_ids"]),
            }
        )

    @property
    def label(self) -> str:
        """Name it in a message, as a person finds it.

        A voucher has number and key of its document, a payment its own number and that of its invoice, a rate its day
        and pair of currencies, master data its kind and code.
        """
        if self.kind in _NAMED_BY_KEY:
            name = f"{self.kind.capitalize()} {self.natural_key}"
            return name if self.document_no is None else f"{name} of document {self.document_no}"
        if self.document_key is None:
            return f"{self.kind.replace('_', ' ')} {self.natural_key}"
        return f"document {self.document_no} (key {self.document_key})"


@dataclass(frozen=True, slots=True)
class Version:
    """The latest version of something that is written again whenever it changes; natural key `<stem>#<number>`."""

    number: int
    state: State
    source_hash: str
    remote_ids: Mapping[str, Json]
    error_code: str | None = None

    @property
    def next_number(self) -> int:
        """The number of the version to write: a sent one stays as it is, so the next change is a version of its own."""
        return self.number + (self.state is State.SENT)


@dataclass(frozen=True, slots=True)
class Move:
    """One intent on its way to another state; ``detail`` goes into the event, the error also into the outbox."""

    intent: str
    to: State
    detail: str | None = None
    remote_ids: Json = None
    error_code: str | None = None


def members_of(text: str | None) -> Mapping[str, Json]:
    """Read a JSON object kept as text; a column that is null has no members."""
    value = read_json(text) if text else {}
    return value if isinstance(value, dict) else {}
