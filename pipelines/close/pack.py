"""The pack of one period's close: its tables as Parquet, a workbook, and a summary that vouches for all of them."""

# ruff: noqa: S608 - statements are made of our own names and of a day, never of data

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from pipelines import __version__
from pipelines.close.workbook import write_close_workbook
from pipelines.core.errors import ModelError
from pipelines.publish.edition.swap import put_folder, stage

if TYPE_CHECKING:
    from pipelines.step.context import Context

FOLDER = "close"
SUMMARY, WORKBOOK, ENTRIES = "summary.json", "close.xlsx", "period_entries"

# Tables of the pack -> which of their rows belong to the period; what is not reversed yet comes from months before too.
TABLES: Mapping[str, str] = {
    "close.accrual_rollforward": "period_month = {day}",
    "close.accruals_vs_actuals": "period_month = {day}",
    "close.breaks": "period_month = {day}",
    "close.bunker_adjustments": "period_month = {day}",
    "close.late_postings": "period_month = {day}",
    "close.missing_rates": "period_month = {day}",
    "close.open_documents": "period_month = {day}",
    "close.period_entries": "period_month = {day}",
    "close.unreversed_accruals": "period_month <= {day}",
    "close.untransferred_payments": "period_month = {day}",
    "close.voyage_actuals": "period_month = {day}",
    "rec.control_accounts": "period_month = {day}",
}
_ROLLFORWARD = """
SELECT company_code, min(company_currency_code) AS currency_code, sum(opening) AS opening, sum(posted) AS posted,
    sum(reversed) AS reversed, sum(closing) AS closing, sum(unreversed_amount) AS unreversed_amount
FROM close.accrual_rollforward WHERE period_month = {day} GROUP BY company_code ORDER BY company_code
"""
_ACCRUALS = """
SELECT company_code, state, count(*) AS row_count, sum(difference) AS difference
FROM close.accruals_vs_actuals WHERE period_month = {day} GROUP BY company_code, state ORDER BY company_code, state
"""
_CONTROL_ACCOUNTS = """
SELECT owner_code, control_account, currency_code, open_vms, balance_ledger, difference, state
FROM rec.control_accounts WHERE period_month = {day} ORDER BY owner_code, control_account, currency_code
"""
_READ_AT = "SELECT max(moved_at) FROM cursors WHERE source LIKE ?"
_KINDS = """
SELECT kind, company_code, count(*) AS row_count, count(*) FILTER (is_accepted) AS accepted_count,
    sum(abs(company_amount)) AS company_amount
FROM close.breaks WHERE period_month = {day} GROUP BY kind, company_code ORDER BY kind, company_code
"""


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack in its place: its folder, the hash that vouches for it, its summary, and the entries of the period."""

    folder: Path
    pack_hash: str
    summary: Mapping[str, Any]

    def entries(self) -> bytes:
        """Return what the period consisted of, as the Parquet file of the pack."""
        return (self.folder / f"{ENTRIES}.parquet").read_bytes()


def pack_folder(published: Path, period: date) -> Path:
    """Return where the pack of a period is.

    >>> pack_folder(Path("published"), date(2026, 10, 1)).as_posix()
    'published/close/2026-10'
    """
    return published / FOLDER / f"{period:%Y-%m}"


def write_pack(ctx: Context, period: date, *, state: str) -> Pack:
    """Write the pack of a period (the first day of its month) beside the one there is, and put it in its place.

    ``state`` is what the summary calls it: draft or sealed. ModelError when it could not be written; then the one
    before is still there.
    """
    place = pack_folder(ctx.settings.published, period)
    try:
        with stage(place.parent) as aside:
            made = aside / place.name
            made.mkdir()
            for table, condition in TABLES.items():
                _write_table(ctx.warehouse, made, table, condition.format(day=_day(period)))
            write_close_workbook(ctx.warehouse, made / WORKBOOK, period)
            summary = _summary(ctx, period, state=state, files=_hashes(made))
            (made / SUMMARY).write_text(json.dumps(summary, indent=2, default=str), encoding="utf-8")
            put_folder(made, place)
    except (duckdb.Error, OSError) as error:
        raise ModelError(
            f"{place} could not be written: {str(error).splitlines()[0]}",
            next_step="see that its disk has room and that this user may write there.",
        ) from error
    return Pack(place, _hash(place / SUMMARY), summary)


def pack_faults(folder: Path, pack_hash: str) -> tuple[str, ...]:
    """Say in words what is not as it was sealed in a pack; nothing when all bytes are."""
    summary = folder / SUMMARY
    if not summary.is_file():
        return (f"{folder} is not there any more.",)
    if _hash(summary) != pack_hash:
        return (f"{summary} is not the one that was sealed.",)
    files = json.loads(summary.read_text("utf-8"))["files"]
    return tuple(
        f"{folder / name} is not there any more."
        if not (folder / name).is_file()
        else f"{folder / name} is not the one that was sealed."
        for name, wanted in files.items()
        if not (folder / name).is_file() or _hash(folder / name) != wanted
    )


def _write_table(connection: duckdb.DuckDBPyConnection, folder: Path, table: str, condition: str) -> None:
    path = str(folder / f"{table.partition('.')[2]}.parquet").replace("'", "''")
    connection.execute(
        f"COPY (SELECT * FROM {table} WHERE {condition} ORDER BY ALL) TO '{path}' (FORMAT parquet, COMPRESSION zstd)"
    )


def _summary(ctx: Context, period: date, *, state: str, files: Mapping[str, str]) -> dict[str, Any]:
    day = _day(period)
    return {
        "period": f"{period:%Y-%m}",
        "state": state,
        "drawn_up_at": ctx.now().isoformat(timespec="seconds"),
        "batch": ctx.batch_id,
        "operator": ctx.operator,
        "today": ctx.today,
        "springline": __version__,
        "as_of": {side: ctx.control.one(_READ_AT, (f"{side}.%",)) for side in ("vms", "ledger")},
        "breaks": _rows(ctx, _KINDS.format(day=day)),
        "accrual_rollforward": _rows(ctx, _ROLLFORWARD.format(day=day)),
        "accruals_vs_actuals": _rows(ctx, _ACCRUALS.format(day=day)),
        "control_accounts": _rows(ctx, _CONTROL_ACCOUNTS.format(day=day)),
        "files": files,
    }


def _rows(ctx: Context, query: str) -> list[dict[str, Any]]:
    cursor = ctx.warehouse.execute(query)
    columns = [column[0] for column in cursor.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def _hashes(folder: Path) -> dict[str, str]:
    return {path.name: _hash(path) for path in sorted(folder.iterdir())}


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _day(period: date) -> str:
    return f"DATE '{period:%Y-%m-%d}'"
