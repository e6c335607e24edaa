"""Springline's jobs as two DAGs of Airflow 3: what is ready every ten minutes, everything hourly and every night.

Springline has an environment of its own on the worker (/opt/springline) and keeps its stores in /var/lib/springline:
all tasks run on the one worker that has both. Secrets are files named in the worker's environment, as
SPRINGLINE_LEDGER__TOKEN_FILE; they never pass through Airflow.
"""

from __future__ import annotations

import os
import subprocess
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow.sdk import MultipleCronTriggerTimetable, dag, task
from airflow.sdk.exceptions import AirflowFailException

SPRINGLINE = "/opt/springline/bin/springline"
SETTINGS = "/etc/springline/springline.toml"
FOLDER = "/var/lib/springline"
# Went through; documents are held; both sides differ.
RESULTS = {0, 14, 16}
# A system that did not answer, something not delivered, another batch at work. Below 0: killed.
TRIED_AGAIN = {11, 15, 17}


@task(retries=3, retry_delay=timedelta(minutes=2))
def run_springline(*arguments: str) -> int:
    """Run one command and return its exit code; anything else than a result fails the task, for good or until tried."""
    ended = subprocess.run(  # noqa: S603 a fixed command
        [SPRINGLINE, *arguments, "--config", SETTINGS],
        cwd=FOLDER,
        env={**os.environ, "SPRINGLINE_OPERATOR": "schedule"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    print(ended.stdout)  # noqa: T201 the task's log
    code = ended.returncode
    if code in RESULTS:
        return code
    told = f"springline {' '.join(arguments)} ended with {code}"
    if code in TRIED_AGAIN or code < 0:
        raise RuntimeError(told)
    raise AirflowFailException(told)


def schedule(*crons: str) -> MultipleCronTriggerTimetable:
    """Return the times in Oslo at which a DAG runs."""
    return MultipleCronTriggerTimetable(*crons, timezone="Europe/Oslo")


# One run at a time, and none for ticks that have passed: the next run finds whatever they would have found.
ONE_BY_ONE = {
    "start_date": datetime(2026, 1, 1, tzinfo=ZoneInfo("Europe/Oslo")),
    "catchup": False,
    "max_active_runs": 1,
}


@dag(schedule=schedule("*/10 * * * *"), **ONE_BY_ONE)
def springline_documents() -> None:
    """Post what is ready, and publish it."""
    run_springline("run", "documents", "publish")


@dag(schedule=schedule("5 6-20 * * 1-5", "35 2 * * *"), **ONE_BY_ONE)
def springline_everything() -> None:
    """Run every job in its order."""
    run_springline("run")


springline_documents()
springline_everything()
