"""When the documents job looks at the ledger: for something new, and once an hour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pipelines.contracts.tables import create_staging_tables
from pipelines.extract import ledger, steps
from pipelines.extract.land import ReadCounts
from tests.support.landing import NOW, make_context

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.step.context import Context


@dataclass
class Looks:
    """A batch at any time, and how often the ledger was read."""

    ctx: Context
    count: int = 0

    def after(self, *, age: int = 0, **passed: int) -> int:
        """Let time pass, look when it is due, and give how often the ledger has been read so far."""
        ctx = replace(self.ctx, ledger_age=timedelta(seconds=age), batch_id=f"b{passed}")
        steps.read_ledger_when_due(replace(ctx, now=lambda: NOW + timedelta(**passed)))
        return self.count

    def document(self, key: int, fetch_id: str, status: str = "RFP") -> None:
        """Let a document come by a reading."""
        self.ctx.warehouse.execute(
            "INSERT INTO stg_vms.documents (document_key, fetch_id, status_code) VALUES (?, ?, ?)",
            [key, fetch_id, status],
        )


@pytest.fixture
def looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Looks]:
    looks = Looks(make_context(tmp_path))
    create_staging_tables(looks.ctx.warehouse)

    def read(_ctx: Context) -> ReadCounts:
        looks.count += 1
        return ReadCounts()

    monkeypatch.setattr(ledger, "extract_master_data", read)
    yield looks
    looks.ctx.warehouse.close()
    looks.ctx.control.close()


def test_the_first_run_looks_and_then_one_an_hour(looks: Looks) -> None:
    counts = [looks.after(seconds=seconds) for seconds in range(0, 3601, 100)]
    assert (counts[0], counts[-2], counts[-1]) == (1, 1, 2)


def test_a_new_or_changed_document_is_looked_for_at_once(looks: Looks) -> None:
    looks.document(1, "b1.1")
    assert looks.after(seconds=0) == 1
    looks.document(2, "b2.1")
    assert looks.after(seconds=10) == 2
    looks.ctx.warehouse.execute("UPDATE stg_vms.documents SET fetch_id = 'b3.1' WHERE document_key = 1")
    assert looks.after(seconds=20) == 3
    assert looks.after(seconds=30) == 3


def test_a_document_that_left_or_is_not_open_costs_nothing(looks: Looks) -> None:
    looks.document(1, "b1.1")
    looks.after(seconds=0)
    looks.ctx.warehouse.execute("UPDATE stg_vms.documents SET status_code = 'POS'")
    looks.document(2, "b2.1", "PEN")
    assert looks.after(seconds=10) == 1


def test_a_clock_that_went_back_looks_anew(looks: Looks) -> None:
    looks.after(hours=2)
    assert looks.after(hours=1) == 2


def test_while_documents_come_a_young_look_does_for_the_next_ones(looks: Looks) -> None:
    looks.document(1, "b1.1")
    assert looks.after(seconds=0, age=10) == 1
    looks.document(2, "b2.1")
    assert looks.after(seconds=9, age=10) == 1
    # What is still open is looked for once the look is old, or a run wants to know.
    assert looks.after(seconds=9) == 2
    looks.document(3, "b3.1")
    assert looks.after(seconds=18, age=10) == 2
    assert looks.after(seconds=19, age=10) == 3


def test_what_we_wrote_to_the_ledger_is_read_whatever_the_age(looks: Looks, monkeypatch: pytest.MonkeyPatch) -> None:
    looks.document(1, "b1.1")
    looks.after(seconds=0, age=10)
    monkeypatch.setattr(steps, "_last_written", lambda _ctx: "2026-07-01T10:00:01Z")
    assert looks.after(seconds=2, age=10) == 2
