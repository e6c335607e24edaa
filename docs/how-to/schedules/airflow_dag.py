"""Springline's jobs as two DAGs of Airflow 3 over a list of tenants: each a mapped task, in a pool.

What is ready every ten minutes, everything hourly and every night. A webhook is a run of its own:
POST /api/v2/dags/springline_documents/dagRuns with {"logical_date": null, "conf": {"tenants": ["north"]}}.
Airflow's environment has Springline without what it needs (`pip install --no-deps springline`), for the list alone; the
program has an environment of its own on each worker. `airflow pools set xledger 8 "asks Xledger"` makes the pool.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from airflow.sdk import MultipleCronTriggerTimetable, Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

from pipelines.core.tenants import RESULTS, is_tried_again, read_tenants, run_tenant

TENANTS = Path(os.environ.get("TENANTS", "/etc/springline/tenants.toml"))
FOLDER = Path(os.environ.get("TENANTS_FOLDER", "/var/lib/springline"))
PROGRAM = os.environ.get("TENANTS_PROGRAM", "/opt/springline/bin/springline").split()


@task
def tenants() -> list[str]:
    """Return the tenants that a run was started for, all of the list where none is named."""
    listed = [*read_tenants(TENANTS)]
    return get_current_context()["params"]["tenants"] or listed


# All tenants ask the same ledger, and a batch takes a core while it works.
@task(pool="xledger", map_index_template="{{ tenant }}", retries=3, retry_delay=timedelta(minutes=2))
def run_springline(tenant: str, arguments: list[str]) -> int:
    """Run one command and return its exit code; anything else than a result fails the task, for good or until tried."""
    get_current_context()["tenant"] = tenant
    ended = run_tenant(read_tenants(TENANTS)[tenant], arguments, program=PROGRAM, folder=FOLDER, environ=os.environ)
    print(ended.stdout)  # noqa: T201 the task's log
    code = ended.returncode
    if code in RESULTS:
        return code
    told = f"{tenant}: springline {' '.join(arguments)} ended with {code}"
    if is_tried_again(code):
        raise RuntimeError(told)
    raise AirflowFailException(told)


def schedule(*crons: str) -> MultipleCronTriggerTimetable:
    """Return the times in Oslo at which a DAG runs."""
    return MultipleCronTriggerTimetable(*crons, timezone="Europe/Oslo")


# None for ticks that have passed: the next run finds whatever they would have found. Several at a time, so that a
# tenant that is tried again holds no other up; where two of one tenant meet, Springline has the second end with 17.
OF_BOTH = {
    "start_date": datetime(2026, 1, 1, tzinfo=ZoneInfo("Europe/Oslo")),
    "catchup": False,
    "max_active_runs": 4,
    "params": {"tenants": Param([], type="array", description="only these tenants; all of the list when none")},
}


@dag(schedule=schedule("*/10 * * * *"), **OF_BOTH)
def springline_documents() -> None:
    """Post what is ready, and publish it."""
    run_springline.partial(arguments=["run", "documents", "publish"]).expand(tenant=tenants())


@dag(schedule=schedule("5 6-20 * * 1-5", "35 2 * * *"), **OF_BOTH)
def springline_everything() -> None:
    """Run every job in its order."""
    run_springline.partial(arguments=["run"]).expand(tenant=tenants())


springline_documents()
springline_everything()
