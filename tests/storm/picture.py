"""What both systems and Springline's stores hold, without ids and times: two worlds with the same story look alike."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Collection
from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING, Any

import duckdb

from tests.storm.site import Site

if TYPE_CHECKING:
    from pathlib import Path

# Ids in the order of creation, and what is made of them.
_IDS = re.compile(r"C?20000\d{3}|52\d{5}")
_LEFT_OUT = re.compile(r"(DbId|dbId|key|Id|seq|At|Date|transactionNumber|url)$")
# As it stands in an import item, and in the text of what was sent.
_FILE = re.compile(r'\\?"invoiceFile\\?": ?\\?"[^"\\]*\\?", ?')
# Dates that are content.
_DATES = frozenset({"documentDate", "exchangeRateDate", "postedDate", "fromDate", "paymentDate"})
# Documents are entered anew in it, whoever writes them; deltas and the log of changes tell how, not what.
_NOT_BOOKS = frozenset({"AuditLog", "ledger_deltas", "ledger_webhook_posts", "sandbox_settings", "sqlite_sequence"})
_OWN = (
    "SELECT 'outbox', kind, state, count(*) FROM outbox GROUP BY 2, 3",
    "SELECT 'hold', document_no, rule, count(*) FROM holds WHERE until IS NULL GROUP BY 2, 3",
    "SELECT 'break', kind, subject, count(*) FROM breaks WHERE until IS NULL GROUP BY 2, 3",
    "SELECT 'bank change', partner_code, coalesce(decision, 'waits'), count(*) FROM bank_changes GROUP BY 2, 3",
    "SELECT 'decision', action, coalesce(document_no, ''), count(*) FROM decisions GROUP BY 2, 3",
)


def take_picture(site: Site) -> Counter[str]:
    """Describe everything, each thing with how often it is there."""
    seen = _books(site.folder.parent / "sandbox.sqlite")
    for statement in _OWN:
        for *words, count in site.ask(statement):
            seen[" ".join(map(str, words))] += count
    seen.update(_published(site.folder / "published"))
    return seen


def without_files(picture: Counter[str]) -> Counter[str]:
    """Leave out which file went along with an invoice."""
    seen = Counter[str]()
    for what, count in picture.items():
        if not what.startswith("ledger_invoice_files"):
            seen[_FILE.sub("", what)] += count
    return seen


def on_batch_days(picture: Counter[str], days: Collection[date]) -> Counter[str]:
    """Take these days for one where something is due on them: a credit note is due on the day it is posted."""
    due = re.compile("|".join(f"(?<=dueDate.....){day.isoformat()}" for day in days))
    seen = Counter[str]()
    for what, count in picture.items():
        seen[due.sub("the batch's", what)] += count
    return seen


def _books(state: Path) -> Counter[str]:
    seen = Counter[str]()
    with closing(sqlite3.connect(f"file:{state}?mode=ro", uri=True)) as file:
        for entity, body in file.execute("SELECT entity, body FROM vms_objects"):
            if entity not in _NOT_BOOKS:
                seen[f"VMS {entity} {_content(body, is_vms=True)}"] += 1
        names = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE name LIKE 'ledger_%'")]
        for name in names:
            if name in _NOT_BOOKS or "index" in name or name == "ledger_deltas_at":
                continue
            for (body,) in file.execute(f"SELECT body FROM {name}"):  # noqa: S608 names of this file itself
                seen[f"{name} {_content(body, is_vms=False)}"] += 1
    return seen


def _content(body: bytes | str, *, is_vms: bool) -> str:
    kept = {}
    for name, value in json.loads(body).items():
        is_reference = is_vms and isinstance(value, int) and not isinstance(value, bool) and value > 1_000_000
        if name in _DATES or not (_LEFT_OUT.search(name) or is_reference or isinstance(value, list)):
            kept[name] = value
    return _IDS.sub("#", json.dumps(kept, sort_keys=True))


def _published(folder: Path) -> Counter[str]:
    """Name the published files, and count the rows of each table."""
    seen = Counter[str]()
    for place in sorted(folder.rglob("*")):
        inside = place.relative_to(folder)
        if place.is_file() and inside.parts[0] != ".old":
            seen[f"file {re.sub(r'[0-9a-f]{16}', '#', str(inside))}"] += 1
    database = folder / "springline.duckdb"
    if database.exists():
        with duckdb.connect(str(database), read_only=True) as connection:
            rows: list[Any] = connection.execute(
                "SELECT schema_name, table_name, estimated_size FROM duckdb_tables() WHERE schema_name <> 'ctl'"
            ).fetchall()
        seen.update(f"table {schema}.{table} of {size} rows" for schema, table, size in rows)
    return seen
