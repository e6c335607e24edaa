"""Finds what needs to be told: from the control store, the settings and the clock; amounts from the published file."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.core import words
from pipelines.core.hiding import HIDDEN, hide_in_text
from pipelines.core.operators import is_person
from pipelines.core.periods import OSLO, next_month, read_period
from pipelines.stores.control import Control, named_statements, utc_text
from pipelines.stores.job_ends import OF_LOOK, JobEnd, last_well, read_job_ends
from pipelines.stores.request_counts import forecast, month_of
from pipelines.watch.alerts.kinds import (
    AWAY,
    BANK,
    BREAK,
    CLOSING,
    FAILING,
    FOLLOWS,
    HELD,
    JOB,
    KINDS,
    REQUESTS,
    UNKNOWN,
    WEBHOOK,
    Condition,
)

if TYPE_CHECKING:
    from pipelines.core.settings import Settings

# As pipelines/wire/http.py says it of a side that cannot be reached, does not answer, or answers 5xx.
_AWAY = re.compile(r"^No connection to |got no answer:| answered (?:429|5\d\d)\b")
# Eleven digits that stand alone are a Norwegian account, or a number that looks like one.
_ACCOUNT = re.compile(r"\b\d{4}[ .]?\d{2}[ .]?\d{5}\b")
# A watch that has not said for so long that it is alive is none.
ALIVE = timedelta(minutes=2)
# A batch without an end that began longer ago than this was killed, or hangs.
LONGEST_BATCH = timedelta(hours=6)
# Jobs wait for one another: behind a batch of this length the others are late, and that is no fault.
_LONG_BATCH = timedelta(seconds=30)
# Percent by which the forecast must fall again before it is over: else it would come and go with each day's pace.
_REQUESTS_BACK = 10
SIDES: Mapping[str, str] = {"vms": "the VMS", "ledger": "Xledger"}

Key = tuple[str, str]
Amounts = Mapping[Key, Mapping[str, Any]]

# Asked every minute, and a new edition of the published file comes every few minutes at most.
_editions: dict[Path, tuple[tuple[int, int], Amounts]] = {}


def find_conditions(settings: Settings, control: Control, *, now: datetime) -> list[Condition]:
    """Return what needs to be told at ``now`` (aware), in the order of KINDS; nothing is written.

    While a system does not answer, what follows from that is not found anew: one outage is one condition. Amounts of
    breaks are those of the published file, and a break that it does not have yet is found once it has.
    """
    statements = named_statements("alerts")
    standing = {(row["kind"], row["subject"]) for row in control.read(statements["standing"])}

    def rows(name: str, *, ago: timedelta = timedelta()) -> list[Mapping[str, Any]]:
        before = {"before": utc_text(now - ago)} if ":before" in statements[name] else {}
        return [dict(row) for row in control.read(statements[name], before)]

    alerts = settings.alerts
    breaks = rows("breaks")
    sealed = {row["period"] for row in rows("sealed")}
    requests = [*_requests(settings, control, standing, now)]
    found = [
        *_jobs(settings, control),
        *_late(settings, control, now, is_short=bool(requests)),
        *requests,
        *map(_webhook, rows("webhooks")),
        *map(_undelivered, rows("undelivered", ago=timedelta(minutes=alerts.unknown_minutes))),
        *map(_bank_change, rows("bank_changes", ago=timedelta(hours=alerts.bank_change_hours))),
        *map(_held, rows("held", ago=timedelta(hours=alerts.held_hours))),
        *_breaks(settings, breaks, standing),
        *_closing(settings, breaks, sealed, now),
    ]
    is_away = any(one.kind == AWAY for one in found)
    kept = {one.key: one for one in found if not (is_away and one.kind in FOLLOWS and one.key not in standing)}
    order = [*KINDS]
    told = (Condition(one.kind, one.subject, plain(one.text)) for one in kept.values())
    return sorted(told, key=lambda one: order.index(one.kind))


def plain(text: str) -> str:
    """Return a text of either system on one line, not too long, without secrets and bank accounts."""
    return words.value(_ACCOUNT.sub(HIDDEN, hide_in_text(text)))


def cadence(settings: Settings, job: str) -> int | None:
    """Return the seconds between two runs of a job; None of one that has hours of its own, or runs when needed."""
    watch = settings.watch
    seconds = {"documents": watch.documents, "master-data": watch.master_data, "payments": watch.payments}
    # With webhooks the net may be wider than the cadence.
    return max(seconds[job], watch.net) if job in seconds and settings.webhooks.url else seconds.get(job)


def is_at_work(control: Control, *, now: datetime) -> bool:
    """Tell whether a batch is at work: the newest one, where it has not ended and nothing says that it was killed."""
    watch, batch = _alive(control, now), _newest_batch(control)
    if batch is None or batch["ended_at"] is not None:
        return False
    # One from before the watch that is alive was left by another that was killed.
    least = max(now - LONGEST_BATCH, watch or now - LONGEST_BATCH)
    return datetime.fromisoformat(batch["started_at"]) >= least


def _newest_batch(control: Control) -> Mapping[str, Any] | None:
    rows = control.read(named_statements("alerts")["newest_batch"])
    return dict(rows[0]) if rows else None


def _alive(control: Control, now: datetime) -> datetime | None:
    """Return since when a watch runs that has just said that it is alive; None where there is none."""
    rows = control.read(named_statements("alerts")["watch"])
    is_alive = bool(rows) and datetime.fromisoformat(rows[0]["seen_at"]) >= now - ALIVE
    return datetime.fromisoformat(rows[0]["started_at"]) if is_alive else None


def _jobs(settings: Settings, control: Control) -> Iterator[Condition]:
    least = settings.alerts.cadences
    away: dict[str, JobEnd] = {}
    for name, end in read_job_ends(control).items():
        if end.failures < least:
            continue
        # A job that cannot be looked at waits as one that fails.
        job = name.removeprefix(OF_LOOK)
        if _AWAY.search(end.reason or ""):
            away[job] = end
        else:
            since = words.moment(end.failed_since)
            yield Condition(JOB, job, f"{job}: failed {end.failures:,} times since {since}. {end.reason}")
    if away:
        first = min(away.values(), key=lambda end: end.failed_since or "")
        sides = " and ".join(dict.fromkeys(_side(settings, end.reason or "") for end in away.values()))
        text = (
            f"No answer of {sides} since {words.moment(first.failed_since)}; jobs that wait: {', '.join(away)}. "
            f"Nothing is lost, and they catch up by themselves. {first.reason}"
        )
        # One subject, whichever side and job it is: it begins and ends job by job, and is one outage to people.
        yield Condition(AWAY, "systems", text)


def _late(settings: Settings, control: Control, now: datetime, *, is_short: bool) -> Iterator[Condition]:
    """Yield jobs that nothing has run, or looked at, though a watch is alive; what fails is told of as such.

    A watch runs payments less often while requests are short.
    """
    watch, batch = _alive(control, now), _newest_batch(control)
    if watch is None or is_at_work(control, now=now):
        return
    if batch and batch["ended_at"]:
        began, ended = (datetime.fromisoformat(batch[name]) for name in ("started_at", "ended_at"))
        watch = max(watch, ended) if ended - began > _LONG_BATCH else watch
    ends = read_job_ends(control)
    # Of documents and master data a watch that has nothing to do makes no run, but looks.
    looked = [name.removeprefix(OF_LOOK) for name in ends if name.startswith(OF_LOOK)]
    for job in (*looked, *([] if is_short else ["payments"])):
        last, seconds = last_well(ends, job), cadence(settings, job)
        has_failed = any(ends[name].failures for name in (job, OF_LOOK + job) if name in ends)
        if has_failed or last is None or seconds is None:
            continue
        if now - max(last, watch) > max(timedelta(seconds=seconds * settings.alerts.cadences), ALIVE):
            yield Condition(JOB, job, f"{job}: it has not run since {words.moment(last)}.")


def _side(settings: Settings, reason: str) -> str:
    return SIDES["ledger"] if settings.ledger.url in reason else SIDES["vms"]


def _requests(settings: Settings, control: Control, standing: Collection[Key], now: datetime) -> Iterator[Condition]:
    month, included = month_of(now), settings.ledger.monthly_requests
    used = int(control.one(named_statements("alerts")["requests_of_ledger"], {"month": month}))
    coming = max(forecast(used, now=now) or 0, used)
    limit = settings.alerts.requests_percent - (_REQUESTS_BACK if (REQUESTS, month) in standing else 0)
    if coming * 100 >= limit * included:
        text = f"Xledger, {month}: {used:,} of {included:,} requests used, and {coming:,} at this pace by its end."
        yield Condition(REQUESTS, month, text)
    if used >= included:
        text = f"Xledger, {month}: all {included:,} requests of the month are used; further ones may be refused."
        yield Condition(REQUESTS, f"{month} used up", text)


def _webhook(row: Mapping[str, Any]) -> Condition:
    checked = words.moment(row["checked_at"])
    text = f"{SIDES[row['side']]}, {row['name']}: {row['state']} when it was asked at {checked}. Polling goes on."
    return Condition(WEBHOOK, f"{row['side']} {row['name']}", text)


def _undelivered(row: Mapping[str, Any]) -> Condition:
    what = row["kind"].replace("_", " ")
    name = f"{what} {row['document_no'] or row['natural_key']}"
    since, subject = words.moment(row["since"]), f"{row['kind']} {row['natural_key']}"
    if row["state"] in {"unknown", "sending"}:
        text = f"{name}: sent at {since}, without a clear answer. Enter nothing by hand: the next run looks it up."
        return Condition(UNKNOWN, subject, text)
    return Condition(FAILING, subject, f"{name}: not delivered since {since}. {row['last_error'] or ''}")


def _bank_change(row: Mapping[str, Any]) -> Condition:
    code, seen_by = row["partner_code"], row["seen_by"] or ""
    # A schedule is nobody who could release it.
    other = f"somebody other than {seen_by}" if is_person(seen_by) else "a second person"
    text = (
        f"Supplier {code}: another bank account in the VMS since {words.moment(row['seen_at'])}. "
        f"It is not used until {other} has asked the supplier and released it."
    )
    return Condition(BANK, f"supplier {code}", text)


def _held(row: Mapping[str, Any]) -> Condition:
    number, key = row["document_no"], row["document_key"]
    text = f"Held since {words.moment(row['since'])}: {row['message'] or number}"
    return Condition(HELD, f"{number} key:{key}", text)


def _breaks(
    settings: Settings, breaks: Collection[Mapping[str, Any]], standing: Collection[Key]
) -> Iterator[Condition]:
    amounts = published_amounts(settings) if breaks else {}
    for row in breaks:
        subject = f"break {row['break_id']}"
        found = amounts.get((row["kind"], row["subject"])) if amounts is not None else None
        amount: Decimal | None = found["amount"] if found else None
        # One that was told is not over because its amount cannot be read just now.
        is_large = abs(amount) > settings.alerts.break_amount if amount is not None else (BREAK, subject) in standing
        if is_large:
            shown = words.amount(amount, found["currency_code"] if found else None)
            name = f"Break {row['break_id']} ({row['kind']})"
            yield Condition(BREAK, subject, f"{f'{name}, {shown}' if shown else name}: {row['message']}")


def _closing(
    settings: Settings, breaks: Collection[Mapping[str, Any]], sealed: Collection[str], now: datetime
) -> Iterator[Condition]:
    today = now.astimezone(OSLO).date()
    for period in sorted({row["period"] for row in breaks} - set(sealed)):
        due = next_month(read_period(period)) + timedelta(days=settings.alerts.closing_days)
        count = sum(row["period"] == period for row in breaks)
        if today >= due:
            text = f"{period}: {words.plural(count, 'break is', 'breaks are')} open, and the month is not sealed."
            yield Condition(CLOSING, period, text)


def published_amounts(settings: Settings) -> Amounts | None:
    """Return the amounts of breaks as published last, by kind and subject; None when they cannot be read now."""
    # DuckDB takes time to import, and few ask.
    from pipelines.steering.break_decisions import amounts_of_breaks  # noqa: PLC0415
    from pipelines.stores.open_tables import PUBLISHED_FILE, open_tables  # noqa: PLC0415

    file = settings.published / PUBLISHED_FILE
    try:
        stat = file.stat()
    except OSError:
        return None
    edition = (stat.st_mtime_ns, stat.st_ino)
    if file not in _editions or _editions[file][0] != edition:
        with open_tables(settings, is_published=True) as tables:
            if tables is None:
                return None
            _editions[file] = (edition, amounts_of_breaks(tables))
    return _editions[file][1]
