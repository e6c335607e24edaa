"""One question to the lakes of many tenants, as `query` and `status` ask it with --tenants."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.flow.world import copies, world
from tests.support.lake import NOBODY, three_addresses
from tests.support.sandbox_server import REPOSITORY

pytestmark = pytest.mark.lake

JOBS = ("master-data", "documents", "reconcile", "publish")
COUNTED = "SELECT tenant, count(*) AS documents FROM rec.documents GROUP BY tenant ORDER BY tenant"


class Fleet(NamedTuple):
    """Two tenants that have published, of which one holds a document, and their list."""

    folder: Path
    list: Path

    def ask(self, *words: str, tenants: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command in a folder that has nothing to do with either."""
        return subprocess.run(  # noqa: S603 our own command
            [sys.executable, "-m", "pipelines.cli.app", *words, "--tenants", str(tenants or self.list)],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
            check=False,
        )

    def with_another(self, name: str, settings: str) -> Path:
        """Write a list with one tenant more."""
        own = self.folder / name
        own.mkdir()
        (own / "springline.toml").write_text(settings, "utf-8")
        tenants = self.folder / f"with_{name}.toml"
        tenants.write_text(f'{self.list.read_text("utf-8")}\n{name} = "{name}/springline.toml"', "utf-8")
        return tenants


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    folder = tmp_path_factory.mktemp("fleet")
    listed = ["[tenants]"]
    for name, ready, held in (("north", 2, 0), ("south", 3, 1)):
        own = folder / name
        own.mkdir()
        addresses = three_addresses(own)
        documents = [*copies(ready, first_key=6_000_001), *copies(held, first_key=6_000_101, externalDocumentNo=None)]
        with world(own, {"vms/Document": documents}, is_first_day=True, **addresses) as harbour:
            harbour.run(*JOBS)
        (own / "springline.toml").write_text(_settings(addresses), "utf-8")
        (own / "secrets").mkdir()
        for variable in ("SPRINGLINE_VMS__PASSWORD", "SPRINGLINE_LEDGER__TOKEN"):
            (own / "secrets" / variable).write_text(NOBODY[variable], "utf-8")
        listed.append(f'{name} = "{name}/springline.toml"')
    tenants = folder / "tenants.toml"
    tenants.write_text("\n".join(listed), "utf-8")
    return Fleet(folder, tenants)


def _settings(addresses: dict[str, str]) -> str:
    lines = [f'{name.removeprefix("SPRINGLINE_").lower()} = "{value}"' for name, value in addresses.items()]
    base, user = NOBODY["SPRINGLINE_VMS__BASE_URL"], NOBODY["SPRINGLINE_VMS__USERNAME"]
    return "\n".join([*lines, "[vms]", f'base_url = "{base}"', f'username = "{user}"'])


def test_one_statement_asks_all_tenants(fleet: Fleet) -> None:
    asked = fleet.ask("query", COUNTED, "--json")
    assert asked.returncode == 0, asked.stderr
    assert json.loads(asked.stdout)["rows"] == [
        {"tenant": "north", "documents": 2},
        {"tenant": "south", "documents": 4},
    ]
    assert asked.stderr.startswith("2 tenants, the oldest north: Published ")


def test_what_is_held_anywhere_is_one_table(fleet: Fleet) -> None:
    held = fleet.ask("query", "SELECT tenant, document_no, rule FROM ctl.holds WHERE until IS NULL", "--format", "csv")
    assert held.stdout.splitlines()[1:] == ["south,N6000101,external_document_no_missing"]
    shown = fleet.ask("query", "ctl.holds", "--format", "csv")
    assert shown.stdout.startswith("tenant,")


def test_the_status_of_all_is_a_line_each(fleet: Fleet) -> None:
    asked = fleet.ask("status", "--json")
    assert asked.returncode == 0, asked.stderr
    rows = json.loads(asked.stdout)["rows"]
    assert [(row["tenant"], row["held"], row["differing"], row["set_aside"]) for row in rows] == [
        ("north", 0, 0, 0),
        ("south", 1, 0, 0),
    ]
    assert "north" in fleet.ask("status").stdout


def test_bank_accounts_other_files_and_writing_are_out_of_reach(fleet: Fleet) -> None:
    for question in (
        "SELECT * FROM read_text('/etc/hostname')",
        "CREATE TABLE rec.mine AS SELECT 1",
        "ATTACH '/tmp/other.duckdb'",
        "SELECT * FROM duckdb_secrets()",
    ):
        asked = fleet.ask("query", question)
        assert "none-of-these" not in asked.stdout + asked.stderr
        if "duckdb_secrets" not in question:
            assert asked.returncode == 2, (question, asked.stdout, asked.stderr)


def test_a_tenant_that_cannot_be_asked_is_named(fleet: Fleet) -> None:
    without = fleet.ask("query", COUNTED, tenants=fleet.with_another("east", 'warehouse = "east.duckdb"'))
    assert without.returncode == 10
    assert "Tenant east:" in without.stderr
    assert without.stdout == ""


def test_without_a_question_it_says_how_to_ask(fleet: Fleet) -> None:
    assert "With --tenants there must be a question." in fleet.ask("query").stderr
    assert "nothing can be chosen" in fleet.ask("status", "--full").stderr
