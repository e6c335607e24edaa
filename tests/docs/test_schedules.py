"""The examples of docs/how-to/schedule.md: what each would start is a command of ours, and ends are judged alike."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import pytest
import yaml

from pipelines.core.settings import setting_variables
from pipelines.core.settings_watch import WatchSettings
from pipelines.core.tenants import read_tenants
from pipelines.reference.commands import exit_codes
from tests.support.command_lines import fault_of

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"
PAGE = (HOW_TO / "schedule.md").read_text("utf-8")
EXAMPLES = HOW_TO / "schedules"
SYSTEMD = EXAMPLES / "systemd"
COMMON = SYSTEMD / "springline-.service.d" / "common.conf"
SERVICES = sorted(SYSTEMD.glob("*.service"))
TIMERS = sorted(SYSTEMD.glob("*.timer"))
RESULTS, TRIED_AGAIN, BUSY = {0, 14, 16}, {11, 15, 17}, 17
KILLED = 137
# What stays until somebody does something; 130 and 141 are a person's at a terminal.
ALARMS = set(exit_codes()) - RESULTS - TRIED_AGAIN - {130, 141}
VARIABLES = {*setting_variables()}

Unit = Mapping[str, Mapping[str, list[str]]]


def read_unit(path: Path) -> Unit:
    """Read a unit file strictly: sections, `Key=value`, comments; a key may stand several times."""
    sections: dict[str, dict[str, list[str]]] = {}
    for line in path.read_text("utf-8").splitlines():
        if not line.strip() or line.startswith(("#", ";")):
            continue
        if header := re.fullmatch(r"\[(Unit|Service|Timer|Install)\]", line):
            section = sections.setdefault(header[1], {})
            continue
        key, equals, value = line.partition("=")
        assert equals, f"{path.name}: {line}"
        assert re.fullmatch(r"[A-Z]\w+", key), f"{path.name}: {line}"
        section.setdefault(key, []).append(value)
    return sections


def names_only_known_variables(names: Iterator[str]) -> bool:
    """Tell whether each variable of ours that an example sets is one."""
    ours = [name for name in names if name.startswith("SPRINGLINE_")]
    return bool(ours) and all(name in VARIABLES for name in ours)


# -- cron --


def cron_lines() -> Iterator[tuple[list[str], list[str]]]:
    """Yield the five fields of each line of the crontab, and the words behind the user."""
    for line in (EXAMPLES / "crontab").read_text("utf-8").splitlines():
        if line and not line.startswith("#") and not re.match(r"[A-Z_]+=", line):
            *fields, user, command = line.split(maxsplit=6)
            assert user == "springline"
            # cron takes a percent sign for the end of the line.
            assert "%" not in command
            yield fields, shlex.split(command)


def values_of(field: str, first: int, last: int) -> set[int]:
    """Return the values of one field of a cron time; fails for what is none."""
    matched = re.fullmatch(r"(?:\*|(\d+)(?:-(\d+))?)(?:/(\d+))?", field)
    assert matched, field
    begin, end, step = (int(text) if text else None for text in matched.groups())
    low = first if begin is None else begin
    high = last if begin is None else end if end is not None else low
    assert first <= low <= high <= last, field
    return {*range(low, high + 1, step or 1)}


def runs_in(month: date, fields: list[str]) -> int:
    """Count how often the five fields of a cron line come true in a month; days of the month are all of them."""
    minutes, hours = values_of(fields[0], 0, 59), values_of(fields[1], 0, 23)
    weekdays = values_of(fields[4], 0, 7)
    assert fields[2:4] == ["*", "*"]
    days = (month + timedelta(days=n) for n in range(monthrange(month.year, month.month)[1]))
    return len(minutes) * len(hours) * sum(day.isoweekday() % 7 in weekdays for day in days)


def test_cron_starts_commands_of_ours() -> None:
    lines = [words for _, words in cron_lines()]
    assert {words[0] for words in lines} == {"/opt/springline/from_cron"}
    assert [
        (words[1:3], fault_of(words[2:])) for words in lines if words[1] != "springline" or fault_of(words[2:])
    ] == []
    assert ["run", "documents", "publish"] in [words[2:5] for words in lines]


def test_cron_sets_variables_of_ours() -> None:
    text = (EXAMPLES / "crontab").read_text("utf-8")
    assert names_only_known_variables(iter(re.findall(r"^([A-Z_]+)=", text, re.MULTILINE)))


def from_cron(folder: Path, *codes: int) -> tuple[int, str, int]:
    """Run the script with a command that ends with these codes, one after the other: its end, its words, its tries."""
    (folder / "codes").write_text("".join(f"{code}\n" for code in codes), encoding="ascii")
    command = folder / "springline"
    command.write_text(
        '#!/bin/sh\necho tried >> tries\ncode=$(head -n1 codes)\nsed -i 1d codes\necho "said $*"\n'
        f'[ "$code" -eq {KILLED} ] && kill -9 $$\nexit "$code"\n',
        encoding="ascii",
    )
    command.chmod(0o755)
    ended = subprocess.run(  # noqa: S603 our own script
        [EXAMPLES / "from_cron", command, "run", "documents"],
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "FROM_CRON_PAUSE": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout, (folder / "tries").read_text("ascii").count("tried")


@pytest.mark.parametrize("code", sorted(RESULTS))
def test_cron_mails_nothing_for_a_result(code: int, tmp_path: Path) -> None:
    assert from_cron(tmp_path, code) == (0, "", 1)


@pytest.mark.parametrize("code", sorted(ALARMS))
def test_cron_mails_an_alarm_at_once(code: int, tmp_path: Path) -> None:
    ended, told, tries = from_cron(tmp_path, code)
    assert (ended, tries) == (code, 1)
    assert f"ended with {code}." in told
    assert "said run documents" in told


@pytest.mark.parametrize("code", [*sorted(TRIED_AGAIN), KILLED])
def test_cron_tries_three_more_times(code: int, tmp_path: Path) -> None:
    ended, told, tries = from_cron(tmp_path, *[code] * 4)
    assert (ended, tries) == (code, 4)
    # A batch that was at work all the while is no alarm.
    assert (f"ended with {code}." in told) is (code != BUSY)


def test_cron_mails_nothing_once_a_try_ends_well(tmp_path: Path) -> None:
    assert from_cron(tmp_path, 11, KILLED, 14) == (0, "", 3)


# -- systemd --


@pytest.mark.parametrize(
    "path",
    SERVICES,
    ids=lambda path: path.stem,
)
def test_a_service_starts_a_command_of_ours(path: Path) -> None:
    [line] = read_unit(path)["Service"]["ExecStart"]
    program, *words = shlex.split(line)
    assert program == "/opt/springline/bin/springline"
    assert fault_of(words) == ""


@pytest.mark.parametrize("path", TIMERS, ids=lambda path: path.stem)
def test_a_timer_starts_a_service_and_cron_the_same(path: Path) -> None:
    service = path.with_suffix(".service")
    [line] = read_unit(service)["Service"]["ExecStart"]
    by_cron = [[word for word in words[2:] if word != "--quiet"] for _, words in cron_lines()]
    assert shlex.split(line)[1:] in by_cron


def test_every_service_has_what_is_common() -> None:
    # systemd reads springline-.service.d for names that begin so, and for no others.
    assert all(path.name.startswith("springline-") for path in SERVICES)
    service = read_unit(COMMON)["Service"]
    assert {int(code) for code in service["SuccessExitStatus"][0].split()} == RESULTS - {0}
    assert {int(code) for code in service["RestartPreventExitStatus"][0].split()} == ALARMS
    assert names_only_known_variables(value.partition("=")[0] for value in service["Environment"])
    # Each secret that a variable points to is loaded, and from a file that only root need read.
    pointed = {name for value in service["Environment"] for name in re.findall(r"%d/(\w+)", value)}
    assert pointed == {value.partition(":")[0] for value in service["LoadCredential"]}


ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="no systemd-analyze here: units are read by read_unit alone")


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """Copy the units, with a program in place of ours, which is not installed where tests run."""
    folder = shutil.copytree(SYSTEMD, tmp_path / "units")
    for path in folder.glob("*.service"):
        path.write_text(path.read_text("utf-8").replace("/opt/springline/bin/springline", sys.executable), "utf-8")
    return folder


@needs_systemd
def test_systemd_takes_every_unit(units: Path) -> None:
    paths = sorted(str(path) for path in units.iterdir() if path.is_file())
    ended = subprocess.run([str(ANALYZE), "verify", *paths], capture_output=True, text=True, check=False)  # noqa: S603
    # What it says of units of this machine is not ours.
    assert [line for line in ended.stderr.splitlines() if "springline" in line] == []
    assert ended.returncode == 0


@needs_systemd
@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.stem)
def test_systemd_finds_a_service_well_locked(path: Path, units: Path) -> None:
    ended = subprocess.run(  # noqa: S603 our own units
        [str(ANALYZE), "security", "--offline=true", "--threshold=15", "--no-pager", path.name],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{units}:"},
        capture_output=True,
        text=True,
        check=False,
    )
    # 1.5 of 10: what is left is the network, which it needs.
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr


# -- the container --


def instructions() -> list[tuple[str, str]]:
    """Read the container file: each instruction and what stands behind it, continued lines joined."""
    text = re.sub(
        r"\\\n\s*", "", re.sub(r"^#.*\n", "", (EXAMPLES / "Containerfile").read_text("utf-8"), flags=re.MULTILINE)
    )
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


KNOWN = {"ARG", "FROM", "RUN", "WORKDIR", "COPY", "ENV", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"}


def test_the_container_file_is_one() -> None:
    assert {name for name, _ in instructions()} == KNOWN
    assert [rest.endswith(" AS build") for name, rest in instructions() if name == "FROM"] == [True, False]
    root = HOW_TO.parents[1]
    sources = [
        word for name, rest in instructions() if name == "COPY" and "--from" not in rest for word in rest.split()[:-1]
    ]
    assert [source for source in sources if not (root / source).exists()] == []


def test_the_container_is_nobody_in_particular() -> None:
    final = instructions()[[name for name, _ in instructions()].index("FROM", 1) :]
    last = dict(final)
    user, group = last["USER"].split(":")
    assert 0 not in {int(user), int(group)}
    made = next(rest for name, rest in final if name == "RUN")
    assert f"--uid {user} " in made
    assert last["WORKDIR"] == last["VOLUME"]
    assert names_only_known_variables(iter(re.findall(r"(\w+)=", last["ENV"])))


def test_the_container_is_asked_where_the_watch_answers() -> None:
    last = dict(instructions())
    port = WatchSettings().port
    assert last["EXPOSE"] == str(port)
    command = json.loads(last["HEALTHCHECK"].partition(" CMD ")[2])
    assert f"http://127.0.0.1:{port}/health" in command[-1]
    compile(command[-1], "HEALTHCHECK", "exec")


def test_the_container_starts_a_command_of_ours() -> None:
    last = dict(instructions())
    assert json.loads(last["ENTRYPOINT"]) == ["springline"]
    assert fault_of(json.loads(last["CMD"])) == ""


# -- over a list of tenants: Airflow, Dagster, Spark, Kubernetes --


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


# -- the page --


def test_the_page_names_every_example() -> None:
    files = [path for path in EXAMPLES.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert [path.name for path in files if f"schedules/{path.relative_to(EXAMPLES).as_posix()}" not in PAGE] == []


def test_the_page_counts_the_requests_of_a_month() -> None:
    # 31 days, 23 of them from Monday to Friday.
    month = date(2026, 7, 1)
    everything = [fields for fields, words in cron_lines() if words[2] == "run" and words[3].startswith("-")]
    runs = sum(runs_in(month, fields) for fields in everything)
    [told] = re.findall(r"(\d+) runs of everything x (\d+) = ([\d,]+) requests", PAGE)
    assert int(told[0]) == runs
    assert int(told[2].replace(",", "")) == runs * int(told[1])
