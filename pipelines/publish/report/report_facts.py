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
from pipelines.publish.report.tasks import Task, break_tasks, held_tasks, told_tasks
from pipelines.publish.report.words import JOBS_END, STATES
from pipelines.stores.control import named_statements
from pipelines.stores.rows import Row, rows_of

if TYPE_CHECKING:
    import duckdb

# A page that is read on a phone; the workbook has the rest.
MOST_LISTED, MOST_GROUPS, MOST_BATCHES = 50, 8, 5

# By the ledger's books, as the sheet Unpaid: there payments are matched.
_BUCKET_SUMS = ", ".join(f"coalesce(sum({{amount}}) FILTER (WHERE overdue_bucket = '{name}'), 0)" for name in BUCKETS)
_AGEING = f"""
SELECT
    coalesce(side, 'none') AS side, coalesce({{currency}}, 'none') AS currency,
    count(DISTINCT document_key) AS invoices, [{_BUCKET_SUMS}] AS amounts, sum({{amount}}) AS total
FROM rec.open_items WHERE is_booked GROUP BY 1, 2 ORDER BY 1, 2
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
SELECT coalesce({{name}}, 'none') AS name, coalesce(company_currency_code, 'none') AS currency,
    {", ".join(f'coalesce(sum({column}), 0) AS "{heading}"' for heading, column in _ACCRUAL_SUMS.items())}
FROM close.accruals_vs_actuals AS d {{names}} WHERE period_month = $1
GROUP BY 1, 2 ORDER BY 2, abs(sum(difference)) DESC, 1
"""
# An account has one name in all entities that see it, or that of the first; a voyage is named by its project.
_NAMED: Mapping[str, tuple[str, str]] = {
    "Account": (
        "d.account || coalesce(' ' || n.account_name, '')",
        "LEFT JOIN (SELECT account, min(account_name) AS account_name FROM rec.account_names GROUP BY 1) AS n "
        "ON d.account = n.account",
    ),
    "Voyage": ("d.voyage_no", ""),
}


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
    holds, breaks = rows(statements["holds"]), rows(statements["breaks"])
    known = {rule.name: rule for rule in rules}
    critical = [row for row in holds if row["severity"] == "critical"]
    # One month for all that is about a month: control accounts of another one beside a close would mislead.
    month = rows(statements["close_month"], [today.replace(day=1)])[0]["close_month"]
    facts = {
        "today": today,
        "read_at": dict(zip(("vms", "ledger"), read_times(connection), strict=True)),
        "states": _states(rows("SELECT state, count(*) AS n FROM rec.documents GROUP BY 1")),
        "by_side": rows(statements["by_side"]),
        "breaks": break_tasks(row for row in breaks if not row["accepted_by"]),
        "accepted": _excerpt([row for row in breaks if row["accepted_by"]], MOST_LISTED),
        "open_breaks": sum(not row["accepted_by"] for row in breaks),
        "holding": held_tasks(critical, known),
        "warning": held_tasks([row for row in holds if row["severity"] != "critical"], known),
        "silent": [rule.title for rule in known.values() if rule.name not in {row["rule"] for row in holds}],
        # A supplier's new bank account that waits for a second person is held as well, and is no document.
        # A document may be held by several rules, and counts once.
        "held": len({row["document_key"] for row in critical} - {None}),
        "bank_changes": sum(row["document_key"] is None for row in holds),
        "unfinished": break_tasks(rows(statements["unfinished"])),
        "rejected": told_tasks(rows(statements["rejected"]), title="could not be read"),
        "overdue": rows(statements["overdue"])[0]["n"],
        "ageing": _ageing(
            rows(_AGEING.format(amount="open_amount", currency="currency_code")),
            rows(_AGEING.format(amount="open_company_amount", currency="company_currency_code")),
        ),
        "voyages": excerpt(statements["voyages"], most=MOST_GROUPS),
        # More than elsewhere: who ties accounts needs to see those that agree as well.
        "control_accounts": excerpt(statements["control_accounts"], [month], most=2 * MOST_LISTED),
        "accruals": [
            figure
            for heading, (name, names) in _NAMED.items()
            for figure in _accruals(rows(_ACCRUALS.format(name=name, names=names), [month]), heading)
        ],
        "close_month": month,
        "hit_rates": rows(statements["hit_rates"], [month]),
        "close_kinds": rows(statements["close_by_kind"], [month]),
        "close_tasks": break_tasks(rows(statements["close_alone"], [month])),
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


def _ageing(rows: Sequence[Row], in_company_currency: Sequence[Row]) -> dict[str, Any]:
    """Return a row of the table for each side and currency, and a chart for each company currency."""
    charts = []
    for row in in_company_currency:
        amounts = row["amounts"]
        # By its size: credit notes can make the largest sum a negative one.
        largest = max(zip(amounts, BUCKETS, strict=True), key=lambda pair: abs(pair[0]))[1]
        values = [(bucket, (amount,)) for bucket, amount in zip(BUCKETS, amounts, strict=True)]
        title = f"{SUBLEDGERS.get(row['side'], row['side'])}, all in {row['currency']}"
        charts.append(bar_chart(title, summary=f"Most of it is {largest}.", series=("Open",), values=values))
    named = [{**row, "side": SUBLEDGERS.get(row["side"], row["side"])} for row in rows]
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


def _in_all(tasks: Sequence[Task]) -> int:
    return sum(task.in_all for task in tasks)


def _verdict(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what somebody must act on, each with the section about it."""
    counts = (
        (facts["open_breaks"], "open break", "open breaks", "breaks"),
        (facts["held"], "document held", "documents held", "held"),
        (facts["bank_changes"], "bank account to confirm", "bank accounts to confirm", "held"),
        (
            _in_all(facts["unfinished"]),
            "document of unknown fate or refused",
            "documents of unknown fate or refused",
            "held",
        ),
        (_in_all(facts["rejected"]), "object that could not be read", "objects that could not be read", "held"),
    )
    return [(plural(number, one, several), section) for number, one, several, section in counts if number]
