"""Gives up the runs that a machine left behind when it was lost; started before its code server, with its name.

    python dagster_lost_runs.py machine-0 && dagster api grpc --location-name machine-0 -f dagster_location.py -p 4000

Nothing that began before works any more, and Dagster would keep their places until `max_runtime_seconds` is over. Each
is then tried again, as one that was killed; Springline looks up what they had begun to send.
"""

import sys

from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

AT_WORK = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]


def main(machine: str) -> None:
    """Report each run of a machine that is at work as failed."""
    with DagsterInstance.get() as instance:
        for run in instance.get_runs(RunsFilter(statuses=AT_WORK)):
            if run.remote_job_origin and run.remote_job_origin.location_name == machine:
                instance.report_run_failed(run, f"{machine} was lost, and has started again.")


if __name__ == "__main__":
    main(sys.argv[1])
