"""Springline for many tenants as a job of Spark, for who has nothing else that starts programs on many machines.

    spark-submit spark_job.py run documents publish

A tenant is a task: Spark puts it on an executor that is free, and on another one where that is lost. Executors start
the program, which has an environment of its own on each machine; Spark itself sees none of the data. It has no
timetable: submit this every ten minutes. Ends with 0 when each tenant came to a result, else with 1.
"""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from pathlib import Path

from pyspark import TaskContext
from pyspark.sql import SparkSession

from pipelines.core.tenants import RESULTS, Tenant, is_tried_again, read_tenants, run_tenant

TENANTS = Path(os.environ.get("TENANTS", "/etc/springline/tenants.toml"))
FOLDER = Path(os.environ.get("TENANTS_FOLDER", "/var/lib/springline"))
PROGRAM = os.environ.get("TENANTS_PROGRAM", "/opt/springline/bin/springline").split()
PAUSE = float(os.environ.get("TENANTS_PAUSE", "120"))
TRIES = 4


def run_springline(arguments: list[str], tenant: Tenant) -> tuple[str, int, str]:
    """Run one command on an executor; return the tenant's name, the exit code and what was said.

    What may go later is raised, so that Spark starts the task again, here or elsewhere; but for the last time, since a
    task that has failed so often ends the job, with all other tenants in it.
    """
    code, told = 0, ""
    try:
        ended = run_tenant(tenant, arguments, program=PROGRAM, folder=FOLDER, environ=os.environ)
        code, told = ended.returncode, ended.stdout
    except Exception as error:  # noqa: BLE001 whatever is wrong on this machine is this tenant's end alone
        code, told = 1, f"{type(error).__name__}: {error}"
    context = TaskContext.get()
    if is_tried_again(code) and context is not None and context.attemptNumber() < TRIES - 1:
        time.sleep(PAUSE)
        message = f"{tenant.name}: springline {' '.join(arguments)} ended with {code}\n{told}"
        raise RuntimeError(message)
    return tenant.name, code, told


def main(arguments: list[str]) -> int:
    """Run a command for every tenant, and say how each ended."""
    # A copy of a slow task would meet the batch it copies; Spark makes none unless asked, whatever a cluster's default.
    settings = {"spark.task.maxFailures": str(TRIES), "spark.speculation": "false"}
    builder = SparkSession.builder.appName("springline")
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    tenants = [*read_tenants(TENANTS).values()]
    ends = spark.sparkContext.parallelize(tenants, len(tenants)).map(partial(run_springline, arguments)).collect()
    spark.stop()
    for name, code, told in ends:
        print(f"{name}: {code}", *([] if code in RESULTS else [told]), sep="\n")  # noqa: T201 the job's log
    return int(any(code not in RESULTS for _, code, _ in ends))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
