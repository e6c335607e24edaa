"""The pack of one period's close: its tables as Parquet, a workbook, and a summary that vouches for all of them."""

# ruff: noqa: S608 - statements are made of our own names and of a day, never of data

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from pipelines import __version__
from pipelines.close.sheets import of_period, write_close_workbook
from pipelines.core.errors import ModelError, UsageError
from pipelines.core.literals import literal
from pipelines.publish.steps import PACKS, close_words, first_line, open_published, put_folder, stage
from pipelines.stores.control import named_statements
from pipelines.stores.rows import rows_of
from pipelines.stores.seals import SEALED, Preparer

if TYPE_CHECKING:
    from pipelines.step.context import Context

SUMMARY, WORKBOOK, ENTRIES = "summary.json", "close.xlsx", "period_entries"

# The tables of the pack, of each the rows of the period.
TABLES = (
    "close.accrual_rollforward",
    "close.accruals_vs_actuals",
    "close.breaks",
    "close.bunker_adjustments",
    "close.late_postings",
    "close.missing_rates",
    "close.open_documents",
    "close.period_entries",
    "close.unreversed_accruals",
    "close.untransferred_payments",
    "close.voyage_actuals",
    "rec.control_accounts",
)
# The figures of the summary, as sql/questions/close.sql adds them up.
FIGURES = ("breaks", "accepted", "accrual_rollforward", "accruals_vs_actuals", "control_accounts")
_READ_AT = "SELECT max(moved_at) FROM cursors WHERE source LIKE ?"


@dataclass(frozen=True, slots=True)
class Standing:
    """What a pack is: draft or sealed, which version, who drew it up (last first), who sealed it; each reopening."""

    state: str
    version: int
    prepared: tuple[Preparer, ...]
    sealed: Preparer | None
    reopened: tuple[Mapping[str, Any], ...]

    def sentence(self) -> str:
        """Say it in words, for whoever holds the workbook in hand."""
        # Why there is another version belongs to it; why there were earlier ones stands in theirs.
        why = next((one for one in self.reopened if one["version"] == self.version), None)
        return close_words(
            version=self.version,
            prepared=[(one.operator, one.at) for one in self.prepared],
            sealed=(self.sealed.operator, self.sealed.at) if self.sealed else None,
            reopened=(why["operator"], why["at"], why["reason"]) if why else None,
        )


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack in its place: its folder, the hash that vouches for it, its summary, and the entries of the period."""

    folder: Path
    pack_hash: str
    summary: Mapping[str, Any]

    def entries(self) -> bytes:
        """Return what the period consisted of, as the Parquet file of the pack."""
        return (self.folder / f"{ENTRIES}.parquet").read_bytes()


def pack_folder(published: Path, period: date, version: int) -> Path:
    """Return where a version of a period's pack is: beside those that were sealed before.

    >>> [pack_folder(Path("published"), date(2026, 10, 1), version).as_posix() for version in (1, 2)]
    ['published/close/2026-10', 'published/close/2026-10-v2']
    """
    return published / PACKS / (f"{period:%Y-%m}" if version == 1 else f"{period:%Y-%m}-v{version}")


def write_pack(ctx: Context, period: date, standing: Standing) -> Pack:
    """Write the pack of a period (the first day of its month) and put it in place of the draft before.

    ``standing`` goes into the summary and the workbook. ModelError when it could not be written, UsageError when a
    sealed pack stands there whose seal this control store does not know; what stands there is then as it was.
    """
    place = pack_folder(ctx.settings.published, period, standing.version)
    _refuse_unknown_seal(ctx, place)
    try:
        open_published(ctx.settings)
        with stage(place.parent) as aside:
            made = aside / place.name
            made.mkdir()
            for table in TABLES:
                _write_table(ctx.warehouse, made, table, of_period(table, literal(period)))
            state = f"version {standing.version}, {standing.state}"
            write_close_workbook(ctx.warehouse, made / WORKBOOK, period, state=state, standing=standing.sentence())
            files = {path.name: _hash(path) for path in sorted(made.iterdir())}
            summary = _summary(ctx, period, standing, files=files)
            # After all others, since it holds their hashes.
            (made / SUMMARY).write_text(json.dumps(summary, indent=2, default=str), encoding="utf-8")
            # In one move: a pack is never half of one close and half of another.
            put_folder(made, place)
    except (duckdb.Error, OSError) as error:
        raise ModelError(
            f"{place} could not be written: {first_line(error)}",
            next_step="see that its disk has room and that this user may write there.",
        ) from error
    # Of the file as it stands in its place: this is what the seal vouches for.
    return Pack(place, _hash(place / SUMMARY), summary)


def _refuse_unknown_seal(ctx: Context, place: Path) -> None:
    """Keep a pack that was sealed from being overwritten after an older control store was put back."""
    if not (place / SUMMARY).is_file():
        return
    told = json.loads((place / SUMMARY).read_text("utf-8"))
    # A run that was killed between pack and seal is known by its batch: what it left is a draft, whatever it says.
    if told["state"] != SEALED or ctx.control.one("SELECT 1 FROM batches WHERE batch_id = ?", (told["batch"],)):
        return
    raise UsageError(
        f"{place} is a sealed pack, and this control store knows nothing of its seal: an older one was put back.",
        next_step="put back the newest backup of the control store; where there is none, keep this folder elsewhere "
        "and run again.",
    )


def pack_faults(folder: Path, pack_hash: str) -> tuple[str, ...]:
    """Return what differs in a pack from what was sealed, a sentence a file; nothing when every byte is the same."""
    summary = folder / SUMMARY
    if not summary.is_file():
        return (f"{folder} is not there any more.",)
    if _hash(summary) != pack_hash:
        return (f"{summary} is not the one that was sealed.",)
    # The summary holds the hash of every other file, and the seal that of the summary: so one hash vouches for all.
    faults: list[str] = []
    for name, sealed_hash in json.loads(summary.read_text("utf-8"))["files"].items():
        if not (folder / name).is_file():
            faults.append(f"{folder / name} is not there any more.")
        elif _hash(folder / name) != sealed_hash:
            faults.append(f"{folder / name} is not the one that was sealed.")
    return tuple(faults)


def _write_table(connection: duckdb.DuckDBPyConnection, folder: Path, table: str, condition: str) -> None:
    path = folder / f"{table.partition('.')[2]}.parquet"
    # In one order, so that the same content has the same hash.
    rows = f"SELECT * FROM {table} WHERE {condition} ORDER BY ALL"
    connection.execute(f"COPY ({rows}) TO {literal(path)} (FORMAT parquet, COMPRESSION zstd)")


def _summary(ctx: Context, period: date, standing: Standing, *, files: Mapping[str, str]) -> dict[str, Any]:
    statements = named_statements("close", folder="questions")
    return {
        "period": f"{period:%Y-%m}",
        "state": standing.state,
        "version": standing.version,
        "standing": standing.sentence(),
        "prepared": [asdict(one) for one in standing.prepared],
        "sealed_by": standing.sealed and standing.sealed.operator,
        "sealed_at": standing.sealed and standing.sealed.at,
        "reopened": standing.reopened,
        "written_at": ctx.now().isoformat(timespec="seconds"),
        "batch": ctx.batch_id,
        "today": ctx.today,
        "springline": __version__,
        "as_of": {side: ctx.control.one(_READ_AT, (f"{side}.%",)) for side in ("vms", "ledger")},
        **{name: rows_of(ctx.warehouse.execute(statements[name], [period])) for name in FIGURES},
        "files": files,
    }


def _hash(path: Path) -> str:
    # Read in blocks: entries of a month can be many megabytes.
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
