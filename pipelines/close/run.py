"""Closes a period: reads both sides back, says what stops it, drafts its pack, and seals it when a person says so."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Unpack

from pipelines.batch.run import EXIT_BREAKS, BatchOptions, accounting_day, chosen_jobs, run_batch
from pipelines.close.pack import Standing, pack_faults, pack_folder, write_pack
from pipelines.core.errors import UsageError
from pipelines.core.periods import next_month, read_period
from pipelines.stores.control import Control, named_statements, utc_text
from pipelines.stores.lost import open_control
from pipelines.stores.rows import Row, rows_of
from pipelines.stores.seals import (
    DRAFT,
    SEALED,
    Close,
    Preparer,
    Run,
    Seal,
    open_close,
    pack_hashes,
    preparers,
    read_close,
    record_run,
    reopenings,
    seal_period,
)

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.close.pack import Pack
    from pipelines.core.settings import Settings
    from pipelines.step.context import Context

# Nothing is sent: a close looks at both sides as they are.
RECONCILE = ("reconcile",)
_FAILED = "SELECT count(*) FROM steps WHERE batch_id = ? AND outcome = 'failed'"


@dataclass(frozen=True, slots=True)
class CloseResult:
    """How a look at a period ended.

    ``close`` is how the period stands, None when both sides could not be read and it is not sealed. ``stops`` are rows
    of close.breaks, largest first; ``faults`` says what is wrong with packs that were sealed; ``prepared`` who drew up
    the version that ``pack`` is, ``reopened`` each reopening. ``seen`` is a hash of what the period consists of and
    what stops it, None where nothing was read; ``has_moved`` tells that a seal was asked for what is no longer there.
    """

    period: str
    close: Close | None
    is_over: bool
    was_sealed: bool
    pack: Path
    stops: tuple[Mapping[str, Any], ...]
    faults: tuple[str, ...]
    problems: tuple[str, ...]
    exit_code: int
    prepared: tuple[Preparer, ...] = ()
    reopened: tuple[Mapping[str, Any], ...] = ()
    seen: str | None = None
    has_moved: bool = False

    @property
    def state(self) -> str | None:
        """Return draft, reopened or sealed; None when both sides could not be read."""
        return None if self.close is None else self.close.state

    @property
    def open(self) -> tuple[Mapping[str, Any], ...]:
        """What stops the close and nobody has accepted."""
        return tuple(row for row in self.stops if not row["is_accepted"])

    @property
    def accepted(self) -> tuple[Mapping[str, Any], ...]:
        """What would stop the close if nobody had accepted it."""
        return tuple(row for row in self.stops if row["is_accepted"])

    @property
    def can_be_sealed(self) -> bool:
        """Tell whether nothing is left but that somebody seals it."""
        return self.seen is not None and self.is_over and self.state != SEALED and not self.open

    def totals(self) -> dict[str, dict[str, int]]:
        """Count what stops the close by kind: open and accepted."""
        counts: dict[str, dict[str, int]] = {}
        for row in self.stops:
            count = counts.setdefault(row["kind"], {"open": 0, "accepted": 0})
            count["accepted" if row["is_accepted"] else "open"] += 1
        return counts

    def as_dict(self) -> dict[str, object]:
        """Return the object that `close --json` prints."""
        return {
            "period": self.period,
            "state": self.state,
            "version": self.close and self.close.pack_version,
            # Of a month that is reopened the seal is that of an earlier version.
            "sealed_at": self.close.sealed_at if self.close and self.close.is_sealed else None,
            "sealed_by": self.close.sealed_by if self.close and self.close.is_sealed else None,
            "prepared": [asdict(one) for one in self.prepared],
            "reopened": [dict(one) for one in self.reopened],
            "pack": str(self.pack),
            "totals": self.totals(),
            "breaks": [dict(row) for row in self.stops],
            "faults": list(self.faults),
            "problems": list(self.problems),
            "exit_code": self.exit_code,
        }


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What was seen of a period while the batch had the warehouse."""

    stops: Sequence[Row] = ()
    seen: str | None = None
    has_moved: bool = False


@dataclass(frozen=True, slots=True)
class _Record:
    """How a period stands in the control store."""

    close: Close
    prepared: tuple[Preparer, ...]
    reopened: tuple[Mapping[str, Any], ...]
    hashes: Mapping[int, str]


def run_close(
    settings: Settings,
    *,
    period: str,
    is_sealing: bool = False,
    seen: str | None = None,
    **options: Unpack[BatchOptions],
) -> CloseResult:
    """Read both sides back, say what stops a period (2026-10), and draft its pack; send nothing to either side.

    Only with ``is_sealing`` the period is sealed, when it is over, nothing stops it that nobody has accepted, and it is
    what ``seen`` says (a hash of an earlier result; None: whatever it is). A sealed period keeps its pack, which is
    only compared with its seal. Raises UsageError for a text that is no period, for a period that has not begun, to
    seal one that is not over, and whatever keeps a batch from beginning.
    """
    now = options["now"]()
    # Once for all of it: begun just before midnight, a close must not end on another day.
    day = options["today"] = options.get("today") or accounting_day(now)
    month = _month(period, today=day, is_sealing=is_sealing)
    before = _open_period(settings, period, at=utc_text(now))
    outcomes: list[_Outcome] = []

    def look(context: Context) -> None:
        # Where a step failed, one side may be as of yesterday: a pack of that would vouch for figures nobody compared.
        if not context.control.one(_FAILED, (context.batch_id,)):
            outcomes.append(_conclude(context, month, is_sealing=is_sealing, seen=seen))

    result = run_batch(settings, jobs=chosen_jobs(RECONCILE), look=look, **options)
    outcome = outcomes[0] if outcomes else _Outcome()
    with closing(open_control(settings)) as control:
        record = _read_record(control, period)
    faults = _faults(settings.published, month, before.hashes)
    # A sealed pack that was changed must stop a script too, although nothing else does.
    is_open = bool(faults) or outcome.has_moved or any(not row["is_accepted"] for row in outcome.stops)
    is_known = bool(outcomes) or record.close.is_sealed
    return CloseResult(
        period=period,
        close=record.close if is_known else None,
        is_over=_is_over(month, today=day),
        was_sealed=before.close.is_sealed,
        pack=pack_folder(settings.published, month, record.close.pack_version),
        stops=tuple(outcome.stops),
        faults=faults,
        problems=result.problems,
        exit_code=result.exit_code if not outcomes else EXIT_BREAKS if is_open else 0,
        prepared=record.prepared,
        reopened=record.reopened,
        seen=outcome.seen,
        has_moved=outcome.has_moved,
    )


def _month(period: str, *, today: date, is_sealing: bool) -> date:
    """Return the first day of a period that has begun, and is over where it is to be sealed."""
    month = read_period(period)
    # A month can be drawn up before it is over, to see early what will stop it.
    if month > today:
        raise UsageError(f"{period} has not begun: it is {today}.", next_step="close a period that is over.")
    # Before anything is read: no look at it could make it over.
    if is_sealing and not _is_over(month, today=today):
        raise UsageError(
            f"{period} cannot be sealed: it is {today}, and the month is not over.",
            next_step=f"look at it without --seal; seal it from {next_month(month)} on.",
        )
    return month


def _is_over(month: date, *, today: date) -> bool:
    return next_month(month) <= today


def _open_period(settings: Settings, period: str, *, at: str) -> _Record:
    """Enter a period in the list of closes, from which the models of this batch read it; return how it stands."""
    with closing(open_control(settings)) as control:
        open_close(control, period, at=at)
        return _read_record(control, period)


def _read_record(control: Control, period: str) -> _Record:
    close = read_close(control, period)
    if close is None:
        raise AssertionError(period)  # it was entered before, and none is ever deleted
    return _Record(
        close,
        tuple(preparers(control, period, close.pack_version)),
        tuple(reopenings(control, period)),
        pack_hashes(control, period),
    )


def _faults(published: Path, month: date, hashes: Mapping[int, str]) -> tuple[str, ...]:
    """Return what differs in the packs that were sealed: of every version, since a reopened period keeps them all."""
    found = (pack_faults(pack_folder(published, month, version), of) for version, of in hashes.items())
    return tuple(fault for faults in found for fault in faults)


def _conclude(ctx: Context, month: date, *, is_sealing: bool, seen: str | None) -> _Outcome:
    """See what stops the close; then look at a sealed period, or draft the pack of one that is not, or seal it."""
    period = f"{month:%Y-%m}"
    stops = rows_of(ctx.warehouse.execute(named_statements("close", folder="questions")["stops"], [month]))
    outcome = _Outcome(stops, _hash_of(ctx, month, stops))
    accepted = sum(bool(row["is_accepted"]) for row in stops)
    close = _read_record(ctx.control, period).close
    at = utc_text(ctx.now())
    run = Run(period, close.pack_version, ctx.batch_id, ctx.operator, at, len(stops) - accepted, accepted)
    if close.is_sealed:
        # What came since is listed and changes nothing: auditors have been given this pack.
        _record(ctx, run, "looked at", None)
    elif is_sealing and not run.break_count and seen in {None, outcome.seen}:
        # The seal comes last: a run that is killed before it leaves a draft, which the next one writes anew.
        pack = write_pack(ctx, month, _standing(ctx, run, state=SEALED))
        seal_period(ctx.control, run, _seal(ctx, month, pack))
    else:
        pack = write_pack(ctx, month, _standing(ctx, run, state=DRAFT))
        _record(ctx, run, "drawn up", pack.pack_hash)
        has_moved = is_sealing and seen not in {None, outcome.seen}
        return _Outcome(outcome.stops, outcome.seen, has_moved)
    return outcome


def _hash_of(ctx: Context, month: date, stops: Sequence[Row]) -> str:
    """Hash what a person looks at before sealing: what the period consists of, what stops it, and what is accepted."""
    rows = [(row["kind"], row["subject"], row["amount"], row["company_amount"], row["is_accepted"]) for row in stops]
    counted = "SELECT count(*), CAST(sum(hash(one)) AS VARCHAR) FROM close.period_entries AS one WHERE period_month = ?"
    entries = ctx.warehouse.execute(counted, [month]).fetchone()
    return hashlib.sha256(repr((rows, entries)).encode()).hexdigest()


def _standing(ctx: Context, run: Run, *, state: str) -> Standing:
    """Say for the pack what it is: a draft or sealed, which version, and by whom."""
    before = preparers(ctx.control, run.period, run.version)
    now = Preparer(run.operator, run.at)
    # Who seals has drawn up nothing, unless nobody has: the pack then comes from their hand alone.
    drawn_up = [now, *(one for one in before if one.operator != now.operator)] if state == DRAFT else before or [now]
    return Standing(
        state=state,
        version=run.version,
        prepared=tuple(drawn_up),
        sealed=now if state == SEALED else None,
        reopened=tuple(reopenings(ctx.control, run.period)),
    )


def _seal(ctx: Context, month: date, pack: Pack) -> Seal:
    """Return what is kept of a sealed period in the control store, where it outlives its pack and the warehouse."""
    counted = ctx.warehouse.execute("SELECT count(*) FROM close.period_entries WHERE period_month = ?", [month])
    (entry_count,) = counted.fetchone() or (0,)
    figures = {name: pack.summary[name] for name in ("breaks", "accrual_rollforward", "control_accounts")}
    return Seal(pack.pack_hash, json.dumps(figures, default=str), pack.entries(), int(entry_count))


def _record(ctx: Context, run: Run, action: str, pack_hash: str | None) -> None:
    with ctx.control.write() as connection:
        record_run(connection, run, action=action, pack_hash=pack_hash)
