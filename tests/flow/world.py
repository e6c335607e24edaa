"""A reduced sample world behind both systems, Springline's stores beside it, and what each side says afterwards."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import msgspec

from pipelines.batch.run import BatchResult, chosen_jobs, run_batch
from pipelines.cli import app as cli
from pipelines.core.settings import load_settings
from pipelines.stores.control import Control
from pipelines.stores.opening import open_store
from tests.support.delivery_seed import NO_LIMITS
from tests.support.patience import PATIENCE
from tests.support.sandbox_server import REPOSITORY, SAMPLE, Sandbox, sandbox_process
from tests.support.verified import verified_file

Row = dict[str, Any]
TODAY = date(2026, 11, 2)
CLOCK = "2026-11-02T08:00:00Z"
PAGE = 2_000
LINES = '{"documentNo":"*","documentLines":{"key":"*","documentLineText":"*"}}'
# The master data that Springline creates in the ledger itself.
CREATED = ("companies", "suppliers", "customers", "projects")
_NOT_NEEDED = ("vms/ExchangeRate", "ledger/exchange_rates", "ledger/vouchers")
_encode = msgspec.json.Encoder(decimal_format="number").encode


def read_rows(entity: str) -> list[Row]:
    """Give the sample's objects of an entity (``vms/Document``), amounts as Decimal."""
    lines = (SAMPLE / f"{entity}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line, parse_float=Decimal) for line in lines]


def sample_documents(*numbers: str) -> list[Row]:
    """Give the sample's documents with these numbers, in this order."""
    found = {row["documentNo"]: row for row in read_rows("vms/Document")}
    return [found[number] for number in numbers]


def copies(count: int, *, first_key: int, number: str = "2706035", **members: object) -> list[Row]:
    """Give copies of a sample's document, each with a key, a number and an external number of its own."""
    [original] = sample_documents(number)
    keys = range(first_key, first_key + count)
    named = ({"key": key, "documentNo": f"N{key}", "externalDocumentNo": f"X-{key}"} for key in keys)
    return [{**original, **names, **members} for names in named]


def write_world(folder: Path, files: Mapping[str, Iterable[Row]], *, is_first_day: bool = False) -> Path:
    """Write the sample with some files in place of its own, as a seed directory.

    On a first day the ledger has none of the master data that Springline creates.
    """
    shutil.copytree(SAMPLE, folder)
    replaced: dict[str, Iterable[Row]] = dict.fromkeys(_NOT_NEEDED, ())
    if is_first_day:
        replaced |= {f"ledger/{name}": () for name in CREATED}
        replaced["ledger/object_values"] = [r for r in read_rows("ledger/object_values") if r["kind"] != "VESSEL"]
    for name, rows in {**replaced, **files}.items():
        (folder / f"{name}.jsonl").write_bytes(b"".join(_encode(row) + b"\n" for row in rows))
    return folder


class Ended(NamedTuple):
    """What a command printed, and how it ended."""

    exit_code: int
    out: str
    err: str

    def json(self) -> Row:
        """Give the one object on stdout; amounts as they are written."""
        found: Row = json.loads(self.out)
        return found


@dataclass(frozen=True, slots=True)
class World:
    """Both systems in a process of their own, and the stores of Springline in ``folder``."""

    folder: Path
    sandbox: Sandbox
    environ: Mapping[str, str]

    def run(self, *jobs: str, **environ: str) -> BatchResult:
        """Run jobs in this process."""
        return run_batch(
            load_settings(None, environ={**self.environ, **environ}),
            jobs=chosen_jobs(jobs),
            operator="tester",
            now=lambda: datetime.now(UTC),
            today=TODAY,
        )

    def command(self, *arguments: str, **environ: str) -> Ended:
        """Run the command line in this process, as the console script does; an empty variable is not set."""
        out, err = StringIO(), StringIO()
        with (
            patch.object(sys, "argv", ["springline", *_on_the_day(arguments)]),
            patch.dict(os.environ, self._variables(environ), clear=True),
            redirect_stdout(out),
            redirect_stderr(err),
            _working_in(self.folder),
        ):
            try:
                cli.main()
            except SystemExit as end:
                code = end.code
        return Ended(code if isinstance(code, int) else 1, out.getvalue(), err.getvalue())

    def start(self, *arguments: str, code: str = "from pipelines.cli.app import main; main()") -> subprocess.Popen[str]:
        """Start the command line in a process of its own."""
        return subprocess.Popen(  # noqa: S603 our own module
            [sys.executable, "-c", code, *_on_the_day(arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env=self._variables({"PYTHONPATH": str(REPOSITORY)}),
        )

    def control(self) -> Control:
        """Open the control store; the caller closes it."""
        return open_store(load_settings(None, environ=self.environ).control_place)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Query the control store."""
        control = self.control()
        try:
            return [tuple(row) for row in control.read(statement)]
        finally:
            control.close()

    def statuses(self) -> dict[str, str]:
        """Give the VMS's status of every document by number."""
        return {row["documentNo"]: row["invoicingStatus"]["statusTypeCode"] for row in self.documents()}

    def documents(self) -> list[Row]:
        """Give the VMS's documents with number, status and time of change."""
        fields = '{"documentNo":"*","modifiedDate":"*","invoicingStatus":{"statusTypeCode":"*"}}'
        found: list[Row] = []
        for page in count(1):
            path = f"Document?sort=key(AS)&limit={PAGE}&pageNumber={page}"
            found += (rows := self._vms("GET", path, headers={"fields": fields}))
            if len(rows) < PAGE:
                break
        return found

    def document(self, number: str) -> Row:
        """Give one document with the keys of its lines."""
        [found] = self._vms("GET", f"Document?filter=documentNo(EQ){number}", headers={"fields": LINES})
        return dict(found)

    def change(self, entity: str, key: int, **members: object) -> Row:
        """Change members of a VMS object, as a user does."""
        changed: Row = self._vms("PUT", f"{entity}/{key}", content=_encode(members))
        return changed

    def sent(self) -> dict[str, list[Row]]:
        """Give the nodes in the ledger's import by document number, in the order of their item numbers."""
        found: dict[str, list[Row]] = {}
        for item in self.sandbox.control("GET", "ledger/import-items"):
            found.setdefault(item["node"]["extOrderNumber"], []).append(item["node"])
        return {number: sorted(nodes, key=lambda node: node["trItemNumber"]) for number, nodes in found.items()}

    def booked(self) -> dict[int, int]:
        """Let the ledger post, and give how often each voucher number stands in its books."""
        self.sandbox.control("POST", "ledger/post", {})
        found: dict[int, int] = {}
        for header in self.sandbox.control("GET", "ledger/vouchers"):
            if header["importedAt"]:
                found[header["trRegNumber"]] = found.get(header["trRegNumber"], 0) + 1
        return found

    def requests(self) -> dict[str, dict[str, int]]:
        """Give the requests since the last look by side, and begin to count anew."""
        counts: dict[str, dict[str, int]] = self.sandbox.control("GET", "requests")
        self.sandbox.control("DELETE", "requests")
        return counts

    def state(self) -> dict[str, list[tuple[Any, ...]]]:
        """Give everything that both systems have on disk, but for the time."""
        with closing(sqlite3.connect(self.folder.parent / "sandbox.sqlite")) as file:
            names = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            kept = [name for name in names if name != "sandbox_settings"]
            return {name: file.execute(f'SELECT * FROM "{name}" ORDER BY 1, 2').fetchall() for name in kept}  # noqa: S608

    def _vms(self, method: str, path: str, **request: Any) -> Any:  # noqa: ANN401 any JSON value
        with self.sandbox.vms() as client:
            request["headers"] = {"Content-Type": "application/json", **request.get("headers", {})}
            answer = client.request(method, path, **request)
            assert answer.is_success, answer.text
            return answer.json()

    def _variables(self, environ: Mapping[str, str]) -> dict[str, str]:
        merged = {**os.environ, **self.environ, **environ}
        return {name: value for name, value in merged.items() if value or not name.startswith("SPRINGLINE_")}


@contextmanager
def world(
    folder: Path, files: Mapping[str, Iterable[Row]], *, is_first_day: bool = False, **environ: str
) -> Iterator[World]:
    """Serve a world written by ``write_world``; no limits, no waiting, and the ledger posts only when told to."""
    seed = write_world(folder / "seed", files, is_first_day=is_first_day)
    stores = folder / "stores"
    stores.mkdir()
    # To verify the models takes seconds and comes to the same in every world.
    shutil.copy(verified_file(), stores / "springline.models.json")
    with sandbox_process(folder, seed) as sandbox:
        sandbox.control("POST", "ledger/settings", NO_LIMITS)
        sandbox.control("POST", "clock", {"now": CLOCK})
        own = {"SPRINGLINE_WAREHOUSE": str(stores / "springline.duckdb")}
        own |= {"SPRINGLINE_PUBLISHED": str(stores / "published")}
        own |= {"SPRINGLINE_LEDGER__BURST_REQUESTS": "10000"}
        yield World(stores, sandbox, {**sandbox.env, **own, **environ})


@contextmanager
def _working_in(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _on_the_day(arguments: Iterable[str]) -> list[str]:
    given = [*arguments]
    return [*given, "--today", TODAY.isoformat()] if given[:1] == ["run"] and "--today" not in given else given


def until(is_so: Callable[[], bool], *, alive: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Wait until something is so; fails when it does not come, or when what is to bring it about has ended."""
    end = time.monotonic() + seconds
    while not is_so():
        assert alive(), "it ended first"
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.2)
