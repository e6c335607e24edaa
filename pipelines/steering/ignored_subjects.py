"""What is not ours: a project, an account, a partner or a currency whose breaks need nobody, as somebody said once.

What Springline itself has sent is never put aside by it (docs/decisions/0014-not-ours.md): here such a subject is
refused, and map.ignored_subjects leaves out none that a document of ours names later.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelines.core.errors import UsageError
from pipelines.core.words import moment, plural
from pipelines.reconcile.kinds import break_kinds
from pipelines.steering.decisions import note_login, reason_text
from pipelines.stores.breaks import close_breaks
from pipelines.stores.control import named_statements, utc_text
from pipelines.stores.control_types import ControlConnection, ControlRow
from pipelines.stores.lost import open_control
from pipelines.stores.open_tables import Tables, open_tables

if TYPE_CHECKING:
    from pipelines.core.settings import Settings

# Each with whether a company says which one is meant: the ledger's entities share neither projects nor accounts, while
# a partner's code is the VMS's, and a currency is the same everywhere.
SUBJECTS: Mapping[str, bool] = {"project": True, "account": True, "partner": False, "currency": False}
# The statements of sql/questions/ignored.sql that name what would be a break.
LEFT_OUT = ("actuals", "partners", "rates")
_IS_KNOWN = "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'map' AND table_name = 'sent_subjects'"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a person names: ``kind`` is one of SUBJECTS, ``company`` one of the VMS or None."""

    kind: str
    code: str
    company: str | None

    @property
    def label(self) -> str:
        """Name it for people.

        >>> Subject("project", "OFFICE", "28601").label
        'Project OFFICE of company 28601'
        """
        return f"{self.kind.capitalize()} {self.code}" + (f" of company {self.company}" if self.company else "")


@dataclass(frozen=True, slots=True)
class SubjectDecision:
    """What a command has decided; ``is_new`` is false when it had been decided so before and nothing was written."""

    action: str
    subject: str
    company: str | None
    code: str
    is_new: bool
    closed: int
    message: str

    def as_dict(self) -> dict[str, object]:
        """Return the object that `--json` prints."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class IgnoredSubject:
    """One subject that is not ours, and what would be a break if it were: how many things, and their sum by currency.

    ``left_out`` is None until a run has read both sides since. ``sent_document_no`` is a document of ours that
    names it: when there is one, its breaks stay open all the same.
    """

    subject: str
    company: str | None
    code: str
    reason: str
    operator: str
    since: str
    until: str | None
    ended_by: str | None
    end_reason: str | None
    sent_document_no: str | None
    left_out: int | None
    sums: Mapping[str, Decimal]


def subject_of(kind: str, code: str, company: str | None) -> Subject:
    """Read what a person names; UsageError for no such thing, and for a company too few or too many."""
    name, text, of = kind.strip().lower(), code.strip(), (company or "").strip() or None
    if name not in SUBJECTS or not text:
        raise UsageError(
            f"'{kind} {code}' names nothing that can be put aside.",
            next_step=f"name one of {', '.join(SUBJECTS)}, and its code, as in: project OFFICE --company 28601.",
        )
    if SUBJECTS[name] and of is None:
        raise UsageError(
            f"Which company's {name} {text} is meant?", next_step="add --company with its code in the VMS."
        )
    if not SUBJECTS[name] and of is not None:
        raise UsageError(f"A {name} is the same in all companies.", next_step="leave --company out.")
    return Subject(name, text, of)


def ignore_subject(
    subject: Subject, *, settings: Settings, reason: str, operator: str, now: Callable[[], datetime]
) -> SubjectDecision:
    """Record that a subject is not ours, and close its open breaks with that reason.

    Raises UsageError when a document that Springline sent, or means to send, names it, and when nothing can tell.
    """
    words = reason_text(reason)
    with open_tables(settings) as tables:
        _refuse_ours(subject, tables)
    statements = named_statements("ignored_subjects")
    with closing(open_control(settings)) as control, control.write() as connection:
        if standing := _standing(connection, subject):
            since = moment(standing["since"])
            message = f"{subject.label} is not ours already: {standing['operator']}, {since}: {standing['reason']}"
            return _decided("ignore", subject, message, is_new=False)
        note_login("ignore", subject=subject.label, operator=operator)
        at = utc_text(now())
        named = {"subject": subject.kind, "company": subject.company, "code": subject.code}
        connection.execute(statements["add"], {**named, "reason": words, "operator": operator.strip(), "at": at})
        ended = _open_breaks(connection, subject)
        # Together with the record: no break may end without the name that ended it.
        close_breaks(connection, ended, at=at, reason=f"{subject.label} is not ours: {operator.strip()}: {words}")
    closed = f"{plural(len(ended), 'break is', 'breaks are')} closed" if ended else "no break of it is open"
    message = f"{subject.label} is not ours: {closed}, and none opens while no document that was sent names it."
    return _decided("ignore", subject, message, closed=len(ended))


def restore_subject(
    subject: Subject, *, settings: Settings, reason: str, operator: str, now: Callable[[], datetime]
) -> SubjectDecision:
    """Take back that a subject is not ours; UsageError when nobody has said so."""
    words = reason_text(reason)
    with closing(open_control(settings)) as control, control.write() as connection:
        standing = _standing(connection, subject)
        if standing is None:
            raise UsageError(
                f"Nobody has said that {subject.label} is not ours.", next_step="springline breaks ignored lists all."
            )
        note_login("restore", subject=subject.label, operator=operator)
        values = {"subject_no": standing["subject_no"], "operator": operator.strip(), "reason": words}
        connection.execute(named_statements("ignored_subjects")["end"], {**values, "at": utc_text(now())})
    return _decided("restore", subject, f"{subject.label} counts again: the next run opens what differs about it.")


def ignored_subjects(settings: Settings, *, is_all: bool) -> list[IgnoredSubject]:
    """Return what is not ours, the oldest first, and what is left out by it; ``is_all``: also what was taken back."""
    with closing(open_control(settings)) as control:
        rows = control.read(named_statements("ignored_subjects")["list"], {"is_all": int(is_all)})
    statements = named_statements("ignored", folder="questions")
    with open_tables(settings) as tables:
        standing = tables.rows(statements["standing"]) if tables and rows else []
        left_out = [found for name in LEFT_OUT for found in tables.rows(statements[name])] if tables and rows else []
    return [_listed(row, standing, left_out) for row in rows]


def _listed(
    row: ControlRow, standing: Sequence[Mapping[str, Any]], left_out: Sequence[Mapping[str, Any]]
) -> IgnoredSubject:
    def is_it(found: Mapping[str, Any]) -> bool:
        return row["until"] is None and all(found[name] == row[name] for name in ("subject", "company", "code"))

    sent = next(filter(is_it, standing), None)
    mine = list(filter(is_it, left_out))
    currencies = sorted({found["currency"] for found in mine if found["currency"]})
    of = {money: [found["amount"] for found in mine if found["currency"] == money] for money in currencies}
    return IgnoredSubject(
        **{name: row[name] for name in row.keys() if name != "subject_no"},  # noqa: SIM118 a row iterates its values
        sent_document_no=sent["sent_document_no"] if sent else None,
        left_out=None if sent is None else len(mine),
        sums={money: sum(amounts, Decimal(0)) for money, amounts in of.items()},
    )


def _refuse_ours(subject: Subject, tables: Tables | None) -> None:
    """Refuse a subject that a document of ours names: its breaks are about money that Springline sent."""
    # A missing table would be read as no document: an older release wrote it, or no run has been here yet.
    if tables is None or not tables.rows(_IS_KNOWN):
        raise UsageError(
            f"Whether a document of ours names {subject.label} cannot be seen now.",
            next_step="wait for the batch that is at work; where none is, `springline run` reads what was sent.",
        )
    statement = named_statements("ignored", folder="questions")["sent"]
    for sent in tables.rows(statement, (subject.kind, subject.company or "", subject.code)):
        raise UsageError(
            f"{subject.label} is ours: document {sent['document_no']}, which Springline sent or will send, names it.",
            next_step="springline breaks accept accepts a single break of it, as it is.",
        )


def _standing(connection: ControlConnection, subject: Subject) -> ControlRow | None:
    named = {"subject": subject.kind, "company": subject.company, "code": subject.code}
    found: ControlRow | None = connection.execute(named_statements("ignored_subjects")["standing"], named).fetchone()
    return found


def _open_breaks(connection: ControlConnection, subject: Subject) -> list[tuple[str, str]]:
    """Return kind and subject of the open breaks that are about a subject and nothing else."""
    kinds = json.dumps([kind.kind for kind in break_kinds().values() if kind.ignored_as == subject.kind])
    rows = connection.execute(named_statements("ignored_subjects")["open_breaks"], (kinds,))
    return [
        (row["kind"], row["subject"])
        for row in rows
        if code_of(subject.kind, row["subject"]) == subject.code and row["company"] == subject.company
    ]


def code_of(kind: str, subject: str) -> str:
    """Return the code in the subject of a break: behind the entity, of a rate the currency at its end.

    >>> code_of("project", "28601:TC:7"), code_of("currency", "2026-10-30:NOK:CZK")
    ('TC:7', 'CZK')
    """
    return subject.rpartition(":")[2] if kind == "currency" else subject.partition(":")[2]


def _decided(action: str, subject: Subject, message: str, *, is_new: bool = True, closed: int = 0) -> SubjectDecision:
    return SubjectDecision(action, subject.kind, subject.company, subject.code, is_new, closed, message)
