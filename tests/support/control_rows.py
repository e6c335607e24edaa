"""Puts rows into a control store; columns that every row needs and no test looks at are filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.stores.control import Control

_COMMON: Mapping[str, Mapping[str, object]] = {
    "holds": {"severity": "critical", "message": "", "since": "2026-11-01", "batch_id": "b1"},
    "outbox": {
        "kind": "voucher",
        "target": "ledger",
        "payload": "[]",
        "payload_hash": "",
        "source_hash": "",
        "batch_id": "b1",
        "created_at": "2026-11-01",
        "updated_at": "2026-11-01",
    },
    "bank_changes": {"seen_at": "2026-11-01"},
    "breaks": {"message": "", "next_step": "", "figures_hash": "f", "since": "2026-11-01", "batch_id": "b1"},
}


def keep_row(control: Control, table: str, **columns: object) -> None:
    """Insert one row."""
    row = {**_COMMON.get(table, {}), **columns}
    if table == "outbox":
        row.setdefault("id", f"{row['kind']}-{row['document_key']}")
        row.setdefault("natural_key", str(row["document_key"]))
    with control.write() as connection:
        names, places = ", ".join(row), ", ".join(f":{name}" for name in row)
        connection.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", row)  # noqa: S608 our own names
