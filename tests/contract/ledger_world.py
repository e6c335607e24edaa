"""A small ledger for contract tests: one group, two companies, asked in-process through its routes."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Self, TypeAlias

import anyio
import httpx
import msgspec
from starlette.applications import Starlette

from pipelines.sandbox.clock import Clock
from pipelines.sandbox.ledger.routes import LEDGER_TOKEN, Ledger, ledger_routes, seed_ledger
from pipelines.sandbox.state import open_state

Json: TypeAlias = dict[str, Any]

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
AUTHORIZATION = {"Authorization": f"token {LEDGER_TOKEN}"}
NO_LIMITS = {"burst_requests": None, "concurrency": None, "credits_per_hour": None, "posting_every_minutes": None}
ADD_ITEMS = (
    "mutation($in:[AddGLImportItemsInput!]!){ addGLImportItems(inputs:$in)"
    "{ edges{ clientId node{ dbId trRegNumber jobLevel{ dbSubId name } } } } }"
)

SEED: dict[str, list[Json]] = {
    "currencies": [{"code": code, "minor": 0 if code == "JPY" else 2} for code in ("NOK", "USD", "SGD", "JPY")],
    "countries": [{"code": "NO"}, {"code": "SG"}],
    "entities": [
        {"ownerCode": 28600, "description": "Group", "currency": "NOK", "parent": None, "glObjects": {
            "glObject1": "VESSEL", "glObject3": "LOCATION"}},
        {"ownerCode": 28601, "description": "Norway", "currency": "NOK", "parent": 28600},
        {"ownerCode": 28602, "description": "Singapore", "currency": "SGD", "parent": 28600},
    ],
    "object_kinds": [{"name": "TAX_RULE"}],
    "object_values": [
        {"kind": "TAX_RULE", "code": "0", "description": "none", "owner": 28600, "percent": "0"},
        {"kind": "TAX_RULE", "code": "1", "description": "25 %", "owner": 28600, "percent": "25"},
        {"kind": "VESSEL", "code": "V001", "description": "MV Alpha", "owner": 28600},
        {"kind": "VESSEL", "code": "V002", "description": "MV Beta", "owner": 28600},
        {"kind": "LOCATION", "code": "FS", "description": "abroad", "owner": 28600},
    ],
    "accounts": [
        {"code": "1500", "description": "Receivables", "owner": 28600, "balanceSheet": True, "ledgerType": "AR"},
        {"code": "1920", "description": "Bank", "owner": 28600, "balanceSheet": True},
        {"code": "2400", "description": "Payables", "owner": 28600, "balanceSheet": True, "ledgerType": "AP"},
        {"code": "2700", "description": "Output VAT", "owner": 28600, "balanceSheet": True},
        {"code": "2710", "description": "Input VAT", "owner": 28600, "balanceSheet": True},
        {"code": "3000", "description": "Freight", "owner": 28600},
        {"code": "4300", "description": "Agency", "owner": 28600, "requires": ["project"]},
        {"code": "4310", "description": "Towage", "owner": 28600},
        {"code": "8160", "description": "Exchange loss", "owner": 28600},
    ],
    "xgl_dimensions": [{"code": "DLVMS", "owner": 28600}],
    "transaction_sources": [{"code": code} for code in ("AP", "AR", "GL", "DR", "OCR")],
    "suppliers": [
        {"code": "60526", "description": "Nordic Agency AS", "owner": 28600, "companyNumber": "974760673",
         "streetAddress": "Kaigata 1", "zipCode": "5003", "place": "Bergen", "country": "NO"},
        {"code": "70001", "description": "Both Ltd", "owner": 28600},
    ],
    "companies": [{"code": "70001", "description": "Both Ltd", "owner": 28600}],
    "customers": [{"code": "70001", "description": "Both Ltd", "owner": 28600, "company": "70001"}],
    "projects": [
        {"code": "V001-2601", "description": "MV Alpha V001-2601", "owner": 28600, "fromDate": "2026-01-01",
         "toDate": "2026-12-31", "glObject1": "V001"},
        {"code": "V002-2601", "description": "MV Beta V002-2601", "owner": 28600, "fromDate": "2026-01-01",
         "toDate": "2026-03-31", "glObject1": "V002"},
    ],
    "exchange_rates": [
        {"owner": 28600, "from": "USD", "to": "NOK", "rate": "10.5012", "fromDate": "2026-10-29"},
        {"owner": 28600, "from": "USD", "to": "NOK", "rate": "10.6", "fromDate": "2026-10-30"},
        {"owner": 28600, "from": "JPY", "to": "NOK", "unit": 100, "rate": "6.91", "fromDate": "2026-10-30"},
    ],
    "periods_closed": [{"owner": 28601, "period": "2026-07"}],
    "vouchers": [
        {"owner": 28601, "source": "GL", "postedDate": "2026-07-15", "text": "Opening", "lines": [
            {"account": "1920", "amount": "1000.00", "invoiceAmount": "1000.00"},
            {"account": "4310", "amount": "-1000.00", "invoiceAmount": "-1000.00"}]},
    ],
}  # fmt: skip


def write_seed(folder: Path, seed: dict[str, list[Json]] = SEED) -> Path:
    """Write a seed directory."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in seed.items():
        folder.joinpath(f"{name}.jsonl").write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
    return folder


@lru_cache(maxsize=1)
def seeded_state() -> Path:
    """Seed a state file, once for all tests of a process; worlds copy it."""
    folder = Path(tempfile.mkdtemp(prefix="ledger-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return make_state(folder)


def make_state(folder: Path) -> Path:
    """Seed a state file in a folder."""
    state = folder / "sandbox.sqlite"
    db = open_state(state)
    seed_ledger(db, write_seed(folder / "ledger"))
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return state


class World:
    """One ledger on a copy of a seeded state file, with no limits unless the test wants them."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "sandbox.sqlite"
        shutil.copy(seeded_state(), self.state)
        self.open()
        self.settings(**NO_LIMITS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        """Open the state file, anew after ``close``."""
        self._db = open_state(self.state)
        # Only what a test does moves this clock.
        self.clock = Clock(self._db, wall=lambda: NOW)
        self.ledger = Ledger(self._db, clock=self.clock)
        self.ledger.resume()
        self.app = Starlette(routes=ledger_routes(self.ledger))

    def close(self) -> None:
        """Let go of the state file."""
        self.ledger.close()
        self._db.close()

    def send(self, path: str, *, method: str = "POST", **request: Any) -> httpx.Response:  # noqa: ANN401
        """Send one request through the routes."""

        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://ledger") as client:
                return await client.request(method, path, **request)

        return anyio.run(send)

    def answer(self, query: str, variables: Json | None = None, *, token: str = LEDGER_TOKEN) -> Json:
        """Ask GraphQL and give the whole answer."""
        body = msgspec.json.encode({"query": query, "variables": variables})
        response = self.send("/graphql", content=body, headers={"Authorization": f"token {token}"})
        assert response.status_code == 200, response.text
        answer: Json = response.json()
        return answer

    def ask(self, query: str, variables: Json | None = None) -> Json:
        """Ask GraphQL and give the data of an answer without errors."""
        answer = self.answer(query, variables)
        assert "errors" not in answer, answer
        data: Json = answer["data"]
        return data

    def nodes(self, query: str, variables: Json | None = None) -> list[Json]:
        """Ask for one connection and give its nodes."""
        (connection,) = self.ask(query, variables).values()
        return [edge["node"] for edge in connection["edges"] or []]

    def rows(self, name: str, selection: str, page: str = "first: 99") -> list[Json]:
        """Give what is selected of the rows of a connection."""
        return self.nodes(f"{{ {name}({page}){{ edges{{ node{{ {selection} }} }} }} }}")

    def add(self, *nodes: Json) -> list[Json]:
        """Import lines and give the edges."""
        edges: list[Json] = self.ask(ADD_ITEMS, items(*nodes))["addGLImportItems"]["edges"]
        return edges

    def control(self, path: str, body: object = None) -> Any:  # noqa: ANN401 (any JSON value)
        """Use the control API: GET without a body, POST with one; gives the answer of a request that was done."""
        response = self.hand(path, body)
        assert response.status_code == 200, response.text
        return response.json()

    def hand(self, path: str, body: object = None) -> httpx.Response:
        """Use the control API and give the response."""
        if body is None:
            return self.send(f"/_sandbox/ledger/{path}", method="GET")
        return self.send(f"/_sandbox/ledger/{path}", content=msgspec.json.encode(body))

    def settings(self, **changed: object) -> None:
        """Switch settings."""
        self.control("settings", changed)

    def post(self) -> Json:
        """Run the posting job."""
        done: Json = self.control("post", {})
        return done


def items(*nodes: Json) -> Json:
    """Give the variables of an import."""
    return {"in": [{"clientId": str(place), "node": node} for place, node in enumerate(nodes)]}


def line(account: str, amount: str, /, *, number: int = 9131, **more: Any) -> Json:  # noqa: ANN401
    """Give a line of a USD supplier invoice at a rate of 10.5; None takes a member out."""
    values = {
        "owner": {"ownerCode": 28601},
        "transactionSource": {"code": "AP"},
        "trRegNumber": number,
        "postedDate": "2026-11-02",
        "account": {"code": account},
        "currency": {"code": "USD"},
        "invoiceAmount": amount,
        "amount": f"{Decimal(amount) * Decimal('10.5'):.2f}",
        "glObject1": {"code": "V001"},
        "project": {"code": "V001-2601"},
        "jobLevel": {"dbSubId": 1},
    } | more
    return {name: value for name, value in values.items() if value is not None}


def invoice(*, number: int = 9131, amount: str = "1000.00", invoice_number: str = "F-881", **more: Any) -> list[Json]:  # noqa: ANN401
    """Give a supplier invoice: one payable line and one cost line."""
    control = {
        "subledger": {"code": "60526"},
        "invoiceNumber": invoice_number,
        "invoiceDate": "2026-11-02",
        "dueDate": "2026-12-01",
        "text": f"{number} Nordic Agency AS",
        "trItemNumber": 1,
    }
    cost = {"trItemNumber": 2, "text": "Agency fee"}
    return [
        line("2400", f"-{amount}", number=number, **control | more),
        line("4300", amount, number=number, **cost | more),
    ]
