"""Closes a period: reads both sides back, says what stops it, writes its pack, and seals it when nothing does."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Unpack

from pipelines.batch.run import EXIT_BREAKS, BatchOptions, accounting_day, chosen_jobs, run_batch
from pipelines.close.pack import Pack, pack_faults, pack_folder, write_pack
from pipelines.core.errors import UsageError
from pipelines.core.periods import next_month, read_period
from pipelines.stores.control import Control, named_statements, utc_text
from pipelines.stores.rows import Row, rows_of
from pipelines.stores.seals import Close, Run, Seal, open_close, read_close, record_run, seal_period

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.core.settings import Settings
    from pipelines.step.context import Context

# Nothing is sent: a close looks at both sides as they are.
RECONCILE = ("reconcile",)
DRAFT, SEALED = "draft", "sealed"
_FAILED = "SELECT count(*) FROM steps WHERE batch_id = ? AND outcome = 'failed'"


@dataclass(frozen=True, slots=True)
class CloseResult:
    """How a close ended.

    ``state`` is draft, sealed, or None when both sides could not be read; ``stops`` are rows of close.breaks, largest
    first; ``faults`` says what is wrong with a pack that was sealed.
    """

    period: str
    state: str | None
    sealed_at: str | None
    is_over: bool
    was_sealed: bool
    pack: Path
    stops: tuple[Mapping[str, Any], ...]
    faults: tuple[str, ...]
    problems: tuple[str, ...]
    exit_code: int

    @property
    def open(self) -> tuple[Mapping[str, Any], ...]:
        """What stops the close and nobody has accepted."""
        return tuple(row for row in self.stops if not row["is_accepted"])

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
            "sealed_at": self.sealed_at,
            "pack": str(self.pack),
            "totals": self.totals(),
            "breaks": [dict(row) for row in self.stops],
            "faults": list(self.faults),
            "problems": list(self.problems),
            "exit_code": self.exit_code,
        }


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How a period stands after its close, and what was seen while the batch had the warehouse."""

    close: Close | None = None
    stops: Sequence[Row] = ()
    faults: tuple[str, ...] = ()


def run_close(
    settings: Settings,
    *,
    period: str,
    **options: Unpack[BatchOptions],
) -> CloseResult:
    """Read both sides back and close a period (2026-10) as far as possible; send nothing to either side.

    A sealed period keeps its pack, which is only compared with its seal. Raises UsageError for a text that is no period
    and for a period that has not begun, and whatever keeps a batch from beginning.
    """
    now = options["now"]()
    # Once for all of it: begun just before midnight, a close must not end on another day.
    day = options["today"] = options.get("today") or accounting_day(now)
    month = _month(period, today=day)
    was_sealed = _open_period(settings, period, at=utc_text(now))
    outcomes: list[_Outcome] = []

    def look(context: Context) -> None:
        # Where a step failed, one side may be as of yesterday: a pack of that would vouch for figures nobody compared.
        if not context.control.one(_FAILED, (context.batch_id,)):
            outcomes.append(_conclude(context, month))

    result = run_batch(settings, jobs=chosen_jobs(RECONCILE), look=look, **options)
    outcome = outcomes[0] if outcomes else _Outcome()
    close = outcome.close
    # A sealed pack that was changed must stop a script too, although nothing else does.
    is_open = bool(outcome.faults) or any(not row["is_accepted"] for row in outcome.stops)
    return CloseResult(
        period=period,
        state=None if close is None else close.state,
        sealed_at=None if close is None else close.sealed_at,
        is_over=_is_over(month, today=day),
        was_sealed=was_sealed,
        pack=pack_folder(settings.published, month),
        stops=tuple(outcome.stops),
        faults=outcome.faults,
        problems=result.problems,
        exit_code=result.exit_code if close is None else EXIT_BREAKS if is_open else 0,
    )


def _month(period: str, *, today: date) -> date:
    """Return the first day of a period that has begun."""
    month = read_period(period)
    # A month can be drawn up before it is over, to see early what will stop it.
    if month > today:
        raise UsageError(f"{period} has not begun: it is {today}.", next_step="close a period that is over.")
    return month


def _is_over(month: date, *, today: date) -> bool:
    return next_month(month) <= today


def _open_period(settings: Settings, period: str, *, at: str) -> bool:
    """Enter a period in the list of closes, from which the models of this batch read it; tell whether it is sealed."""
    with closing(Control(settings.control_path)) as control:
        open_close(control, period, at=at)
        close = read_close(control, period)
        return close is not None and close.is_sealed


def _conclude(ctx: Context, month: date) -> _Outcome:
    """See what stops the close; then check the pack of a sealed period, or draw one up, or seal it."""
    period = f"{month:%Y-%m}"
    stops = rows_of(ctx.warehouse.execute(named_statements("close", folder="questions")["stops"], [month]))
    accepted = sum(bool(row["is_accepted"]) for row in stops)
    run = Run(period, ctx.batch_id, ctx.operator, utc_text(ctx.now()), len(stops) - accepted, accepted)
    close = read_close(ctx.control, period)
    faults: tuple[str, ...] = ()
    if close is not None and close.is_sealed:
        # What came since is listed and changes nothing: auditors have been given this pack.
        faults = pack_faults(pack_folder(ctx.settings.published, month), close.pack_hash or "")
        _record(ctx, run, "looked at", None)
    elif run.break_count or not _is_over(month, today=ctx.today):
        _record(ctx, run, "drawn up", write_pack(ctx, month, state=DRAFT).pack_hash)
    else:
        # The seal comes last: a run that is killed before it leaves a draft, which the next one writes anew.
        pack = write_pack(ctx, month, state=SEALED)
        seal_period(ctx.control, run, _seal(ctx, month, pack))
    return _Outcome(read_close(ctx.control, period), stops, faults)


def _seal(ctx: Context, month: date, pack: Pack) -> Seal:
    """Return what is kept of a sealed period in the control store, where it outlives its pack and the warehouse."""
    counted = ctx.warehouse.execute("SELECT count(*) FROM close.period_entries WHERE period_month = ?", [month])
    (entry_count,) = counted.fetchone() or (0,)
    figures = {name: pack.summary[name] for name in ("breaks", "accrual_rollforward", "control_accounts")}
    return Seal(pack.pack_hash, json.dumps(figures, default=str), pack.entries(), int(entry_count))


def _record(ctx: Context, run: Run, action: str, pack_hash: str | None) -> None:
    with ctx.control.write() as connection:
        record_run(connection, run, action=action, pack_hash=pack_hash)
