"""Payment references and bank accounts: which of them pass their own check digits (docs/systems/ledger.md#9)."""

from __future__ import annotations

import re

from stdnum import iban, iso11649, luhn

# 2 to 25 characters; `-` stands for a MOD11 check digit of 10 and only in the last place.
KID = re.compile(r"[0-9]{1,24}[0-9-]")
MOD11_WEIGHTS = (2, 3, 4, 5, 6, 7)
SHOWN_CHARACTERS = 4


def is_payment_reference(reference: str) -> bool:
    """Tell whether a reference is a KID or, where it begins with ``RF``, an ISO 11649 creditor reference.

    >>> is_payment_reference("602243"), is_payment_reference("RF18539007547034"), is_payment_reference("000123")
    (True, True, False)
    """
    if reference[:2].upper() == "RF":
        return iso11649.is_valid(reference)
    return is_kid(reference)


def is_kid(reference: str) -> bool:
    """Tell whether a Norwegian customer identification passes MOD10 or MOD11; leading zeros count.

    Which of the two the receiver's bank expects is not known here, so either will do.

    >>> is_kid("12344"), is_kid("12343"), is_kid("23-"), is_kid("2-3")
    (True, True, True, False)
    """
    if not KID.fullmatch(reference):
        return False
    base, check = reference[:-1], reference[-1]
    return check in {luhn.calc_check_digit(base), mod11_check_digit(base)}


def mod11_check_digit(base: str) -> str:
    """Return the MOD11 check digit of a string of digits: weights 2 to 7 from the right; 10 is written ``-``.

    >>> mod11_check_digit("60224"), mod11_check_digit("14"), mod11_check_digit("6")
    ('8', '0', '-')
    """
    total = sum(int(digit) * MOD11_WEIGHTS[place % 6] for place, digit in enumerate(reversed(base)))
    check = -total % 11
    return "-" if check == 10 else str(check)  # noqa: PLR2004 the one check "digit" that has two


def is_iban(number: str) -> bool:
    """Tell whether an IBAN passes MOD97, its country's layout and, for Norway, the account's own check digit.

    Blanks between the groups are allowed.
    """
    return iban.is_valid(number)


def masked_account(number: str) -> str:
    """Return what a message may show of a bank account: its last four characters.

    >>> masked_account("NO93 8601 1117 947")
    '…7947'
    """
    return "…" + re.sub(r"\s", "", number)[-SHOWN_CHARACTERS:]
