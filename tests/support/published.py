"""A small warehouse and control store to publish, and what a reader in another process sees of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from pipelines.core.table_ref import TableRef
from pipelines.publish.edition.contents import Edition, TableText, Texts
from pipelines.publish.edition.database import write_database
from pipelines.stores.control import Control
from pipelines.stores.warehouse import SCHEMAS

REPOSITORY = Path(__file__).parents[2]
NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
EDITION = Edition(NOW, "b1", NOW.date(), "0.1.0", NOW, None)
OUTBOX = "id VARCHAR, kind VARCHAR, created_at VARCHAR, last_error VARCHAR"

DOCUMENTS = {
    "document_key": "BIGINT",
    "amount_vms": "DECIMAL(38,4)",
    "period_month": "DATE",
    "next_step": "VARCHAR",
}
LINES = {"document_key": "BIGINT", "voucher_date": "DATE", "subledger_bank_account": "VARCHAR"}
TEXTS: Texts = {
    TableRef("rec", "documents"): TableText("One document.", {name: f"its {name}" for name in DOCUMENTS}, DOCUMENTS),
    TableRef("post", "voucher_lines"): TableText("One line.", {name: f"its {name}" for name in LINES}, LINES),
    TableRef("close", "breaks"): TableText("What stops.", {"subject": "what it is"}, {"subject": "VARCHAR"}),
    TableRef("ctl", "outbox"): TableText("One write.", {"id": "which one"}),
    TableRef("analysis", "months"): TableText(
        "One month.",
        {"period_month": "the month", "amount": "what it comes to"},
        {"period_month": "DATE", "amount": "DECIMAL(38,4)"},
        "SELECT period_month, sum(amount_vms) AS amount  -- of all\nFROM rec.documents GROUP BY period_month  -- end",
    ),
}


@dataclass(slots=True)
class Stores:
    """A warehouse and a control store in a folder, published into `published` beside them."""

    folder: Path
    warehouse: duckdb.DuckDBPyConnection
    control: Control

    @property
    def published(self) -> Path:
        return self.folder / "published"

    @property
    def file(self) -> Path:
        return self.published / "springline.duckdb"

    def publish(self, *, at: datetime = NOW, texts: Texts = TEXTS) -> Path:
        edition = replace(EDITION, published_at=at, as_of_vms=at)
        return write_database(self.warehouse, self.control, self.published, texts=texts, edition=edition)

    def read(self, sql: str) -> list[tuple[object, ...]]:
        """Ask the published file in a connection of its own."""
        with duckdb.connect(str(self.file), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def add_event(self, detail: str | None = None) -> None:
        """Move the one intent of the outbox once more."""
        with self.control.write() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO outbox (id, kind, natural_key, target, state, payload, payload_hash, "
                "source_hash, batch_id, created_at, updated_at) "
                "VALUES ('i', 'voucher', '1', 'ledger', 'sent', '{\"iban\": \"86011117947\"}', '', '', 'b0', ?, ?)",
                (NOW.isoformat(), NOW.isoformat()),
            )
            number = 1 + connection.execute("SELECT count(*) FROM outbox_events").fetchone()[0]
            connection.execute(
                "INSERT INTO outbox_events (outbox_id, at, batch_id, to_state, payload_hash, detail, previous_hash, "
                "hash) VALUES ('i', ?, 'b0', 'sent', '', ?, '', ?)",
                (NOW.isoformat(), detail, f"hash {number}"),
            )


def make_stores(folder: Path) -> Stores:
    """Make a warehouse with two tables, one of them a view, and a control store with one event."""
    folder.mkdir(exist_ok=True)
    warehouse = duckdb.connect(str(folder / "springline.duckdb"))
    for schema in SCHEMAS:
        warehouse.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    warehouse.execute(
        "CREATE TABLE rec.documents AS SELECT range AS document_key, CAST(range AS DECIMAL(38,4)) + 0.1 AS amount_vms, "
        "DATE '2026-09-01' + INTERVAL (range % 3) MONTH AS period_month, 'look' AS next_step FROM range(300)"
    )
    warehouse.execute("ALTER TABLE rec.documents ALTER period_month TYPE DATE")
    warehouse.execute(
        "CREATE VIEW post.voucher_lines AS SELECT document_key, CAST(NULL AS DATE) AS voucher_date, "
        "'NO93 8601 1117 947' AS subledger_bank_account FROM rec.documents"
    )
    warehouse.execute("CREATE TABLE post.left_behind AS SELECT 1 AS a")
    warehouse.execute(f"CREATE TABLE ctl.outbox ({OUTBOX})")
    warehouse.execute(
        "INSERT INTO ctl.outbox VALUES ('i', 'voucher', '2026-11-02T08:00:00.000000+00:00', "
        "'bankAccount: 8601.11.17947 or NO9386011117947 is wrong')"
    )
    stores = Stores(folder, warehouse, Control(folder / "springline.ctl.sqlite"))
    stores.add_event()
    return stores


def start(code: str, arguments: Iterable[str], environ: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """Run Python code in a process of its own, in the repository; it may be talked to."""
    return subprocess.Popen(  # noqa: S603 our own code
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
        env=environ,
    )
