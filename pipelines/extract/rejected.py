"""Objects that break their contract: set aside in `ctl.rejected` with their text, closed once they come back right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import structlog

from pipelines.stores.control import utc_text

if TYPE_CHECKING:
    from pipelines.extract.parse import Rejected
    from pipelines.step.context import Context

LONGEST_BODY = 64 * 1024
NEXT_STEPS: Mapping[str, str] = {
    "vms": "correct it in the VMS; the next run takes it by itself.",
    "ledger": "correct it in Xledger; the next run takes it by itself.",
}

_log = structlog.get_logger(__name__)


def open_keys(ctx: Context, *, side: str, entity: str, mentioning: Sequence[str] = ()) -> set[int]:
    """Return the keys of the objects that are set aside now; of those alone whose text has one of the words."""
    rows = ctx.control.read(
        "SELECT DISTINCT object_key, body FROM rejected WHERE side = ? AND entity = ? AND until IS NULL "
        "AND object_key IS NOT NULL",
        (side, entity),
    )
    # What is not there to its end may have the word behind it.
    return {
        int(row["object_key"])
        for row in rows
        if not mentioning or len(row["body"]) >= LONGEST_BODY or any(word in row["body"] for word in mentioning)
    }


def settle_rejected(
    ctx: Context,
    rejected: Sequence[Rejected],
    *,
    side: str,
    entity: str,
    accepted: Callable[[set[int]], set[int]],
    is_complete: bool,
) -> None:
    """Record what a reading set aside, and close what has come right.

    ``accepted`` says which of the given keys came back and kept the contract. One object has one open row: the same
    text makes no second one, another text replaces it. After a complete reading, objects that did not come back are
    closed too, among them those without a readable key.
    """
    standing = ctx.control.read(
        "SELECT rejected_id, object_key, body_hash FROM rejected WHERE side = ? AND entity = ? AND until IS NULL",
        (side, entity),
    )
    now = {(_text(item.key), item.body_hash): item for item in rejected}
    keys = {key for key, _ in now if key is not None}
    right = {str(key) for key in accepted({int(row["object_key"]) for row in standing if row["object_key"]})} - keys
    closed = [
        row["rejected_id"]
        for row in standing
        if (row["object_key"], row["body_hash"]) not in now
        and (is_complete or row["object_key"] in right or row["object_key"] in keys)
    ]
    known = {(row["object_key"], row["body_hash"]) for row in standing}
    added = [item for identity, item in now.items() if identity not in known]
    if closed or added:
        _write(ctx, closed, added, side=side, entity=entity)


def close_rejected(ctx: Context, keys: Sequence[int], *, side: str, entity: str) -> None:
    """Close the rows of objects that are no more."""
    if not open_keys(ctx, side=side, entity=entity).intersection(keys):
        return
    at = utc_text(ctx.now())
    with ctx.control.write() as connection:
        connection.executemany(
            "UPDATE rejected SET until = ? WHERE side = ? AND entity = ? AND object_key = ? AND until IS NULL",
            [(at, side, entity, str(key)) for key in keys],
        )


def _write(ctx: Context, closed: Sequence[int], added: Sequence[Rejected], *, side: str, entity: str) -> None:
    at = utc_text(ctx.now())
    with ctx.control.write() as connection:
        connection.executemany("UPDATE rejected SET until = ? WHERE rejected_id = ?", [(at, row) for row in closed])
        connection.executemany(
            "INSERT INTO rejected (side, entity, object_key, document_no, member, message, body, body_hash, since, "
            "batch_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    side,
                    entity,
                    _text(item.key),
                    item.document_no,
                    item.member,
                    f"{item.message}. Next: {NEXT_STEPS[side]}",
                    item.body[:LONGEST_BODY].decode("utf-8", errors="replace"),
                    item.body_hash,
                    at,
                    ctx.batch_id,
                )
                for item in added
            ],
        )
    for item in added:
        _log.warning("object set aside", side=side, entity=entity, key=item.key, message=item.message)


def _text(key: int | None) -> str | None:
    return None if key is None else str(key)
