"""The examples over a list of tenants, for Airflow, Dagster, Spark, Kubernetes: what each starts, how ends count."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import pytest
import yaml

from pipelines.core.tenants import read_tenants
from tests.support.command_lines import fault_of
from tests.support.schedule_examples import (
    ALARMS,
    EXAMPLES,
    HOW_TO,
    RESULTS,
    TRIED_AGAIN,
    cron_lines,
    names_only_known_variables,
)


class Ended(Exception):
    """A failure, and whether it may be tried again."""

    def __init__(self, told: str, *, allow_retries: bool = False) -> None:
        super().__init__(told)
        self.allow_retries = allow_retries


FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


class Scheduled:
    """Stands in for what a scheduler makes of a function, and for all else it has; keeps how it was named."""

    def __init__(self, *arguments: object, **named: Any) -> None:  # noqa: ANN401 as each scheduler names them
        self.arguments, self.named = arguments, named

    def __call__(self, function: FunctionT) -> FunctionT:
        vars(function)["named"] = self.named
        return function


class Mapped:
    """Stands in for a task of Airflow: called as it is, or once for each of what it is expanded over."""

    def __init__(self, function: Callable[..., Any], named: Mapping[str, Any]) -> None:
        self.function, self.named = function, named

    def __call__(self, *arguments: object, **given: object) -> object:
        return self.function(*arguments, **given)

    def partial(self, **given: object) -> Mapped:
        return Mapped(partial(self.function, **given), self.named)

    def expand(self, **over: Sequence[object]) -> list[object]:
        [(name, values)] = over.items()
        return [self.function(**{name: value}) for value in values]


def task(function: Callable[..., Any] | None = None, **named: Any) -> object:  # noqa: ANN401 as Airflow takes them
    """Stand in for Airflow's decorator, with brackets and without."""
    return partial(task, **named) if function is None else Mapped(function, named)


class Context:
    """Stands in for the context of a Dagster op and of a Spark task."""

    def __init__(self, attempt: int = 0) -> None:
        self.log, self.attempt = self, attempt

    def info(self, text: str, *values: object) -> None:
        self.text = text % values

    def attemptNumber(self) -> int:  # noqa: N802 Spark's name
        return self.attempt


def stand_in(name: str, **members: object) -> ModuleType:
    """Make a module that has these members, and a stand-in under every other name."""
    module = ModuleType(name)
    vars(module).update(members, __getattr__=lambda _: Scheduled)
    return module


AIRFLOW = {
    "airflow": stand_in("airflow"),
    "airflow.sdk": stand_in("airflow.sdk", task=task, get_current_context=lambda: {"params": {"tenants": []}}),
    "airflow.sdk.exceptions": stand_in("airflow.sdk.exceptions", AirflowFailException=Ended),
}
DAGSTER = {
    "dagster": stand_in(
        "dagster",
        DefaultScheduleStatus=type("DefaultScheduleStatus", (), {"RUNNING": "RUNNING"}),
        DefaultSensorStatus=type("DefaultSensorStatus", (), {"RUNNING": "RUNNING"}),
        Failure=Ended,
    )
}
LAST_TRY = 3


class Started:
    """Records what an example starts in the place of Springline, and ends it with a code."""

    def __init__(self) -> None:
        self.lines: list[list[str]] = []
        self.environ: Mapping[str, str] = {}
        self.code = 0

    def run(self, line: list[str], *, env: Mapping[str, str], **_other: object) -> subprocess.CompletedProcess[str]:
        self.lines.append(line)
        self.environ = env
        return subprocess.CompletedProcess(line, self.code, stdout="as it says")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Started:
    started = Started()
    monkeypatch.setattr(subprocess, "run", started.run)
    monkeypatch.setenv("TENANTS", str(EXAMPLES / "tenants.toml"))
    monkeypatch.setenv("TENANTS_FOLDER", str(tmp_path))
    monkeypatch.setenv("TENANTS_PAUSE", "0")
    return started


def load(name: str, modules: Mapping[str, ModuleType], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Run an example as a module, with stand-ins for the libraries it imports."""
    for module, stands_in in modules.items():
        monkeypatch.setitem(sys.modules, module, stands_in)
    path = EXAMPLES / name
    names: dict[str, Any] = {"__name__": path.stem}
    exec(compile(path.read_text("utf-8"), path.name, "exec"), names)  # noqa: S102 our own example
    return names


def crons_of_timers() -> set[str]:
    """Give the times at which the crontab starts jobs, as every scheduler is told them."""
    return {" ".join(fields) for fields, words in cron_lines() if words[2] == "run"}


def judged(run: Callable[[], object], started: Started, code: int) -> str:
    """Say what an example makes of an exit code: a result, to be tried again, or failed for good."""
    started.code = code
    try:
        return "result" if run() == code else "lost"
    except Ended as ended:
        return "tried again" if ended.allow_retries else "failed"
    except RuntimeError:
        return "tried again"


def expected(code: int) -> str:
    return "result" if code in RESULTS else "tried again" if code in TRIED_AGAIN or code < 0 else "failed"


CODES = sorted([*RESULTS, *TRIED_AGAIN, *ALARMS, -9])
TENANTS = read_tenants(EXAMPLES / "tenants.toml")


def starts_commands_of_ours(started: Started) -> bool:
    """Tell whether each line started is a command, for a tenant of the list, with variables that there are."""
    assert {fault_of(line[1:]) for line in started.lines} == {""}
    assert {line[-1] for line in started.lines} <= {str(tenant.config) for tenant in TENANTS.values()}
    return names_only_known_variables(iter(set(started.environ) - set(os.environ)))


def test_airflow_runs_what_cron_does(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    names = load("airflow_dag.py", AIRFLOW, monkeypatch)
    assert starts_commands_of_ours(started)
    # Each DAG has a task a tenant.
    assert [line[1:-2] for line in started.lines] == [["run", "documents", "publish"]] * 2 + [["run"]] * 2
    dags = [names["springline_documents"], names["springline_everything"]]
    assert {cron for dag in dags for cron in dag.named["schedule"].arguments} == crons_of_timers()
    assert {(dag.named["catchup"], dag.named["max_active_runs"] > 1) for dag in dags} == {(False, True)}
    run = partial(names["run_springline"], "north", ["run"])
    assert {code: judged(run, started, code) for code in CODES} == {code: expected(code) for code in CODES}


def test_dagster_runs_what_cron_does(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    names = load("dagster_location.py", DAGSTER, monkeypatch)
    schedules = [schedule.named for schedule in names["defs"].named["schedules"]]
    crons = [named["cron_schedule"] for named in schedules]
    assert {*crons[:1], *crons[1]} == crons_of_timers()

    def run() -> int:
        return int(names["run_springline"](Context(), "south", "run", "documents", "publish"))

    assert {code: judged(run, started, code) for code in CODES} == {code: expected(code) for code in CODES}
    assert starts_commands_of_ours(started)


def test_each_tenant_is_run_on_one_machine_of_dagster(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not started.lines
    places = []
    for machine in range(3):
        monkeypatch.setenv("TENANTS_MACHINE", f"{machine}/3")
        is_here = load("dagster_location.py", DAGSTER, monkeypatch)["is_here"]
        places.append({(tenant, moment) for tenant in TENANTS for moment in range(30) if is_here(tenant, moment)})
    # Once each time, and in turn on all of them.
    assert sum(map(len, places)) == len(set.union(*places)) == 30 * len(TENANTS)
    assert all({tenant for tenant, _ in place} == set(TENANTS) for place in places)


def test_spark_judges_ends_alike(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    context = Context()
    task_context = type("TaskContext", (), {"get": staticmethod(lambda: context)})
    modules = {"pyspark": stand_in("pyspark", TaskContext=task_context), "pyspark.sql": stand_in("pyspark.sql")}
    names = load("spark_job.py", modules, monkeypatch)
    north = TENANTS["north"]

    def run() -> int:
        name, code, _ = names["run_springline"](["run", "documents", "publish"], north)
        assert name == "north"
        if code not in RESULTS:
            raise Ended(name)
        return int(code)

    assert {code: judged(run, started, code) for code in CODES} == {code: expected(code) for code in CODES}
    assert starts_commands_of_ours(started)
    # A task that fails once more would end the whole job.
    context.attempt = LAST_TRY
    assert names["TRIES"] == LAST_TRY + 1
    assert {code: judged(run, started, code) for code in TRIED_AGAIN} == dict.fromkeys(TRIED_AGAIN, "failed")


def cron_jobs(folder: Path) -> list[dict[str, Any]]:
    """Return the objects that the example makes for Kubernetes, of two tenants."""
    for name in TENANTS:
        (folder / name).mkdir()
        (folder / name / "springline.toml").write_text('warehouse = "springline.duckdb"\n', encoding="utf-8")
    shutil.copy(EXAMPLES / "tenants.toml", folder)
    command = [sys.executable, str(EXAMPLES / "kubernetes_cronjobs.py"), str(folder / "tenants.toml")]
    environ = {**os.environ, "PYTHONPATH": str(HOW_TO.parents[1])}
    printed = subprocess.run(command, capture_output=True, text=True, check=True, env=environ).stdout  # noqa: S603 ours
    return list(yaml.safe_load_all(printed))


def test_kubernetes_runs_what_cron_does(tmp_path: Path) -> None:
    found = cron_jobs(tmp_path)
    kinds = [(one["kind"], one["metadata"]["labels"]["app.kubernetes.io/instance"]) for one in found]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        (kind, tenant): count
        for tenant in TENANTS
        for kind, count in (("ConfigMap", 1), ("PersistentVolumeClaim", 1), ("CronJob", 3))
    }
    jobs = [one for one in found if one["kind"] == "CronJob"]
    # Which minute of ten is the tenant's own.
    crons = {re.sub(r"^\d-59/10 ", "*/10 ", job["spec"]["schedule"]) for job in jobs}
    assert crons == crons_of_timers()
    assert {(job["spec"]["timeZone"], job["spec"]["concurrencyPolicy"]) for job in jobs} == {("Europe/Oslo", "Forbid")}
    # The name of a pod has 11 characters more than that of its CronJob, and may have 63.
    assert max(len(job["metadata"]["name"]) for job in jobs) - len("north") + 30 <= 52
    for job in jobs:
        [container] = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
        assert fault_of(container["args"]) == ""


def test_kubernetes_judges_ends_alike(tmp_path: Path) -> None:
    job = next(one for one in cron_jobs(tmp_path) if one["kind"] == "CronJob")["spec"]["jobTemplate"]["spec"]
    [container] = job["template"]["spec"]["containers"]
    program = tmp_path / "springline"
    program.write_text('#!/bin/sh\n[ "$1" -gt 0 ] || kill "$1" $$\nexit "$1"\n', encoding="ascii")
    program.chmod(0o755)
    disrupted, final = job["podFailurePolicy"]["rules"]
    assert (disrupted["action"], final["action"], job["backoffLimit"]) == ("Ignore", "FailJob", 3)
    assert (final["onExitCodes"]["operator"], final["onExitCodes"]["containerName"]) == ("NotIn", container["name"])
    # As the API asks for them; 0 is no failure.
    assert final["onExitCodes"]["values"] == sorted({*final["onExitCodes"]["values"]} - {0})

    def judge(code: int) -> str:
        command = [*container["command"], str(code)]
        environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
        ended = subprocess.run(command, capture_output=True, check=False, env=environ).returncode  # noqa: S603 ours
        if ended == 0:
            return "result"
        return "failed" if ended not in final["onExitCodes"]["values"] else "tried again"

    assert {code: judge(code) for code in CODES if code} == {code: expected(code) for code in CODES if code}


def test_the_example_of_a_list_is_one() -> None:
    assert [*TENANTS] == ["north", "south"]
    assert {tenant.config.name for tenant in TENANTS.values()} == {"springline.toml"}


def test_dagster_gives_up_runs_and_tries_them_again() -> None:
    settings = yaml.safe_load((EXAMPLES / "dagster.yaml").read_text("utf-8"))
    # An exit code is judged by the op: run by run, a failure for good would be tried again as well.
    assert settings["run_retries"] == {"enabled": True, "max_retries": 3, "retry_on_asset_or_op_failure": False}
    assert settings["run_monitoring"]["enabled"] is True
    assert settings["run_monitoring"]["max_runtime_seconds"] > 0
