"""Check digits of payment references and bank accounts, against the vectors of docs/systems/ledger.md#9.

Its two IBANs (NO02 and NO77) fail MOD97; the accounts in them are right, and stand here with NO93 and NO71.
"""

from __future__ import annotations

import pytest

from pipelines.core.identifiers import (
    is_iban,
    is_kid,
    is_payment_reference,
    mod11_check_digit,
)

# base, KID by MOD10, KID by MOD11
VECTORS = [
    ("60224", "602243", "602248"),
    ("1234", "12344", "12343"),
    ("00012", "000125", "000124"),
    ("123456789", "1234567897", "1234567892"),
    ("234567", "2345676", "2345676"),
    ("6", "67", "6-"),
    ("23", "232", "23-"),
]


@pytest.mark.parametrize(("base", "mod10", "mod11"), VECTORS)
def test_a_kid_may_end_in_either_check_digit_and_no_other(base: str, mod10: str, mod11: str) -> None:
    valid = {kid for kid in (base + check for check in "0123456789-") if is_kid(kid)}
    assert valid == {mod10, mod11}


@pytest.mark.parametrize("base", ["6", "23", "37", "40", "54", "68", "71", "85", "99", "104", "118", "121"])
def test_a_mod11_check_digit_of_ten_is_a_hyphen(base: str) -> None:
    assert mod11_check_digit(base) == "-"


@pytest.mark.parametrize("base", ["14", "28", "31", "45", "59"])
def test_a_mod11_check_digit_of_eleven_is_zero(base: str) -> None:
    assert mod11_check_digit(base) == "0"


@pytest.mark.parametrize(
    "reference",
    ["", "7", "-", "--", "-67", "6-7", "6 7", "67\n", "٦٧", "000123", "6022431", "1" * 26, "0" * 26],
    ids=repr,
)
def test_what_is_no_kid_is_refused(reference: str) -> None:
    assert not is_payment_reference(reference)


def test_a_kid_has_at_most_25_characters() -> None:
    assert is_kid("0" * 25)
    assert not is_kid("0" * 26)


def test_leading_zeros_are_part_of_a_kid() -> None:
    assert is_kid("000125")
    assert is_kid("0000000125")


def test_a_reference_that_begins_with_rf_is_checked_by_mod97() -> None:
    assert is_payment_reference("RF18539007547034")
    assert is_payment_reference("rf18 5390 0754 7034")
    assert not is_payment_reference("RF17539007547034")
    assert not is_payment_reference("RF")


@pytest.mark.parametrize("iban", ["NO9386011117947", "NO93 8601 1117 947", "NO7112345678903", "GB82WEST12345698765432"])
def test_an_iban_with_right_check_digits_is_valid(iban: str) -> None:
    assert is_iban(iban)


@pytest.mark.parametrize(
    "iban",
    ["NO0286011117947", "NO938601111794", "NO2386011117946", "86011117947", "XX00", "", "GB82WEST1234569876543!"],
)
def test_an_iban_with_wrong_digits_or_length_is_refused(iban: str) -> None:
    assert not is_iban(iban)
