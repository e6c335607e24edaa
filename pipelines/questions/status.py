"""What `springline status` tells: what needs a person and who, the last batches, the outbox, requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from pipelines.questions import who_acts
from pipelines.steering.bank_changes import RULE as BANK_CHANGE
from pipelines.steering.break_decisions import list_breaks
from pipelines.steering.decisions import holds_to_come
from pipelines.stores.control import Control, named_statements
from pipelines.stores.lost import open_control
from pipelines.stores.marks import left_alone
from pipelines.stores.open_tables import open_tables
from pipelines.stores.remarks_state import read_state
from pipelines.stores.request_counts import forecast, month_of

if TYPE_CHECKING:
    from pipelines.core.settings import Settings

DAY_DIGITS = 10
# The lists of what needs a person, by their names in `status --json`.
NEEDS = ("held", "undelivered", "rejected", "breaks")
# A supplier whose bank account changes is held too, and is no document.
SUPPLIERS = "suppliers"
AMOUNTS = ("amount", "currency", "company_amount", "company_currency")


@dataclass(frozen=True, slots=True)
class Filters:
    """What is asked for: a company, a rule or kind of break by how it begins, and who acts; None is all."""

    company: str | None = None
    rule: str | None = None
    who: str | None = None

    def take(self, rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Return the rows that are asked for."""
        return [row for row in rows if self._takes(row)]

    def _takes(self, row: Mapping[str, Any]) -> bool:
        names = [str(row.get(name) or "") for name in ("rule", "title", "kind", "entity")]
        return (
            self.company in {None, row.get("company")}
            and (not self.rule or any(name.casefold().startswith(self.rule.casefold()) for name in names))
            and str(row.get("who_acts") or "").casefold().startswith((self.who or "").casefold())
        )


ALL = Filters()


def read_status(
    settings: Settings, *, now: datetime, filters: Filters = ALL, is_published: bool = False
) -> dict[str, Any]:
    """Read the state of everything, also while a batch runs: amounts are then those of the published file.

    With ``is_published`` they are always: who reads again and again must keep no batch out.

    ``held`` and ``warnings`` have one entry per document and rule; ``outbox`` counts by kind and state; ``requests``
    counts those of the calendar month of ``now`` in Oslo, and says what it will come to at this pace. Of each entry
    ``who_acts`` says who has to do something, empty where the next run does. ``filters`` narrow the lists of what needs
    a person; ``there_is`` says what each of them may be asked for. A break of a close that says of a document only that
    it is not booked is left out where another list has the document.
    """
    statements = named_statements("status")
    with closing(open_control(settings, for_reading=True)) as control:

        def rows(name: str) -> list[dict[str, Any]]:
            return [dict(row) for row in control.read(statements[name])]

        # What people put on hold since the last batch is held from the next run on.
        held, warnings = [*rows("held"), *holds_to_come(control)], rows("warnings")
        found: dict[str, Any] = {name: rows(name) for name in ("batches", "undelivered", "ignored", "rejected")}
        outbox: dict[str, dict[str, int]] = {}
        for row in rows("outbox"):
            # By kind, then state: the questions people ask are "are all vouchers gone" and "what is unknown".
            outbox.setdefault(row["kind"], {})[row["state"]] = row["number"]
        asides = {
            # What keeps the reasons of holds from being written to the VMS (posting.remarks); empty where nothing does.
            "remarks_problem": read_state(control).problem if settings.posting.remarks else "",
            "rules_off": [*settings.posting.rules_off],
            # Projects, accounts, partners and currencies whose breaks are left out.
            "not_ours": rows("not_ours"),
            # Documents of companies that are not configured, by company (companies_others).
            "left_alone": left_alone(control),
            "requests": _requests(control, settings, now=now),
        }
    found |= {"held": held, "warnings": warnings}
    amounts = _amounts(settings, is_published=is_published)
    for row in (*held, *warnings):
        row.update(_of_hold(row, amounts))
    for row in found["undelivered"]:
        row["who_acts"] = who_acts.acts_on_delivery(row["kind"], row["state"])
    for row in found["rejected"]:
        row["who_acts"] = who_acts.acts_on_object(row["side"])
    breaks = list_breaks(settings, kind=None, period=None, now=lambda: now, is_published=is_published)
    # A break that was accepted comes back once its figures are no longer those that were accepted.
    told = {row["document_no"] for name in NEEDS[:3] for row in found[name]} - {None}
    standing = [
        asdict(row) | {"who_acts": who_acts.acts_on_break(row.kind)}
        for row in breaks
        if not (row.is_accepted or (row.kind in who_acts.NOT_BOOKED and row.document_no in told))
    ]
    found["breaks"] = standing
    for row in (row for name in (*NEEDS, "warnings") for row in found[name]):
        row["age_days"] = max((now.date() - date.fromisoformat(str(row["since"])[:DAY_DIGITS])).days, 0)
    there_is = _there_is(row for name in NEEDS for row in found[name])
    found |= {name: filters.take(found[name]) for name in (*NEEDS, "warnings")}
    asked = {"filters": asdict(filters), "there_is": there_is}
    return {**asked, "needs": _needs(found), **found, "outbox": outbox, **asides}


def _requests(control: Control, settings: Settings, *, now: datetime) -> dict[str, Any]:
    month = month_of(now)
    requests = control.read(named_statements("status")["requests"], {"month": month})
    used = sum(row["number"] for row in requests if row["side"] == "ledger")
    return {
        "month": month,
        # Only the ledger is metered: what its contract includes is set against what was asked of it.
        "ledger_used": used,
        "ledger_forecast": forecast(used, now=now),
        "ledger_included": settings.ledger.monthly_requests,
        "by_job": {f"{row['side']} {row['job']}": row["number"] for row in requests},
    }


def _amounts(settings: Settings, *, is_published: bool) -> dict[int, Mapping[str, Any]]:
    # After the control store, and left at once: while these tables are open no batch can begin.
    with open_tables(settings, is_published=is_published) as tables:
        statement = named_statements("status", folder="questions")["amounts"]
        rows = tables.rows(statement) if tables is not None else []
    return {row["document_key"]: row for row in rows}


def _of_hold(row: Mapping[str, Any], amounts: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what a hold's rule says, in its parts, who acts on it, and what the document comes to."""
    finding, step = who_acts.finding_and_step(row["rule"], row["message"])
    found = amounts.get(row["document_key"] or 0, {})
    return {
        "title": who_acts.title_of_rule(row["rule"]),
        "finding": finding,
        "next_step": step,
        "who_acts": row.get("holder") or who_acts.acts_on_rule(row["rule"]),
        **{name: found.get(name) for name in AMOUNTS},
    }


def _there_is(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return what each filter may be asked for, so that a slip of the pen is not taken for good news."""
    listed = [*rows]
    values = {
        "company": (row.get("company") for row in listed),
        "rule": (row.get("rule") or row.get("kind") or row.get("entity") for row in listed),
        "who": (row["who_acts"] for row in listed),
    }
    return {name: sorted({str(value) for value in found if value}) for name, found in values.items()}


def _needs(found: Mapping[str, Any]) -> dict[str, Any]:
    """Count what needs a person, by what it is and by who acts; a document that two rules hold is one."""
    things = {
        (row["who_acts"], SUPPLIERS if row.get("rule") == BANK_CHANGE else name, _subject(name, row))
        for name in NEEDS
        for row in found[name]
        if row["who_acts"]
    }
    kinds = ("held", SUPPLIERS, *NEEDS[1:])
    count = Counter(kind for kind, _ in {(kind, subject) for _, kind, subject in things})
    by_person: dict[str, dict[str, int]] = {}
    for who, kind, _ in sorted(things, key=str):
        person = by_person.setdefault(who, dict.fromkeys(kinds, 0))
        person[kind] += 1
    return {**{kind: count[kind] for kind in kinds}, "by_person": by_person}


def _subject(name: str, row: Mapping[str, Any]) -> object:
    """Return what an entry of a list is about: entries with the same subject are one thing."""
    match name:
        case "held":
            return row["document_key"] or row["document_no"]
        case "undelivered":
            return row["kind"], row["natural_key"]
        case "rejected":
            return row["side"], row["entity"], row["object_key"]
        case _:
            return row["break_id"]
