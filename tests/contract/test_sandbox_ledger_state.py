"""The ledger's state: it survives a kill, holds under parallel use, and is seeded from JSON lines."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from pipelines.sandbox.clock import Clock
from pipelines.sandbox.ledger.core import Ledger
from pipelines.sandbox.ledger.graphql import answer
from pipelines.sandbox.ledger.routes import LedgerSeedError, ledger_overview, seed_ledger
from pipelines.sandbox.state import open_state
from tests.contract.ledger_world import ADD_ITEMS, AUTHORIZATION, SEED, World, invoice, items, line, write_seed

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDS_FOR_EVER = f"""
import itertools, sys
from pathlib import Path
import msgspec
from pipelines.sandbox.clock import Clock
from pipelines.sandbox.ledger.core import Ledger
from pipelines.sandbox.ledger.graphql import answer
from pipelines.sandbox.state import open_state
from tests.contract.ledger_world import ADD_ITEMS, invoice, items
db = open_state(Path(sys.argv[1]))
ledger = Ledger(db, clock=Clock(db))
for number in itertools.count(1):
    body = msgspec.json.encode({{"query": ADD_ITEMS, "variables": items(*invoice(number=number))}})
    status, content = answer(ledger, authorization={AUTHORIZATION["Authorization"]!r}, body=body)
    assert b"errors" not in content, content
    if number % 3 == 0:
        ledger.post()
    print(number, flush=True)
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


def everything(world: World) -> list[Any]:
    names = ("apTransactions", "arTransactions", "transactions", "journalHeaders", "glImportItems", "projects")
    pages = [
        world.ask(f"{{ {name}(first: 999){{ edges{{ cursor node{{ dbId ownerDbId text }} }} }} }}") for name in names
    ]
    return [
        *pages,
        world.ask("{ apTransaction_deltas(first: 99){ edges{ cursor node{ dbId } } } }"),
        world.control("vouchers"),
    ]


def test_a_reopened_ledger_is_the_same(world: World) -> None:
    world.add(*invoice(), *invoice(number=2, project={"code": "V002-2601"}))
    world.post()
    world.settings(strict_duplicates=True)
    before = everything(world)
    world.close()
    world.open()
    assert everything(world) == before
    assert world.control("settings")["strict_duplicates"] is True


def test_ids_are_not_given_twice_after_a_restart(world: World) -> None:
    first = world.add(line("4310", "1.00"))[0]["node"]["dbId"]
    world.control("import-items/remove", {"rows": [int(first)]})
    world.close()
    world.open()
    assert int(world.add(line("4310", "1.00"))[0]["node"]["dbId"]) > int(first)


def test_what_was_answered_survives_a_kill(world: World) -> None:
    world.close()
    command = [sys.executable, "-c", ADDS_FOR_EVER, str(world.state)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(  # noqa: S603 (our own interpreter and text)
        command, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        answered = [int(next(process.stdout)) for _ in range(25)]
        process.send_signal(signal.SIGKILL)
        answered += [int(number) for number in process.stdout]
    world.open()
    received = Counter(item["node"]["trRegNumber"] for item in world.control("import-items"))
    assert received.keys() >= set(answered)
    # The call that was under way is done or not done, never half.
    assert len(received) <= len(answered) + 1
    assert set(received.values()) == {2}
    for voucher in world.control("vouchers"):
        assert sum(Decimal(entry["amount"]) for entry in voucher["lines"]) == 0
    done = [item for item in world.control("import-items") if item["jobLevel"] == "DONE"]
    assert len(done) == 2 * sum(voucher["trRegNumber"] is not None for voucher in world.control("vouchers"))


def test_parallel_requests_neither_lose_nor_mix_rows(world: World) -> None:
    db = open_state(world.state)
    ledger = Ledger(db, clock=Clock(db))

    def work(number: int) -> bytes:
        body = msgspec.json.encode({"query": ADD_ITEMS, "variables": items(*invoice(number=number))})
        _, content = answer(ledger, authorization=AUTHORIZATION["Authorization"], body=body)
        ledger.post()
        query = b'{"query":"{ glImportItems(first: 9999){ edges{ node{ trRegNumber } } } }"}'
        return content + answer(ledger, authorization=AUTHORIZATION["Authorization"], body=query)[1]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(work, range(1, 41)))
    assert not any(b'"errors"' in content for content in answers)
    db.close()
    world.close()
    world.open()
    vouchers = [voucher for voucher in world.control("vouchers") if voucher["trRegNumber"]]
    assert sorted(voucher["trRegNumber"] for voucher in vouchers) == list(range(1, 41))
    assert len({voucher["transactionNumber"] for voucher in vouchers}) == 40


def test_a_seed_is_loaded_whole(world: World) -> None:
    (voucher,) = world.control("vouchers")
    assert (voucher["postedDate"], voucher["importedAt"], voucher["source"]) == ("2026-07-15", None, "GL")
    assert world.nodes('{ currencies(first: 9, filter: {code: "JPY"}){ edges{ node{ code } } } }') == [{"code": "JPY"}]
    (rate,) = world.nodes(
        '{ exchangeRates(first: 9, filter: {currencyFromCode: "JPY"}){ edges{ node{ currencyUnit modifiedAt } } } }'
    )
    assert rate == {"currencyUnit": 100, "modifiedAt": "2026-10-30T16:15:00"}
    assert world.control("rates")[0]["rate"] == "10.5012"


@pytest.mark.parametrize(
    ("name", "row", "reason"),
    [
        ("accounts", {"code": "1", "description": "x", "owner": 1}, "accounts.jsonl, line 1: no entity 1"),
        (
            "suppliers",
            {"code": "1", "descripton": "x"},
            "suppliers.jsonl, lines 1 to 1: addSuppliers takes no descripton",
        ),
        ("projects", {"code": "1", "description": "x", "fromDate": "soon"}, "wrong type"),
        ("projects", {"code": "1"}, "description: Value is required."),
        (
            "vouchers",
            {"owner": 28601, "source": "GL", "postedDate": "2026-01-01", "lines": [{"account": "0"}]},
            "account.code: No value",
        ),
        (
            "exchange_rates",
            {"owner": 28600, "from": "XXX", "to": "NOK", "rate": "1", "fromDate": "2026-01-01"},
            "no currency XXX",
        ),
        (
            "exchange_rates",
            {"owner": 28600, "from": "USD", "to": "NOK", "rate": "0", "fromDate": "2026-01-01"},
            "no rate",
        ),
    ],
)
def test_a_bad_seed_line_is_named(tmp_path: Path, name: str, row: dict[str, Any], reason: str) -> None:
    db = open_state(tmp_path / "state.sqlite")
    with pytest.raises(LedgerSeedError, match=reason.replace("(", r"\(")):
        seed_ledger(db, write_seed(tmp_path / "seed", SEED | {name: [row]}))
    db.close()


def test_a_line_that_is_no_json_is_named(tmp_path: Path) -> None:
    folder = write_seed(tmp_path / "seed", {})
    folder.joinpath("currencies.jsonl").write_text('{"code":"NOK"}\n\n{"code"\n', "utf-8")
    db = open_state(tmp_path / "state.sqlite")
    with pytest.raises(LedgerSeedError, match=r"currencies.jsonl, line 3"):
        seed_ledger(db, folder)
    db.close()


def test_a_seed_that_was_refused_leaves_nothing_behind(tmp_path: Path) -> None:
    db = open_state(tmp_path / "state.sqlite")
    with pytest.raises(LedgerSeedError):
        seed_ledger(db, write_seed(tmp_path / "wrong", SEED | {"vouchers": [{"owner": 28601}]}))
    seed_ledger(db, write_seed(tmp_path / "right"))
    (counts, *_) = ledger_overview(db)
    assert ("entities", str(len(SEED["entities"]))) in counts.rows
    db.close()


def test_the_overview_counts_and_sums(world: World) -> None:
    world.add(*invoice(), *invoice(number=2, project={"code": "V002-2601"}))
    world.post()
    db = open_state(world.state)
    tables = {table.title: table.rows for table in ledger_overview(db)}
    db.close()
    assert tables["Booked"] == [("28601", "AP", "2", "10500.00"), ("28601", "GL", "2", "1000.00")]
    assert tables["Open AP items"] == [("28601", "USD", "1", "-1000.00")]
    assert tables["Import items"] == [("DONE", "2"), ("ERROR", "2")]
    assert tables["Last vouchers"][-1][0] == "120002"
    assert tables["Last import errors"][0][2] == "Project V002-2601 is not open on 2026-11-02."


def test_an_empty_ledger_refuses_every_token(tmp_path: Path) -> None:
    db = open_state(tmp_path / "state.sqlite")
    assert ledger_overview(db)[0].rows[0] == ("entities", "0")
    _, content = answer(
        Ledger(db, clock=Clock(db)), authorization=AUTHORIZATION["Authorization"], body=b'{"query":"{__typename}"}'
    )
    assert b"unknown or has expired" in content
    db.close()
