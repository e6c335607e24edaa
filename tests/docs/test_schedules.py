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
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest

from pipelines.core.settings_watch import WatchSettings
from tests.support.command_lines import fault_of
from tests.support.schedule_examples import (
    ALARMS,
    BUSY,
    EXAMPLES,
    HOW_TO,
    RESULTS,
    TRIED_AGAIN,
    cron_lines,
    names_only_known_variables,
)

PAGE = (HOW_TO / "schedule.md").read_text("utf-8")
SYSTEMD = EXAMPLES / "systemd"
COMMON = SYSTEMD / "springline-.service.d" / "common.conf"
SERVICES = sorted(SYSTEMD.glob("*.service"))
TIMERS = sorted(SYSTEMD.glob("*.timer"))
KILLED = 137

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


# -- cron --


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
