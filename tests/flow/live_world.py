"""A part of the sample world on a running sandbox, batches over it, and people who work in both systems."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, date, datetime
from io import StringIO
from typing import TYPE_CHECKING, Any, Self
from unittest.mock import patch

import pytest
import structlog

from pipelines.batch.jobs import DOCUMENTS, MASTER_DATA
from pipelines.batch.retries import carry_out_retries
from pipelines.batch.run import run_batch
from pipelines.cli.app import main
from pipelines.core.settings import load_settings
from pipelines.steering.bank_changes import note_bank_changes
from pipelines.steering.steer import SteeringResult, steer
from pipelines.step.step import Job, Step
from pipelines.stores.control import Control
from tests.support.ask_ledger import ask_ledger
from tests.support.sandbox_server import SAMPLE, running_sandbox
from tests.support.verified import verified_file

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.batch.run import BatchResult
    from pipelines.core.settings import Settings

TODAY = date(2026, 11, 2)
UNLIMITED = {"burst_requests": None, "concurrency": None, "credits_per_hour": None}
Row = dict[str, Any]


def part_of_sample(directory: Path, numbers: Iterable[str]) -> Path:
    """Copy the sample world with these documents alone, and those their lines refer to."""
    shutil.copytree(SAMPLE, directory)
    path = directory / "vms" / "Document.jsonl"
    lines = {json.loads(line)["documentNo"]: line for line in path.read_text("utf-8").splitlines()}
    wanted = set(numbers)
    for number in list(wanted):
        wanted |= {
            line["refDocument"] for line in json.loads(lines[number])["documentLines"] if line.get("refDocument")
        }
    path.write_text("".join(f"{line}\n" for number, line in lines.items() if number in wanted), "utf-8")
    return directory


def _with_step(job: Job, step: Step, *, after: str) -> Job:
    steps: list[Step] = []
    for one in job.steps:
        steps += [one, step] if one.name == after else [one]
    return Job(job.name, tuple(steps)) if step.run not in [one.run for one in job.steps] else job


# What people decided is carried out by steps of these two jobs.
MASTER, _ = JOBS = (
    _with_step(MASTER_DATA, Step("note bank changes", note_bank_changes), after="build models"),
    _with_step(DOCUMENTS, Step("carry out retries", carry_out_retries, writes_outside=True), after="send vouchers"),
)


# That step alone: what it needs of the tables is there from the run before.
RETRIES = Job("documents", (Step("carry out retries", carry_out_retries, writes_outside=True),))


class Live:
    """One running sandbox and one installation of Springline that works on it."""

    def __init__(self, folder: Path, numbers: Iterable[str], **environ: str) -> None:
        """Start with these documents of the sample; ``environ`` names settings (POSTING__XGL)."""
        self.folder = folder
        # To verify the models takes seconds and comes to the same in every world.
        shutil.copy(verified_file(), folder / "springline.models.json")
        self.sandbox = running_sandbox(folder, part_of_sample(folder / "seed", numbers))
        # The ledger's limits are kept to in test_idle.py and test_bad_input.py.
        self.sandbox.control("POST", "ledger/settings", UNLIMITED)
        self.vms = self.sandbox.vms()
        self.environ = {
            **self.sandbox.env,
            "SPRINGLINE_LEDGER__BURST_REQUESTS": "10000",
            "SPRINGLINE_WAREHOUSE": str(folder / "springline.duckdb"),
            "SPRINGLINE_PUBLISHED": str(folder / "published"),
        }
        self.change_settings(**environ)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.vms.close()
        self.sandbox.close()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def change_settings(self, **environ: str) -> None:
        """Change settings by the names of their environment variables, without SPRINGLINE_."""
        self.environ |= {f"SPRINGLINE_{name}": value for name, value in environ.items()}

    @property
    def settings(self) -> Settings:
        return load_settings(None, environ=self.environ)

    def batch(self, *, jobs: Sequence[Job] = JOBS, is_dry_run: bool = False) -> BatchResult:
        return run_batch(
            self.settings, jobs=jobs, operator="night run", now=self.now, today=TODAY, is_dry_run=is_dry_run
        )

    def steer(self, action: str, name: str, *, reason: str = "as agreed", operator: str = "kari") -> SteeringResult:
        return steer(action, name, settings=self.settings, reason=reason, operator=operator, now=self.now)

    def command(self, *arguments: str) -> tuple[int, str]:
        """Run the command line; give its exit code and what it printed on stdout."""
        out = StringIO()
        with (
            patch.dict(os.environ, self.environ),
            patch.object(sys, "argv", ["springline", *arguments]),
            redirect_stdout(out),
            redirect_stderr(StringIO()),
            pytest.raises(SystemExit) as ended,
        ):
            main()
        # It has sent the log to a stream that is gone.
        structlog.reset_defaults()
        return int(ended.value.code or 0), out.getvalue()

    def ask(self, statement: str, *values: str | int | None) -> list[tuple[Any, ...]]:
        """Query the control store."""
        control = Control(self.settings.control_path)
        try:
            return [tuple(row) for row in control.read(statement, values)]
        finally:
            control.close()

    def holds(self) -> dict[str, set[str]]:
        """Give the rules (and people) that hold each document now."""
        found: dict[str, set[str]] = {}
        for number, rule in self.ask(
            "SELECT document_no, rule FROM holds WHERE until IS NULL AND severity = 'critical'"
        ):
            found.setdefault(number, set()).add(rule)
        return found

    def states(self, kind: str) -> dict[str, str]:
        """Give the state of each document's intent of a kind."""
        return dict(self.ask("SELECT document_no, state FROM outbox WHERE kind = ?", kind))

    def document(self, number: str, *fields: str) -> Row:
        """Read a document of the VMS, its lines in the order of their keys."""
        wanted = {"documentNo": "*", "invoicingStatus": {"statusTypeCode": "*"}, **dict.fromkeys(fields, "*")}
        lines = {"documentAmount": "*", "companyCurrencyAmount": "*"}
        headers = {"fields": json.dumps({**wanted, "documentLines": lines})}
        answer = self.vms.get("/Document", params={"filter": f"documentNo(EQ){number}"}, headers=headers)
        (found,) = answer.raise_for_status().json()
        found["documentLines"].sort(key=lambda line: line["key"])
        return dict(found)

    def status(self, number: str) -> str:
        return str(self.document(number)["invoicingStatus"]["statusTypeCode"])

    def put(self, number: str, **members: object) -> None:
        """Change members of a document in the VMS."""
        key = self.document(number)["key"]
        self.vms.put(f"/Document/{key}", json=members).raise_for_status()

    def put_lines(self, number: str, changes: Mapping[int, Row], **members: object) -> None:
        """Change lines of a document by their place from 0, and members of its head; the others stay as they are."""
        lines = self.document(number)["documentLines"]
        given = [{"key": line["key"], **changes.get(place, {})} for place, line in enumerate(lines)]
        self.put(number, documentLines=given, **members)

    def put_object(self, entity: str, code: str, value: str, **members: object) -> None:
        """Change members of the first object of the VMS that has a value."""
        found = self.vms.get(f"/{entity}", params={"filter": f"{code}(EQ){value}"}).raise_for_status().json()
        self.vms.put(f"/{entity}/{found[0]['key']}", json=members).raise_for_status()

    def post(self, entity: str, **members: object) -> Row:
        return dict(self.vms.post(f"/{entity}", json=members).raise_for_status().json())

    def ledger(self, query: str, **variables: object) -> Row:
        """Work in the ledger as a bookkeeper's own program would."""
        return ask_ledger(self.environ, query, **variables)

    def ids(self, connection: str, code: str) -> list[int]:
        """Give the ids of the rows of a connection that have a code."""
        arguments = f'first: 10, ownerSet: ALL, filter: {{code: "{code}"}}'
        query = f"{{ {connection}({arguments}) {{ edges {{ node {{ dbId }} }} }} }}"
        return [int(edge["node"]["dbId"]) for edge in self.ledger(query)[connection]["edges"]]

    def posted(self) -> Any:  # noqa: ANN401 (any JSON value)
        """Let the ledger's posting job run."""
        return self.sandbox.control("POST", "ledger/post", {})

    def import_items(self, number: str) -> list[Row]:
        """Give the import items of a document as the ledger has them."""
        key = self.document(number)["key"]
        return list(self.sandbox.control("GET", f"ledger/import-items?trRegNumber={key}"))


Fix = Callable[[Live], None]
