"""One storm: runs with faults and kills, people at work between them, clean runs, and what the auditor finds."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from tests.storm.auditor import Auditor, Said, Violation
from tests.storm.books import LedgerBooks
from tests.storm.databases import Databases
from tests.storm.deeds import do
from tests.storm.forks import Kill, Pause
from tests.storm.journal import Journal
from tests.storm.people import People, look_at_the_books
from tests.storm.site import MODELS, MORNING, PATIENT, Ran, Site
from tests.storm.story import FOCI, JOBS, SECOND_RUN, Deed, Focus, Run, Story
from tests.storm.worlds import write_storm_world

# After so many clean runs nothing is written any more, and nothing is open but what people must decide.
CLEAN_RUNS = 3
# Of one entry of unknown fate: in a run, and in all runs after the last fault.
MOST_LOOK_UPS = 5
# Held documents, objects set aside and breaks wait for people; anything else is not quiet.
# Under which name the deaths of the other side are counted.
KILLED = "other side killed"
QUIET = frozenset({0, 11, 14, 16})
BUSY = 17
# A file that may not grow is no full disk to everybody: SQLite says that it cannot be written.
FULL = frozenset({10, 18})


@dataclass(slots=True)
class Result:
    """What a storm came to."""

    documents_sent: int = 0
    payments: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    # What the sandbox has counted since it was last started.
    suffered: dict[str, int] = field(default_factory=dict)
    # What people did, by kind.
    deeds: dict[str, int] = field(default_factory=dict)
    kills: int = 0
    runs: int = 0
    # Runs that were begun while another one worked, and runs that met the full disk.
    second_runs: int = 0
    full: int = 0
    # Runs that were killed, and all that they had on disk lost.
    machines: int = 0
    # The most look-ups of one entry of unknown fate in one run, and after the last fault.
    look_ups: int = 0
    # Of the processor.
    seconds_of_runs: float = 0.0
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


@dataclass(frozen=True, slots=True)
class Base:
    """What all storms begin with: the verified models, and an installation that has seen its first day."""

    models: Path
    # The folder of a site that was closed.
    installation: Path
    databases: Databases | None

    @classmethod
    def make(cls, folder: Path, models: Path, databases: Databases | None) -> Base:
        """Let an installation see its first day in this process, which then has loaded all that a run needs."""
        base = cls(models, folder / "installation", databases)
        base.installation.mkdir()
        before = MORNING - timedelta(hours=20)
        site = base._first_day(base.installation, Journal(), now=before, is_bare=False)
        _live_here(site, [job for job in JOBS if job != "rates"])
        warm = base.begin(folder / "warm", Journal(), is_first_day=False)
        people = People(warm)
        for chance in range(8):
            do(people, "enter an invoice", chance)
        _live_here(warm, JOBS)
        return base

    def begin(self, folder: Path, journal: Journal, *, is_first_day: bool) -> Site:
        """Open a site in an empty folder."""
        if not is_first_day:
            shutil.copytree(self.installation, folder, dirs_exist_ok=True)
            return Site.open(folder, folder / "seed", journal, databases=self.databases)
        return self._first_day(folder, journal, now=MORNING, is_bare=True)

    def _first_day(self, folder: Path, journal: Journal, *, now: datetime, is_bare: bool) -> Site:
        seed = write_storm_world(folder / "seed", is_first_day=is_bare)
        site = Site.open(folder, seed, journal, now=now, databases=self.databases)
        shutil.copy(self.models, site.folder / MODELS)
        return site


def _live_here(site: Site, jobs: Sequence[str]) -> None:
    site.environ.update(PATIENT)
    try:
        ran = site.run_here(*jobs)
    finally:
        site.close()
    if ran.exit_code not in QUIET - {11}:
        raise RuntimeError(f"a day without a storm went wrong: {ran}")


def storm(story: Story, *, base: Base, memory: Path | None = None, is_kept: bool = False) -> Result:
    """Live through a storm and judge it."""
    folder = Path(tempfile.mkdtemp(prefix="storm-", dir=memory))
    journal, result, about = Journal(), Result(), FOCI[story.about]
    site = base.begin(folder, journal, is_first_day=story.is_first_day)
    try:
        look_at_the_books(site)
        people = People(site)
        for step in story.steps:
            if isinstance(step, Deed):
                do(people, step.name, step.chance)
            else:
                _run(site, people, step, result)
        _calm(site, people, about, result)
        result.violations += [Violation("recovery", "", words) for words in journal.broken]
        result.deeds = dict(+people.done)
        result.payments = site.journal.payments
    finally:
        result.seconds_of_runs = site.seconds
        site.close() if is_kept else site.remove()
    return result


def _run(site: Site, people: People, step: Run, result: Result) -> None:
    site.pass_time(timedelta(minutes=step.minutes))
    for rule in step.faults:
        site.control("POST", "faults", rule)

    def meanwhile(deed: Deed) -> None:
        if deed.name != SECOND_RUN:
            # The faults are the run's: of what somebody typed into a window that broke, the journal would not know.
            rules = site.control("GET", "faults")["faults"]
            site.control("DELETE", "faults")
            do(people, deed.name, deed.chance)
            for rule in rules:
                site.control("POST", "faults", rule)
            return
        # With a store of their own, two folders share no lock but that of the store.
        is_elsewhere = site.databases is not None and deed.chance % 2 == 1
        second = site.run(*step.jobs, folder=site.folder / "elsewhere" if is_elsewhere else None)
        result.second_runs += 1
        if second.exit_code != BUSY or second.traceback:
            result.violations.append(Violation("two runs at once", f"exit {second.exit_code}", str(second)))

    pause = Pause(step.meanwhile[0], partial(meanwhile, step.meanwhile[1])) if step.meanwhile else None
    kill = Kill(*step.kill, stores=site.folder) if step.kill else None
    ran = site.run(*step.jobs, kill=kill, pause=pause, full=step.full, skew=timedelta(minutes=step.skew))
    result.count_faults(site.control("GET", "faults")["suffered"])
    site.control("DELETE", "faults")
    people.catch_up()
    was_killed = ran.exit_code is None and not ran.traceback
    result.kills += was_killed
    if was_killed and site.databases is not None and step.kill and step.kill[1] % 3 == 0:
        site.lose_the_machine()
        result.machines += 1
    result.full += step.full is not None and ran.exit_code in FULL
    told = [rule["name"] for rule in step.faults]
    result.story += [*site.journal.told(), f"{step.jobs} {told} {step.kill or step.full or step.meanwhile}: {ran}"]
    _after(site, ran, result)


def _calm(site: Site, people: People, about: Focus, result: Result) -> None:
    """Let the storm end: periods are open, requests are answered, and runs follow each other an hour apart."""
    people.go_home()
    ran, written, look_ups = Ran(None), ["nothing yet"], Counter[str]()
    for number in range(CLEAN_RUNS + 1):
        # What the third has written must be the last: with the rates that the first reads a document may go in the
        # second, and the third writes its actuals.
        if number == CLEAN_RUNS and not written:
            break
        site.control("POST", "ledger/post", {})
        site.pass_time(timedelta(minutes=70))
        site.writes()
        # What is published says nothing that the auditor reads.
        ran = site.run(*[job for job in dict.fromkeys((*about.jobs, "reconcile")) if job != "publish"])
        written = site.writes()
        look_ups.update(ran.look_ups)
        result.story.append(f"clean run: {ran}, {written}")
        _after(site, ran, result)
    _count_look_ups(look_ups, result)
    open_states = "SELECT kind, natural_key, state FROM outbox WHERE state NOT IN ('sent', 'failed')"
    result.violations += [Violation("unsettled", f"{kind} {key}", state) for kind, key, state in site.ask(open_states)]
    if ran.exit_code not in QUIET or written:
        result.violations.append(Violation("not quiet", f"exit {ran.exit_code}", f"{written} {ran.problems}"))
    auditor = Auditor.of(site.vms, LedgerBooks.of(site.environ), site.journal, _said(site), site.now.date())
    result.violations += auditor.violations(about.jobs)
    result.documents_sent = sum(map(auditor.times_sent, site.journal.documents))


def _count_look_ups(look_ups: Mapping[str, int], result: Result) -> None:
    result.look_ups = max(result.look_ups, *look_ups.values(), 0)
    often = {entry: number for entry, number in look_ups.items() if number > MOST_LOOK_UPS}
    result.violations += [Violation("looked up too often", entry, f"{number} times") for entry, number in often.items()]


def _after(site: Site, ran: Ran, result: Result) -> None:
    result.runs += 1
    _count_look_ups(ran.look_ups, result)
    look_at_the_books(site)
    if ran.traceback:
        result.violations.append(Violation("traceback", "", ran.traceback))


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
