"""What the report and the workbook both say, written once, so that the two never say different things.

What one row can say stands in its table, where analysts have it too: rec.payments.overdue_bucket, rec.documents.side.
Here is the rest: the order of those values, and what is asked of several tables at once.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

# The values of rec.payments.overdue_bucket, from left to right.
BUCKETS = ("not due", "1-30 days", "31-60 days", "61-90 days", "over 90 days", "no due date")
# The values of rec.payments.side in words, as rec.documents.side has them.
SUBLEDGERS = {"AP": "Payable", "AR": "Receivable"}

# ctl.breaks keeps what people decided, rec.breaks the amount as the models see it now.
BREAKS = "ctl.breaks AS b LEFT JOIN rec.breaks AS r ON r.kind = b.kind AND r.subject = b.subject"
IS_OPEN = "b.until IS NULL"
# Somebody accepted certain figures: when these move, the break needs a decision again.
IS_ACCEPTED = "coalesce(b.accepted_hash = b.figures_hash, FALSE)"
ACCEPTED_BY = f"CASE WHEN {IS_ACCEPTED} THEN b.accepted_by END"

_READ_AT = """
SELECT max(as_of_vms), max(as_of_ledger)
FROM (
    SELECT as_of_vms, as_of_ledger FROM rec.documents
    UNION ALL SELECT as_of_vms, as_of_ledger FROM rec.payments
    UNION ALL SELECT as_of_vms, as_of_ledger FROM rec.control_accounts
) AS read_at
"""


def utc_time(column: str) -> str:
    """Return the SQL of a moment of the control store, which keeps them as ISO text in UTC, to the second."""
    # TRY_CAST: a text that is no moment leaves the cell empty, and the report whole.
    return f"TRY_CAST(substr(CAST({column} AS VARCHAR), 1, 19) AS TIMESTAMP)"


def read_times(connection: duckdb.DuckDBPyConnection) -> tuple[datetime | None, datetime | None]:
    """Return when the VMS and the ledger were last read, UTC without a zone; None: not yet."""
    vms, ledger = connection.execute(_READ_AT).fetchone() or (None, None)
    return vms, ledger
