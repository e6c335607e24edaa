"""Payments, rates, master data and control accounts on both sides: all tie, then what people did, then again."""

# ruff: noqa: S608 - statements are made of our own names

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from pipelines.batch.jobs import JOBS, RECONCILE
from pipelines.reconcile.kinds import COMPARISON, kinds_found_by
from tests.flow.drift import voucher
from tests.flow.live_world import Live
from tests.flow.misdeeds import ACCOUNTS, DEEDS, Deed, Shown, control_lines, pay

pytestmark = pytest.mark.system

PAID = ("2706035", "2706036", "2706037")
PART_PAID, CHARGED, OTHER_CURRENCY, REFUNDED = "2706038", "2706001", "2706042", "2706289"
INVOICE, CREDIT_NOTE = "2707036", "2707037"
HIRE, HELD, TERMS, HALF_CENTS = "2706501", "2708003", "2706075", "2707013"
NUMBERS = (
    *PAID, PART_PAID, "2706039", "2706040", CHARGED, OTHER_CURRENCY, REFUNDED, INVOICE, CREDIT_NOTE, HIRE, HELD, TERMS,
    HALF_CENTS, "2706179",
)  # fmt: skip
SUBJECTS = {
    "rec.payments": "subject",
    "rec.exchange_rates": "CAST(rate_date AS VARCHAR) || ':' || from_currency_code || ':' || to_currency_code",
    "rec.partners": "side || ':' || partner_code",
    "rec.voyages": "kind || ':' || code",
    "rec.control_accounts": "CAST(owner_code AS VARCHAR) || ':' || control_account || ':' || currency_code",
    "rec.control_totals": "CAST(document_date AS VARCHAR) || ':' || company_code || ':' || document_type",
}
THIS_MONTH = " WHERE period_month = DATE '2026-11-01'"
BREAKS = "SELECT kind FROM breaks WHERE until IS NULL"
Row = dict[str, Any]
Rows = dict[tuple[str, str], Row]


@dataclass(slots=True)
class Seen:
    """The tables before anything was paid, after, with all deeds done and all undone; the breaks open each time."""

    live: Live
    looks: list[Rows] = field(default_factory=list)
    accounts: list[list[Row]] = field(default_factory=list)
    breaks: list[list[str]] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)

    def look(self) -> None:
        """Note what the tables show now."""
        found: Rows = {}
        with duckdb.connect(str(self.live.settings.warehouse_path), read_only=True) as warehouse:
            for table, subject in SUBJECTS.items():
                where = THIS_MONTH if table == ACCOUNTS else ""
                for row in _rows(warehouse, f"SELECT {subject} AS named, * FROM {table}{where}"):
                    found[table, row["named"]] = row
            self.accounts.append(_rows(warehouse, f"SELECT * FROM {ACCOUNTS}"))
        self.looks.append(found)
        self.breaks.append([kind for (kind,) in self.live.ask(BREAKS)])

    def changed(self) -> Rows:
        """Give the rows that the deeds have brought or changed, but for accounts that tell nothing of their own."""
        before, after = self.looks[1], self.looks[2]
        moved = {key: row for key, row in after.items() if before.get(key, {}).get("state") != row["state"]}
        return {key: row for key, row in moved.items() if row["is_break"] or key[0] != ACCOUNTS}


def _rows(warehouse: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    cursor = warehouse.execute(query)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def settle(live: Live) -> None:
    """Pay in full, in part, less a bank charge, in another currency with a loss, back, and net a credit note."""
    for number in PAID:
        pay(live, [(number, "100")], date="2026-10-28")
    pay(live, [(PART_PAID, "50")])
    (line,) = control_lines(live, CHARGED)
    size = abs(Decimal(line["invoiceAmount"]))
    charge = {"currency": "NOK", "amount": "3.00", "company_amount": "3.00", "text": "bank charge"}
    pay(live, [(CHARGED, "100")], amount=str(size - 3), company_amount=str(size - 3), adjustments=[charge])
    (line,) = control_lines(live, OTHER_CURRENCY)
    booked = abs(Decimal(line["amount"]))
    loss = {"currency": line["currency"], "amount": "0.00", "company_amount": "-120.00", "text": "exchange difference"}
    spent = str(booked + 120)
    pay(live, [(OTHER_CURRENCY, "100")], currency="NOK", amount=spent, company_amount=spent, adjustments=[loss])
    pay(live, [(REFUNDED, "100")], refund=True)
    rows = [line["subledgerRow"]["dbId"] for number in (INVOICE, CREDIT_NOTE) for line in control_lines(live, number)]
    live.sandbox.control("POST", "ledger/match", {"rows": rows})


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    with Live(tmp_path_factory.mktemp("balances"), NUMBERS) as live:
        found = Seen(live)
        live.batch(jobs=[job for name, job in JOBS.items() if name in {"master-data", "documents"}])
        live.posted()
        live.batch(jobs=tuple(JOBS.values()))
        found.look()
        settle(live)
        live.batch(jobs=tuple(JOBS.values()))
        found.look()
        found.keys = {number: str(live.document(number)["key"]) for number in NUMBERS}
        undo = [deed.do(live) for deed in DEEDS]
        live.batch(jobs=(RECONCILE,))
        found.look()
        for one in undo:
            one()
        live.batch(jobs=(RECONCILE,))
        found.look()
        yield found


def differing(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["state"] != "agreed" or row["difference"] or row["difference_company"]]


@pytest.mark.parametrize("look", [0, 1, 3], ids=["before anything is paid", "when it is paid", "when all is undone"])
def test_control_accounts_tie_to_the_cent(seen: Seen, look: int) -> None:
    rows = seen.accounts[look]
    assert len(rows) > 10
    assert differing(rows) == []
    for row in rows:
        parts = (row["open_vms"], row["ledger_only"], row["in_transit"])
        assert row["balance_ledger"] == sum(parts), row
        assert row["gl_balance_company"] == row["balance_company_ledger"], row


def test_exchange_differences_stand_beside_and_are_no_difference(seen: Seen) -> None:
    revalued = {
        row["currency_code"]: row["revaluation_company"] for row in seen.accounts[1] if row["revaluation_company"]
    }
    currency = control_lines(seen.live, OTHER_CURRENCY)[0]["currency"]
    assert revalued == {currency: Decimal("-120.0000")}


def test_what_is_held_is_in_transit_by_name(seen: Seen) -> None:
    held = voucherless(seen.live)
    (row,) = [row for row in seen.looks[0].values() if f"held {HELD}" in str(row["reason"]) and "in_transit" in row]
    assert (row["state"], row["in_transit"], row["is_break"]) == ("agreed", held, False)


def voucherless(live: Live) -> Decimal:
    """Give the amount of the held document as the ledger lacks it: what is owed has another sign there."""
    return Decimal(str(live.document(HELD, "documentAmount")["documentAmount"]))


def test_payments_are_the_same_on_both_sides(seen: Seen) -> None:
    rows = {number: seen.looks[1]["rec.payments", key] for number, key in seen.keys.items() if number != HELD}
    assert {rows[number]["state"] for number in PAID} == {"agreed"}
    assert all(rows[number]["open_ledger"] == rows[number]["open_vms"] == 0 for number in PAID)
    assert rows[PART_PAID]["state"] == "part paid"
    assert rows[PART_PAID]["open_ledger"] == rows[PART_PAID]["open_vms"] > 0
    assert rows[CHARGED]["paid_ledger"] == rows[CHARGED]["paid_vms"] == rows[CHARGED]["amount_vms"]
    assert rows[OTHER_CURRENCY]["paid_vms"] == rows[OTHER_CURRENCY]["amount_vms"]
    assert rows[REFUNDED]["paid_vms"] == rows[REFUNDED]["amount_vms"] < 0
    assert rows[INVOICE]["netted_ledger"] == rows[INVOICE]["amount_ledger"]
    assert (rows[INVOICE]["paid_ledger"], rows[INVOICE]["paid_vms"], rows[INVOICE]["state"]) == (0, 0, "agreed")
    assert {row["paid_difference"] for row in rows.values()} == {0}


@pytest.mark.parametrize("look", [0, 1], ids=["before anything is paid", "when it is paid"])
def test_a_world_that_nobody_touched_has_no_break(seen: Seen, look: int) -> None:
    known = {("rec.partners", "code not unique"), ("rec.voyages", "code not unique")}
    broken = {(key[0], row["state"]) for key, row in seen.looks[look].items() if row["is_break"]}
    assert broken <= known
    assert not set(seen.breaks[look]) & kinds_found_by(COMPARISON)


def is_shown(seen: Seen, shown: Shown, table: str, row: Row) -> bool:
    """Tell whether a row is the one a deed is to be told by."""
    subject = shown.subject
    number = subject.partition("{")[2].rstrip("}")
    if subject.startswith(("AP row", "vms:")):
        is_named = row["named"].startswith(subject.split(" ")[0].split("PAID")[0])
    else:
        is_named = row["named"] == (seen.keys[number] if number else subject)
    is_alike = (row["state"], row["is_break"]) == (shown.state, shown.is_break)
    return table == shown.table and is_named and is_alike and shown.reason in row["reason"]


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.do.__name__)
def test_a_deed_shows_as_what_it_is(seen: Seen, deed: Deed) -> None:
    for shown in deed.shown:
        found = [row for (table, _), row in seen.changed().items() if is_shown(seen, shown, table, row)]
        assert found, (shown, [row["reason"] for row in seen.changed().values()])
        assert found[0]["next_step"]


def test_nothing_else_shows(seen: Seen) -> None:
    wanted = [shown for deed in DEEDS for shown in deed.shown]
    strangers = [
        (key, row["state"], row["reason"])
        for key, row in seen.changed().items()
        if not any(is_shown(seen, shown, key[0], row) for shown in wanted)
    ]
    assert strangers == []
    assert len(seen.changed()) == len(wanted)
    assert sum(kind in kinds_found_by(COMPARISON) for kind in seen.breaks[2]) == sum(
        shown.is_break and shown.state not in {"match undone", "rate differs"} and shown.reason != "not matched"
        for shown in wanted
    )


def test_what_is_undone_closes_by_itself(seen: Seen) -> None:
    before, after = seen.looks[1], seen.looks[3]
    states = {key: row["state"] for key, row in before.items()}
    assert {key: row["state"] for key, row in after.items()} == states
    assert not set(seen.breaks[3]) & kinds_found_by(COMPARISON)


def test_every_voucher_counts_in_a_total(seen: Seen) -> None:
    totals = [row for (table, _), row in seen.looks[1].items() if table == "rec.control_totals"]
    assert {row["state"] for row in totals} == {"agreed", "waiting"}
    assert sum(row["count_ledger"] for row in totals) == len(NUMBERS) - 1
    assert voucher(seen.live, PAID[0])
