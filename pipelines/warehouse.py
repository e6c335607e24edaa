"""The warehouse: the DuckDB file of staging tables and models; everything in it can be rebuilt."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import duckdb

from pipelines.errors import BusyError, ModelError
from pipelines.seals import SEALED_TABLES, sealed_files, sealed_mark
from pipelines.sent_objects import MOVED, PAYLOAD, SENT_TABLES, read_corrections, sent_rows

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from pipelines.control import Control
    from pipelines.settings import Settings

SCHEMAS = ("stg_vms", "stg_ledger", "seed", "map", "post", "rec", "close", "ctl")
STORAGE_VERSION = "v1.0.0"

# When DuckDB gives memory back: by itself it keeps hundreds of megabytes that it has no use for, to no gain in time.
ALLOCATOR = ("allocator_flush_threshold", "allocator_bulk_deallocation_flush_threshold")

# What the models read of the settings: table -> columns.
SETTINGS_TABLES: Mapping[str, str] = {
    "settings": "today DATE, xgl VARCHAR, closed_period VARCHAR, acknowledge VARCHAR, rate_days INTEGER, "
    "rate_owner INTEGER, rate_type VARCHAR, rate_overwrite BOOLEAN, confirm_bank_changes BOOLEAN, is_dry_run BOOLEAN",
    "companies": "company_code VARCHAR, owner_code INTEGER, link_code INTEGER, payables_account VARCHAR, "
    "receivables_account VARCHAR",
    "vat_accounts": "account VARCHAR",
    "reverse_charge": "vat_code VARCHAR",
    "tax_rules": "vat_code VARCHAR, tax_rule VARCHAR",
    "accrual_control": "company_code VARCHAR, document_type VARCHAR, account VARCHAR",
    "gl_sign": "company_code VARCHAR, gl_sign INTEGER",
    "supplier_types": "partner_type_code VARCHAR",
    "customer_types": "partner_type_code VARCHAR",
    "charterer_types": "partner_type_code VARCHAR",
}

# Which batch had the warehouse last, as the control store knows it.
_WAREHOUSE_BATCH = "warehouse.last_batch"

MONTHS_COLUMNS = "month_start DATE, month_end DATE, calendar_year INTEGER, calendar_month INTEGER"

# What the models read of the control store: table -> columns, copied under the same names. Payloads stay there.
CONTROL_TABLES: Mapping[str, str] = {
    "outbox": "id VARCHAR, kind VARCHAR, natural_key VARCHAR, target VARCHAR, company_code VARCHAR, "
    "owner_code INTEGER, document_key BIGINT, document_no VARCHAR, state VARCHAR, attempts INTEGER, "
    "payload_hash VARCHAR, source_hash VARCHAR, look_up VARCHAR, remote_ids VARCHAR, error_code VARCHAR, "
    "last_error VARCHAR, batch_id VARCHAR, created_at VARCHAR, updated_at VARCHAR, sent_at VARCHAR",
    "ignored": "company VARCHAR, document_key BIGINT, document_no VARCHAR, reason VARCHAR, operator VARCHAR, "
    "since VARCHAR, until VARCHAR",
    "holds": "hold_id BIGINT, company VARCHAR, document_key BIGINT, document_no VARCHAR, rule VARCHAR, "
    "severity VARCHAR, message VARCHAR, since VARCHAR, until VARCHAR, batch_id VARCHAR",
    "bank_changes": "change_id BIGINT, partner_code VARCHAR, old_account VARCHAR, new_account VARCHAR, "
    "seen_at VARCHAR, decided_at VARCHAR, decided_by VARCHAR, decision VARCHAR, reason VARCHAR",
    "rejected": "rejected_id BIGINT, side VARCHAR, entity VARCHAR, object_key VARCHAR, document_no VARCHAR, "
    "member VARCHAR, message VARCHAR, since VARCHAR, until VARCHAR, batch_id VARCHAR",
    "first_day": "today DATE",
    "breaks": "break_id BIGINT, kind VARCHAR, subject VARCHAR, company VARCHAR, document_key BIGINT, "
    "document_no VARCHAR, message VARCHAR, next_step VARCHAR, figures_hash VARCHAR, since VARCHAR, until VARCHAR, "
    "accepted_by VARCHAR, accepted_at VARCHAR, accepted_hash VARCHAR, comment VARCHAR, batch_id VARCHAR",
    "closes": "period VARCHAR, state VARCHAR, opened_at VARCHAR, sealed_at VARCHAR, sealed_by VARCHAR, "
    "pack_hash VARCHAR, figures VARCHAR, batch_id VARCHAR, updated_at VARCHAR",
}
# How far each source has been read: copied where both sides are compared, since every batch moves some of it.
CURSORS_COLUMNS = "source VARCHAR, value VARCHAR, batch_id VARCHAR, moved_at VARCHAR"
# Intents that are copied at a time: what they hold in memory is a few dozen megabytes.
COPIED_AT_ONCE = 20_000


def open_warehouse(path: Path) -> duckdb.DuckDBPyConnection:
    """Open the warehouse file for writing and create its schemas.

    Raises BusyError when another process has it open, ModelError when it is no DuckDB file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        connection = duckdb.connect(str(path))
    except duckdb.IOException as error:
        if "lock" in str(error).lower():
            message = f"Another batch holds the warehouse {path}."
            raise BusyError(message, next_step="wait for it to end, or look at `springline status`.") from error
        message = f"The warehouse {path} cannot be opened: {error}"
        raise ModelError(
            message, next_step="move the file away; the next run rebuilds it from both systems."
        ) from error
    for name in ALLOCATOR:
        connection.execute(f"SET {name} = '1MB'")
    for schema in SCHEMAS:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    return connection


def replace_rows(
    connection: duckdb.DuckDBPyConnection, table: str, columns: str, rows: Iterable[Sequence[object]]
) -> None:
    """Make ``table`` hold just ``rows``; ``columns`` is its column list as in CREATE TABLE."""
    connection.execute(f"CREATE OR REPLACE TABLE {table} ({columns})")
    insert_rows(connection, table, rows)


def replace_when_changed(
    connection: duckdb.DuckDBPyConnection, tables: Mapping[str, tuple[str, Sequence[Sequence[object]]]]
) -> None:
    """Make each table hold just its rows (table -> columns and rows), leaving alone those that hold them already.

    Nothing is bound to a statement where nothing has changed: a bound value makes DuckDB import pandas.
    """
    connection.execute("CREATE TABLE IF NOT EXISTS ctl.contents (table_name VARCHAR, digest VARCHAR)")
    known = dict(connection.execute("SELECT table_name, digest FROM ctl.contents").fetchall())
    for table, (columns, rows) in tables.items():
        digest = hashlib.sha256(f"{columns}\0{list(rows)!r}".encode()).hexdigest()
        if known.get(table) == digest:
            continue
        replace_rows(connection, table, columns, rows)
        connection.execute(f"DELETE FROM ctl.contents WHERE table_name = '{table}'")  # noqa: S608 our own names
        connection.execute(f"INSERT INTO ctl.contents VALUES ('{table}', '{digest}')")  # noqa: S608 our own names


def insert_rows(connection: duckdb.DuckDBPyConnection, table: str, rows: Iterable[Sequence[object]]) -> None:
    """Add rows to a table in one statement; values are cast to the table's types, amounts must be Decimal or text."""
    columns = list(zip(*rows, strict=True))
    if not columns:
        return
    import pyarrow as pa  # noqa: PLC0415 an idle run has no rows to add

    connection.register("rows_to_insert", pa.table({f"c{i}": list(column) for i, column in enumerate(columns)}))
    connection.execute(f"INSERT INTO {table} SELECT * FROM rows_to_insert")  # noqa: S608 table names are ours
    connection.unregister("rows_to_insert")


def write_settings(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    *,
    today: date,
    tax_rules: Mapping[str, str],
    is_dry_run: bool = False,
) -> None:
    """Write what the models need of the settings into schema ``seed``; ``tax_rules`` maps VAT code to ledger rule."""
    posting, partners, rates = settings.posting, settings.partners, settings.rates
    rows: dict[str, Sequence[tuple[object, ...]]] = {
        "settings": [
            (
                today,
                posting.xgl,
                posting.closed_period,
                posting.acknowledge,
                rates.days,
                rates.owner,
                rates.type,
                rates.overwrite,
                partners.confirm_bank_changes,
                is_dry_run,
            )
        ],
        "companies": [(c.code, c.owner, c.link, c.payables_account, c.receivables_account) for c in settings.companies],
        "vat_accounts": [(account,) for account in posting.vat_accounts],
        "reverse_charge": [(code,) for code in posting.reverse_charge],
        "tax_rules": sorted(tax_rules.items()),
        "accrual_control": [
            (company, document_type, account)
            for company, accounts in sorted(posting.accrual_control.items())
            for document_type, account in sorted(accounts.items())
        ],
        "gl_sign": sorted(posting.gl_sign.items()),
        "supplier_types": [(code,) for code in partners.supplier_types],
        "customer_types": [(code,) for code in partners.customer_types],
        "charterer_types": [(code,) for code in partners.charterer_types],
    }
    replace_when_changed(
        connection, {f"seed.{table}": (columns, rows[table]) for table, columns in SETTINGS_TABLES.items()}
    )
    connection.execute(
        """
        CREATE TABLE IF NOT EXISTS seed.months AS
        SELECT
            CAST(day AS DATE) AS month_start, last_day(CAST(day AS DATE)) AS month_end,
            CAST(year(day) AS INTEGER) AS calendar_year, CAST(month(day) AS INTEGER) AS calendar_month
        FROM range(TIMESTAMP '2000-01-01', TIMESTAMP '2100-01-01', INTERVAL 1 MONTH) AS months (day)
        """
    )


def take_over(connection: duckdb.DuckDBPyConnection, control: Control, *, batch_id: str) -> None:
    """Begin a batch on this warehouse, and forget how far both systems were read unless the batch before had it too.

    The cursors are in the control store and outlive a warehouse that is deleted, or put back from an older copy: what
    they say was read would be missing in it. To be killed between the two writes costs one full reading.
    """
    connection.execute("CREATE TABLE IF NOT EXISTS ctl.last_batch (batch_id VARCHAR)")
    row = connection.execute("SELECT batch_id FROM ctl.last_batch").fetchone()
    is_known = row is not None and row[0] == control.one("SELECT value FROM meta WHERE name = ?", (_WAREHOUSE_BATCH,))
    statement = "UPDATE ctl.last_batch SET batch_id =" if row else "INSERT INTO ctl.last_batch SELECT"
    connection.execute(f"{statement} '{batch_id}'")
    with control.write() as store:
        if not is_known:
            store.execute("DELETE FROM cursors")
        store.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (_WAREHOUSE_BATCH, batch_id))


def copy_control(connection: duckdb.DuckDBPyConnection, control: Control) -> None:
    """Bring the warehouse's copy of the control tables up to date; of the outbox only what has moved since.

    The chain of its events tells what that is, and whether this is the outbox that was copied before.
    """
    replace_when_changed(
        connection,
        {
            f"ctl.{table}": (columns, _control_rows(control, table, columns))
            for table, columns in CONTROL_TABLES.items()
            if table != "outbox"
        },
    )
    _copy_sealed(connection, control)
    connection.execute(f"CREATE TABLE IF NOT EXISTS ctl.cursors ({CURSORS_COLUMNS})")
    copied = {"outbox": CONTROL_TABLES["outbox"], **SENT_TABLES}
    present = connection.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'ctl'").fetchall()
    is_complete = copied.keys() <= {name for (name,) in present}
    for table, columns in copied.items():
        connection.execute(f"CREATE TABLE IF NOT EXISTS ctl.{table} ({columns})")
    last = _event(control, "ORDER BY event_no DESC")
    known = connection.execute("SELECT digest FROM ctl.contents WHERE table_name = 'moved'").fetchone()
    if is_complete and known == (last,):
        return
    since = _last_copied(control, known[0]) if is_complete and known else 0
    connection.execute("BEGIN")
    for table in () if since else copied:
        connection.execute(f"DELETE FROM ctl.{table}")  # noqa: S608 our own names
    _copy_moved(connection, control, copied, since=since)
    connection.execute("DELETE FROM ctl.contents WHERE table_name = 'moved'")
    connection.execute(f"INSERT INTO ctl.contents VALUES ('moved', '{last}')")  # noqa: S608 a number and a hash
    connection.execute("COMMIT")


def _copy_sealed(connection: duckdb.DuckDBPyConnection, control: Control) -> None:
    """Copy what sealed periods consisted of, all anew when another one was sealed."""
    [(table, columns)] = SEALED_TABLES.items()
    mark = sealed_mark(control)
    known = connection.execute(f"SELECT digest FROM ctl.contents WHERE table_name = '{table}'").fetchone()  # noqa: S608 our own names
    if known == (mark,):
        return
    connection.execute(f"CREATE OR REPLACE TABLE ctl.{table} ({columns})")
    for content in sealed_files(control):
        from pyarrow import BufferReader, parquet  # noqa: PLC0415 an idle run copies nothing

        connection.register("sealed_file", parquet.read_table(BufferReader(content)))
        names = ", ".join(_names(columns))
        connection.execute(f"INSERT INTO ctl.{table} SELECT {names} FROM sealed_file")  # noqa: S608 our own names
        connection.unregister("sealed_file")
    connection.execute(f"DELETE FROM ctl.contents WHERE table_name = '{table}'")  # noqa: S608 our own names
    connection.execute(f"INSERT INTO ctl.contents VALUES ('{table}', '{mark}')")  # noqa: S608 a hash


def copy_cursors(connection: duckdb.DuckDBPyConnection, control: Control) -> None:
    """Copy how far each source has been read, and when."""
    replace_rows(connection, "ctl.cursors", CURSORS_COLUMNS, _control_rows(control, "cursors", CURSORS_COLUMNS))


def _event(control: Control, which: str) -> str:
    """Return the number and the hash of an event of the outbox, nothing when there is none."""
    found = control.one(f"SELECT event_no || ' ' || hash FROM outbox_events {which} LIMIT 1")  # noqa: S608 our own words
    return str(found or "")


def _last_copied(control: Control, copied: str) -> int:
    """Return the number of the last event that was copied; 0 when the control store has no such event (any more)."""
    number = copied.partition(" ")[0]
    is_there = number.isdecimal() and _event(control, f"WHERE event_no = {number}") == copied
    return int(number) if is_there else 0


def _copy_moved(
    connection: duckdb.DuckDBPyConnection, control: Control, copied: Mapping[str, str], *, since: int
) -> None:
    """Copy the intents that have moved since an event, and what they stand for, some at a time; all of them when 0."""
    names = _names(copied["outbox"])
    moved_since = MOVED if since else "TRUE"
    statement = f"SELECT {', '.join(names)}, {PAYLOAD} FROM outbox WHERE {moved_since}"  # noqa: S608 our own names
    corrections = read_corrections(control)
    for intents in control.pages(statement, {"since": since}, size=COPIED_AT_ONCE):
        replace_rows(connection, "ctl.moved", "id VARCHAR", [(intent["id"],) for intent in intents])
        moved: dict[str, Sequence[Sequence[object]]] = {
            "outbox": [tuple(intent)[: len(names)] for intent in intents],
            **sent_rows(intents, corrections),
        }
        for table, rows in moved.items():
            if since:
                connection.execute(f"DELETE FROM ctl.{table} WHERE id IN (SELECT id FROM ctl.moved)")  # noqa: S608 our names
            insert_rows(connection, f"ctl.{table}", rows)
    connection.execute("DROP TABLE IF EXISTS ctl.moved")


def _names(columns: str) -> list[str]:
    return re.findall(r"(?:^|, )(\w+) ", columns)


def _control_rows(
    control: Control, table: str, columns: str, *, where: str = "TRUE", values: Sequence[str] = ()
) -> list[tuple[object, ...]]:
    rows = control.read(f"SELECT {', '.join(_names(columns))} FROM {table} WHERE {where}", values)  # noqa: S608 our own names
    return [tuple(row) for row in rows]
