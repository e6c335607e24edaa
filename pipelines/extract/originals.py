"""Reads what open documents take back: a reversal must know where its original stands, whatever status that has.

The documents job reads only what is ready for posting; an original may be pending, posted by somebody, or not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.core.literals import among
from pipelines.extract import vms
from pipelines.extract.land import ReadCounts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.step.context import Context

# What an open document refers to, with the document it is, where one is staged: by key, else by number.
# Two joins and not one with OR, which would hold every reference against every document there has ever been.
_NAMED = """
WITH named AS (
    SELECT DISTINCT documents.company_code, lines.ref_document_key, NULLIF(TRIM(lines.ref_document_no), '') AS number
    FROM stg_vms.documents AS documents
    INNER JOIN seed.voucher_types AS voucher_types ON documents.document_type = voucher_types.document_type
    INNER JOIN stg_vms.document_lines AS lines
        ON documents.document_key = lines.document_key AND documents.fetch_id = lines.fetch_id
    WHERE {status}
        AND (lines.ref_document_key IS NOT NULL OR NULLIF(TRIM(lines.ref_document_no), '') IS NOT NULL)
)
SELECT DISTINCT
    named.number,
    COALESCE(by_key.document_key, by_number.document_key),
    COALESCE(by_key.status_code, by_number.status_code)
FROM named
LEFT JOIN stg_vms.documents AS by_key ON named.ref_document_key = by_key.document_key
LEFT JOIN stg_vms.documents AS by_number
    ON named.company_code = by_number.company_code AND named.number = by_number.document_no
"""
# The types that open reversals without a reference take back, and the first day of the months before theirs.
_UNNAMED = """
SELECT accrual_types.reverses_type, MIN(CAST(DATE_TRUNC('month', documents.document_date) AS DATE) - INTERVAL 1 MONTH)
FROM stg_vms.documents AS documents
INNER JOIN seed.accrual_types AS accrual_types ON documents.document_type = accrual_types.document_type
WHERE {status} AND accrual_types.reverses_type IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM stg_vms.document_lines AS lines
    WHERE lines.document_key = documents.document_key AND lines.fetch_id = documents.fetch_id
        AND (lines.ref_document_key IS NOT NULL OR NULLIF(TRIM(lines.ref_document_no), '') IS NOT NULL)
)
GROUP BY accrual_types.reverses_type ORDER BY accrual_types.reverses_type
"""
# Of these it is known where they stand: what is ready is read by every run, and the others do not come back.
SETTLED = ("RFP", "POS", vms.GONE)


def extract_originals(ctx: Context, *, statuses: Sequence[str] = ("RFP",)) -> ReadCounts:
    """Read what the staged documents with one of the statuses take back, unless it is known where that stands.

    Accruals of the months in question are read for reversals that name none. Nothing is asked when nothing is reversed.
    """
    named = _rows(ctx, _NAMED, statuses)
    numbers = {number for number, key, _ in named if key is None and number}
    moving = {key for _, key, status in named if key is not None and status not in (*SETTLED, *statuses)}
    counts = vms.extract_documents_by_number(ctx, sorted(numbers)) + vms.extract_documents_by_key(ctx, moving)
    if unnamed := _rows(ctx, _UNNAMED, statuses):
        types = [document_type for document_type, _ in unnamed]
        since = min(day for _, day in unnamed)
        counts += vms.extract_documents_by_type(ctx, types, since=since.date())
    return counts


def _rows(ctx: Context, statement: str, statuses: Sequence[str]) -> list[tuple[Any, ...]]:
    return ctx.warehouse.execute(statement.format(status=among("documents.status_code", statuses))).fetchall()
