"""Parts the commands are made of: lines of the readiness check, request counts, tables that may be held."""

from __future__ import annotations

from datetime import UTC, date, datetime
from io import StringIO
from typing import TYPE_CHECKING

import duckdb
from pydantic import SecretStr
from rich.console import Console

from pipelines.core.settings import Settings
from pipelines.core.settings_systems import LedgerSettings, VmsSettings
from pipelines.going_live.check_line import CheckLine, judge, named
from pipelines.questions.preflight_report import PendingDocument, PreflightReport, RuleFinding, show_preflight
from pipelines.stores.control import Control
from pipelines.stores.open_tables import open_tables
from pipelines.stores.request_counts import RequestCounts

if TYPE_CHECKING:
    from pathlib import Path


def _settings(folder: Path) -> Settings:
    return Settings(
        warehouse=folder / "springline.duckdb",
        published=folder / "published",
        vms=VmsSettings(base_url="https://vms.invalid"),
        ledger=LedgerSettings(token=SecretStr("none")),
    )


def _file(path: Path, word: str) -> None:
    path.parent.mkdir(exist_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE SCHEMA ctl")
        connection.execute("CREATE TABLE ctl.words AS SELECT CAST(? AS VARCHAR) AS word", [word])


def test_a_line_is_wrong_only_with_a_fault() -> None:
    fault, note = ("no ARX", "set it"), ("a pool is missing", "add it")
    assert judge("x", good="fine", faults=[]) == CheckLine("x", ok=True, message="fine")
    assert judge("x", good="fine", faults=[], notes=[note]).exit_code == 0
    assert judge("x", good="fine", faults=[fault], notes=[note]) == CheckLine(
        "x", ok=False, message="No ARX. A pool is missing.", next_step="set it; add it."
    )


def test_a_long_list_is_cut() -> None:
    assert named(range(12)) == "0, 1, 10, 11, 2, 3, 4, 5, 6, 7 and 2 more"


def test_requests_add_up_over_the_month(tmp_path: Path) -> None:
    control = Control(tmp_path / "ctl.sqlite")
    counts = RequestCounts(control, month="2026-11")
    for _ in range(2):
        counts.count("ledger", "suppliers")
        counts.save("check")
    counts.save("check")
    rows = control.read("SELECT * FROM requests")
    control.close()
    assert [tuple(row) for row in rows] == [("2026-11", "ledger", "check", "suppliers", 2)]


def test_preflight_is_shown_by_person() -> None:
    finding = RuleFinding("no_lines", "critical", "INI 1: document has no lines.")
    pending = PendingDocument(
        document_no="1",
        document_key=7,
        document_type="INI",
        status="PEN",
        company="28601",
        document_date=date(2026, 10, 20),
        partner=None,
        currency="NOK",
        amount=None,
        entered_by="Kari",
        voyage="V002-2602",
        findings=(finding,),
    )
    shown = StringIO()
    found = PreflightReport("2026-10", checked=3, held=1, warned=0, reference="read anew", documents=(pending,))
    show_preflight(found, Console(file=shown, width=120))
    assert shown.getvalue().startswith("Kari")
    assert "3 documents of 2026-10 that are not posted yet were checked: 1 would be held" in shown.getvalue()


def test_the_published_file_stands_in_for_a_held_warehouse(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    _file(settings.warehouse_path, "working")
    _file(settings.published / "springline.duckdb", "published")
    with open_tables(settings) as tables:
        assert tables is not None
        assert (tables.origin, tables.rows("SELECT word FROM ctl.words")) == ("warehouse", [{"word": "working"}])
    with duckdb.connect(str(settings.warehouse_path)), open_tables(settings) as tables:
        assert tables is not None
        assert tables.rows("SELECT word FROM ctl.words") == [{"word": "published"}]
        assert tables.rows("SELECT word FROM ctl.nothing") == []
        assert tables.as_of <= datetime.now(UTC)


def test_without_any_file_there_is_nothing_to_read(tmp_path: Path) -> None:
    with open_tables(_settings(tmp_path)) as tables:
        assert tables is None
