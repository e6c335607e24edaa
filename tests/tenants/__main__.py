"""Fifty tenants under Dagster on two machines while a worker is killed every minute: what their books say afterwards.

Run as ``python -m tests.tenants``. Ends with 0 when each document of each tenant is in its ledger exactly once, the one
tenant with a wrong token alone has failed, and nothing of the others came later than two cadences.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from tests.bench.desk import say
from tests.support.lake import running_s3
from tests.support.once import begin_in
from tests.tenants.fleet import NOT_PUBLISHING, PROGRAM
from tests.tenants.harbour import Pace
from tests.tenants.many import Outcome, Plan, day, judge

# The last document comes a cadence before the end; what is left then has another two.
MOST_CADENCES = 2


def faults(outcome: Outcome, plan: Plan) -> list[str]:
    """Return what is not as it must be."""
    found = [f"{name}: {words}" for name, violations in outcome.violations.items() for words in violations]
    found += [f"{name}: its chain of events is broken" for name, record in outcome.records.items() if record.chain]
    found += [f"{name}: its lake does not have {sorted(keys)} as sent" for name, keys in outcome.untold.items()]
    if outcome.failing() != {outcome.wrong}:
        found.append(f"these have never come to a result: {sorted(outcome.failing())}, not {outcome.wrong} alone")
    most = MOST_CADENCES * plan.cadence
    if (latest := outcome.latest()) > most:
        found.append(f"a document came after {latest:.0f} s, more than {most}")
    if (late := outcome.latest_tick(plan.cadence)) > most:
        found.append(f"a tenant had a result {late:.0f} s after it was due, more than {most}")
    return found


def report(outcome: Outcome, plan: Plan) -> None:
    """Print what came of it."""
    all_batches = [batch for record in outcome.records.values() for batch in record.batches]
    ends = [batch for batch in all_batches if batch.started_at >= outcome.begun]
    codes = Counter(str(batch.exit_code) if batch.ended_at else "killed" for batch in ends)
    entered = {name: len(documents) for name, documents in outcome.entered.items()}
    others = sum(entered.values()) - entered[outcome.wrong]
    sent = sum(len(record.sent) for record in outcome.records.values())
    states = Counter(run["state"] for run in outcome.runs)
    again = sum(bool(run["retries"]) for run in outcome.runs)
    lasted = (outcome.ended - outcome.begun).total_seconds() / 60
    kinds = Counter(words.split()[0] for words in outcome.killed)
    say(f"{plan.tenants} tenants, {plan.machines} machines, due every {plan.cadence // 60} of {lasted:.0f} minutes")
    say(f"killed: {len(outcome.killed)}, {dict(kinds)}")
    say(f"batches: {len(ends)}, by exit code {dict(codes)}")
    say(f"runs of Dagster: {len(outcome.runs)}, {dict(states)}; {again} of them again")
    say(f"documents: {others} entered, {sent} in their ledgers; {entered[outcome.wrong]} of {outcome.wrong} wait")
    if plan.data:
        say(f"documents missing in the lakes, asked of all in one statement: {sum(map(len, outcome.untold.values()))}")
    say(f"latest document after {outcome.latest():.0f} s; latest tick {outcome.latest_tick(plan.cadence):.0f} s")
    say(f"without any result: {sorted(outcome.failing())}")


def main() -> int:
    """Play a day, and judge it."""
    parser = argparse.ArgumentParser(prog="python -m tests.tenants", description=__doc__)
    parser.add_argument("--tenants", type=int, default=50)
    parser.add_argument("--machines", type=int, default=2)
    parser.add_argument("--minutes", type=int, default=30, help="until the last document is entered")
    parser.add_argument(
        "--cadence", type=int, default=10, help="minutes between two ticks, of which an hour has several"
    )
    parser.add_argument("--documents", type=int, default=2, help="documents a tenant, the whole time")
    parser.add_argument("--kill-every", type=float, default=60, help="seconds")
    parser.add_argument("--files", action="store_true", help="warehouses are files, and nothing is published")
    given = parser.parse_args()
    # A run of a machine that does not come back is given up after half a cadence.
    plan = Plan(
        tenants=given.tenants,
        machines=given.machines,
        cadence=given.cadence * 60,
        seconds=given.minutes * 60,
        kill_every=given.kill_every,
        whole_every=5,
        documents=given.documents,
        pace=Pace(f"*/{given.cadence} * * * *", 30, given.cadence * 30),
        program=NOT_PUBLISHING if given.files else PROGRAM,
        is_warm=True,
    )
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        begin_in(folder := Path(name))
        if not given.files:
            plan = plan._replace(data=stack.enter_context(running_s3(folder)))
        with day(folder / "day", plan) as played:
            say(f"begun at {played.begun:%H:%M:%S}")
            played.work()
            say(f"all entered, {len(played.harbour.killed)} killed")
            is_done = played.is_acknowledged if given.files else played.is_told
            played.wait(is_done, MOST_CADENCES * plan.cadence)
            outcome = judge(played)
    report(outcome, plan)
    for name in outcome.violations:
        say(outcome.told[name])
    for fault in (found := faults(outcome, plan)):
        say(f"WRONG: {fault}")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
