"""What a contract accepts and what it refuses, value by value, on the fast path and on the slow one alike."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from pipelines.contracts.contract import (
    Children,
    Contract,
    amount,
    boolean,
    identifier,
    integer,
    money,
    rate,
    text,
    timestamp,
)
from pipelines.contracts.contract import date as day
from pipelines.extract.parse import parse_page

THING = Contract(
    "Thing",
    "things",
    "thing_key",
    (
        integer("thing_key", "key", required=True),
        text("name", "name"),
        amount("amount", "amount"),
        rate("rate", "rate"),
        money("money", "money"),
        boolean("flag", "flag"),
        timestamp("at", "at"),
        timestamp("start_at", "startGMT"),
        day("on_day", "day"),
        identifier("remote_id", "id"),
        text("iban", "bankAccount.iban"),
        text("first_code", "codes[0].code"),
    ),
    children=(Children("parts", "parts", (integer("part_key", "key", required=True), text("tag", "tag"))),),
)


def landed(members: str) -> dict[str, Any]:
    """Return the row of one object with these members."""
    parsed = parse_page(b'[{"key":1,' + members.encode() + b"}]", THING)
    assert not parsed.rejected, parsed.rejected[0].message
    row: dict[str, Any] = parsed.parents.to_pylist()[0]
    return row


def refused(members: str) -> str:
    """Return what is wrong with these members."""
    parsed = parse_page(b'[{"key":1,' + members.encode() + b"}]", THING)
    assert parsed.parents.num_rows == 0
    [rejected] = parsed.rejected
    return rejected.message.removeprefix("Thing 1: ")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("0.30000000000000004", "0.30000000000000004"),
        ("-0.0", "0"),
        ("1250", "1250"),
        ("1.25E7", "12500000"),
        ("1.2345678901234567E7", "12345678.901234567"),
        ("12.5e3", "12500"),
        ("1e+10", "10000000000"),
        ("1E-10", "0.0000000001"),
        ("999999999999999.999999999999999999", "999999999999999.999999999999999999"),
        ("-123456789012345.123456789012345678", "-123456789012345.123456789012345678"),
        ("0.1234567890123456780000", "0.123456789012345678"),
        ("null", None),
    ],
)
def test_an_amount_lands_to_the_last_digit(written: str, value: str | None) -> None:
    assert landed(f'"amount":{written}')["amount"] == (None if value is None else Decimal(value))


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("NaN", "a decimal was expected, found NaN"),
        ("-Infinity", "a decimal was expected, found -Infinity"),
        ("123456789012345678901234567890", "has more than 15 digits before the decimal point"),
        ("1000000000000000", "has more than 15 digits before the decimal point"),
        ("1E25", "has more than 15 digits before the decimal point"),
        ("1E999999999999999999999", "is beyond any amount"),
        ("0.1234567890123456789", "has more than 18 decimals"),
        ("1e-30", "has more than 18 decimals"),
        ('"12.50"', "a number was expected, found the text '12.50'"),
        ('"abc"', "a number was expected, found the text 'abc'"),
        ("true", "a number was expected, found true"),
        ("[1]", "a number was expected, found a list"),
        ("{}", "a number was expected, found an object"),
    ],
)
def test_an_amount_that_cannot_be_held_is_refused(written: str, words: str) -> None:
    assert words in refused(f'"amount":{written}')


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("0.00006299927172844795", "0.000062999271728448"),
        ("6.250000000000001E-5", "0.000062500000000000"),
        ("0.25", "0.25"),
        ("1e-30", "0"),
    ],
)
def test_a_rate_is_rounded_behind_eighteen_decimals(written: str, value: str) -> None:
    assert landed(f'"rate":{written}')["rate"] == Decimal(value)


@pytest.mark.parametrize("written", ['"101.00"', "101", "101.0", '"+101"', '"1.01E2"'])
def test_money_comes_as_text_or_number(written: str) -> None:
    assert landed(f'"money":{written}')["money"] == Decimal(101)


@pytest.mark.parametrize("written", ['"1,50"', '""', '" 1"', "true", '"NaN"', '"\u0661"'])
def test_money_that_is_no_decimal_is_refused(written: str) -> None:
    assert "a decimal was expected" in refused(f'"money":{written}')


@pytest.mark.parametrize("written", ["901001", '"901001"'])
def test_an_id_comes_as_number_or_digits(written: str) -> None:
    assert landed(f'"id":{written}')["remote_id"] == 901001


@pytest.mark.parametrize(
    "written", ['"x"', "1.5", "99999999999999999999", "true", '"9223372036854775808"', "-9223372036854775808"]
)
def test_an_id_that_is_no_whole_number_is_refused(written: str) -> None:
    assert "was expected" in refused(f'"id":{written}')


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-11-02T08:11:12", "2026-11-02 08:11:12"),
        ("2026-11-02 08:11:12.5", "2026-11-02 08:11:12.500000"),
        ("2026-11-02T08:11:12.1234567", "2026-11-02 08:11:12.123456"),
        ("2026-11-02T08:11", "2026-11-02 08:11:00"),
        ("2026-11-02", "2026-11-02 00:00:00"),
        # With a zone, brought to the clocks in Oslo, where both systems are at home.
        ("2026-11-02T08:11:12Z", "2026-11-02 09:11:12"),
        ("2026-11-01T23:30:00.5Z", "2026-11-02 00:30:00.500000"),
        ("2026-11-02T00:30:00+01:00", "2026-11-02 00:30:00"),
        ("2026-11-02 00:30:00+0100", "2026-11-02 00:30:00"),
        ("2026-11-01T18:30:00-05", "2026-11-02 00:30:00"),
        ("2026-11-02T08Z", "2026-11-02 09:00:00"),
        ("2026-11-02T08:11-00:30", "2026-11-02 09:41:00"),
        ("2026-11-02T08:11:12.1234567Z", "2026-11-02 09:11:12.123456"),
    ],
)
def test_a_time_is_the_local_one(written: str, moment: str) -> None:
    assert landed(f'"at":"{written}"')["at"] == datetime.fromisoformat(moment)
    assert landed(f'"day":"{written}"')["on_day"] == date(2026, 11, 2)


@pytest.mark.parametrize("written", ["2026-11-02T08:00:00Z", "2026-11-02T09:00:00+01:00", "2026-11-02T08:00:00"])
def test_a_time_of_utc_stays_one(written: str) -> None:
    assert landed(f'"startGMT":"{written}"')["start_at"] == datetime.fromisoformat("2026-11-02T08:00:00")


@pytest.mark.parametrize(
    "written",
    [
        '"2026-11-02T08:11:12 Z"',
        '"2026-11-02T08:11:12z"',
        '"2026-11-02T08:11:12+25:00"',
        '"2026-11-02Z"',
        '"0001-01-01T00:00:00+02:00"',
        '"2026-02-30"',
        '"0000-11-02"',
        '"0000-11-02T08:00:00"',
        '"02.11.2026"',
        '""',
        "1772668800000",
    ],
)
def test_what_is_no_time_is_refused(written: str) -> None:
    assert "day" in refused(f'"day":{written}')
    assert "at" in refused(f'"at":{written}')


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ('"name":true', "name: text was expected, found true"),
        ('"name":"\\ud800"', "name: half a surrogate pair"),
        ('"name":"a\\u0000"', "name: the character U+0000 stands in the text"),
        ('"name":"a","name":"b"', "name: text was expected, found two values"),
        ('"flag":1', "flag: true or false was expected, found 1"),
        ('"flag":"true"', "flag: true or false was expected"),
        ('"bankAccount":"x"', "bankAccount: an object was expected"),
        ('"codes":{}', "codes: a list was expected, found an object"),
        ('"codes":["x"]', "codes[0]: an object was expected"),
        ('"parts":[null]', "parts[0]: an object was expected, found null"),
        ('"parts":[{"key":1},{"tag":"x"}]', "parts[1].key: is missing, but required"),
        ('"amount":"x","name":true', "amount: a number was expected, found the text 'x'; name:"),
    ],
)
def test_what_is_wrong_is_said_by_member(members: str, words: str) -> None:
    assert words.split("; ", maxsplit=1)[0] in refused(members)


def test_every_fault_of_an_object_is_said_at_once() -> None:
    message = refused('"name":false,"flag":1,"amount":NaN')
    assert all(name in message for name in ("name:", "flag:", "amount:"))


def test_no_message_shows_a_bank_account() -> None:
    assert refused('"bankAccount":{"iban":false}') == "bankAccount.iban: is no text"


def test_a_long_value_is_cut_in_the_message() -> None:
    assert len(refused(f'"amount":"{"x" * 500}"')) < 120


@pytest.mark.parametrize("codes", ["null", "[]", "[null]", '[{"other":1}]'])
def test_the_first_of_nothing_is_nothing(codes: str) -> None:
    assert landed(f'"codes":{codes}')["first_code"] is None


def test_only_the_first_of_a_list_counts() -> None:
    assert landed('"codes":[{"code":"A"},{"code":"B"}]')["first_code"] == "A"


def test_unknown_members_are_left_out() -> None:
    assert landed('"name":"x","new":{"deep":[1,NaN]}')["name"] == "x"
