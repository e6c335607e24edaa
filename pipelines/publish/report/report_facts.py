"""What the report says, read from the published tables: counts, amounts by currency, and the rows that matter most."""

# ruff: noqa: S608 - statements are made of our own words, never of data

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from pipelines.checks.steps import Rule
from pipelines.core.words import plural
from pipelines.publish.facts import BUCKETS, SUBLEDGERS, close_words, read_times, share_facts
from pipelines.publish.report.bars import BarChart, Segment, bar_chart, strip
from pipelines.publish.report.words import JOBS_END, STATES
from pipelines.stores.control import named_statements
from pipelines.stores.rows import Row, rows_of

if TYPE_CHECKING:
    import duckdb

# A page that is read on a phone; the workbook has the rest.
MOST_LISTED, MOST_OF_A_RULE, MOST_GROUPS, MOST_BATCHES = 50, 10, 12, 10

_BUCKET_SUMS = ", ".join(f"coalesce(sum(open_ledger) FILTER (WHERE overdue_bucket = '{name}'), 0)" for name in BUCKETS)
_AGEING = f"""
SELECT
    coalesce(side, 'none') AS side, coalesce(currency_code, 'none') AS currency, count(*) AS invoices,
    [{_BUCKET_SUMS}] AS amounts,
    sum(open_ledger) AS total
FROM rec.payments WHERE open_ledger <> 0 GROUP BY 1, 2 ORDER BY 1, 2
"""
_ACCRUAL_SUMS: Mapping[str, str] = {
    "Estimate": "estimate_to_date",
    "Actual": "actual_to_date",
    "Posted": "accrual_posted",
    "Capitalised": "capitalised",
    "Estimate less actual": "accrual_recomputed",
    "Difference": "difference",
}
_ACCRUALS = f"""
SELECT coalesce({{column}}, 'none') AS name, coalesce(company_currency_code, 'none') AS currency,
    {", ".join(f'coalesce(sum({column}), 0) AS "{heading}"' for heading, column in _ACCRUAL_SUMS.items())}
FROM close.accruals_vs_actuals WHERE period_month = $1
GROUP BY 1, 2 ORDER BY 2, abs(sum(difference)) DESC, 1
"""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The first rows of a list, and how many there are in all."""

    rows: Sequence[Row]
    in_all: int

    @property
    def more(self) -> int:
        """Return how many are left off."""
        return self.in_all - len(self.rows)


@dataclass(frozen=True, slots=True)
class RuleResult:
    """One posting requirement with the documents it holds, or warns of."""

    rule: Rule
    holds: Excerpt


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart with the table beside it: headings, then rows of a name and amounts of one currency."""

    chart: BarChart
    currency: str
    headings: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Decimal]]]
    more: int = 0


def read_facts(connection: duckdb.DuckDBPyConnection, *, today: date, rules: Iterable[Rule]) -> dict[str, Any]:
    """Return what the template fills in."""

    def rows(query: str, parameters: Sequence[object] = ()) -> list[Row]:
        return rows_of(connection.execute(query, parameters))

    def excerpt(query: str, parameters: Sequence[object] = (), *, most: int = MOST_LISTED) -> Excerpt:
        return _excerpt(rows(query, parameters), most)

    share_facts(connection)
    statements = named_statements("report", folder="questions")
    holds, by_kind = rows(statements["holds"]), rows(statements["breaks_by_kind"])
    # One month for all that is about a month: control accounts of another one beside a close would mislead.
    month = rows(statements["close_month"], [today.replace(day=1)])[0]["close_month"]
    facts = {
        "today": today,
        "read_at": dict(zip(("vms", "ledger"), read_times(connection), strict=True)),
        "states": _states(rows("SELECT state, count(*) AS n FROM rec.documents GROUP BY 1")),
        "by_side": rows(statements["by_side"]),
        "breaks": excerpt(statements["breaks"]),
        "open_breaks": sum(row["open"] for row in by_kind),
        "breaks_by_kind": by_kind,
        "rules": _rule_results(holds, rules),
        # A supplier's new bank account that waits for a second person is held as well, and is no document.
        # A document may be held by several rules, and counts once.
        "held": len({row["document_key"] for row in holds if row["severity"] == "critical"} - {None}),
        "bank_changes": sum(row["document_key"] is None for row in holds),
        "unfinished": excerpt(statements["unfinished"]),
        "rejected": excerpt(statements["rejected"]),
        "overdue": rows(statements["overdue"])[0]["n"],
        "ageing": _ageing(rows(_AGEING)),
        # More than elsewhere: who ties accounts needs to see those that agree as well.
        "control_accounts": excerpt(statements["control_accounts"], [month], most=2 * MOST_LISTED),
        "accruals": [
            figure
            for column, heading in (("account", "Account"), ("voyage_no", "Voyage"))
            for figure in _accruals(rows(_ACCRUALS.format(column=column), [month]), heading)
        ],
        "close_month": month,
        "hit_rates": rows(statements["hit_rates"], [month]),
        "close": excerpt(statements["close"], [month]),
        "close_standing": _standing(connection, month),
        "batches": [{**row, "outcome": _outcome(row)} for row in rows(statements["batches"], [MOST_BATCHES])],
    }
    return facts | {"verdict": _verdict(facts)}


def _standing(connection: duckdb.DuckDBPyConnection, month: date | None) -> str:
    """Say how a month's close stands: by whom it was drawn up, sealed or reopened; nothing where nobody has begun."""
    statements, period = named_statements("report", folder="questions"), f"{month:%Y-%m}" if month else ""
    found = rows_of(connection.execute(statements["close_standing"], [period]))
    if not found:
        return ""
    [close] = found
    deeds = rows_of(connection.execute(statements["close_deeds"], [period, close["version"]]))
    reopened = next(
        ((row["operator"], row["done_at"], row["reason"]) for row in deeds if row["action"] == "reopened"), None
    )
    return close_words(
        version=close["version"],
        prepared=[(row["operator"], row["done_at"]) for row in deeds if row["action"] == "drawn up"],
        sealed=(close["sealed_by"], close["sealed_at"]) if close["sealed_by"] else None,
        reopened=reopened,
    )


def _excerpt(rows: Sequence[Row], most: int) -> Excerpt:
    return Excerpt(rows[:most], len(rows))


def _states(rows: Sequence[Row]) -> tuple[Segment, ...]:
    """Divide the strip among the states: those of STATES first, in their order."""
    counts = {row["state"]: row["n"] for row in rows}
    # A state that has no words here is shown all the same, at the end.
    known = [state for state in STATES if state in counts]
    return strip([(state, counts[state]) for state in [*known, *sorted(set(counts) - set(known))]])


def _rule_results(holds: Sequence[Row], rules: Iterable[Rule]) -> list[RuleResult]:
    """Return every rule with what it holds: those that hold most first, then those that warn."""
    by_rule: dict[str, list[Row]] = {}
    for row in holds:
        by_rule.setdefault(row["rule"], []).append(row)
    known = {rule.name: rule for rule in rules}
    # A hold whose rule stands in no suite is a person's own, or one of an older version.
    for name in sorted(by_rule.keys() - known.keys()):
        severity = by_rule[name][0]["severity"]
        known[name] = Rule(name, severity, name.replace("_", " "), findings=(), system="", next_step="", source="")
    results = [RuleResult(rule, _excerpt(by_rule.get(name, ()), MOST_OF_A_RULE)) for name, rule in known.items()]
    return sorted(
        results, key=lambda result: (result.rule.severity != "critical", -result.holds.in_all, result.rule.title)
    )


def _ageing(rows: Sequence[Row]) -> dict[str, Any]:
    """Return a chart and a row of the table for each side and currency."""
    charts, named = [], []
    for row in rows:
        name, amounts = SUBLEDGERS.get(row["side"], row["side"]), row["amounts"]
        # By its size: credit notes can make the largest sum a negative one.
        largest = max(zip(amounts, BUCKETS, strict=True), key=lambda pair: abs(pair[0]))[1]
        values = [(bucket, (amount,)) for bucket, amount in zip(BUCKETS, amounts, strict=True)]
        summary = f"Most of it is {largest}."
        charts.append(bar_chart(f"{name}, {row['currency']}", summary=summary, series=("Open",), values=values))
        named.append({**row, "side": name})
    return {"charts": charts, "rows": named, "buckets": BUCKETS}


def _accruals(rows: Sequence[Row], heading: str) -> list[Figure]:
    """Return a figure for each currency; ``rows`` stand in the order of currency, then of what differs most."""
    figures = []
    for currency, group in groupby(rows, key=itemgetter("currency")):
        every = list(group)
        shown = every[:MOST_GROUPS]
        chart = bar_chart(
            f"By {heading.lower()}, {currency}",
            summary=f"{heading} {shown[0]['name']} differs most.",
            series=("Posted", "Estimate less actual"),
            values=[(row["name"], (row["Posted"], row["Estimate less actual"])) for row in shown],
        )
        table = [(row["name"], [row[name] for name in _ACCRUAL_SUMS]) for row in shown]
        figures.append(Figure(chart, currency, tuple(_ACCRUAL_SUMS), table, len(every) - len(shown)))
    return figures


def _outcome(row: Row) -> str:
    """Say how a batch ended; one without an end is this one, or was killed."""
    if not row["is_over"]:
        return "not ended when this was written"
    return JOBS_END.get(row["exit_code"], f"exit code {row['exit_code']}")


def _verdict(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what somebody must act on, each with the section about it."""
    counts = (
        (facts["open_breaks"], "open break", "open breaks", "breaks"),
        (facts["held"], "document held", "documents held", "held"),
        (facts["bank_changes"], "bank account to confirm", "bank accounts to confirm", "held"),
        (
            facts["unfinished"].in_all,
            "document of unknown fate or refused",
            "documents of unknown fate or refused",
            "held",
        ),
        (facts["rejected"].in_all, "object that could not be read", "objects that could not be read", "held"),
    )
    return [(plural(number, one, several), section) for number, one, several, section in counts if number]
