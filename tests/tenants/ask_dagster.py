"""Asks a Dagster instance for its runs, as JSON; runs in Dagster's environment, which has nothing of ours."""

import json
import sys

from dagster import DagsterInstance  # type: ignore[import-not-found]


def main() -> None:
    """Print each run: its job, tenant, state, and the run that it tries again."""
    with DagsterInstance.get() as instance:
        runs = [
            {
                "id": record.dagster_run.run_id,
                "job": record.dagster_run.job_name,
                "tenant": record.dagster_run.tags.get("dagster/partition", ""),
                "machine": record.dagster_run.remote_job_origin.location_name,
                "state": record.dagster_run.status.value,
                "retries": record.dagster_run.parent_run_id,
                "by_sensor": record.dagster_run.tags.get("dagster/sensor_name", ""),
                "created": record.create_timestamp.timestamp(),
                "ended": record.end_time,
            }
            for record in instance.get_run_records()
        ]
    json.dump(runs, sys.stdout)


if __name__ == "__main__":
    main()
