"""One storm: runs with faults and kills, people at work between them, clean runs, and what the auditor finds."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from tests.storm.auditor import Auditor, Said, Violation
from tests.storm.books import LedgerBooks
from tests.storm.forks import Kill
from tests.storm.journal import Journal
from tests.storm.people import DEEDS, FIRST_OF_PEOPLE, PARTNER_DEEDS, RATE_DEEDS, People, look_at_the_books
from tests.storm.site import Ran, Site
from tests.storm.weather import PARTNER_WRITES, WRITES, Row, faults
from tests.storm.worlds import write_storm_world

# After so many clean runs nothing is written any more, and nothing is open but what people must decide.
CLEAN_RUNS = 3
# Held documents, objects set aside and breaks wait for people; anything else is not quiet.
# Under which name the deaths of the other side are counted.
KILLED = "other side killed"
QUIET = frozenset({0, 11, 14, 16})
JOBS = ("master-data", "documents", "rates", "payments", "actuals", "reconcile")


class Focus(NamedTuple):
    """What a storm is about: the jobs that run in it, what people do, and where writes are disturbed."""

    jobs: Sequence[str]
    deeds: Sequence[Callable[[People], None]]
    writes: Sequence[tuple[str, Row]]


# The narrow ones cost a tenth, so each seed of them tells more of what it is about.
FOCI = {
    "all": Focus(JOBS, DEEDS, WRITES),
    "rates": Focus(("rates",), RATE_DEEDS, [("vms", {"method": "POST", "path": "/ws/rest/ExchangeRate"})]),
    "partners": Focus(("master-data",), PARTNER_DEEDS, PARTNER_WRITES),
}


@dataclass(slots=True)
class Result:
    """What a storm came to."""

    seed: int
    documents_sent: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    # What the sandbox has counted since it was last started.
    suffered: dict[str, int] = field(default_factory=dict)
    # What people did, by kind.
    deeds: dict[str, int] = field(default_factory=dict)
    kills: int = 0
    runs: int = 0
    violations: list[Violation] = field(default_factory=list)
    # The storm told in order, for whoever plays it again.
    story: list[str] = field(default_factory=list)

    def count_faults(self, suffered: dict[str, int]) -> None:
        """Take what the sandbox has counted since it was started; less than before means that it was killed."""
        if sum(suffered.values()) < sum(self.suffered.values()):
            self._add(KILLED, 1)
            self.suffered = {}
        for name, number in suffered.items():
            self._add(name, number - self.suffered.get(name, 0))
        self.suffered = suffered

    def _add(self, name: str, number: int) -> None:
        self.faults[name] = self.faults.get(name, 0) + number

    def as_dict(self) -> dict[str, Any]:
        """Give what is printed as JSON."""
        return asdict(self)


def storm(
    seed: int, *, models: Path, memory: Path | None = None, focus: str | None = None, is_kept: bool = False
) -> Result:
    """Live through the storm of a seed and judge it; ``models`` are the verified models, which all storms share."""
    folder = Path(tempfile.mkdtemp(prefix=f"storm-{seed}-", dir=memory))
    rng, journal, result = Random(seed), Journal(), Result(seed)  # noqa: S311 no secret: the same numbers every time
    site = Site.open(folder, write_storm_world(folder / "seed", rng, journal), journal)
    try:
        shutil.copy(models, site.folder / "springline.models.json")
        look_at_the_books(site)
        # Drawn also where it is given: the storm behind it is the same.
        drawn = rng.choice(("all", "all", "rates", "partners"))
        about = FOCI[focus or drawn]
        people = People(site, rng, FIRST_OF_PEOPLE, about.deeds)
        for _ in range(rng.randint(2, 4)):
            _round(site, people, about, result)
        _calm(site, people, about, result)
        result.deeds = dict(+people.done)
    finally:
        site.close()
        if not is_kept:
            shutil.rmtree(folder, ignore_errors=True)
    return result


def _round(site: Site, people: People, about: Focus, result: Result) -> None:
    rng = people.rng
    done = len(site.journal.deeds)
    people.work()
    site.pass_time(timedelta(minutes=rng.choice((1, 20, 70, 130, 600))))
    chosen = faults(rng, about.writes, jobs=len(about.jobs))
    for fault in chosen:
        site.control("POST", "faults", {**fault.rule, "name": fault.name})
    kill = _kill(rng, len(about.jobs)) if rng.random() < 0.4 else None
    jobs = about.jobs if rng.random() < 0.3 else [job for job in about.jobs if job != "reconcile"]
    ran = site.run(*jobs, kill=kill, skew=timedelta(minutes=rng.choice((0, 0, 0, 0, -60, 60))))
    result.count_faults(site.control("GET", "faults")["suffered"])
    site.control("DELETE", "faults")
    result.kills += ran.exit_code is None and not ran.traceback
    result.story += [*site.journal.deeds[done:], f"faults {[fault.name for fault in chosen]}", f"{jobs} {kill}: {ran}"]
    _after(site, ran, result)


def _calm(site: Site, people: People, about: Focus, result: Result) -> None:
    """Let the storm end: periods are open, requests are answered, and runs follow each other an hour apart."""
    people.go_home()
    ran, written = Ran(None), ["nothing yet"]
    for _ in range(CLEAN_RUNS):
        site.control("POST", "ledger/post", {})
        site.pass_time(timedelta(minutes=70))
        site.writes()
        ran = site.run(*dict.fromkeys((*about.jobs, "reconcile")))
        written = site.writes()
        result.story.append(f"clean run: {ran}, {written}")
        _after(site, ran, result)
    open_states = "SELECT kind, natural_key, state FROM outbox WHERE state NOT IN ('sent', 'failed')"
    result.violations += [Violation("unsettled", f"{kind} {key}", state) for kind, key, state in site.ask(open_states)]
    if ran.exit_code not in QUIET or written:
        result.violations.append(Violation("not quiet", f"exit {ran.exit_code}", f"{written} {ran.problems}"))
    auditor = Auditor.of(site.vms, LedgerBooks.of(site.environ), site.journal, _said(site), site.now.date())
    result.violations += auditor.violations(about.jobs)
    result.documents_sent = sum(map(auditor.times_sent, site.journal.documents))


def _after(site: Site, ran: Ran, result: Result) -> None:
    result.runs += 1
    look_at_the_books(site)
    if ran.traceback:
        result.violations.append(Violation("traceback", "", ran.traceback))


def _kill(rng: Random, jobs: int) -> Kill:
    # About as many writes and requests as there are.
    return Kill(rng.choice(("write", "call")), rng.randint(1, 12 * jobs), is_after=rng.random() < 0.5)


def _said(site: Site) -> Said:
    held = dict(site.ask("SELECT document_no, rule || ': ' || message FROM holds WHERE until IS NULL"))
    rows = site.ask(
        "SELECT kind || ' ' || subject || ' ' || coalesce(document_no, '') || ' ' || message FROM breaks"
        " WHERE until IS NULL"
    )
    again = site.ask(
        "SELECT outbox.document_key FROM outbox JOIN outbox_events AS events ON events.outbox_id = outbox.id"
        " WHERE outbox.kind = 'voucher' AND events.from_state = 'unknown' AND events.to_state = 'todo'"
    )
    return Said(held, [words for (words,) in rows], {key for (key,) in again})
