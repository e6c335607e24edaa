"""A month is sealed when nothing stops it that nobody has accepted, and only as whoever seals it has seen it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

import pytest

from pipelines.close import run
from pipelines.stores.seals import open_close
from tests.support.landing import NOW, make_context

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.step.context import Context

OCTOBER = date(2026, 10, 1)
BREAKS = (
    "rank_no INTEGER, break_id BIGINT, kind VARCHAR, subject VARCHAR, company_code VARCHAR, document_no VARCHAR, "
    "voyage_no VARCHAR, account VARCHAR, partner_code VARCHAR, partner_name VARCHAR, amount DECIMAL(38, 4), "
    "currency_code VARCHAR, company_amount DECIMAL(38, 4), company_currency_code VARCHAR, reason VARCHAR, "
    "next_step VARCHAR, since TIMESTAMP, age_days INTEGER, is_accepted BOOLEAN, accepted_by VARCHAR, "
    "accepted_at TIMESTAMP, accepted_reason VARCHAR, period_month DATE"
)


class Written:
    """A pack, of which nothing is written."""

    pack_hash = "hash"
    summary = MappingProxyType(dict.fromkeys(("breaks", "accrual_rollforward", "control_accounts"), 0))

    def entries(self) -> bytes:
        return b"entries"


@pytest.fixture
def ctx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Context]:
    context = make_context(tmp_path)
    context.warehouse.execute(f"CREATE TABLE close.breaks ({BREAKS})")
    context.warehouse.execute("CREATE TABLE close.period_entries (period_month DATE, company_amount DECIMAL(38, 4))")
    open_close(context.control, "2026-10", at=NOW.isoformat())

    monkeypatch.setattr(run, "write_pack", lambda *_: Written())
    yield context
    context.warehouse.close()
    context.control.close()


def stop(ctx: Context, *, is_accepted: bool) -> None:
    ctx.warehouse.execute(
        "INSERT INTO close.breaks (rank_no, kind, subject, is_accepted, period_month) "
        "VALUES (1, 'document held', '1', ?, ?)",
        [is_accepted, OCTOBER],
    )


def seal(ctx: Context, *, seen: str | None = None) -> str:
    """Seal October where that can be done; give its state."""
    run._conclude(ctx, OCTOBER, is_sealing=True, seen=seen)
    return cast("str", ctx.control.one("SELECT state FROM closes"))


def test_a_month_that_nothing_stops_is_sealed(ctx: Context) -> None:
    assert seal(ctx) == "sealed"


@pytest.mark.parametrize(("is_accepted", "state"), [(True, "sealed"), (False, "draft")])
def test_only_what_is_accepted_lets_a_month_be_sealed(ctx: Context, *, is_accepted: bool, state: str) -> None:
    stop(ctx, is_accepted=is_accepted)
    assert seal(ctx) == state


def test_a_month_is_sealed_only_as_it_was_seen(ctx: Context) -> None:
    seen = run._conclude(ctx, OCTOBER, is_sealing=False, seen=None).seen
    ctx.warehouse.execute("INSERT INTO close.period_entries VALUES (?, 100)", [OCTOBER])
    moved = run._conclude(ctx, OCTOBER, is_sealing=True, seen=seen)
    assert (moved.has_moved, ctx.control.one("SELECT state FROM closes")) == (True, "draft")
    assert seal(ctx, seen=moved.seen) == "sealed"
