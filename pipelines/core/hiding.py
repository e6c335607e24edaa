"""Keeps credentials and bank accounts out of texts that people and logs get, tracebacks among them."""

from __future__ import annotations

import re
import sys
import threading
import traceback
from types import TracebackType

# How a credential or a bank account looks in a text, and what stands in its place.
HIDDEN = "***"
_SECRET_TEXTS = (
    (re.compile(r"\b(?:Bearer|Basic|token)\s+[\w.~+/=-]{8,}"), HIDDEN),
    (re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"), HIDDEN),
    # As JSON of either system has it, also JSON inside a text; the end may be cut off.
    (
        re.compile(
            r'((?:iban|bankAccount|bankAccountNo|client_secret|access_token|password)\\*"\s*:\s*)'
            r'(?:\\*"[^"\\]*(?:\\*"|$)|\d+)'
        ),
        rf"\1{HIDDEN}",
    ),
)
# What looks like a Norwegian account: four digits, two and five. It is one when the last digit is MOD11 of the others.
_ACCOUNT = re.compile(r"(?<![\d.,])(\d{4})([ .]?)(\d{2})\2(\d{5})(?!\d|[.,]\d)")
_WEIGHTS, _MODULUS = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1), 11
# The secrets of this process. A shorter one would be found in any word.
_SHORTEST = 8
_known: set[str] = set()


def never_show(secret: str) -> None:
    """Keep a secret out of every message and log line of this process, wherever another system repeats it."""
    if len(secret) >= _SHORTEST:
        _known.add(secret)


def hide_in_text(text: str) -> str:
    """Replace credentials and bank accounts in a text that comes from outside, before it goes into a message.

    And U+0000, which a control store in PostgreSQL does not take.

    >>> hide_in_text('[{"key":1,"bankAccountNo":"86011117947","iban":"NO02 8601')
    '[{"key":1,"bankAccountNo":***,"iban":***'
    >>> hide_in_text("86011117947 and 8601.11.17947, not 86011117948 nor 86011117947.50")
    '*** and ***, not 86011117948 nor 86011117947.50'
    """
    text = text.replace("\0", "\ufffd")
    for secret in _known:
        text = text.replace(secret, HIDDEN)
    for pattern, instead in _SECRET_TEXTS:
        text = pattern.sub(instead, text)
    return _ACCOUNT.sub(_hide_account, text)


def _hide_account(found: re.Match[str]) -> str:
    digits = map(int, "".join(found.group(1, 3, 4)))
    total = sum(digit * weight for digit, weight in zip(digits, _WEIGHTS, strict=True))
    return found[0] if total % _MODULUS else HIDDEN


def hide_in_tracebacks() -> None:
    """Have what Python prints of a bug, in any thread, hide what no log line may show."""

    def show(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
        lines = traceback.format_exception(kind, error, trace)
        sys.stderr.write(hide_in_text("".join(lines)))

    def show_of_thread(told: threading.ExceptHookArgs) -> None:
        if told.exc_type is not SystemExit:
            show(told.exc_type, told.exc_value, told.exc_traceback)

    sys.excepthook = show
    threading.excepthook = show_of_thread
