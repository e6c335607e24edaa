"""Objects that break their contract: set aside in `ctl.rejected` with their text, closed once they are right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import structlog

from pipelines.stores.control import named_statements, utc_text

if TYPE_CHECKING:
    from pipelines.extract.parse import RejectedObject
    from pipelines.step.context import Context
    from pipelines.stores.control_types import ControlRow

# Enough to see what is wrong; the hash is that of the whole text.
LONGEST_BODY = 64 * 1024
NEXT_STEPS: Mapping[str, str] = {
    "vms": "correct it in the VMS; the next run takes it by itself.",
    "ledger": "correct it in Xledger; the next run takes it by itself.",
}

_log = structlog.get_logger(__name__)


def open_keys(ctx: Context, *, side: str, entity: str, mentioning: Sequence[str] = ()) -> set[int]:
    """Return the keys of the objects that are set aside now, with ``mentioning`` only those with one of the words."""
    rows = ctx.control.read(
        "SELECT DISTINCT object_key, body FROM rejected WHERE side = ? AND entity = ? AND until IS NULL "
        "AND object_key IS NOT NULL",
        (side, entity),
    )
    # A text that was cut may have the word behind the cut.
    return {
        int(row["object_key"])
        for row in rows
        if not mentioning or len(row["body"]) >= LONGEST_BODY or any(word in row["body"] for word in mentioning)
    }


def set_aside_now(ctx: Context, *, side: str, entity: str) -> str:
    """Tell the objects of an entity that are set aside now, with their texts, from any others."""
    return repr([tuple(row) for row in _standing(ctx, side, entity)])


def settle_rejected(
    ctx: Context,
    rejected: Sequence[RejectedObject],
    *,
    side: str,
    entity: str,
    accepted: Callable[[set[int]], set[int]],
    is_complete: bool,
) -> None:
    """Record what a reading set aside, and close what has come right.

    ``accepted`` says which of the given keys came back and kept the contract. One object has one open row: the same
    text opens no second one, another text replaces it. After a complete reading the objects that did not come back are
    closed too; for an object without a readable key that is the only way to be closed.
    """
    standing = _standing(ctx, side, entity)
    # By key and text: the same fault in the same text keeps its row and its age.
    now = {(_text(item.key), item.body_hash): item for item in rejected}
    keys = {key for key, _ in now if key is not None}
    right = {str(key) for key in accepted({int(row["object_key"]) for row in standing if row["object_key"]})} - keys
    # Closed: it came right, or another text of it is set aside now, or a complete reading no longer brought it.
    closed = [
        row["rejected_id"]
        for row in standing
        if (row["object_key"], row["body_hash"]) not in now
        and (is_complete or row["object_key"] in right or row["object_key"] in keys)
    ]
    known = {(row["object_key"], row["body_hash"]) for row in standing}
    added = [item for identity, item in now.items() if identity not in known]
    # An idle run writes nothing.
    if closed or added:
        _write(ctx, closed, added, side=side, entity=entity)


def close_rejected(ctx: Context, keys: Sequence[int], *, side: str, entity: str) -> None:
    """Close the rows of objects that the other side no longer has."""
    if not open_keys(ctx, side=side, entity=entity).intersection(keys):
        return
    at = utc_text(ctx.now())
    with ctx.control.write() as connection:
        connection.executemany(
            "UPDATE rejected SET until = ? WHERE side = ? AND entity = ? AND object_key = ? AND until IS NULL",
            [(at, side, entity, str(key)) for key in keys],
        )


def _standing(ctx: Context, side: str, entity: str) -> list[ControlRow]:
    return ctx.control.read(
        "SELECT rejected_id, object_key, body_hash FROM rejected WHERE side = ? AND entity = ? AND until IS NULL "
        "ORDER BY rejected_id",
        (side, entity),
    )


def _write(ctx: Context, closed: Sequence[int], added: Sequence[RejectedObject], *, side: str, entity: str) -> None:
    at = utc_text(ctx.now())
    with ctx.control.write() as connection:
        connection.executemany("UPDATE rejected SET until = ? WHERE rejected_id = ?", [(at, row) for row in closed])
        connection.executemany(
            named_statements("extract")["set_aside"],
            [
                {
                    "side": side,
                    "entity": entity,
                    "key": _text(item.key),
                    "document_no": item.document_no,
                    "member": item.member,
                    "message": f"{item.message}. Next: {NEXT_STEPS[side]}",
                    "body": _readable(item.body[:LONGEST_BODY]),
                    "body_hash": item.body_hash,
                    "at": at,
                    "batch_id": ctx.batch_id,
                }
                for item in added
            ],
        )
    for item in added:
        _log.warning("object set aside", side=side, entity=entity, key=item.key, message=item.message)


def _readable(body: bytes) -> str:
    # A bare zero byte, which is no JSON, is in no text of PostgreSQL's.
    return body.decode("utf-8", errors="replace").replace("\0", "\ufffd")


def _text(key: int | None) -> str | None:
    return None if key is None else str(key)
