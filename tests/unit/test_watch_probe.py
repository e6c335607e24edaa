"""What a look at the VMS shows: what came, changed or left, and what is no news."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.core.errors import Refused
from pipelines.stores.control import Control
from pipelines.watch.probe import MOST, Probe
from tests.support.wire_world import Wire, answer

if TYPE_CHECKING:
    import httpx

NEWEST = "2026-11-02T08:00:00"


class Vms:
    """Answers with ``objects`` by entity, and refuses the filters on ``refused``."""

    def __init__(self) -> None:
        self.objects: dict[str, list[dict[str, object]]] = {}
        self.refused = ""
        self.filters: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        [wanted, *_] = request.url.params.get_list("filter")
        self.filters.append(wanted)
        if self.refused and self.refused in wanted:
            return answer({"message": "no such filter"}, 400)
        found = self.objects.get(request.url.path.rpartition("/")[2], [])
        return answer(found, headers={"totalObjectsNumber": str(len(found))})


@pytest.fixture
def vms() -> Vms:
    return Vms()


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    control = Control(tmp_path / "springline.ctl.sqlite")
    with control.write() as connection:
        for table in ("partners", "vessels", "voyages"):
            connection.execute("INSERT INTO cursors VALUES (?, ?, 'batch', ?)", (f"vms.{table}", NEWEST, NEWEST))
    yield control
    control.close()


@pytest.fixture
def probe(vms: Vms, control: Control) -> Probe:
    return Probe(Wire(vms).vms(), control)


def document(key: int, changed: str = NEWEST) -> dict[str, object]:
    return {"key": key, "modifiedDate": changed, "documentLines": [{"modifiedDate": changed}]}


def test_a_document_that_came_or_changed_is_news(vms: Vms, probe: Probe) -> None:
    vms.objects["Document"] = [document(1)]
    first = probe.documents()
    assert probe.has_new_documents(None, first)
    assert not probe.has_new_documents(first, probe.documents())
    vms.objects["Document"] = [document(1, "2026-11-02T08:00:01")]
    second = probe.documents()
    assert probe.has_new_documents(first, second)
    vms.objects["Document"] = [document(1, "2026-11-02T08:00:01"), document(2)]
    assert probe.has_new_documents(second, probe.documents())


def test_a_document_that_left_is_news_unless_we_acknowledged_it(vms: Vms, probe: Probe, control: Control) -> None:
    vms.objects["Document"] = [document(1), document(2)]
    before = probe.documents()
    vms.objects["Document"] = [document(2)]
    after = probe.documents()
    assert probe.has_new_documents(before, after)
    with control.write() as connection:
        connection.execute(
            "INSERT INTO outbox (id, kind, natural_key, target, document_key, state, payload, payload_hash, "
            "source_hash, batch_id, created_at, updated_at) "
            "VALUES ('1', 'acknowledgement', '1', 'vms', 1, 'sent', '', '', '', '', '', '')"
        )
    assert not probe.has_new_documents(before, after)


def test_master_data_is_asked_from_where_the_job_read_to(vms: Vms, probe: Probe) -> None:
    first = probe.master_data()
    assert first == frozenset()
    # Five minutes before the newest one seen: what was being saved then may show up later.
    assert {f.partition("(")[2] for f in vms.filters} == {"GTE)2026-11-02T07:55:00"}
    assert len(vms.filters) == 8
    vms.objects["Vessel"] = [{"key": 7, "modifiedDate": "2026-11-02T08:10:00"}]
    second = probe.master_data()
    assert second
    assert probe.master_data() == second


def test_master_data_that_was_never_read_has_to_be(probe: Probe, control: Control) -> None:
    with control.write() as connection:
        connection.execute("DELETE FROM cursors WHERE source = 'vms.vessels'")
    assert probe.master_data() is None


def test_a_look_begins_anew_after_many_changes(vms: Vms, probe: Probe, control: Control) -> None:
    probe.master_data()
    vms.objects["Vessel"] = [{"key": key, "modifiedDate": "2026-11-02T09:00:00"} for key in range(MOST + 1)]
    probe.master_data()
    with control.write() as connection:
        connection.execute("UPDATE cursors SET value = '2026-11-02T09:00:00'")
    del vms.filters[:]
    probe.master_data()
    assert {f.partition("(")[2] for f in vms.filters} == {"GTE)2026-11-02T08:55:00"}


def test_a_filter_that_the_vms_does_not_have_is_asked_for_once(vms: Vms, probe: Probe) -> None:
    vms.refused = "voyageHeader.modifiedDate"
    probe.master_data()
    probe.master_data()
    assert sum(vms.refused in wanted for wanted in vms.filters) == 1
    vms.refused = "modifiedDate"
    with pytest.raises(Refused):
        probe.master_data()
