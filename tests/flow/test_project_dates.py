"""A project that is not open on the posting date is known before anything is sent (docs/mapping.md#1-6-6)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flow.live_world import Live

pytestmark = pytest.mark.system

# Dated 2026-11-02, on a voyage that is a project of the ledger.
NUMBER, VOYAGE = "2707400", "V001-2601"


def _end_project(live: Live, day: str) -> None:
    """Set the end of the project, as a bookkeeper does or an earlier release of Springline did."""
    (project,) = live.ids("projects", VOYAGE)
    live.ledger(
        "mutation($inputs: [UpdateProjectsInput!]!) { updateProjects(inputs: $inputs) { edges { node { dbId } } } }",
        inputs=[{"node": {"dbId": project, "toDate": day}}],
    )


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with Live(tmp_path, (NUMBER,)) as live:
        _end_project(live, "2026-11-01")
        yield live


def test_an_invoice_after_the_projects_end_is_held(live: Live) -> None:
    _, out = live.command("preflight", "--json")
    live.batch()
    assert live.holds()[NUMBER] == {"project_not_open"}
    assert live.status(NUMBER) == "RFP"
    assert not live.import_items(NUMBER)
    found = [
        document
        for person in json.loads(out)["people"].values()
        for documents in person.values()
        for document in documents
    ]
    [told] = [
        finding for document in found for finding in document["findings"] if finding["rule"] == "project_not_open"
    ]
    assert "V001-2601 is open from 2026-07-01 to 2026-11-01, the posting date is 2026-11-02" in told["message"]
    # No run of ours moves the ledger's dates; once they are wide enough, the document goes and is booked.
    live.batch()
    assert live.holds()[NUMBER] == {"project_not_open"}
    _end_project(live, "2027-11-01")
    live.batch()
    live.posted()
    assert live.status(NUMBER) == "POS"
    assert {item["jobLevel"] for item in live.import_items(NUMBER)} == {"DONE"}
