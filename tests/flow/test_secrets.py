"""Secrets and bank accounts stay where they belong, and nobody else may read what is written, while much goes wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event, Thread
from zipfile import ZipFile

import duckdb
import pytest

from pipelines.core.settings import load_settings
from pipelines.watch.alerts.conditions import find_conditions
from pipelines.watch.observe.metrics import StoreMetrics
from tests.flow.world import Ended, Row, World, read_rows, sample_documents, world
from tests.support.patience import PATIENCE

# What must know an account: the ledger's import, an object set aside as it came, and the record of accounts. Of no
# other column of the control store, and of no column of the published file.
HOLD_ACCOUNTS = {"payload", "body", "old_account", "new_account", "bank_account"}
OPEN = "import os; os.umask(0); from pipelines.cli.app import main; main()"
SECRETS = ("SPRINGLINE_VMS__CLIENT_SECRET", "SPRINGLINE_LEDGER__TOKEN")
NEW_ACCOUNT = "NO9386011117947"
QUESTIONS = (
    ["status"], ["status", "--json"], ["breaks", "list"], ["explain", "2706035"], ["explain", "60526"], ["check"],
    ["close", "2026-10"], ["alerts"], ["query", "SELECT * FROM ctl.holds", "--format", "json"],
)  # fmt: skip
AT_ONCE = {"SPRINGLINE_ALERTS__BANK_CHANGE_HOURS": "0", "SPRINGLINE_ALERTS__BREAK_AMOUNT": "0"}
pytestmark = pytest.mark.system
MUTATION = {"method": "POST", "contains": "mutation"}


def bank_accounts() -> list[str]:
    """Give every account of the world: IBANs, and the numbers of their banks."""
    partners = [partner.get("bankAccount") or {} for partner in read_rows("vms/BusinessPartner")]
    found = {account[name] for account in partners for name in ("iban", "bankAccountNo") if account.get(name)}
    found |= {row["bankAccount"] for row in read_rows("ledger/suppliers") if row.get("bankAccount")}
    return sorted(found | {iban[4:] for iban in found if iban.startswith("NO")})


def echo(world: World) -> str:
    """Give an answer that repeats all that it was sent, and more."""
    accounts = [account for account in bank_accounts() if account.startswith("NO")][:2]
    secret, token = (world.environ[name] for name in SECRETS)
    return (
        f'{{"iban":"{accounts[0]}","bankAccountNo":{accounts[1][4:]},"client_secret":"{secret}"}} '
        f"account {accounts[0][4:]} of {accounts[1]}, {accounts[1][4:8]}.{accounts[1][8:10]}.{accounts[1][10:]}, "
        f"x={token}"
    )


@dataclass(slots=True)
class Days:
    """What was printed by each command, and every file that others could read at any moment."""

    world: World
    ended: list[Ended] = field(default_factory=list)
    wide: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    alerts: str = ""
    metrics: str = ""

    def run(self, *arguments: str) -> Ended:
        """Run a command in a process of its own, which begins with a umask that keeps nobody out."""
        process = self.world.start(*arguments, code=OPEN)
        is_over = Event()
        looking = Thread(target=self._look, args=(is_over,))
        looking.start()
        out, err = process.communicate(timeout=PATIENCE)
        is_over.set()
        looking.join()
        self.ended.append(Ended(process.returncode, out, err))
        return self.ended[-1]

    def ask(self, *arguments: str) -> None:
        """Run a command in this process."""
        self.ended.append(self.world.command(*arguments))

    def look(self) -> None:
        """Note every file that is there, and those that others may read."""
        for path in self.world.folder.rglob("*"):
            with suppress(FileNotFoundError):
                mode = path.lstat().st_mode
                self.seen.add(path.name)
                # The world itself has put the verified models there.
                if mode & 0o077 and path.name != "springline.models.json":
                    self.wide.add(f"{path} {mode & 0o777:o}")

    def _look(self, is_over: Event) -> None:
        while not is_over.wait(0.02):
            self.look()

    def printed(self) -> str:
        return "".join(part for ended in self.ended for part in (ended.out, ended.err))


def tell(world: World) -> Days:
    days = Days(world)
    body = echo(world)
    # Each side answers with all that it was sent: to a sign-in, a page, a look-up, a write.
    for match in ({"path": "/oauth/token"}, {"method": "GET", "path": "/ws/rest/BusinessPartner"}):
        world.sandbox.fault("vms", {"kind": "status", "status": 400, "body": body}, times=1, match=match)
    world.sandbox.fault("vms", {"kind": "status", "status": 500, "body": body}, times=1, match={"method": "GET"})
    days.ask("run", "--verbose", "--json")
    world.sandbox.control("DELETE", "faults")
    refused = {"kind": "graphql_error", "code": "BAD_USER_INPUT", "message": f"Bank account is wrong: {body}"}
    world.sandbox.fault("ledger", refused, times=2, match=MUTATION)
    world.sandbox.fault("ledger", {"kind": "status", "status": 500, "body": body}, times=1, match=MUTATION)
    days.ask("run", "--verbose")
    world.sandbox.control("DELETE", "faults")
    # A supplier's account changes, and another one is none at all.
    change_accounts(world)
    days.run("run", "--json")
    for words in QUESTIONS:
        days.ask(*words)
    days.ask("backup", str(world.folder / "copy.sqlite"))
    # Once more, over all that was made in this process, which the command line has made private too.
    days.look()
    settings = load_settings(None, environ={**world.environ, **AT_ONCE})
    with closing(world.control()) as control:
        with control.write() as connection:
            connection.execute("UPDATE holds SET since = '2026-11-01T00:00:00.000000+00:00'")
        days.alerts = "\n".join(one.text for one in find_conditions(settings, control, now=datetime.now(UTC)))
    days.metrics = StoreMetrics(settings, now=lambda: datetime.now(UTC)).text().decode()
    return days


def change_accounts(world: World) -> None:
    """Give one supplier a new account, and another one a list of them, which no object may have."""
    with world.sandbox.vms() as client:
        fields = {"fields": '{"key":"*","iban":"*"}'}
        found = client.get("BankAccount?sort=key(AS)&limit=9&pageNumber=1", headers=fields).raise_for_status().json()
    with_iban = [row for row in found if row.get("iban")]
    world.change("BankAccount", with_iban[0]["key"], iban=NEW_ACCOUNT)
    old = json.dumps(with_iban[1]["iban"])
    replaced = {"kind": "replace", "old": f'"iban":{old}', "new": f'"iban":[{old}]'}
    world.sandbox.fault("vms", replaced, match={"method": "GET", "path": "/ws/rest/BusinessPartner"})


def kept(world: World) -> str:
    """Give all that the control store holds where no account belongs."""
    found: list[str] = []
    with closing(world.control()) as control:
        for (table,) in control.read("SELECT name FROM sqlite_master WHERE type = 'table'"):
            for row in control.read(f'SELECT * FROM "{table}"'):  # noqa: S608 names from the catalogue
                found += [str(row[name]) for name in row.keys() if name not in HOLD_ACCOUNTS]  # noqa: SIM118 a Row gives its values
    return "\n".join(found)


def published(world: World) -> str:
    """Give all that readers get: every table, the page, every cell of every workbook."""
    folder = world.folder / "published"
    found = [(folder / "report.html").read_text("utf-8")]
    with duckdb.connect(str(folder / "springline.duckdb"), read_only=True) as connection:
        for (name,) in connection.execute("SELECT schema_name || '.' || table_name FROM duckdb_tables()").fetchall():
            found += [str(row) for row in connection.execute(f"SELECT * FROM {name}").fetchall()]  # noqa: S608 ditto
    for path in sorted(folder.rglob("*.xlsx")):
        with ZipFile(path) as book:
            found += [book.read(name).decode() for name in book.namelist() if name.endswith((".xml", ".rels"))]
    return "\n".join(found)


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Days]:
    files: dict[str, list[Row]] = {"vms/Document": sample_documents("2706035", "2706065", "2708001", "2708101")}
    with world(tmp_path_factory.mktemp("secrets"), files, is_first_day=True) as first_day:
        yield tell(first_day)


def words(world: World) -> list[str]:
    """Give every secret and account of the world, and each account as people write it."""
    accounts = [*bank_accounts(), NEW_ACCOUNT, NEW_ACCOUNT[4:]]
    assert len(accounts) > 50
    grouped = [" ".join(one[at : at + 4] for at in range(0, len(one), 4)) for one in accounts if one.startswith("NO")]
    dotted = [f"{one[:4]}.{one[4:6]}.{one[6:]}" for one in accounts if one.isdecimal()]
    return [*(world.environ[name] for name in SECRETS), *accounts, *grouped, *dotted]


def test_nobody_else_could_read_a_file_at_any_moment(days: Days) -> None:
    assert days.wide == set()
    assert {"springline.ctl.sqlite-wal", "springline.duckdb", "copy.sqlite", "report.html"} <= days.seen
    assert {"2026-10", "close.xlsx", ".springline.duckdb.landing", ".new"} <= days.seen


def test_what_goes_wrong_is_told(days: Days) -> None:
    assert "answered 500" in days.printed()
    assert "***" in days.printed()
    assert "Traceback" not in days.printed()
    assert days.alerts
    assert "springline_" in days.metrics


@pytest.mark.parametrize("place", ["printed", "control store", "published", "alerts", "metrics"])
def test_no_secret_and_no_account_is_in(place: str, days: Days) -> None:
    texts = {
        "printed": days.printed(),
        "control store": kept(days.world),
        "published": published(days.world),
        "alerts": days.alerts,
        "metrics": days.metrics,
    }
    text = texts[place]
    assert [word for word in words(days.world) if word in text] == []
