"""Tells which vouchers the ledger has booked, by what was read back from it (setting posting.acknowledge)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines.load.ledger.entities import read_entities

if TYPE_CHECKING:
    import duckdb

    from pipelines.outbox.entry import Entry

# A voucher is booked when the books have its header, or when the import has done all its items (job level 3, A9).
# Either is enough: the books are read at another time than the import, and a person may have changed a header's text.
_BOOKED = """
WITH waiting AS (
    SELECT UNNEST($keys) AS document_key, UNNEST($owners) AS owner_db_id, UNNEST($sources) AS source_code,
        UNNEST($texts) AS header_text, UNNEST($orders) AS ext_order_number, UNNEST($lines) AS line_count
),
book_rows AS (
    SELECT owner_db_id, source_code, header_text, imported_at FROM stg_ledger.ap_rows
    UNION ALL
    SELECT owner_db_id, source_code, header_text, imported_at FROM stg_ledger.ar_rows
    UNION ALL
    SELECT owner_db_id, source_code, header_text, imported_at FROM stg_ledger.transactions
),
done_items AS (
    SELECT owner_db_id, source_code, ext_order_number, tr_reg_number, COUNT(*) AS item_count
    FROM stg_ledger.import_items
    WHERE job_level = 3
    GROUP BY ALL
)
SELECT w.document_key
FROM waiting AS w
SEMI JOIN book_rows AS b
    ON b.owner_db_id = w.owner_db_id AND b.source_code = w.source_code AND b.header_text = w.header_text
    AND b.imported_at IS NOT NULL
UNION
SELECT w.document_key
FROM waiting AS w
SEMI JOIN done_items AS d
    ON d.owner_db_id = w.owner_db_id AND d.source_code = w.source_code AND d.tr_reg_number = w.document_key
    AND d.ext_order_number = w.ext_order_number AND d.item_count = w.line_count
"""


def booked(entries: Sequence[Entry], *, warehouse: duckdb.DuckDBPyConnection) -> list[Entry]:
    """Return the entries whose vouchers are in the ledger's books as landed in `stg_ledger`."""
    entities = read_entities(warehouse)
    owners = [entities.owner(entry.owner_code) for entry in entries]
    parameters = {
        "keys": [entry.document_key for entry in entries],
        "owners": [None if owner is None else int(owner) for owner in owners],
        "sources": [entry.look_up["source"] for entry in entries],
        "texts": [entry.look_up["text"] for entry in entries],
        "orders": [entry.look_up["ext_order_number"] for entry in entries],
        "lines": [entry.look_up["lines"] for entry in entries],
    }
    keys = {row[0] for row in warehouse.execute(_BOOKED, parameters).fetchall()}
    return [entry for entry in entries if entry.document_key in keys]
