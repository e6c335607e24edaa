"""What the report tells, read from the published tables: counts, amounts by currency, and the rows that matter most."""

# ruff: noqa: S608 - statements are made of our own words, never of data

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from pipelines.core.words import plural
from pipelines.publish.report.bars import Chart, Segment, bar_chart, strip
from pipelines.publish.report.words import JOBS_END, STATES
from pipelines.publish.workbook.sheets import SIDE, SINCE

if TYPE_CHECKING:
    import duckdb

MOST_LISTED, MOST_OF_A_RULE, MOST_GROUPS, MOST_BATCHES = 50, 10, 12, 10
BUCKETS = ("not due", "1-30 days", "31-60 days", "61-90 days", "over 90 days", "no due date")

Row = Mapping[str, Any]

BY_SIDE = f"""
SELECT
    {SIDE.format("d")} AS side, coalesce(currency_code, 'none') AS currency, count(*) AS documents,
    sum(amount_vms) AS amount_vms, sum(amount_ledger) AS amount_ledger, sum(amount_difference) AS amount_difference,
    count(*) FILTER (WHERE state NOT IN ('agreed', 'ignored')) AS not_agreed
FROM rec.documents AS d GROUP BY 1, 2 ORDER BY side = 'General ledger', 1, 2
"""
BREAKS = f"""
SELECT
    b.kind, b.subject, b.company, b.document_no, b.message, b.next_step, b.comment,
    {SINCE.format("b.since")} AS since, r.amount, r.currency_code AS currency,
    CASE WHEN b.accepted_hash = b.figures_hash THEN b.accepted_by END AS accepted_by
FROM ctl.breaks AS b LEFT JOIN rec.breaks AS r ON r.kind = b.kind AND r.subject = b.subject
WHERE b.until IS NULL
ORDER BY accepted_by IS NOT NULL, abs(r.amount) DESC NULLS LAST, b.kind, b.subject
"""
HOLDS = f"""
SELECT
    h.rule, h.severity, h.document_no, h.document_key, h.company, h.message, {SINCE.format("h.since")} AS since,
    d.amount_vms AS amount, d.currency_code AS currency
FROM ctl.holds AS h LEFT JOIN rec.documents AS d ON d.document_key = h.document_key
WHERE h.until IS NULL ORDER BY h.rule, abs(d.company_amount_vms) DESC NULLS LAST, h.document_no
"""
UNFINISHED = """
SELECT document_no, document_type, company_code, partner_name, state, amount_vms AS amount, currency_code AS currency,
    reason, next_step, age_days
FROM rec.documents AS d
WHERE d.state IN ('unknown', 'rejected') AND NOT EXISTS (
    SELECT r.rejected_id FROM ctl.rejected AS r
    WHERE r.until IS NULL AND r.entity = 'Document' AND r.object_key = CAST(d.document_key AS VARCHAR)
)
ORDER BY state, abs(company_amount_vms) DESC NULLS LAST, subject
"""
REJECTED = f"""
SELECT side, entity, object_key, document_no, message, {SINCE.format("since")} AS since
FROM ctl.rejected WHERE until IS NULL ORDER BY since, entity, object_key, message
"""
AGEING = """
SELECT
    side, coalesce(currency_code, 'none') AS currency,
    CASE
        WHEN days_overdue IS NULL THEN 'no due date' WHEN days_overdue <= 0 THEN 'not due'
        WHEN days_overdue <= 30 THEN '1-30 days' WHEN days_overdue <= 60 THEN '31-60 days'
        WHEN days_overdue <= 90 THEN '61-90 days' ELSE 'over 90 days'
    END AS bucket,
    count(*) AS invoices, sum(open_ledger) AS amount
FROM rec.payments WHERE open_ledger <> 0 GROUP BY 1, 2, 3
"""
CONTROL_ACCOUNTS = """
SELECT owner_code, control_account, currency_code AS currency, period_month, balance_ledger, ledger_only, in_transit,
    open_vms, difference, state, reason
FROM rec.control_accounts WHERE period_month = (SELECT max(period_month) FROM rec.control_accounts)
ORDER BY state = 'agreed', owner_code, control_account, currency_code
"""
ACCRUALS = """
SELECT {group} AS name, coalesce(company_currency_code, 'none') AS currency, sum(estimate_to_date) AS estimate,
    sum(actual_to_date) AS actual, sum(accrual_posted) AS posted, sum(accrual_recomputed) AS recomputed,
    sum(difference) AS difference
FROM close.accruals_vs_actuals WHERE period_month = (SELECT max(period_month) FROM close.accruals_vs_actuals)
GROUP BY 1, 2 ORDER BY 2, abs(sum(difference)) DESC, 1
"""
HIT_RATE = """
SELECT company_currency_code AS currency, sum(earlier_accrued) AS earlier, sum(confirmed_amount) AS confirmed
FROM close.accruals_vs_actuals
WHERE period_month = (SELECT max(period_month) FROM close.accruals_vs_actuals) AND earlier_accrued IS NOT NULL
GROUP BY 1 ORDER BY 1
"""
# Of the newest month that is over; of the present one where nothing before it is open.
CLOSE = """
SELECT period_month, kind, subject, company_code, document_no, voyage_no, account, amount, currency_code AS currency,
    reason, next_step, age_days, is_accepted
FROM close.breaks
WHERE period_month = (
    SELECT coalesce(max(period_month) FILTER (WHERE period_month < DATE '{this_month}'), max(period_month))
    FROM close.breaks
)
ORDER BY is_accepted, rank_no, kind, subject
"""
BATCHES = f"""
SELECT batch_id, {SINCE.format("started_at")} AS started_at, {SINCE.format("ended_at")} AS ended_at, today, jobs,
    operator, exit_code
FROM ctl.batches ORDER BY started_at DESC, batch_id DESC LIMIT {MOST_BATCHES}
"""
READ_AT = "SELECT max(as_of_vms) AS vms, max(as_of_ledger) AS ledger FROM rec.documents"


class RuleWords(Protocol):
    """A posting requirement in words, as pipelines/checks/suites.py reads it from expectations/."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def severity(self) -> str: ...  # noqa: D102
    @property
    def title(self) -> str: ...  # noqa: D102
    @property
    def system(self) -> str: ...  # noqa: D102
    @property
    def next_step(self) -> str: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Listed:
    """The first rows of a list, and how many there are in all."""

    rows: Sequence[Row]
    in_all: int

    @property
    def more(self) -> int:
        """Return how many are left off."""
        return self.in_all - len(self.rows)


@dataclass(frozen=True, slots=True)
class RuleResult:
    """What one rule found: the documents it holds, or warns of."""

    rule: RuleWords
    found: Listed


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart with the table beside it: headings, then rows of a name and amounts of one currency."""

    chart: Chart
    currency: str
    headings: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Decimal]]]
    more: int = 0


def rows_of(connection: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    """Return the rows of a query, columns by name."""
    found = connection.execute(query)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def listed(rows: Sequence[Row], most: int = MOST_LISTED) -> Listed:
    """Keep the first rows."""
    return Listed(rows[:most], len(rows))


def read_facts(connection: duckdb.DuckDBPyConnection, *, today: date, rules: Iterable[RuleWords]) -> dict[str, Any]:
    """Return what the template fills in."""
    holds = rows_of(connection, HOLDS)
    breaks = rows_of(connection, BREAKS)
    states = _states(connection)
    overdue = rows_of(connection, "SELECT count(*) AS n FROM rec.payments WHERE open_ledger <> 0 AND days_overdue > 0")
    facts = {
        "today": today,
        "read_at": rows_of(connection, READ_AT)[0],
        "states": states,
        "by_side": rows_of(connection, BY_SIDE),
        "breaks": listed(breaks),
        "open_breaks": sum(row["accepted_by"] is None for row in breaks),
        "breaks_by_kind": _by_kind(breaks),
        "rules": _rule_results(holds, rules),
        # A supplier's new bank account that waits for a second person is held as well, and is no document.
        "held": len({row["document_key"] for row in holds if row["severity"] == "critical"} - {None}),
        "bank_changes": sum(row["document_key"] is None for row in holds),
        "unfinished": listed(rows_of(connection, UNFINISHED)),
        "rejected": listed(rows_of(connection, REJECTED)),
        "overdue": overdue[0]["n"],
        "ageing": _ageing(connection),
        "control_accounts": listed(rows_of(connection, CONTROL_ACCOUNTS), 2 * MOST_LISTED),
        "accruals": [*_accruals(connection, "account", "Account"), *_accruals(connection, "voyage_no", "Voyage")],
        "accrual_month": rows_of(connection, "SELECT max(period_month) AS month FROM close.accruals_vs_actuals")[0][
            "month"
        ],
        "hit_rates": rows_of(connection, HIT_RATE),
        "close": listed(rows_of(connection, CLOSE.format(this_month=today.replace(day=1)))),
        "batches": [_with_outcome(row) for row in rows_of(connection, BATCHES)],
    }
    return facts | {"verdict": _verdict(facts)}


def _states(connection: duckdb.DuckDBPyConnection) -> tuple[Segment, ...]:
    counts = {
        row["state"]: row["n"]
        for row in rows_of(connection, "SELECT state, count(*) AS n FROM rec.documents GROUP BY 1")
    }
    known = [state for state in STATES if state in counts]
    return strip([(state, counts[state]) for state in [*known, *sorted(set(counts) - set(known))]])


def _by_kind(breaks: Sequence[Row]) -> list[Row]:
    kinds: dict[str, dict[str, Any]] = {}
    for row in breaks:
        kind = kinds.setdefault(row["kind"], {"kind": row["kind"], "open": 0, "accepted": 0, "oldest": row["since"]})
        kind["accepted" if row["accepted_by"] else "open"] += 1
        kind["oldest"] = min(filter(None, (kind["oldest"], row["since"])), default=None)
    return sorted(kinds.values(), key=lambda kind: (-kind["open"], kind["kind"]))


def _rule_results(holds: Sequence[Row], rules: Iterable[RuleWords]) -> list[RuleResult]:
    found: dict[str, list[Row]] = {}
    for row in holds:
        found.setdefault(row["rule"], []).append(row)
    known = {rule.name: rule for rule in rules}
    results = [RuleResult(rule, listed(found.get(name, ()), MOST_OF_A_RULE)) for name, rule in known.items()]
    results += [
        RuleResult(_Unknown(name, rows[0]["severity"]), listed(rows, MOST_OF_A_RULE))
        for name, rows in found.items()
        if name not in known
    ]
    return sorted(results, key=lambda one: (one.rule.severity != "critical", -one.found.in_all, one.rule.title))


@dataclass(frozen=True, slots=True)
class _Unknown:
    """A hold whose rule stands in no suite: a person's own, or one of an older version."""

    name: str
    severity: str
    system: str = ""
    next_step: str = ""

    @property
    def title(self) -> str:
        return self.name.replace("_", " ")


def _ageing(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Return a chart and a row of the table for each side and currency."""
    groups: dict[tuple[str, str], dict[str, Row]] = {}
    for row in rows_of(connection, AGEING):
        groups.setdefault((row["side"] or "none", row["currency"]), {})[row["bucket"]] = row
    charts, rows = [], []
    for (side, currency), found in sorted(groups.items()):
        name = {"AP": "Payable", "AR": "Receivable"}.get(side, side)
        amounts = [found[bucket]["amount"] if bucket in found else Decimal(0) for bucket in BUCKETS]
        largest = max(zip(amounts, BUCKETS, strict=True), key=lambda pair: abs(pair[0]))[1]
        values = [(bucket, (amount,)) for bucket, amount in zip(BUCKETS, amounts, strict=True)]
        charts.append(
            bar_chart(f"{name}, {currency}", summary=f"Most of it is {largest}.", series=("Open",), values=values)
        )
        invoices = sum(row["invoices"] for row in found.values())
        rows.append(
            {"side": name, "currency": currency, "invoices": invoices, "amounts": amounts, "total": sum(amounts)}
        )
    return {"charts": charts, "rows": rows, "buckets": BUCKETS}


def _accruals(connection: duckdb.DuckDBPyConnection, column: str, name: str) -> list[Figure]:
    found: dict[str, list[Row]] = {}
    for row in rows_of(connection, ACCRUALS.format(group=f"coalesce({column}, 'none')")):
        found.setdefault(row["currency"], []).append(row)
    figures = []
    for currency, rows in found.items():
        shown = rows[:MOST_GROUPS]
        chart = bar_chart(
            f"By {name.lower()}, {currency}",
            summary=f"{name} {shown[0]['name']} differs most.",
            series=("Posted", "Estimate less actual"),
            values=[(row["name"], (_or_zero(row["posted"]), _or_zero(row["recomputed"]))) for row in shown],
        )
        figures.append(
            Figure(
                chart,
                currency,
                ("Estimate", "Actual", "Posted", "Estimate less actual", "Difference"),
                [
                    (
                        row["name"],
                        [_or_zero(row[key]) for key in ("estimate", "actual", "posted", "recomputed", "difference")],
                    )
                    for row in shown
                ],
                len(rows) - len(shown),
            )
        )
    return figures


def _or_zero(value: Decimal | None) -> Decimal:
    return Decimal(0) if value is None else value


def _with_outcome(row: Row) -> Row:
    ended = row["ended_at"] is not None
    words = (
        JOBS_END.get(row["exit_code"], f"exit code {row['exit_code']}") if ended else "not ended when this was written"
    )
    return {**row, "outcome": words}


def _verdict(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what needs somebody, each with the section that tells of it."""
    told = [
        (plural(facts["open_breaks"], "open break"), "breaks"),
        (plural(facts["held"], "document held", "documents held"), "held"),
        (plural(facts["bank_changes"], "bank account to confirm", "bank accounts to confirm"), "held"),
        (
            plural(
                facts["unfinished"].in_all,
                "document of unknown fate or refused",
                "documents of unknown fate or refused",
            ),
            "held",
        ),
        (plural(facts["rejected"].in_all, "object that could not be read", "objects that could not be read"), "held"),
    ]
    return [(words, place) for words, place in told if not words.startswith("0 ")]
