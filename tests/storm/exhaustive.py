"""Kills every flow of one day at each durable step, and disturbs every call of it in every way.

``python -m tests.storm.exhaustive kills``, ``faults`` or ``both``; ``--every`` leaves nothing out.

Each case begins with a copy of both systems and of all stores as they were when the flow began. The flow is killed
before or after one step, or one of its requests meets one fault; then it is started again, and once more an hour later.
In the end everything must look as if nothing had happened, the last run must have written nothing, and the auditor must
find nothing that it does not find there.
"""

from __future__ import annotations

import argparse
import copy
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from tests.storm.__main__ import memory, prepare
from tests.storm.databases import add_control, databases
from tests.storm.day import LONGEST, Day, again, differences, live_the_day, look_ahead
from tests.storm.everything import AN_HOUR, FLOWS, Flow, act
from tests.storm.forks import Kill
from tests.storm.many import in_children
from tests.storm.people import look_at_the_books
from tests.storm.picture import on_batch_days, take_picture, without_files
from tests.storm.site import Ran, Site
from tests.storm.storm import QUIET
from tests.storm.weather import KINDS, LIMITS, PAGES

BUSY, UNKNOWN = 17, 15
WAYS = ("at once", "a day later", "twice at the same time")
# Lists that every run reads anew: an untrue answer to a look-up nobody could tell from a true one.
READ_ANEW = ("BusinessPartner", "Voyage", "Vessel", "Account")
# Of the kinds that a read may meet, so many; each read meets others.
SHARE = 5
# Longer than the client waits (everything.py).
STALLED = {"stalled": {"kind": "delay", "seconds": 11.0, "is_done_first": True}}
# As often as the client asks (SPRINGLINE_…__ATTEMPTS), else a read is simply repeated.
ATTEMPTS = 2
NO_FILE = "goes to the ledger without a file"


class Case(NamedTuple):
    """One kill and how the flow is started again, or one fault of one request."""

    flow: int
    # A step that is killed, or how many like it a request has before it that meets the fault.
    point: int
    is_after: bool = True
    way: str = WAYS[0]
    is_looked_at_again: bool = False
    # The fault, where it is one.
    kind: str = ""
    side: str = ""
    call: str = ""

    @property
    def name(self) -> str:
        """Name it."""
        flow = FLOWS[self.flow].name
        if self.kind:
            return f"{flow}: {self.kind} for {self.side} {self.call} after {self.point}"
        return f"{flow}: killed {'after' if self.is_after else 'before'} step {self.point}, again {self.way}"


def play(day: Day, case: Case) -> list[str]:
    """Play one case; give what is wrong afterwards."""
    folder = Path(tempfile.mkdtemp(dir=day.folder))
    site = day.begin(case.flow, folder)
    try:
        violations, told = _disturbed(site, case) if case.kind else (_killed(site, case), ())
        look_at_the_books(site)
        is_later = case.way == WAYS[1]
        site.pass_time(timedelta(days=1) if is_later else AN_HOUR if case.kind else timedelta(0))
        starts = _twice if case.way == WAYS[2] else _once
        more, is_quiet = starts(site, FLOWS[case.flow])
        violations += more
        before, after = day.pictures[case.flow, is_later]
        seen: Callable[[Counter[str]], Counter[str]] = Counter
        if is_later:
            seen = partial(on_batch_days, days=(day.times[case.flow].date(), site.now.date()))
        # A file that cannot be had holds no voucher; people are told (docs/mapping.md#1-10).
        if any(NO_FILE in problem for problem in told):
            seen = without_files
        compared = partial(_differences, site, seen=seen)
        wrong = compared(before)
        # Where all looks right at once, every third case is enough to see that nothing more is done an hour later.
        if case.is_looked_at_again or wrong or not is_quiet:
            violations += [one for one in again(site, case.flow) if one not in day.violations[case.flow, is_later]]
            wrong = compared(after)
        return violations + wrong
    finally:
        site.remove()


def _differences(site: Site, wanted: Counter[str], *, seen: Callable[[Counter[str]], Counter[str]]) -> list[str]:
    return differences(seen(take_picture(site)), seen(wanted))


def _killed(site: Site, case: Case) -> list[str]:
    kill = Kill("step", case.point, is_after=case.is_after, stores=site.folder)
    ran = act(site, FLOWS[case.flow], kill)
    return [] if ran.exit_code is None and not ran.traceback else [f"was not killed: {ran}"]


def _disturbed(site: Site, case: Case) -> tuple[list[str], Sequence[str]]:
    """Disturb one request of a flow; give what is wrong, and what people were told."""
    method, _, path = case.call.partition(" ")
    is_read = _is_read(case.side, case.call)
    action = _kinds(case.side)[case.kind]
    match = {"operation": path} if case.side == "ledger" else {"method": method, "path": path.removesuffix("/{key}")}
    rule = {"side": case.side, "action": action, "match": match, "times": ATTEMPTS if is_read else 1}
    site.control("POST", "faults", {**rule, "after": case.point, "name": case.kind})
    ran = act(site, FLOWS[case.flow])
    # Who was killed has forgotten that it suffered.
    suffered = site.control("GET", "faults")["suffered"] or action["kind"] == "die"
    site.control("DELETE", "faults")
    wrong = [f"traceback: {ran.traceback}"] if ran.traceback else []
    return wrong if suffered else [*wrong, f"met no fault: {ran}"], ran.problems


def _once(site: Site, flow: Flow) -> tuple[list[str], bool]:
    ran = act(site, flow)
    return [f"traceback: {ran.traceback}"] if ran.traceback else [], ran.exit_code in QUIET


def _twice(site: Site, flow: Flow) -> tuple[list[str], bool]:
    """Start it in two processes: one does the work, the other one is told to wait, or comes when it is done."""
    ends = list(in_children(lambda _: act(copy.copy(site), flow), range(2), processes=2, seconds=LONGEST))
    ran = [Ran(*end.value) if end.value else Ran(None, traceback=end.traceback) for end in ends]
    wrong = [f"traceback: {one.traceback}" for one in ran if one.traceback]
    codes = {one.exit_code for one in ran}
    if codes == {BUSY} or not codes <= {*QUIET, BUSY, UNKNOWN}:
        wrong.append(f"two at once ended with {codes}")
    return wrong, not codes & {None, UNKNOWN}


def kills(day: Day, *, is_every: bool) -> Iterator[Case]:
    """Choose steps: all of them, or of those with one name in one place of a flow the first, middle and last.

    Every chosen one is killed behind and started again at once; every third one also before, and in another way. With
    ``is_every`` all are killed before and behind and started again in each of the three ways.
    """
    chosen = 0
    for flow, names in enumerate(day.names):
        if is_every:
            for point, is_after, way in product(range(1, len(names) + 1), (False, True), WAYS):
                yield Case(flow, point, is_after, way, is_looked_at_again=True)
            continue
        for point in _different(names):
            chosen += 1
            yield Case(flow, point, is_looked_at_again=chosen % 3 == 1)
            if chosen % 3 == 0:
                yield Case(flow, point, is_after=False)
                yield Case(flow, point, way=WAYS[1 + chosen % 2], is_looked_at_again=True)


def _different(names: Sequence[str]) -> list[int]:
    by_name: dict[str, list[int]] = {}
    for point, name in enumerate(names, 1):
        by_name.setdefault(name, []).append(point)
    return sorted({point for points in by_name.values() for point in _ends(points)})


def _ends(places: Sequence[int]) -> set[int]:
    return {places[0], places[len(places) // 2], places[-1]}


def faults(day: Day, *, is_every: bool) -> Iterator[Case]:
    """Choose faults: of each call each kind at its first, middle and last request.

    Unless ``is_every``, a read meets some of the kinds, and the next read others.
    """
    chosen = 0
    for flow, sides in enumerate(day.calls):
        for side, calls in sides.items():
            for call, count in calls.items():
                for after, kind in product(sorted(_ends(range(count))), _kinds(side)):
                    if kind in PAGES and call.removeprefix("GET /ws/rest/") not in READ_ANEW:
                        continue
                    chosen += 1
                    if is_every or not _is_read(side, call) or chosen % SHARE == 0:
                        again = is_every or chosen % 3 == 0
                        yield Case(flow, after, is_looked_at_again=again, kind=kind, side=side, call=call)


def _kinds(side: str) -> dict[str, dict[str, Any]]:
    if side == "vms":
        return KINDS | STALLED | PAGES
    limits = {"kind": "graphql_error", "message": "later"}
    return KINDS | STALLED | {code.lower(): {**limits, "code": f"BAD_REQUEST.{code}"} for code in LIMITS}


def _is_read(side: str, call: str) -> bool:
    if side == "ledger":
        return not call.removeprefix("POST ").startswith(("add", "update", "delete"))
    return call.startswith("GET ") or "/oauth/" in call


PLANS: dict[str, Sequence[Callable[..., Iterator[Case]]]] = {
    "kills": (kills,),
    "faults": (faults,),
    "both": (kills, faults),
    "steps": (),
}


def main(arguments: list[str] | None = None) -> int:
    """Play the cases, print the figures and each violation; exit 1 when there is one."""
    parser = argparse.ArgumentParser(prog="python -m tests.storm.exhaustive", description=main.__doc__)
    parser.add_argument("what", choices=[*PLANS], help="what is played; `steps` lists steps and calls alone")
    parser.add_argument("--every", action="store_true", help="leave no case out")
    parser.add_argument("--flow", choices=[flow.name for flow in FLOWS], help="this flow alone")
    parser.add_argument("--part", default="1/1", help="2/7 is every seventh case, from the second on")
    parser.add_argument("--processes", type=int, default=2)
    add_control(parser)
    given = parser.parse_args(arguments)
    prepare()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(dir=memory()) as folder, databases(given.control, memory=memory()) as server:
        chosen = [flow.name for flow in FLOWS if given.flow in (None, flow.name)]
        day = live_the_day(Path(folder), server, last=chosen[-1])
        _tell_steps(day, is_whole=given.what == "steps")
        place, parts = map(int, given.part.split("/"))
        planned = [case for plan in PLANS[given.what] for case in plan(day, is_every=given.every)]
        cases = [case for case in planned if FLOWS[case.flow].name in chosen][place - 1 :: parts]
        look_ahead(day, ((case.flow, case.way == WAYS[1]) for case in cases), processes=given.processes)
        return play_all(day, cases, processes=given.processes, began=began)


def _tell_steps(day: Day, *, is_whole: bool) -> None:
    for flow, names, calls in zip(FLOWS, day.names, day.calls, strict=False):
        sites = [f"{side} {call} {count}" for side, of_side in calls.items() for call, count in of_side.items()]
        sys.stdout.write(f"{flow.name}: {len(names)} steps, {len(set(names))} different; {len(sites)} kinds of call\n")
        if is_whole:
            sys.stdout.writelines(f"  {number} {name}\n" for number, name in enumerate(names, 1))
            sys.stdout.writelines(f"  {site}\n" for site in sites)
    sys.stdout.flush()


def play_all(day: Day, cases: Sequence[Case], *, processes: int, began: float) -> int:
    """Play cases side by side; print what is wrong as it comes, and the figures in the end."""
    bad, played = 0, Counter[str]()
    try:
        for child in in_children(partial(_played, day), cases, processes=processes, seconds=LONGEST):
            name, flow, violations = child.value or ("a case", "not played", [child.traceback])
            played[flow] += 1
            sys.stdout.writelines(f"{name}: {violation}\n" for violation in violations[:12])
            bad += bool(violations)
            sys.stdout.flush()
    # Whoever has seen enough gets the figures of what is over.
    except KeyboardInterrupt:
        sys.stdout.write("stopped\n")
    shown = ", ".join(f"{name} {count}" for name, count in played.items())
    sys.stdout.write(f"{played.total()} of {len(cases)} in {time.monotonic() - began:.0f} seconds: {shown}\n")
    sys.stdout.write(f"with a violation: {bad or 'none'}\n")
    return 1 if bad else 0


def _played(day: Day, case: Case) -> tuple[str, str, list[str]]:
    name = case.name if case.kind else f"{case.name} ({day.names[case.flow][case.point - 1]})"
    return name, FLOWS[case.flow].name, play(day, case)


if __name__ == "__main__":
    sys.exit(main())
