"""A period closed as accountants do it: actuals, accruals, what stops it, acceptance, the seal, what comes late."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import openpyxl
import pytest

from pipelines.batch.run import chosen_jobs
from pipelines.core.operators import operator_name
from pipelines.stores.control import Control
from tests.flow.live_world import TODAY, Live
from tests.support.delivery_seed import NO_LIMITS

pytestmark = pytest.mark.system

USER = operator_name({})
INVOICE, HELD = "2707031", "2708004"
VOYAGE = "V002-2602"
NEXT_DAY = (TODAY + timedelta(days=1)).isoformat()
# The accrual whose reversal somebody deletes before it is posted.
UNREVERSED = "4310"


@dataclass(slots=True)
class Month:
    """October on a running sandbox: what `springline close` says of it, and its pack."""

    live: Live

    def close(self, *options: str, period: str = "2026-10") -> tuple[int, dict[str, Any]]:
        code, out = self.live.command("close", period, "--today", NEXT_DAY, "--json", *options)
        return code, json.loads(out)

    def seal(self) -> tuple[int, dict[str, Any]]:
        return self.close("--seal", "--yes")

    def seal_at_a_terminal(self, answer: str, *, meanwhile: Callable[[], object] = lambda: None) -> tuple[int, str]:
        """Seal as a person does: who is asked, gives an answer after something has happened meanwhile."""

        def confirm(*_: object, **__: object) -> bool:
            meanwhile()
            return answer == "y"

        with patch("sys.stdin.isatty", return_value=True), patch("typer.confirm", confirm):
            return self.live.command("close", "2026-10", "--today", NEXT_DAY, "--seal")

    def stops(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        for row in self.close()[1]["breaks"]:
            if not row["is_accepted"]:
                found.setdefault(row["kind"], []).append(row)
        return found

    def state(self) -> tuple[Any, ...]:
        """Return how October stands in the control store: its state, and how often it was sealed."""
        [row] = self.live.ask("SELECT state, version FROM closes WHERE period = '2026-10'")
        return row

    def accept(self) -> None:
        """Accept everything that is open, one by one."""
        listed = json.loads(self.live.command("breaks", "list", "--json")[1])["breaks"]
        for number in [row["break_id"] for row in listed if not row["is_accepted"]]:
            assert self.live.command("breaks", "accept", f"no:{number}", "--reason", "as agreed")[0] == 0

    @property
    def pack(self) -> Path:
        return self.live.settings.published / "close" / "2026-10"

    @property
    def second_pack(self) -> Path:
        return self.live.settings.published / "close" / "2026-10-v2"

    def table(self, name: str, columns: str, *, pack: Path | None = None) -> list[tuple[Any, ...]]:
        statement = f"SELECT {columns} FROM read_parquet(?) ORDER BY ALL"  # noqa: S608 our own names
        return duckdb.sql(statement, params=[str((pack or self.pack) / f"{name}.parquet")]).fetchall()

    def bytes_of_pack(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.pack.iterdir()}

    def book(self, *, day: str, text: str, amount: str = "900.00") -> dict[str, Any]:
        """Book a cost on the voyage by hand in the ledger."""
        lines = [
            {"account": "4300", "amount": amount, "project": VOYAGE, "glObject1": "V002"},
            {"account": "1920", "amount": f"-{amount}"},
        ]
        given = {"owner": 28601, "source": "GL", "postedDate": day, "text": text, "lines": lines}
        return dict(self.live.sandbox.control("POST", "ledger/vouchers", given))


def summary(pack: Path) -> dict[str, Any]:
    return dict(json.loads((pack / "summary.json").read_text("utf-8")))


def sheet(pack: Path, name: str) -> list[list[object]]:
    """Return the cells of a sheet of a pack's workbook, row by row."""
    book = openpyxl.load_workbook(pack / "close.xlsx", read_only=True, data_only=True)
    return [[cell for cell in row if cell is not None] for row in book[name].iter_rows(values_only=True)]


def run(live: Live, *jobs: str) -> None:
    """Run jobs, and let the ledger post what its import has taken."""
    live.batch(jobs=chosen_jobs(jobs))
    live.posted()


def estimate(live: Live, account: str, amount: str, *, currency: str = "NOK") -> None:
    live.post(
        "VoyageEstimate",
        company="28601",
        voyage=VOYAGE,
        glAccount=account,
        accrualAccount="2960",
        estimateAmount=float(amount),
        documentCurrency=currency,
    )


def capitalise(live: Live, account: str, amount: str) -> None:
    """Capitalise an amount at the end of October and take it back on the day after."""
    reference: dict[str, str] = {}
    for kind, day, signed in (("CAP", "2026-10-31", float(amount)), ("CAR", "2026-11-01", -float(amount))):
        amounts = {"documentAmount": signed, "companyCurrencyAmount": signed, "sourceCurrencyAmount": signed}
        line = {"glAccount": account, "documentLineText": "capitalised", "voyage": VOYAGE, **amounts, **reference}
        number = f"{kind}2610-1"
        live.post(
            "Document",
            documentNo=number,
            documentType=kind,
            documentDate=f"{day}T00:00:00",
            documentCurrency="NOK",
            company="28601",
            glAccount="2960",
            invoicingStatus="RFP",
            documentLines=[{"documentCurrency": "NOK", "exchangeRate": 1, **line}],
            **amounts,
        )
        reference = {"refDocument": number}


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Month]:
    with Live(tmp_path_factory.mktemp("close"), (INVOICE, HELD)) as live:
        live.sandbox.control("POST", "ledger/settings", NO_LIMITS)
        run(live, "master-data", "documents")
        run(live, "rates", "payments", "actuals")
        estimate(live, "4300", "90000.00")
        estimate(live, UNREVERSED, "50000.00", currency="USD")
        live.sandbox.control("POST", "vms/accruals", {"period": "2026-10", "company": "28601", "voyage": VOYAGE})
        reversals = {"filter": "documentType.documentType(EQ)ACR"}
        fields = {"fields": '{"documentLines":{"glAccount":"*"}}'}
        for row in live.vms.get("/Document", params=reversals, headers=fields).raise_for_status().json():
            if row["documentLines"][0]["glAccount"] == UNREVERSED:
                live.vms.delete(f"/Document/{row['key']}").raise_for_status()
        capitalise(live, "4300", "7000.00")
        run(live, "documents", "rates")
        yield Month(live)


def test_what_stops_the_close_is_told_largest_first(month: Month) -> None:
    code, told = month.close()
    assert (code, told["state"], told["sealed_at"]) == (16, "draft", None)
    assert set(told["totals"]) == {"document held", "accrual not reversed"}
    # By these numbers they can be accepted.
    assert all(row["break_id"] for row in told["breaks"])
    amounts = [abs(float(row["company_amount"])) for row in told["breaks"]]
    assert amounts == sorted(amounts, reverse=True)
    (held,) = (row for row in told["breaks"] if row["kind"] == "document held")
    (accrual,) = (row for row in told["breaks"] if row["kind"] == "accrual not reversed")
    assert held["document_no"] == HELD
    assert (accrual["voyage_no"], accrual["account"]) == (VOYAGE, UNREVERSED)
    assert "has no reversal" in accrual["reason"]
    assert all(row["next_step"] for row in told["breaks"])


def test_the_draft_pack_has_tables_workbook_and_summary(month: Month) -> None:
    assert {path.suffix for path in month.pack.iterdir()} == {".parquet", ".xlsx", ".json"}
    told = summary(month.pack)
    assert (told["state"], told["version"], told["sealed_by"]) == ("draft", 1, None)
    assert [one["operator"] for one in told["prepared"]] == [USER]
    assert f"DRAFT of version 1, not sealed. Drawn up by {USER} at " in str(sheet(month.pack, "What to look at")[3])
    sheets = openpyxl.load_workbook(month.pack / "close.xlsx", read_only=True).sheetnames
    assert {"Close", "Accrual roll-forward", "Open documents", "Bunker adjustments"} <= set(sheets)
    assert "Period entries" not in sheets
    columns = "account, family, opening + posted + reversed - closing, closing > 0, state"
    assert month.table("accrual_rollforward", columns) == [
        ("4300", "accrual", 0, True, "agreed"),
        ("4300", "capitalisation", 0, True, "agreed"),
        (UNREVERSED, "accrual", 0, True, "not reversed"),
    ]


def test_a_capitalisation_stands_beside_the_accrual(month: Month) -> None:
    rows = month.table("accruals_vs_actuals", "account, capitalised, accrual_posted = accrual_recomputed, state")
    assert rows == [("4300", Decimal("7000.0000"), True, "agreed"), (UNREVERSED, 0, True, "agreed")]


def test_a_second_close_finds_the_same(month: Month) -> None:
    first = {kind: [row["since"] for row in rows] for kind, rows in month.stops().items()}
    assert {kind: [row["since"] for row in rows] for kind, rows in month.stops().items()} == first


def test_a_late_invoice_makes_the_accrual_too_large(month: Month) -> None:
    late = month.book(day="2026-10-29", text="agency invoice that came late")
    (row,) = month.stops()["over-accrued"]
    assert (row["account"], row["amount"], row["currency_code"]) == ("4300", "900.0000", "NOK")
    month.live.sandbox.control("POST", "ledger/corrupt", {"voucher": late["voucher"], "delete": True})
    assert "over-accrued" not in month.stops()


def test_a_pack_that_cannot_be_written_leaves_the_one_before(month: Month) -> None:
    before = month.bytes_of_pack()
    with patch("pipelines.close.pack.write_close_workbook", side_effect=OSError("No space left on device")):
        code, told = month.close()
    assert (code, "No space left on device" in told["error"]) == (12, True)
    assert month.bytes_of_pack() == before
    assert [path.name for path in month.pack.parent.iterdir()] == [month.pack.name]


def test_looking_never_seals(month: Month) -> None:
    month.accept()
    code, told = month.close()
    assert (code, told["state"], month.state()) == (0, "draft", ("draft", 0))
    # Neither does a batch.
    month.live.batch(jobs=chosen_jobs(("reconcile",)))
    assert month.state() == ("draft", 0)


def test_who_is_asked_can_say_no(month: Month) -> None:
    code, shown = month.seal_at_a_terminal("n")
    assert (code, month.state()) == (0, ("draft", 0))
    assert "nothing is sealed yet. Next: springline close 2026-10 --seal." in shown


def test_what_has_moved_since_the_question_is_not_sealed(month: Month) -> None:
    [(number,)] = month.live.ask("SELECT break_id FROM breaks WHERE until IS NULL AND kind = 'document held'")
    name = f"no:{number}"
    code, shown = month.seal_at_a_terminal(
        "y", meanwhile=lambda: month.live.command("breaks", "reopen", name, "--reason", "too early")
    )
    assert (code, month.state()) == (16, ("draft", 0))
    assert "it has moved since you looked at it" in shown
    month.live.command("breaks", "accept", name, "--reason", "belongs into November")
    month.live.command("breaks", "comment", name, "--text", "the agent was told")


def test_a_run_that_ends_before_the_seal_leaves_a_draft(month: Month) -> None:
    with patch("pipelines.close.run.seal_period", side_effect=KeyboardInterrupt):
        assert month.live.command("close", "2026-10", "--today", NEXT_DAY, "--seal", "--yes")[0] != 0
    assert month.state() == ("draft", 0)


def test_what_is_accepted_seals_the_period(month: Month) -> None:
    with patch.dict(month.live.environ, {"SPRINGLINE_OPERATOR": "per"}):
        code, told = month.seal()
    assert (code, told["state"], told["sealed_by"], told["version"]) == (0, "sealed", "per", 1)
    assert told["totals"]["document held"] == {"open": 0, "accepted": 1}
    assert [row[-1] for row in month.live.ask("SELECT action FROM close_events ORDER BY event_no")][-1] == "sealed"


def test_a_sealed_pack_says_who_did_what(month: Month) -> None:
    told = summary(month.pack)
    assert (told["state"], told["version"], told["sealed_by"]) == ("sealed", 1, "per")
    assert [one["operator"] for one in told["prepared"]] == [USER]
    [held] = (one for one in told["accepted"] if one["kind"] == "document held")
    # A comment that came later stands beside the reason, not in its place.
    assert (held["accepted_by"], held["accepted_reason"]) == (USER, "belongs into November")
    accepted = month.table("breaks", "kind, accepted_by, accepted_reason, accepted_at IS NOT NULL")
    assert ("document held", USER, "belongs into November", True) in accepted
    assert all(row[1:] == (USER, "as agreed", True) for row in accepted if row[0] != "document held")
    assert "SEALED by per at " in str(sheet(month.pack, "What to look at")[3])
    [row] = (row for row in sheet(month.pack, "Close") if "document held" in row)
    assert {USER, "belongs into November"} <= {cell for cell in row if isinstance(cell, str)}


def test_a_sealed_month_shows_its_pack_and_is_not_sealed_again(month: Month) -> None:
    before = month.bytes_of_pack()
    with patch.dict(month.live.environ, {"SPRINGLINE_OPERATOR": "ola"}):
        code, shown = month.live.command("close", "2026-10", "--today", NEXT_DAY, "--seal", "--yes")
    assert (code, month.state(), month.bytes_of_pack()) == (0, ("sealed", 1), before)
    assert f"by per, version 1, drawn up by {USER}; its pack {month.pack} stays as it was." in shown


def test_a_late_posting_is_told_and_leaves_the_pack(month: Month) -> None:
    before = month.bytes_of_pack()
    month.book(day="2026-10-30", text="came after the seal", amount="123.45")
    code, told = month.close()
    (late,) = (row for row in told["breaks"] if row["kind"] == "late posting")
    assert (code, told["state"], late["is_accepted"], late["company_amount"]) == (16, "sealed", False, "123.4500")
    moved = "account 4300 on V002-2602: NOK 0.00 then, NOK 123.45 now"
    assert f"booked into 2026-10 after the seal: {moved}" in late["reason"]
    assert month.bytes_of_pack() == before
    code, shown = month.live.command("close", "2026-10", "--today", NEXT_DAY)
    assert (code, "late posting" in shown, "stays as it was" in shown) == (16, True, True)


def test_a_late_posting_can_be_accepted(month: Month) -> None:
    month.accept()
    assert month.close()[0] == 0


def test_a_run_finds_nothing_to_build_after_a_close(month: Month) -> None:
    built = month.live.ask("SELECT name, value FROM meta WHERE name LIKE '%built_from'")
    month.live.batch(jobs=chosen_jobs(("reconcile",)))
    month.live.batch(jobs=chosen_jobs(("reconcile",)))
    again = month.live.ask("SELECT name, value FROM meta WHERE name LIKE '%built_from'")
    month.live.batch(jobs=chosen_jobs(("reconcile",)))
    assert month.live.ask("SELECT name, value FROM meta WHERE name LIKE '%built_from'") == again
    assert {name for name, _ in built} == {name for name, _ in again}


def test_the_month_of_the_batch_is_drawn_up_and_not_sealed(month: Month) -> None:
    month.close(period="2026-11")
    month.accept()
    code, told = month.close(period="2026-11")
    assert (code, told["state"]) == (0, "draft")


def test_a_reopened_month_keeps_its_pack_and_drafts_the_next(month: Month) -> None:
    before = month.bytes_of_pack()
    reopen = ("close", "reopen", "2026-10", "--reason", "the late invoice belongs into October")
    code, shown = month.live.command(*reopen)
    assert (code, "Version 1 of its pack stays as it is." in shown, month.state()) == (0, True, ("reopened", 1))
    assert "is open already" in month.live.command(*reopen)[1]
    # What came since belongs to the next version: it is listed there, and stops nothing.
    code, told = month.close()
    assert (code, told["state"], told["version"], told["pack"]) == (0, "reopened", 2, str(month.second_pack))
    assert "late posting" not in told["totals"]
    assert (told["sealed_at"], told["sealed_by"], told["reopened"][0]["version"]) == (None, None, 2)
    [late] = month.table("late_postings", "company_amount, is_reopened", pack=month.second_pack)
    assert late == (Decimal("123.4500"), True)
    drafted = summary(month.second_pack)
    assert (drafted["state"], drafted["version"], drafted["sealed_at"]) == ("draft", 2, None)
    assert drafted["reopened"][0]["reason"] == "the late invoice belongs into October"
    assert month.bytes_of_pack() == before


def test_a_batch_leaves_a_reopened_month_as_it_is(month: Month) -> None:
    before = month.bytes_of_pack()
    month.live.batch(jobs=chosen_jobs(("reconcile",)))
    assert (month.state(), month.bytes_of_pack()) == (("reopened", 1), before)
    assert month.live.ask("SELECT kind FROM breaks WHERE until IS NULL AND kind = 'late posting'") == []


def test_a_reopened_month_is_sealed_beside_its_first_seal(month: Month) -> None:
    before = month.bytes_of_pack()
    code, shown = month.seal_at_a_terminal("y")
    assert (code, "version 2" in shown, month.state()) == (0, True, ("sealed", 2))
    assert month.bytes_of_pack() == before
    told = summary(month.second_pack)
    assert (told["state"], told["version"], told["sealed_by"]) == ("sealed", 2, USER)
    # What the second version has beside the first stays told in it, and is late no more.
    assert month.table("late_postings", "company_amount", pack=month.second_pack) == [(Decimal("123.4500"),)]


def test_what_comes_after_the_second_seal_is_late_again(month: Month) -> None:
    # The one that was late before the second seal belongs to it.
    voucher = month.book(day="2026-10-30", text="came after the second seal", amount="67.80")
    code, told = month.close()
    [late] = (row for row in told["breaks"] if row["kind"] == "late posting")
    assert (code, late["company_amount"]) == (16, "67.8000")
    month.live.sandbox.control("POST", "ledger/corrupt", {"voucher": voucher["voucher"], "delete": True})


def test_a_pack_that_was_touched_is_told_after_later_seals_too(month: Month) -> None:
    path = month.pack / "summary.json"
    content = path.read_bytes()
    path.write_bytes(content + b" ")
    code, told = month.close()
    assert (code, told["faults"]) == (16, [f"{path} is not the one that was sealed."])
    path.write_bytes(content)


def test_the_published_file_tells_of_the_seal_and_its_history(month: Month) -> None:
    assert month.live.batch(jobs=chosen_jobs(("publish",))).problems == ()
    with duckdb.connect(str(month.live.settings.published / "springline.duckdb"), read_only=True) as published:
        closes = published.execute("SELECT period, state, version FROM ctl.closes ORDER BY period").fetchall()
        seals = published.execute("SELECT period, version, sealed_by FROM ctl.seals ORDER BY version").fetchall()
        actions = published.execute("SELECT DISTINCT action FROM ctl.close_events ORDER BY action").fetchall()
        tables = {name for (name,) in published.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        aged = "SELECT schema_name || '.' || table_name FROM duckdb_columns() WHERE column_name = 'age_days'"
        ages = [f"SELECT min(age_days) AS age FROM {name}" for (name,) in published.execute(aged).fetchall()]  # noqa: S608
        youngest = published.execute(f"SELECT min(age) FROM ({' UNION ALL '.join(ages)})").fetchall()  # noqa: S608
    assert closes == [("2026-10", "sealed", 2), ("2026-11", "draft", 0)]
    assert seals == [("2026-10", 1, "per"), ("2026-10", 2, USER)]
    assert actions == [("drawn up",), ("looked at",), ("reopened",), ("sealed",)]
    # These batches are of a day before the clock that has noted what they find.
    assert (len(ages) > 10, youngest) == (True, [(0,)])
    assert "sealed_packs" not in tables
    assert month.pack.is_dir()


def test_the_store_refuses_to_change_a_seal(month: Month) -> None:
    control = Control(month.live.settings.control_path)
    try:
        changes = ("UPDATE closes SET state = 'draft'", "DELETE FROM closes", "DELETE FROM seals")
        for statement in (*changes, "DELETE FROM sealed_packs"):
            with pytest.raises(Exception, match="stays as it is"), control.write() as connection:
                connection.execute(statement + " WHERE period = '2026-10'")
    finally:
        control.close()
