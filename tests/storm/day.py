"""A day as it is when nobody disturbs it: where each flow begins, what it does, and how it all looks afterwards."""

from __future__ import annotations

import copy
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from tests.storm.__main__ import verified
from tests.storm.auditor import Auditor
from tests.storm.books import LedgerBooks, VmsApi
from tests.storm.databases import Databases
from tests.storm.everything import AN_HOUR, FLOWS, OWN, act, write_everything
from tests.storm.forks import Kill
from tests.storm.journal import Journal
from tests.storm.many import in_children
from tests.storm.people import look_at_the_books
from tests.storm.picture import take_picture
from tests.storm.site import Ran, Site
from tests.storm.storm import QUIET, _said

# No case takes so long, however busy the machine.
LONGEST = 600
REMARK = "/ws/rest/Remark"


@dataclass(slots=True)
class Day:
    """The day as it is when nobody disturbs it: where each flow begins, its steps, and how it all looks afterwards."""

    folder: Path
    seed: Path
    databases: Databases | None
    journals: list[Journal] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    names: list[list[str]] = field(default_factory=list)
    # How often each flow asks what, by side and request.
    calls: list[dict[str, dict[str, int]]] = field(default_factory=list)
    # By flow and by whether its second run comes a day later: after that run, and after the one an hour later.
    pictures: dict[tuple[int, bool], tuple[Counter[str], Counter[str]]] = field(default_factory=dict)
    violations: dict[tuple[int, bool], set[str]] = field(default_factory=dict)

    def begin(self, flow: int, folder: Path) -> Site:
        """Begin a flow in a folder of its own, where everything is as it was then."""
        shutil.copytree(self.folder / f"flow-{flow}", folder, dirs_exist_ok=True)
        journal, now = copy.deepcopy(self.journals[flow]), self.times[flow]
        site = Site.open(folder, self.seed, journal, now=now, databases=self.databases)
        site.environ.update(OWN)
        return site

    def keep(self, flow: int, site: Site) -> None:
        """Keep where a flow begins; both systems are stopped."""
        site.close()
        place = self.folder / f"flow-{flow}"
        place.mkdir()
        for path in site.folder.parent.glob("sandbox.sqlite*"):
            shutil.copy(path, place)
        shutil.copytree(site.folder, place / "stores")
        self.journals.append(copy.deepcopy(site.journal))
        self.times.append(site.now)


def live_the_day(folder: Path, databases: Databases | None, *, last: str = "") -> Day:
    """Live through the day undisturbed, to the end or until a flow is over, counting the steps of each flow."""
    journal = Journal()
    day = Day(folder, write_everything(folder / "seed", journal), databases)
    place = folder / "day"
    place.mkdir()
    site = Site.open(place, day.seed, journal)
    shutil.copy(verified(folder), site.folder / "springline.models.json")
    site.environ.update(OWN)
    for number, flow in enumerate(FLOWS):
        flow.prologue(site)
        day.keep(number, site)
        # Some hundred megabytes, of which the copy alone is needed from here on.
        shutil.rmtree(site.folder.parent)
        site = day.begin(number, folder / f"undisturbed-{number}")
        names = folder / f"names-{number}"
        names.touch()
        site.control("DELETE", "requests")
        ran = act(site, flow, Kill("step", 0, is_after=False, stores=site.folder, names=names))
        if ran.exit_code not in QUIET:
            raise AssertionError(flow.name, ran)
        day.names.append(names.read_text("utf-8").splitlines())
        day.calls.append(site.control("GET", "requests"))
        if flow.name == last:
            break
    site.close()
    return day


def look_ahead(day: Day, wanted: Iterable[tuple[int, bool]], *, processes: int) -> None:
    """See how all looks after each of these flows when nobody kills it."""
    for child in in_children(partial(_look_undisturbed, day), sorted({*wanted}), processes=processes, seconds=LONGEST):
        if child.value is None:
            raise AssertionError(child.traceback)
        flow, is_later, pictures, violations = child.value
        before, after = pictures
        day.pictures[flow, is_later] = Counter(before), Counter(after)
        day.violations[flow, is_later] = set(violations)


def _look_undisturbed(day: Day, wanted: tuple[int, bool]) -> tuple[int, bool, list[Counter[str]], list[str]]:
    flow, is_later = wanted
    with tempfile.TemporaryDirectory(dir=day.folder) as folder:
        site = day.begin(flow, Path(folder))
        act(site, FLOWS[flow])
        if is_later:
            site.pass_time(timedelta(days=1))
        act(site, FLOWS[flow])
        before = take_picture(site)
        violations = again(site, flow)
        pictures = [before, take_picture(site)]
        site.remove()
    return flow, is_later, pictures, violations


def again(site: Site, flow: int) -> list[str]:
    """Run once more, an hour later; tell what is not quiet, and what the auditor finds."""
    violations = []
    if FLOWS[flow].jobs:
        ran, written = _later(site, flow)
        # One of unknown fate is never waited for: the run that comes next looks it up once more and writes it.
        if written and all(REMARK in request for request in written):
            ran, written = _later(site, flow)
        if written or ran.exit_code not in QUIET:
            violations.append(f"not quiet: exit {ran.exit_code} {ran.problems} {ran.traceback} wrote {written}")
    else:
        _pass_an_hour(site)
    # A day later nobody is signed in any more.
    site.vms = VmsApi.of(site.environ)
    jobs = [job for one in FLOWS[: flow + 1] for job in one.jobs]
    auditor = Auditor.of(site.vms, LedgerBooks.of(site.environ), site.journal, _said(site), site.now.date())
    return violations + [" ".join(violation) for violation in auditor.violations(jobs)]


def _later(site: Site, flow: int) -> tuple[Ran, list[str]]:
    _pass_an_hour(site)
    ran = act(site, FLOWS[flow])
    return ran, site.writes()


def _pass_an_hour(site: Site) -> None:
    site.control("POST", "ledger/post", {})
    look_at_the_books(site)
    site.pass_time(AN_HOUR)
    site.writes()


def differences(found: Counter[str], wanted: Counter[str]) -> list[str]:
    return [f"missing: {what} ({n})" for what, n in (wanted - found).items()] + [
        f"too many: {what} ({n})" for what, n in (found - wanted).items()
    ]
