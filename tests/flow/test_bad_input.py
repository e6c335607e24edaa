"""What is wrong on either side is named with its value and what to do, and every other document still goes through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from tests.flow.world import Ended, Row, World, copies, read_rows, world

pytestmark = pytest.mark.system

DIGITS = "123456789012345678901234567890"
NAN = Decimal("7777.77")
TWO_LINES = "60\n606"
QUOTED = "6\"06'#7\\"
TWICE = "60999"
HTML = "<html>Please stand by</html>"
# Limits that no test waits for long.
LIMITS = {
    "SPRINGLINE_LEDGER__TIMEOUT": "1.5",
    "SPRINGLINE_LEDGER__ATTEMPTS": "2",
    "SPRINGLINE_LEDGER__LONGEST_WAIT": "1.5",
    "SPRINGLINE_VMS__ATTEMPTS": "2",
}
MUTATION: dict[str, Any] = {"operation": "addGLImportItems"}
DOCUMENTS: dict[str, Any] = {"method": "GET", "path": "/ws/rest/Document"}


class Bad(NamedTuple):
    """A document that must not go out: what is wrong with it, the rule or member that says so, and what it names."""

    members: Mapping[str, Any]
    rule: str
    words: tuple[str, ...]


def line(**members: object) -> Row:
    [document] = copies(1, first_key=1)
    return {**document["documentLines"][0], **members}


ONE = {name: Decimal("1.00") for name in ("documentAmount", "companyCurrencyAmount", "sourceCurrencyAmount")}
HELD = {
    "company unknown to the ledger": Bad({"company": "28699"}, "company_unknown", ("28699", "[[companies]]")),
    "currency nobody knows": Bad({"documentCurrency": "QQQ"}, "currency_missing", ("QQQ", "In the VMS")),
    "amount no ledger takes": Bad({"documentAmount": Decimal(10) ** 14}, "amount_too_large", ("In the VMS",)),
    "no lines": Bad({"documentLines": []}, "no_lines", ("In the VMS",)),
    "501 lines": Bad({"documentLines": [line(**ONE)] * 501}, "too_many_lines", ("502", "In the VMS")),
    "two partners with one code": Bad({"businessPartner": 1_600_003}, "supplier_missing", (TWICE, "In Xledger")),
    "code on two lines, of no supplier": Bad({"businessPartner": 1_600_005}, "supplier_missing", ("61[line feed]616",)),
}
SET_ASIDE = {
    "no date": Bad({"documentDate": None}, "documentDate", ("is missing",)),
    "amount that is text": Bad({"documentAmount": "abc"}, "documentAmount", ("'abc'",)),
    "amount that is NaN": Bad({"documentAmount": NAN}, "documentAmount", ("NaN",)),
    "20 digits": Bad({"documentAmount": Decimal(10) ** 19}, "documentAmount", ("10000000000000000000", "15 digits")),
    "30 digits": Bad({"documentAmount": Decimal(DIGITS)}, "documentAmount", (DIGITS, "15 digits")),
    "30 digits on a line": Bad(
        {"documentLines": [line(documentAmount=Decimal(DIGITS))]}, "documentLines[0].documentAmount", (DIGITS,)
    ),
    "line amount that is text": Bad(
        {"documentLines": [line(), line(documentAmount="x")]}, "documentLines[1].documentAmount", ("'x'",)
    ),
}
BAD = HELD | SET_ASIDE
KEYS = {name: 6_100_001 + place for place, name in enumerate(BAD)}
# Codes that only look dangerous, and plain ones.
GOOD = {6_200_001: TWO_LINES, 6_200_002: QUOTED, 6_200_003: "60505", 6_200_004: "60505"}
WAITING = range(6_300_001, 6_300_061)


def limit(code: str, **extensions: str) -> dict[str, Any]:
    message = {"kind": "graphql_error", "code": f"BAD_REQUEST.{code}", "message": "No more"}
    return {**message, "extensions": extensions}


def documents() -> list[Row]:
    bad = [row for name, one in BAD.items() for row in copies(1, first_key=KEYS[name], **one.members)]
    good = [row for key, code in GOOD.items() for row in copies(1, first_key=key, businessPartner=code)]
    return [*bad, *good, *copies(len(WAITING), first_key=WAITING[0], invoicingStatus="INV")]


def partners() -> list[Row]:
    rows = read_rows("vms/BusinessPartner")
    [usual] = [row for row in rows if row["businessPartnerCode"] == "60505"]
    codes = (TWO_LINES, QUOTED, TWICE, TWICE, "61\n616")
    added = [{**usual, "key": 1_600_001 + place, "businessPartnerCode": code} for place, code in enumerate(codes)]
    return [*rows, *added[:-1], {**added[-1], "businessPartnerType": "ZZ"}]


@dataclass(slots=True)
class Days:
    """A world, what its first day came to, and the documents that later days make ready."""

    world: World
    first: Ended
    status: Row
    statuses: Mapping[str, str]
    next_key: Iterator[int]

    def approve(self, count: int) -> list[int]:
        """Make some documents ready for posting, and give their keys."""
        keys = [next(self.next_key) for _ in range(count)]
        for key in keys:
            self.world.change("Document", key, invoicingStatus="RFP")
        self.world.requests()
        return keys

    def fault(self, side: str, action: Mapping[str, object], times: int | None = None, **match: str) -> None:
        self.world.sandbox.fault(side, action, times=times, match=match)

    def run(self, *jobs: str, **environ: str) -> Row:
        """Run jobs (documents), switch the faults off again, and give the object that is printed."""
        ended = self.world.command("run", *(jobs or ("documents",)), "--json", **environ)
        self.world.sandbox.control("DELETE", "faults")
        assert ended.exit_code == ended.json()["exit_code"], ended.err
        return ended.json()

    def posted(self, keys: list[int]) -> list[int]:
        """Give those of the documents that the VMS has as posted."""
        statuses = self.world.statuses()
        return [key for key in keys if statuses[f"N{key}"] == "POS"]

    def undelivered(self) -> dict[int, str]:
        """Give what the status says of vouchers and acknowledgements that are not delivered, by document."""
        found = self.world.command("status", "--json").json()["undelivered"]
        return {int(row["natural_key"]): row["message"] for row in found}

    def settle(self, keys: list[int]) -> None:
        """Run again, with nothing wrong any more; every document must have gone, and once."""
        assert self.run()["exit_code"] == 14
        assert self.posted(keys) == keys
        assert self.undelivered() == {}
        booked = self.world.booked()
        assert [booked[key] for key in keys] == [1] * len(keys)


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Days]:
    currencies = [*read_rows("vms/Currency"), {"key": 1_000_299, "currencyCode": "QQQ", "currencyName": "Nobody's"}]
    types = [*read_rows("vms/BusinessPartnerType"), {"key": 1_000_199, "businessPartnerTypeCode": "ZZ"}]
    files = {
        "vms/Document": documents(),
        "vms/BusinessPartner": partners(),
        "vms/BusinessPartnerType": types,
        "vms/Currency": currencies,
    }
    with world(tmp_path_factory.mktemp("bad_day"), files, is_first_day=True, **LIMITS) as bad_day:
        bad_day.sandbox.fault("vms", {"kind": "replace", "old": str(NAN), "new": "NaN"})
        first = bad_day.command("run", "master-data", "documents", "--json")
        bad_day.sandbox.control("DELETE", "faults")
        status = bad_day.command("status", "--json").json()
        yield Days(bad_day, first, status, bad_day.statuses(), iter(WAITING))


def test_every_good_document_goes_out_all_the_same(days: Days) -> None:
    assert {key for key in GOOD if days.statuses[f"N{key}"] == "POS"} == set(GOOD)
    assert not any(days.statuses[f"N{key}"] == "POS" for key in KEYS.values())
    sent = days.world.sent()
    assert {key: sent[f"N{key}"][0]["subledger"]["code"] for key in GOOD} == GOOD
    assert days.first.exit_code == 14
    assert "Traceback" not in days.first.err


@pytest.mark.parametrize("name", HELD)
def test_a_bad_document_is_held_by_its_rule(days: Days, name: str) -> None:
    told = {row["rule"]: row["message"] for row in days.status["held"] if row["document_key"] == KEYS[name]}
    message = told[HELD[name].rule]
    assert f"N{KEYS[name]}" in message
    assert all(word in message for word in HELD[name].words)
    assert "\n" not in message


@pytest.mark.parametrize("name", SET_ASIDE)
def test_a_broken_document_is_set_aside(days: Days, name: str) -> None:
    [row] = [row for row in days.status["rejected"] if row["object_key"] == str(KEYS[name])]
    assert row["member"] == SET_ASIDE[name].rule
    assert f"{KEYS[name]} (N{KEYS[name]}): {SET_ASIDE[name].rule}: " in row["message"]
    assert all(word in row["message"] for word in SET_ASIDE[name].words)
    assert "Next: correct it in the VMS" in row["message"]


def test_two_partners_with_one_code_are_a_break(days: Days) -> None:
    [found] = [row for row in days.status["breaks"] if row["kind"] == "code not unique"]
    assert TWICE in found["message"]
    assert TWICE in found["next_step"]
    assert days.first.json()["jobs"]["master-data"]["breaks"] == 1


@pytest.mark.parametrize("name", ["SPRINGLINE_VMS__CLIENT_SECRET", "SPRINGLINE_LEDGER__TOKEN"])
def test_no_credentials_are_a_fault_of_the_settings(days: Days, name: str) -> None:
    ended = days.world.command("run", "--json", **{name: ""})
    assert ended.exit_code == 10
    assert name in ended.json()["error"]
    assert ended.json()["next_step"]


@pytest.mark.parametrize(
    ("named", "environ"),
    [
        ("SPRINGLINE_VMS__CLIENT_SECRET", {"SPRINGLINE_VMS__CLIENT_SECRET": "wr0ng"}),
        ("SPRINGLINE_VMS__PASSWORD", {"SPRINGLINE_VMS__USERNAME": "api", "SPRINGLINE_VMS__PASSWORD": "wr0ng"}),
        ("SPRINGLINE_LEDGER__TOKEN", {"SPRINGLINE_LEDGER__TOKEN": "wr0ng"}),
    ],
)
def test_wrong_credentials_name_the_setting(days: Days, named: str, environ: dict[str, str]) -> None:
    # Each job that asks either side.
    jobs = ("master-data", "documents", "rates", "payments", "actuals", "reconcile")
    ended = days.world.command("run", *jobs, "--json", **environ)
    assert ended.exit_code == 11
    assert all(f"Next: check {named[:16]}" in problem for problem in ended.json()["problems"])
    assert named in ended.out
    assert "wr0ng" not in ended.out + ended.err


def test_a_token_that_is_none_is_a_fault_of_the_settings(days: Days) -> None:
    ended = days.world.command("run", SPRINGLINE_LEDGER__TOKEN="wr0ng\ntoken")
    assert ended.exit_code == 10
    assert "SPRINGLINE_LEDGER__TOKEN" in ended.err
    assert "wr0ng" not in ended.out + ended.err


def test_what_one_side_breaks_at_does_not_stop_others(days: Days) -> None:
    keys = days.approve(12)
    answers: dict[int, tuple[Mapping[str, object], str]] = {
        keys[1]: ({"kind": "status", "status": 500, "body": "Oops"}, "answered 500: Oops"),
        keys[3]: ({"kind": "status", "status": 529, "body": HTML}, f"answered 529: {HTML}"),
        keys[5]: ({"kind": "status", "status": 200, "body": HTML}, f"no GraphQL but '{HTML}'"),
        keys[7]: ({"kind": "drop_before"}, "got no answer"),
    }
    for key, (action, _) in answers.items():
        days.fault("ledger", action, contains=f'"N{key}"', **MUTATION)
    answers[keys[9]] = ({"kind": "status", "status": 503, "body": "Closed"}, "answered 503: Closed")
    days.fault("vms", answers[keys[9]][0], method="PUT", path=f"/ws/rest/Document/{keys[9]}")
    # These are carried out, and only the answers are lost.
    days.fault("ledger", {"kind": "drop_after"}, times=1, contains=f'"N{keys[10]}"', **MUTATION)
    days.fault("ledger", {"kind": "body", "body": HTML}, times=1, contains=f'"N{keys[11]}"', **MUTATION)
    found = days.run()
    assert found["exit_code"] == 15
    assert found["jobs"]["documents"]["unknown"] == len(answers)
    assert all("Next: " in problem for problem in found["problems"])
    assert days.posted(keys) == [key for key in keys if key not in answers]
    told = days.undelivered()
    assert set(told) == set(answers)
    for key, (_, words) in answers.items():
        assert f"document N{key} (key {key}): " in told[key]
        assert words in told[key]
        assert "Next: " in told[key]
    days.settle(keys)


def without_first_line(days: Days, key: int) -> list[str]:
    """Remove a document's first line in the VMS, and give the texts of the others."""
    [seeded] = copies(1, first_key=key)
    gone, *others = seeded["documentLines"]
    rest = {name: seeded[name] - gone[name] for name in ONE}
    lines = [{"key": kept["key"]} for kept in days.world.document(f"N{key}")["documentLines"]]
    days.world.change("Document", key, documentLines=lines[1:], **rest)
    return [kept["documentLineText"] for kept in others]


def test_what_waits_for_credits_goes_later_as_it_is_then(days: Days) -> None:
    keys = days.approve(2)
    days.fault("ledger", limit("CONCURRENCY_LIMIT_REACHED"), times=1, **MUTATION)
    days.fault("ledger", limit("INSUFFICIENT_CREDITS", resetAt="2100-01-01T00:00:00"), **MUTATION)
    found = days.run()
    assert found["exit_code"] == 15
    assert found["jobs"]["documents"]["unknown"] == 2
    assert any(
        "INSUFFICIENT_CREDITS" in problem and "run again after 2100-01-01 00:00 (Oslo)" in problem
        for problem in found["problems"]
    )
    # The first limit was waited out, the second was not.
    assert days.world.requests()["ledger"]["POST addGLImportItems"] == 2
    assert set(days.undelivered()) == set(keys)
    kept = without_first_line(days, keys[0])
    days.settle(keys)
    nodes = days.world.sent()[f"N{keys[0]}"]
    assert [node["text"] for node in nodes[1:]] == kept
    assert sum(Decimal(node["invoiceAmount"]) for node in nodes) == 0


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ({"kind": "status", "status": 500, "body": "Oops"}, "answered 500: Oops"),
        ({"kind": "body", "body": HTML}, f"no GraphQL but '{HTML}'"),
        ({"kind": "drop_before"}, "got no answer"),
        (limit("BURST_RATE_LIMIT_REACHED"), "BURST_RATE_LIMIT_REACHED"),
    ],
)
def test_a_ledger_that_cannot_be_read_is_named(days: Days, action: dict[str, Any], words: str) -> None:
    # With nothing to check the ledger is asked nothing.
    keys = days.approve(1)
    days.fault("ledger", action)
    found = days.run()
    assert found["exit_code"] == 11
    [problem] = found["problems"]
    assert words in problem
    assert "Next: " in problem
    days.settle(keys)


def test_a_page_that_stays_no_json_is_named(days: Days) -> None:
    days.fault("vms", {"kind": "body", "body": HTML}, **DOCUMENTS)
    found = days.run()
    assert found["exit_code"] == 11
    [problem] = found["problems"]
    assert "/ws/rest/Document?" in problem
    assert f"no JSON array but '{HTML}'" in problem
    assert "Next: open that address" in problem


def test_an_error_shows_no_bank_account_of_its_answer(days: Days) -> None:
    cut_off = '[{"key":1,"bankAccount":{"bankAccountNo":"99918258058","iban":"NO4299918258058"'
    for action in ({"kind": "status", "status": 500, "body": cut_off}, {"kind": "body", "body": cut_off}):
        days.fault("vms", action, **DOCUMENTS)
        [problem] = days.run()["problems"]
        [(detail,)] = days.world.rows("SELECT detail FROM steps ORDER BY started_at DESC LIMIT 1")
        assert problem == detail
        assert '"key":1' in problem
        assert "99918258058" not in problem


def test_a_broken_page_or_object_stops_no_document(days: Days) -> None:
    keys = days.approve(5)
    days.fault("vms", {"kind": "body", "body": HTML}, method="GET", path="/ws/rest/Voyage")
    # A page that is no JSON once is read again; one that stays so, because of one object, is read in parts.
    days.fault("vms", {"kind": "body", "body": HTML}, times=1, **DOCUMENTS)
    days.fault("vms", {"kind": "replace", "old": f'"N{keys[2]}"', "new": f'N{keys[2]}"'}, **DOCUMENTS)
    found = days.run("master-data", "documents", SPRINGLINE_VMS__PAGE_SIZE="30")
    assert found["exit_code"] == 11
    [problem] = found["problems"]
    assert "/ws/rest/Voyage?" in problem
    assert days.posted(keys) == [key for key in keys if key != keys[2]]
    rejected = days.world.command("status", "--json").json()["rejected"]
    [row] = [row for row in rejected if row["object_key"] == str(keys[2])]
    assert f"Document {keys[2]}: is no JSON: " in row["message"]
    assert "Next: correct it in the VMS" in row["message"]
