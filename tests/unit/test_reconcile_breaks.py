"""Breaks open when they are found, keep their age, and close by themselves."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from unittest.mock import Mock, patch

import pytest

from pipelines.models import steps
from pipelines.reconcile.of_comparison import note_compared_breaks
from pipelines.reconcile.of_returns import note_payment_breaks, rate_break, undone_break
from pipelines.reconcile.update import update_breaks
from pipelines.step.context import Context
from pipelines.stores.breaks import Break
from pipelines.stores.control import Control
from pipelines.stores.marks import mark_of
from pipelines.stores.versions import control_folder, migrations
from tests.support.vms_in_memory import World

KIND = "match undone"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "ctl.sqlite")
    yield world
    world.control.close()
    world.warehouse.close()


def found(subject: str, *, figure: str = "1") -> Break:
    return Break(KIND, subject, "something differs", "look", figures={"amount": figure})


def test_what_is_found_opens_and_what_is_gone_closes(world: World) -> None:
    assert update_breaks(world.context(), {KIND}, [found("a"), found("b")]) == 2
    world.at = datetime(2026, 11, 3, 8, tzinfo=UTC)
    assert update_breaks(world.context(), {KIND}, [found("b"), found("c")]) == 2
    assert world.breaks() == [(KIND, "b"), (KIND, "c")]
    rows = world.control.read("SELECT subject, substr(since, 1, 10) AS since, until IS NULL AS is_open FROM breaks")
    assert {(row["subject"], row["since"], row["is_open"]) for row in rows} == {
        ("a", "2026-11-02", 0),
        ("b", "2026-11-02", 1),
        ("c", "2026-11-03", 1),
    }


def test_what_stands_as_it_did_is_not_written_again(world: World) -> None:
    def noted() -> list[tuple[str, ...]]:
        rows = world.control.read("SELECT subject, message, next_step, batch_id FROM breaks ORDER BY subject")
        return [tuple(row) for row in rows]

    update_breaks(world.context(), {KIND}, [found("a"), found("b"), found("c")])
    changed = [found("a"), found("b", figure="2"), replace(found("c"), message="it differs more")]
    update_breaks(replace(world.context(), batch_id="b2"), {KIND}, changed)
    assert noted() == [
        ("a", "something differs", "look", "b1"),
        ("b", "something differs", "look", "b2"),
        ("c", "it differs more", "look", "b2"),
    ]


def test_other_kinds_are_left_alone(world: World) -> None:
    update_breaks(world.context(), {KIND}, [found("a")])
    assert update_breaks(world.context(), {"exchange rate differs"}, []) == 0
    assert world.breaks() == [(KIND, "a")]


def test_an_accepted_break_stands_again_when_its_figures_move(world: World) -> None:
    update_breaks(world.context(), {KIND}, [found("a")])
    accept_all(world)
    assert update_breaks(world.context(), {KIND}, [found("a")]) == 0
    assert update_breaks(world.context(), {KIND}, [found("a", figure="2")]) == 1


def worded(reason: str, *, amount: str = "1250.5000") -> Break:
    """Make a break as the comparison does: its reason ends the message, and stands among the figures."""
    return Break(KIND, "a", f"INI 2707400: {reason}", "look", figures={"figures": f"{amount}|0.0000|{reason}"})


def accept_all(world: World) -> None:
    with world.control.write() as connection:
        connection.execute("UPDATE breaks SET accepted_hash = figures_hash, accepted_by = 'kari'")


def test_an_acceptance_stands_when_a_release_writes_its_figures_in_another_way(world: World) -> None:
    update_breaks(world.context(), {KIND}, [worded("the VMS has NOK 12500.50, the ledger 1000 on account 2400")])
    accept_all(world)
    rewritten = worded("the VMS has NOK 12,500.50, the ledger NOK 1,000.00 on account 2400")
    assert update_breaks(world.context(), {KIND}, [rewritten]) == 0
    # Bound to the new words from now on: the next batch finds it as it stands.
    assert update_breaks(world.context(), {KIND}, [rewritten]) == 0


@pytest.mark.parametrize(
    "moved",
    [
        worded("the VMS has NOK 12,500.51, the ledger NOK 1,000.00"),
        worded("the VMS has NOK 12,500.50, the ledger NOK 10,000.00"),
        worded("the VMS has NOK 12,500.50, the ledger NOK 1,000.00", amount="1250.6000"),
        worded("the VMS has NOK 12,500.50, the ledger NOK 1,000.00; its status in the VMS is RFP again"),
    ],
)
def test_an_acceptance_falls_when_a_figure_moves_as_it_is_written_in_another_way(world: World, moved: Break) -> None:
    update_breaks(world.context(), {KIND}, [worded("the VMS has NOK 12500.50, the ledger 1000")])
    accept_all(world)
    assert update_breaks(world.context(), {KIND}, [moved]) == 1


def test_a_break_names_amounts_as_people_write_them() -> None:
    row = {
        "subject": "XL902-5200777",
        "company_code": "28601",
        "document_key": 5_200_777,
        "document_no": "2707400",
        "row_db_id": 902,
        "voucher_no": 120_388,
        "currency_code": "JPY",
        "sent_amount": Decimal("1000000.0000"),
        "settled_amount": Decimal("0.0000"),
    }
    message = undone_break(row).message
    assert "Payment 120388 (row 902) settled JPY 1,000,000 of document 2707400" in message
    assert "settles JPY 0 of it now" in message
    rate = {
        "rate_date": date(2026, 11, 2),
        "from_currency": "NOK",
        "to_currency": "USD",
        "vms_rate": Decimal("0.100000000000000"),
        "ledger_rate": Decimal("0.105"),
    }
    assert "NOK to USD of 2026-11-02 is 0.1 in the VMS and 0.105 in the ledger" in rate_break(rate).message


def test_a_match_leg_that_is_missing_is_named(world: World) -> None:
    world.warehouse.execute("CREATE OR REPLACE TABLE post.payment_breaks (kind VARCHAR)")
    world.warehouse.execute(
        "CREATE TABLE post.unplaced_matches AS "
        "SELECT 28601 AS owner_code, 'AP' AS side, 0 AS match_id, 902 AS row_db_id, 120388 AS voucher_no, "
        "'60526' AS subledger_code, 'DR' AS source_code, 'not matched' AS reason, "
        "'match it.' AS next_step, TRUE AS is_break"
    )
    assert note_payment_breaks(world.context()).breaks == 1
    assert world.breaks() == [("payment not placed", "AP 902")]
    message = str(world.control.one("SELECT message FROM breaks"))
    assert message == "AP row 902 of voucher 120388, partner 60526, source DR, no match: not matched."


def test_a_break_of_an_earlier_release_gets_its_month(tmp_path: Path) -> None:
    subjects = {
        "2026-10 5200777": "2026-10-01",
        "2026-09-30:NOK:USD": "2026-09-01",
        "2860-2 5200777": None,
        "5200777": None,
        "supplier:28600:60526": None,
    }
    path = tmp_path / "ctl.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(migrations(control_folder())[0].read_text(encoding="utf-8"))
        connection.executemany(
            "INSERT INTO breaks (kind, subject, message, next_step, figures_hash, since, batch_id) "
            "VALUES ('any', ?, '', '', '', '', '')",
            [(subject,) for subject in subjects],
        )
        connection.commit()
    control = Control(path)
    assert {row["subject"]: row["period_month"] for row in control.read("SELECT * FROM breaks")} == subjects
    control.close()


def test_a_break_gets_its_month_when_it_is_found_again(world: World) -> None:
    update_breaks(world.context(), {KIND}, [found("a")])
    update_breaks(world.context(), {KIND}, [replace(found("a"), period_month=date(2026, 10, 1))])
    assert world.control.one("SELECT period_month FROM breaks") == "2026-10-01"


@pytest.mark.parametrize(("figure", "builds"), [("1", 0), ("2", 1)])
def test_figures_that_move_show_at_once_in_what_stops_a_close(world: World, figure: str, builds: int) -> None:
    def mark(ctx: Context, *moves: str) -> str:
        return mark_of(control=ctx.control, moves=moves)

    with (
        patch.multiple(steps, content_mark=mark, copy_control=Mock(), open_models=Mock()),
        patch.object(steps, "build") as build,
    ):
        update_breaks(world.context(), {KIND}, [found("a")])
        steps.build_stops(world.context())
        update_breaks(world.context(), {KIND}, [found("a", figure=figure)])
        steps.build_stops(world.context())
    assert build.call_count == 1 + builds


def compare(world: World, *breaks: tuple[str, str]) -> None:
    """Put these kinds and subjects into rec.breaks, and note them."""
    world.warehouse.execute("CREATE SCHEMA IF NOT EXISTS rec")
    world.warehouse.execute(
        "CREATE OR REPLACE TABLE rec.breaks (kind VARCHAR, subject VARCHAR, company_code VARCHAR, document_key BIGINT, "
        "document_no VARCHAR, period_month DATE, message VARCHAR, next_step VARCHAR, figures VARCHAR)"
    )
    for kind, subject in breaks:
        world.warehouse.execute(
            "INSERT INTO rec.breaks VALUES (?, ?, NULL, NULL, NULL, NULL, 'differs', 'look', '1')", [kind, subject]
        )
    note_compared_breaks(world.context())


def test_every_kind_whose_last_row_is_gone_is_closed(world: World) -> None:
    update_breaks(world.context(), {KIND}, [found("a")])
    compare(world, ("document amount differs", "1"), ("document in a state that is new", "2"))
    assert world.breaks() == [("document amount differs", "1"), ("document in a state that is new", "2"), (KIND, "a")]
    compare(world)
    assert world.breaks() == [(KIND, "a")]
