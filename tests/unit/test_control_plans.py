"""What each batch asks of the outbox is found by an index, so that it takes no longer as the history grows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pipelines.load.ledger.master_data import STAGES
from pipelines.outbox.intent import Kind
from pipelines.stores.control import Control, named_statements

if TYPE_CHECKING:
    from pathlib import Path

BY_STATE = "outbox_by_state (kind=? AND state=?)"
# The statements that a batch makes on its way, and by which indexes each finds its rows.
ON_THE_WAY = {
    ("batches", "asked_again"): ("outbox_by_document",),
    ("batches", "sent"): ("outbox_by_time",),
    ("batches", "standing"): ("SEARCH outbox USING COVERING INDEX outbox_by_state",),
    ("decisions", "documents_named"): ("outbox_by_number", "outbox_by_document"),
    ("extract", "acknowledged"): ("outbox_by_document",),
    ("extract", "sent_since_import_was_read"): ("outbox_by_time",),
    ("outbox", "in_flight"): (BY_STATE,),
    ("outbox", "vouchers"): ("outbox_by_number",),
}


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    path: Path = tmp_path_factory.mktemp("plans") / "springline.ctl.sqlite"
    with closing(Control(path)) as opened:
        yield opened


@pytest.mark.parametrize("named", ON_THE_WAY, ids=".".join)
def test_the_outbox_is_not_gone_through(control: Control, named: tuple[str, str]) -> None:
    file, name = named
    statement = named_statements(file)[name]
    plan = control.read(f"EXPLAIN QUERY PLAN {statement}", dict.fromkeys(re.findall(r":(\w+)", statement), "[]"))
    of_outbox = [row["detail"] for row in plan if re.match(r"(SCAN|SEARCH) outbox\b", row["detail"])]
    assert of_outbox
    assert [text for text in of_outbox if not any(index in text for index in ON_THE_WAY[named])] == []


def test_what_was_last_written_is_all_master_data_and_corrections() -> None:
    kinds = set(re.findall(r"'(\w+)'", named_statements("extract")["last_written"])) - {"ledger"}
    assert kinds == {*(stage.kind for stage in STAGES), Kind.CORRECTION}
