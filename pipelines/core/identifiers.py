"""Codes and numbers that name things: what is taken off them, and which pass their check digits.

Codes are compared letter by letter, so what nobody sees must not tell two of them apart: pasted from a web page or a
PDF, a code may end in a tab or a no-break space, or hold a zero-width space (docs/systems/ledger.md#9 for the digits).
"""

from __future__ import annotations

import re
import unicodedata

from stdnum import iban, iso11649, luhn

# 2 to 25 characters; `-` stands for a MOD11 check digit of 10 and only in the last place.
KID = re.compile(r"[0-9]{1,24}[0-9-]")
MOD11_WEIGHTS = (2, 3, 4, 5, 6, 7)
SHOWN_CHARACTERS = 4
# Categories of Unicode: controls and what only steers the layout (zero width, direction, soft hyphen) is never seen.
_UNSEEN = frozenset({"Cc", "Cf", "Zl", "Zp"})
_BLANK, _DASH = "Zs", "Pd"
# Controls have no name in Unicode.
_CONTROLS = {"\t": "tab", "\n": "line feed", "\r": "carriage return", "\0": "zero byte"}


def clean_code(code: str) -> str:
    r"""Return a code as it is compared and sent: composed (NFC), without blanks at its ends and what nobody sees.

    White space between other characters stays: it tells codes apart, and a message names it (``shown_code``).

    >>> clean_code("4300\t"), clean_code("\u00a0605\u200b05 "), clean_code("60\n606"), clean_code("A\u030a1")
    ('4300', '60505', '60\n606', 'Å1')
    """
    seen = "".join(c for c in code if c.isspace() or unicodedata.category(c) not in _UNSEEN)
    return unicodedata.normalize("NFC", seen.strip())


def clean_iban(number: str) -> str:
    r"""Return an IBAN as one word in capitals: without the blanks, dashes and dots that people group it with.

    >>> clean_iban("no93-8601\u00a01117.947"), clean_iban("N/A")
    ('NO9386011117947', 'N/A')
    """
    return "".join(c for c in clean_code(number) if c != "." and not _groups(c)).upper()


def removed_characters(before: str, after: str) -> list[str]:
    r"""Name each kind of character that was taken off a code, but for plain blanks.

    >>> removed_characters("\u00a0605\u200b05\t ", "60505")
    ['no-break space', 'zero width space', 'tab']
    """
    gone = (c for c in before if c != " " and before.count(c) > after.count(c) and (_groups(c) or is_unseen(c)))
    return list(dict.fromkeys(map(character_name, gone)))


def shown_code(code: str) -> str:
    r"""Write a code for people, with each character named that looks like nothing or like a blank.

    >>> shown_code("60\n606"), shown_code("43\u00a000"), shown_code("V 1")
    ('60[line feed]606', '43[no-break space]00', 'V 1')
    """
    return "".join(f"[{character_name(c)}]" if c != " " and is_unseen(c) else c for c in code)


def is_unseen(character: str) -> bool:
    """Tell whether a character looks like nothing or like a blank."""
    return unicodedata.category(character) in _UNSEEN | {_BLANK}


def character_name(character: str) -> str:
    """Name a character as Unicode does, in small letters."""
    return _CONTROLS.get(character) or unicodedata.name(character, "").lower() or f"U+{ord(character):04X}"


def _groups(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) == _DASH


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
