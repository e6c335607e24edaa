"""Springline's jobs as a code location of Dagster over a list of tenants: each a partition, and a run of its own.

What is ready every ten minutes, everything hourly and every night, and a tenant at once when a webhook has called.
dagster.yaml beside this file has what belongs to it: how many runs at a time, and what becomes of one that was killed.
Dagster's environment has Springline without what it needs (`pip install --no-deps springline`), for the list alone; the
program has an environment of its own, on each machine with a code server.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

from dagster import (
    AssetKey,
    AssetRecordsFilter,
    AssetSpec,
    DagsterRunStatus,
    DefaultScheduleStatus,
    DefaultSensorStatus,
    Definitions,
    Failure,
    JobDefinition,
    Nothing,
    OpExecutionContext,
    Out,
    RetryPolicy,
    RunRequest,
    RunsFilter,
    ScheduleDefinition,
    ScheduleEvaluationContext,
    SensorEvaluationContext,
    StaticPartitionsDefinition,
    in_process_executor,
    job,
    op,
    schedule,
    sensor,
)

from pipelines.core.tenants import RESULTS, is_tried_again, read_tenants, run_tenant

TENANTS = read_tenants(Path(os.environ.get("TENANTS", "/etc/springline/tenants.toml")))
FOLDER = Path(os.environ.get("TENANTS_FOLDER", "/var/lib/springline"))
PROGRAM = os.environ.get("TENANTS_PROGRAM", "/opt/springline/bin/springline").split()
DOCUMENTS_AT = os.environ.get("TENANTS_DOCUMENTS_AT", "*/10 * * * *")
EVERYTHING_AT = os.environ.get("TENANTS_EVERYTHING_AT", "5 6-20 * * 1-5, 35 2 * * *").split(", ")
PAUSE = int(os.environ.get("TENANTS_PAUSE", "120"))
# Which of how many machines this is, from 0: each has a code server with this file.
MACHINE, MACHINES = map(int, os.environ.get("TENANTS_MACHINE", "0/1").split("/"))
PARTITIONS = StaticPartitionsDefinition([*TENANTS])
# POST /report_asset_materialization/springline_webhook?partition=TENANT says that one of its systems has called.
WEBHOOK = AssetKey("springline_webhook")


def run_springline(context: OpExecutionContext, tenant: str, *arguments: str) -> int:
    """Run one command and return its exit code; anything else than a result fails the op, for good or until tried."""
    ended = run_tenant(TENANTS[tenant], arguments, program=PROGRAM, folder=FOLDER, environ=os.environ)
    code = ended.returncode
    told = f"{tenant}: springline {' '.join(arguments)} ended with {code}"
    context.log.info("%s\n%s", told, ended.stdout)
    if code not in RESULTS:
        raise Failure(told, allow_retries=is_tried_again(code))
    return code


def is_here(tenant: str, moment: object) -> bool:
    """Tell whether a tenant is run here this time: each time elsewhere, so that none waits for a machine that is lost.

    Where two meet all the same, Springline has the second end with 17.
    """
    return crc32(f"{tenant} {moment}".encode()) % MACHINES == MACHINE


def springline_job(name: str, *arguments: str) -> JobDefinition:
    """Return a job of one command, with a partition a tenant."""

    # All tenants ask the same ledger: `dagster instance concurrency set xledger 8`.
    @op(name=f"run_{name}", out=Out(Nothing), pool="xledger", retry_policy=RetryPolicy(max_retries=3, delay=PAUSE))
    def run(context: OpExecutionContext) -> None:
        run_springline(context, context.partition_key, *arguments)

    @job(name=name, partitions_def=PARTITIONS, executor_def=in_process_executor)
    def whole() -> None:
        run()

    return whole


DOCUMENTS = springline_job("springline_documents", "run", "documents", "publish")
EVERYTHING = springline_job("springline_everything", "run")


def springline_schedule(name: str, job_to_run: JobDefinition, crons: str | list[str]) -> ScheduleDefinition:
    """Return the schedule of a job: at each time a run for each tenant that is here."""

    @schedule(
        name=name,
        job=job_to_run,
        cron_schedule=crons,
        execution_timezone="Europe/Oslo",
        default_status=DefaultScheduleStatus.RUNNING,
    )
    def at(context: ScheduleEvaluationContext) -> list[RunRequest]:
        now = context.scheduled_execution_time
        # One that has waited since the last time finds what this one would have found.
        queued = RunsFilter(job_name=job_to_run.name, statuses=[DagsterRunStatus.QUEUED])
        waiting = {run.tags.get("dagster/partition") for run in context.instance.get_runs(queued)}
        return [
            RunRequest(run_key=f"{tenant} {now}", partition_key=tenant)
            for tenant in TENANTS
            if is_here(tenant, now) and tenant not in waiting
        ]

    return at


# A run costs a second of Dagster's own, so that calls of ten seconds go together.
@sensor(job=DOCUMENTS, minimum_interval_seconds=10, default_status=DefaultSensorStatus.RUNNING)
def springline_webhooks(context: SensorEvaluationContext) -> Iterator[RunRequest]:
    """Run each tenant that was called since the last look, once however often that was."""
    asked = AssetRecordsFilter(WEBHOOK, after_storage_id=int(context.cursor or 0))
    calls = context.instance.fetch_materializations(asked, limit=1000, ascending=True).records
    last = {call.partition_key: call.storage_id for call in calls}
    yield from (
        RunRequest(run_key=f"{tenant} {number}", partition_key=tenant)
        for tenant, number in last.items()
        if tenant in TENANTS and is_here(tenant, number)
    )
    if calls:
        context.update_cursor(str(calls[-1].storage_id))


defs = Definitions(
    assets=[AssetSpec(WEBHOOK, partitions_def=PARTITIONS)],
    jobs=[DOCUMENTS, EVERYTHING],
    schedules=[
        springline_schedule("documents_are_due", DOCUMENTS, DOCUMENTS_AT),
        springline_schedule("everything_is_due", EVERYTHING, EVERYTHING_AT),
    ],
    sensors=[springline_webhooks],
)
