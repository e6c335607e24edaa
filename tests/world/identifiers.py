"""Check digits of bank accounts, organisation numbers, KIDs and ship numbers."""

from __future__ import annotations

_ACCOUNT_WEIGHTS = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
_ORGANISATION_WEIGHTS = (3, 2, 7, 6, 5, 4, 3, 2)
_KID_WEIGHTS = (2, 3, 4, 5, 6, 7)
_IMO_WEIGHTS = (7, 6, 5, 4, 3, 2)
_NO_CHECK_DIGIT = 10


def _mod11(base: str, weights: tuple[int, ...]) -> int:
    total = sum(int(digit) * weight for digit, weight in zip(base, weights, strict=True))
    return -total % 11


def _next_with_check_digit(base: str, weights: tuple[int, ...]) -> str:
    """Append the MOD11 digit; a base whose digit would be 10 is never given out, so the next one is taken."""
    for step in range(10):
        candidate = f"{int(base) + step:0{len(base)}d}"
        check = _mod11(candidate, weights)
        if check != _NO_CHECK_DIGIT:
            return f"{candidate}{check}"
    raise ValueError(f"no number with a check digit near {base}")


def norwegian_account(base: str) -> str:
    """Give an 11-digit account number for a base of 10 digits."""
    return _next_with_check_digit(base, _ACCOUNT_WEIGHTS)


def organisation_number(base: str) -> str:
    """Give a 9-digit organisation number for a base of 8 digits."""
    return _next_with_check_digit(base, _ORGANISATION_WEIGHTS)


def iban(country: str, account: str) -> str:
    """Give the IBAN of a country's account number, check digits by ISO 7064 MOD 97-10."""
    text = f"{account}{country}00"
    number = "".join(str(int(character, 36)) for character in text)
    return f"{country}{98 - int(number) % 97:02d}{account}"


def kid_mod10(base: str) -> str:
    """Append the MOD10 (Luhn) digit; weights 2, 1, 2, 1 from the right, digits of each product added."""
    total = 0
    for place, digit in enumerate(reversed(base)):
        product = int(digit) * (2 if place % 2 == 0 else 1)
        total += product // 10 + product % 10
    return f"{base}{-total % 10}"


def kid_mod11(base: str) -> str:
    """Append the MOD11 digit; weights 2 to 7 from the right, a digit of 10 is written as ``-``."""
    weights = tuple(_KID_WEIGHTS[place % len(_KID_WEIGHTS)] for place in range(len(base)))
    check = _mod11(base[::-1], weights)
    return f"{base}{'-' if check == _NO_CHECK_DIGIT else check}"


def imo_number(base: str) -> str:
    """Give a 7-digit ship number for a base of 6 digits."""
    return f"{base}{sum(int(digit) * weight for digit, weight in zip(base, _IMO_WEIGHTS, strict=True)) % 10}"
