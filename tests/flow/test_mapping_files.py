"""Mapping files, from the edit over `check` and the dry run to the vouchers; and what stays as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from pipelines.batch.jobs import RECONCILE
from pipelines.going_live.check import check_readiness
from tests.flow.live_world import JOBS, Live

if TYPE_CHECKING:
    from pipelines.batch.run import BatchResult

pytestmark = pytest.mark.system

# Two invoices of suppliers: on accounts 4300 and others, with a voyage.
FIRST, LATER, PERIOD = "2707400", "2708001", "2026-10"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with Live(tmp_path_factory.mktemp("mapping"), (FIRST, LATER)) as live:
        yield live


def _write(live: Live, **files: bytes) -> None:
    """Write files as named by their settings, and name them."""
    for setting, content in files.items():
        path = live.folder / f"{setting.lower()}.csv"
        path.write_bytes(content)
        section = "PARTNERS" if setting == "CODES" else "POSTING"
        live.change_settings(**{f"{section}__{setting}": str(path)})


def _check(live: Live) -> Any:  # noqa: ANN401 (a line)
    [line] = [line for line in check_readiness(live.settings, now=live.now) if line.name == "mapping files"]
    return line


def _dry_run(live: Live) -> dict[str, Any]:
    _, text = live.command("run", "master-data", "documents", "--dry-run", "--today", "2026-11-02", "--json")
    return dict(json.loads(text))


def _accounts(live: Live, number: str) -> list[str]:
    """Give the accounts of a voucher's lines as the ledger's import has them."""
    key = live.document(number)["key"]
    chosen = f"first: 50, filter: {{trRegNumber: {key}}}"
    query = f"{{ glImportItems({chosen}) {{ edges {{ node {{ account {{ code }} }} }} }} }}"
    return [edge["node"]["account"]["code"] for edge in live.ledger(query)["glImportItems"]["edges"]]


def test_without_files_nothing_is_said(live: Live) -> None:
    assert (_check(live).ok, _dry_run(live)["mapping_changes"]) == (True, [])


def test_every_fault_of_every_file_is_told_before_a_document_is_touched(live: Live) -> None:
    _write(
        live,
        GL_ACCOUNTS=b"company,vms_account,ledger_account\n,4300,999999\n77777,4310,4300\n,4300,4310\n",
        DIMENSIONS=b"dimension,source,value\nposting3,moon,\n",
    )
    result: BatchResult = live.batch()
    [told] = [problem for problem in result.problems if "faults" in problem and "no company 77777" in problem][:1]
    assert result.exit_code == 10
    assert 'dimensions.csv line 2: there is no source "moon"' in told
    assert "gl_accounts.csv line 4: company (every one), vms_account 4300 stands already on line 2" in told
    assert live.states("voucher") == {}
    message = _check(live).message
    assert "gl_accounts.csv line 2: the ledger has no account 999999" in message
    assert "moon" in message


def test_an_account_the_ledger_lacks_is_told_by_a_run_too(live: Live) -> None:
    _write(live, GL_ACCOUNTS=b"vms_account,ledger_account\n4300,999999\n", DIMENSIONS=b"dimension,source,value\n")
    result = live.batch()
    assert result.exit_code == 10
    assert any("gl_accounts.csv line 2: the ledger has no account 999999" in problem for problem in result.problems)
    assert live.states("voucher") == {}


@pytest.mark.parametrize("dimension", ["posting1", "posting2", "posting3", "xgl"])
def test_a_fixed_code_the_ledger_lacks_is_told_by_check_as_by_a_run(live: Live, dimension: str) -> None:
    _write(
        live,
        GL_ACCOUNTS=b"vms_account,ledger_account\n",
        DIMENSIONS=b"dimension,source,value\n%b,fixed,NOWHERE\n" % dimension.encode(),
    )
    told = f"dimensions.csv line 2: the ledger has no {dimension} NOWHERE"
    assert told in _check(live).message
    assert any(told in problem for problem in live.batch().problems)
    _write(live, DIMENSIONS=b"dimension,source,value\n")


def test_a_dry_run_shows_what_a_file_touches(live: Live) -> None:
    # As Excel saves it in Norway: a mark, semicolons, CRLF, an empty line of separators at the end.
    _write(live, GL_ACCOUNTS=b"\xef\xbb\xbfVMS account;Ledger account;Note\r\n4300;4310;agency\r\n0777;4310;\r\n;;\r\n")
    line = _check(live)
    assert line.ok is None
    assert "gl_accounts.csv: 2 lines, 1 of use for open documents" in line.message
    assert "gl_accounts.csv line 3 matches no open document (0777)" in line.message.lower() or "(0777)" in line.message
    changes = _dry_run(live)["mapping_changes"]
    told = {(c["document_no"], c["field"], c["before"], c["after"], c["rule"]) for c in changes}
    assert (FIRST, "account", "4300", "4310", "account: gl_accounts.csv line 2") in told
    assert {c["field"] for c in changes} == {"account"}


def test_vouchers_go_as_the_files_say_and_each_line_is_explained(live: Live) -> None:
    result = live.batch()
    assert live.states("voucher")[FIRST] == "sent", result.problems
    assert _accounts(live, FIRST) == ["2400", "2400", "4310", "4310"]
    _, shown = live.command("explain", FIRST, "--full")
    assert "account: gl_accounts.csv line 2" in " ".join(shown.split())


def test_a_changed_file_does_not_touch_what_was_sent(live: Live) -> None:
    before = _accounts(live, FIRST)
    _write(live, GL_ACCOUNTS=b"vms_account,ledger_account\n4300,4320\n")
    assert [c for c in _dry_run(live)["mapping_changes"] if c["document_no"] == FIRST] == []
    live.posted()
    live.batch(jobs=(*JOBS, RECONCILE))
    assert _accounts(live, FIRST) == before
    states = _states(live)
    assert states[FIRST] == ("agreed", None), states
    _, shown = live.command("explain", FIRST, "--full")
    assert "account: gl_accounts.csv line 2" in " ".join(shown.split())


def test_a_correction_takes_what_the_files_fill_by_now(live: Live) -> None:
    _write(live, GL_ACCOUNTS=b"vms_account,ledger_account\n4300,4320\n")
    live.put(LATER, externalDocumentNo="B-1")
    live.put_lines(LATER, {place: {"glAccount": "4300"} for place in range(len(live.document(LATER)["documentLines"]))})
    live.batch(jobs=(*JOBS,))
    assert live.states("voucher")[LATER] == "sent"
    # Closed after the import has taken the voucher: the posting job refuses it.
    _close(live, closed=True)
    live.posted()
    _close(live, closed=False)
    _write(live, GL_ACCOUNTS=b"vms_account,ledger_account\n4300,4310\n")
    live.steer("retry", LATER)
    live.batch(jobs=(*JOBS,))
    live.posted()
    live.batch(jobs=(*JOBS, RECONCILE))
    assert {"4310"} < set(_accounts(live, LATER))
    assert _states(live)[LATER] == ("agreed", None)
    _, shown = live.command("explain", LATER, "--full")
    assert "account: gl_accounts.csv line 2" in " ".join(shown.split())


def _close(live: Live, *, closed: bool) -> None:
    live.sandbox.control("POST", "ledger/periods", {"owner": 28601, "period": PERIOD, "closed": closed})


def _states(live: Live) -> dict[str, tuple[str, str | None]]:
    with duckdb.connect(str(live.settings.warehouse_path), read_only=True) as connection:
        rows = connection.execute("SELECT document_no, state, drift FROM rec.documents").fetchall()
    return {number: (state, drift) for number, state, drift in rows}
