"""Many tenants: a pair of systems each, all served by this process, and a list of them as a scheduler reads it.

What a machine needs of the others is addresses alone: of both systems, and of the control store; with a lake, of its
catalogue and its data too.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import structlog

from pipelines.batch.run import chosen_jobs, run_batch
from pipelines.core.control_place import PostgresSchema
from pipelines.core.settings import load_settings
from pipelines.core.tenants import RESULTS, SECRETS
from pipelines.outbox.chain import verify_chain
from pipelines.stores.opening import open_store
from tests.bench.desk import world_settings
from tests.flow.world import CLOCK, TODAY
from tests.storm.auditor import Auditor, Said, Violation
from tests.storm.books import LedgerBooks, VmsApi
from tests.storm.journal import Journal
from tests.storm.worlds import new_document, story_of, write_storm_world
from tests.support.control_stores import new_schema
from tests.support.delivery_seed import NO_LIMITS
from tests.support.sandbox_server import REPOSITORY, Sandbox, running_sandbox
from tests.support.verified import verified_file

# What a machine has of its own stands in the folder in which a tenant's batches are started there.
SETTINGS = """\
published = "published"
control = "{control}"
{warehouse}
[vms]
base_url = "{base_url}"
token_url = "{token_url}"
client_id = "{client_id}"
audience = "{audience}"
[ledger]
url = "{url}"
"""
# Both systems have the day that their world is made for, so a batch has it too.
PROGRAM = f'exec {sys.executable} -m pipelines.cli.app "$@" --today {TODAY}\n'
FILE = 'warehouse = "springline.duckdb"'
LAKE = """\
warehouse = "ducklake:{catalogue}"
data = "{data}"
scratch = "springline.duckdb"
[lake]
endpoint = "{endpoint}"
region = "{region}"
access_key = "{access_key}"
"""
# The same without publishing, whatever a scheduler says.
NOT_PUBLISHING = 'for word; do shift; [ "$word" = publish ] || set -- "$@" "$word"; done\n' + PROGRAM
# Invoices of suppliers and customers, and credit notes, of whose partners and voyages the ledger has each already.
KINDS = ("2706004", "2706040", "2706160", "2706250", "2706298")
WRONG_TOKEN = "nobody-has-this-token"

# What must be known of a tenant whose books are not as they must be.
_TOLD = (
    "SELECT batch_id, started_at, ended_at, exit_code FROM batches ORDER BY started_at",
    "SELECT kind, document_key, state, error_code, attempts, updated_at FROM outbox ORDER BY document_key, kind",
    "SELECT document_key, rule, since, until FROM holds ORDER BY document_key",
    "SELECT batch_id, step, outcome, detail FROM steps ORDER BY started_at",
)


@dataclass(slots=True)
class Port:
    """One tenant: its systems, where its record is, and what people have done there."""

    name: str
    sandbox: Sandbox
    control: PostgresSchema
    vms: VmsApi
    is_wrong: bool
    secrets: dict[str, str]
    journal: Journal = field(default_factory=Journal)
    entered: dict[int, datetime] = field(default_factory=dict)

    def enter(self, rng: Random) -> None:
        """Enter an invoice that is ready for posting, as a person does."""
        document = new_document(rng, rng.randint(6_100_001, 6_999_999), KINDS)
        given = {name: value for name, value in document.items() if name not in {"key", "modifiedDate"}}
        document["key"] = key = self.vms.call("POST", "Document", given)["key"]
        self.journal.documents[key] = story_of(document)
        self.journal.note("entered", key)
        self.entered[key] = datetime.now(UTC)

    def violations(self) -> list[Violation]:
        """Judge both systems' own books: each document once, to the cent, and acknowledged."""
        said = Said({}, [])
        auditor = Auditor.of(self.vms, LedgerBooks.of(self.sandbox.env), self.journal, said, TODAY)
        return auditor.violations({"documents"})


class Batch(NamedTuple):
    """One batch of a tenant, as its record has it; a batch that was killed has no end."""

    started_at: datetime
    ended_at: datetime | None
    exit_code: int | None


class Record(NamedTuple):
    """What the control store of a tenant says: its batches in order, and when the ledger had each document."""

    batches: Sequence[Batch]
    sent: dict[int, datetime]
    chain: Sequence[object]

    def lateness(self, due: datetime, end: datetime) -> float:
        """Return the seconds from a tick to the end of the first batch since then that came to a result.

        Until ``end`` where none has.
        """
        results = (one for one in self.batches if one.exit_code in RESULTS and one.started_at >= due)
        return (min((one.ended_at for one in results if one.ended_at), default=end) - due).total_seconds()


@dataclass(frozen=True, slots=True)
class Fleet:
    """All tenants, and the list of them."""

    folder: Path
    ports: dict[str, Port]
    # Of every machine; the same for all tenants.
    environ: dict[str, str]
    # What a shell does in the place of Springline's program.
    program: str = PROGRAM

    @property
    def tenants(self) -> Path:
        """The list."""
        return self.folder / "etc" / "tenants.toml"

    def machine(self, name: str) -> dict[str, str]:
        """Make the folder of a machine, and return what its scheduler is told; nothing of another's is in it."""
        folder, program = self.folder / name, self.folder / name / "springline"
        for tenant in self.ports:
            stores = folder / "stores" / tenant
            stores.mkdir(parents=True)
            # To verify the models takes seconds, and comes to the same everywhere.
            shutil.copy(verified_file(), stores / "springline.models.json")
        program.write_text(f"#!/bin/sh\n{self.program}", encoding="utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        told = {"TENANTS": self.tenants, "TENANTS_FOLDER": folder / "stores", "TENANTS_PROGRAM": program}
        return {**self.environ, **{variable: str(path) for variable, path in told.items()}}

    def warm(self, machine: str) -> None:
        """Have every tenant whose token is right look at both systems once on a machine, as in the days before.

        In few processes, which load once what a batch needs.
        """
        jobs = ["documents"] if self.program == NOT_PUBLISHING else ["documents", "publish"]
        stores, etc = self.folder / machine / "stores", self.folder / "etc"
        work = [
            (stores / name, etc / name, {**self.environ, **port.secrets}, jobs)
            for name, port in self.ports.items()
            if not port.is_wrong
        ]
        with ProcessPoolExecutor(4, mp_context=get_context("spawn"), initializer=_be_quiet) as pool:
            codes = {*pool.map(_look, work)}
        assert codes == {0}, codes

    def ask(self, question: str) -> list[dict[str, Any]]:
        """Ask the lakes of all tenants whose token is right in one statement, as an analyst does; give its rows."""
        tenants = self.folder / "etc" / "right.toml"
        tenants.write_text(_listed(name for name, port in self.ports.items() if not port.is_wrong), encoding="utf-8")
        asked = subprocess.run(  # noqa: S603 our own command
            [sys.executable, "-m", "pipelines.cli.app", "query", question, "--tenants", str(tenants), "--json"],
            env={**os.environ, **self.environ},
            capture_output=True,
            text=True,
            check=False,
        )
        assert asked.returncode == 0, asked.stderr
        rows: list[dict[str, Any]] = json.loads(asked.stdout)["rows"]
        return rows

    def record(self, name: str) -> Record:
        """Read the control store of a tenant; empty where no batch has made it."""
        with closing(open_store(self.ports[name].control)) as control:
            batches = control.read("SELECT started_at, ended_at, exit_code FROM batches ORDER BY started_at")
            sent = control.read("SELECT document_key, sent_at FROM outbox WHERE kind = 'voucher' AND sent_at > ''")
            return Record(
                [Batch(_moment(begun), _moment(ended) if ended else None, code) for begun, ended, code in batches],
                {key: _moment(at) for key, at in sent},
                verify_chain(control),
            )

    def told(self, name: str) -> str:
        """Return what the control store of a tenant has of its batches, its outbox and their steps, a line a row."""
        with closing(open_store(self.ports[name].control)) as control:
            rows = [row for statement in _TOLD for row in control.read(statement)]
        return "\n".join([name, *(" ".join(map(str, row)) for row in rows)])


@contextmanager
def fleet(
    folder: Path,
    number: int,
    *,
    wrong: int | None = None,
    program: str = PROGRAM,
    data: Mapping[str, str] | None = None,
) -> Iterator[Fleet]:
    """Serve so many tenants; the one with the number ``wrong``, from 0, has a token that its ledger does not know.

    With ``data``, the settings of a bucket, their warehouses are lakes.
    """
    seed = write_storm_world(folder / "seed", is_first_day=False)
    names = [f"tenant-{place:02}" for place in range(number)]
    with ExitStack() as stack:
        ports = {}
        for place, name in enumerate(names):
            ports[name] = port = _port(folder / "systems" / name, seed, name, is_wrong=place == wrong, data=data)
            stack.callback(port.sandbox.close)
            stack.callback(port.vms.close)
            _write_settings(folder / "etc" / name, port, data)
        (folder / "etc" / "tenants.toml").write_text(_listed(names), encoding="utf-8")
        environ = {**world_settings(seed), "PYTHONPATH": str(REPOSITORY)}
        yield Fleet(folder, ports, environ, program)


def _listed(names: Iterable[str]) -> str:
    return "\n".join(["[tenants]", *(f'{name} = "{name}/springline.toml"' for name in names), ""])


def _port(folder: Path, seed: Path, name: str, *, is_wrong: bool, data: Mapping[str, str] | None) -> Port:
    folder.mkdir(parents=True)
    sandbox = running_sandbox(folder, seed)
    sandbox.control("POST", "ledger/settings", NO_LIMITS)
    sandbox.control("POST", "clock", {"now": CLOCK})
    secrets = {
        "SPRINGLINE_LEDGER__TOKEN": WRONG_TOKEN if is_wrong else sandbox.env["SPRINGLINE_LEDGER__TOKEN"],
        "SPRINGLINE_VMS__CLIENT_SECRET": sandbox.env["SPRINGLINE_VMS__CLIENT_SECRET"],
    }
    if data:
        secrets["SPRINGLINE_LAKE__SECRET_KEY"] = data["SPRINGLINE_LAKE__SECRET_KEY"]
    port = Port(name, sandbox, new_schema(), VmsApi.of(sandbox.env), is_wrong, secrets)
    # Suppliers that the ledger has already were released by whoever entered them there.
    for code, account in LedgerBooks.of(sandbox.env).accounts().items():
        port.journal.accounts[code] = {account} if account else set()
    return port


def _write_settings(folder: Path, port: Port, data: Mapping[str, str] | None) -> None:
    env = port.sandbox.env
    secrets = folder / SECRETS
    secrets.mkdir(parents=True)
    values = {
        name: env[f"SPRINGLINE_VMS__{name.upper()}"] for name in ("base_url", "token_url", "client_id", "audience")
    }
    warehouse = LAKE.format(catalogue=new_schema(), **_of_bucket(data)) if data else FILE
    text = SETTINGS.format(control=port.control, url=env["SPRINGLINE_LEDGER__URL"], warehouse=warehouse, **values)
    (folder / "springline.toml").write_text(text, encoding="utf-8")
    for variable, value in port.secrets.items():
        (secrets / variable).write_text(value, encoding="utf-8")


def _of_bucket(data: Mapping[str, str]) -> dict[str, str]:
    named = {"data": "DATA"} | {name: f"LAKE__{name.upper()}" for name in ("endpoint", "region", "access_key")}
    return {name: data[f"SPRINGLINE_{variable}"] for name, variable in named.items()}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _be_quiet() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def _look(given: tuple[Path, Path, Mapping[str, str], Sequence[str]]) -> int:
    """Run a batch in this process in a tenant's folder of a machine, and return its exit code."""
    stores, etc, environ, names = given
    os.chdir(stores)
    settings = load_settings(etc / "springline.toml", environ=environ)
    jobs, now = chosen_jobs(names), partial(datetime.now, UTC)
    return run_batch(settings, jobs=jobs, operator="schedule", now=now, today=TODAY).exit_code
