"""Logging: one JSON object a line, on a terminal lines for people where asked for; nothing secret, no bank account."""

from __future__ import annotations

import logging
import re
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

# What may carry a credential or a bank account, by the name of its field and by how it looks in a text.
_SECRET_FIELDS = re.compile(r"secret|password|token|authorization|iban|bank_account", re.IGNORECASE)
_SECRET_TEXTS = (
    re.compile(r"\b(?:Bearer|Basic|token)\s+[\w.~+/=-]{8,}"),
    re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"),
    # As JSON of either system has it; the end may be cut off.
    re.compile(r'(?<="iban":)\s*"[^"]*"?|(?<="bankAccountNo":)\s*"[^"]*"?|(?<="bankAccount":)\s*"[^"]*"?'),
)
HIDDEN = "***"

Event = MutableMapping[str, Any]


def configure_logging(
    *, stream: TextIO, is_verbose: bool = False, is_quiet: bool = False, is_followed: bool = False
) -> None:
    """Send structlog's events to ``stream``: JSON lines with a UTC time, coloured lines when it is a terminal.

    On a terminal nothing is logged unless ``is_verbose``, or ``is_followed`` because the log is all that there is:
    what a person must know is otherwise in the answer. Elsewhere ``is_quiet`` leaves errors alone.
    """
    is_terminal = stream.isatty()
    # Nothing is ever logged as critical.
    usual = logging.CRITICAL if is_terminal and not is_followed else logging.ERROR if is_quiet else logging.INFO
    shown: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer(colors=True)]
        if is_terminal
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            hide_secrets,
            *shown,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if is_verbose else usual),
        logger_factory=structlog.PrintLoggerFactory(stream),
        # A logger that was used before this call follows it too.
        cache_logger_on_first_use=False,
    )


def hide_secrets(_logger: object, _method: str, event: Event) -> Event:
    """Replace credentials and bank accounts, whichever field they stand in.

    >>> hide_secrets(None, "info", {"event": "paid to NO0286011117947", "token": "x"})
    {'event': 'paid to ***', 'token': '***'}
    """
    return {
        name: HIDDEN if _SECRET_FIELDS.search(name) else hide_in_text(value) if isinstance(value, str) else value
        for name, value in event.items()
    }


def hide_in_text(text: str) -> str:
    """Replace credentials and bank accounts in a text that comes from outside, before it goes into a message.

    >>> hide_in_text('[{"key":1,"bankAccountNo":"86011117947","iban":"NO02 8601')
    '[{"key":1,"bankAccountNo":***,"iban":***'
    """
    for pattern in _SECRET_TEXTS:
        text = pattern.sub(HIDDEN, text)
    return text
