"""What the report and the workbook both say, written once, so that the two never say different things.

What one row can say stands in its table, where analysts have it too: rec.open_items.overdue_bucket, rec.documents.side.
Here is the rest: the order of those values, and (sql/questions/facts.sql) what is asked of several tables at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pipelines.checks.steps import load_rules, split_message
from pipelines.core.words import moment
from pipelines.stores.control import named_statements
from pipelines.stores.warehouse import insert_rows

if TYPE_CHECKING:
    import duckdb

# The values of rec.open_items.overdue_bucket, from left to right.
BUCKETS = ("not due", "1-30 days", "31-60 days", "61-90 days", "over 90 days", "no due date")
# The values of rec.payments.side in words, as rec.documents.side has them.
SUBLEDGERS = {"AP": "Payable", "AR": "Receivable"}
# A moment of the control store, which keeps them as ISO text in UTC, to the second. TRY_CAST: a text that is no moment
# leaves the cell empty, and the report whole.
_MACROS = """
CREATE OR REPLACE TEMP MACRO utc_time(written) AS TRY_CAST(substr(CAST(written AS VARCHAR), 1, 19) AS TIMESTAMP);
CREATE OR REPLACE TEMP MACRO company_name(owner) AS
    (SELECT min(n.company_name) FROM rec.company_names AS n WHERE n.owner_code = owner);
CREATE OR REPLACE TEMP MACRO name_of_company(company) AS
    (SELECT min(n.company_name) FROM rec.company_names AS n WHERE n.company_code = company);
CREATE OR REPLACE TEMP MACRO account_name(code) AS
    (SELECT min(n.account_name) FROM rec.account_names AS n WHERE n.account = code);
CREATE OR REPLACE TEMP MACRO voyage_name(voyage) AS
    (SELECT min(n.description) FROM map.wanted_projects AS n WHERE n.code = voyage);
"""


def share_names(connection: duckdb.DuckDBPyConnection) -> None:
    """Make known to a connection the macros of sheets: utc_time, and the names beside codes."""
    connection.execute(_MACROS)


def share_facts(connection: duckdb.DuckDBPyConnection) -> None:
    """Make known to a connection what both select from: the macros of ``share_names`` and the view open_breaks."""
    share_names(connection)
    connection.execute(named_statements("facts", folder="questions")["open_breaks"])


_DOCUMENT_HOLDS = """
CREATE OR REPLACE TEMP VIEW document_holds AS
SELECT
    h.document_key, string_agg(h.rule, ', ' ORDER BY h.rule) AS rules, min(h.since) AS since,
    string_agg(w.why, ' ' ORDER BY h.rule) AS why,
    string_agg(DISTINCT w.next_step, ' ' ORDER BY w.next_step) AS next_step
FROM ctl.holds AS h INNER JOIN hold_words AS w ON h.hold_id = w.hold_id
WHERE h.severity = 'critical' GROUP BY h.document_key
"""


def part_holds(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the view document_holds: what holds a document, why and what to do, without the document before them."""
    rules = load_rules().rules
    holds = connection.execute("SELECT hold_id, message, rule FROM ctl.holds WHERE until IS NULL").fetchall()
    connection.execute("CREATE OR REPLACE TEMP TABLE hold_words (hold_id BIGINT, why VARCHAR, next_step VARCHAR)")
    parted = [(hold_id, *split_message(message, rule=rules.get(rule))) for hold_id, message, rule in holds]
    words = [(hold_id, f"{why[:1].upper()}{why[1:]}", step or None) for hold_id, why, step in parted]
    insert_rows(connection, "hold_words", words)
    connection.execute(_DOCUMENT_HOLDS)


# Somebody who did something, and when; text is as the control store keeps moments.
Deed = tuple[str, datetime | str]


def close_words(
    *, version: int, prepared: Sequence[Deed], sealed: Deed | None, reopened: tuple[str, datetime | str, str] | None
) -> str:
    """Say what a version of a close is: a draft or sealed, drawn up by whom (last first), and why there is another one.

    >>> kari, per = ("kari", "2026-11-03T09:00:00+00:00"), ("per", "2026-11-04T09:00:00+00:00")
    >>> close_words(version=1, prepared=[kari], sealed=None, reopened=None)
    'DRAFT of version 1, not sealed. Drawn up by kari at 2026-11-03 10:00 (Oslo).'
    >>> close_words(version=2, prepared=[], sealed=per, reopened=(*kari, "late"))
    'SEALED by per at 2026-11-04 10:00 (Oslo), version 2. Reopened by kari at 2026-11-03 10:00 (Oslo): late'
    """
    told = f"SEALED by {_deed(sealed)}, version {version}." if sealed else f"DRAFT of version {version}, not sealed."
    drawn = f" Drawn up by {', '.join(map(_deed, prepared))}." if prepared else ""
    why = f" Reopened by {_deed(reopened[:2])}: {reopened[2]}" if reopened else ""
    return f"{told}{drawn}{why}"


def _deed(deed: Deed) -> str:
    operator, at = deed
    return f"{operator} at {moment(at)}"


def read_times(connection: duckdb.DuckDBPyConnection) -> tuple[datetime | None, datetime | None]:
    """Return when the VMS and the ledger were last read, UTC without a zone; None: not yet."""
    statement = named_statements("facts", folder="questions")["read_at"]
    vms, ledger = connection.execute(statement).fetchone() or (None, None)
    return vms, ledger
