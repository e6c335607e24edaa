"""Logging: one JSON object a line, on a terminal lines for people where asked for; nothing secret, no bank account."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog

from pipelines.core.hiding import HIDDEN, hide_in_text

# What may carry a credential or a bank account, by the name of its field.
_SECRET_FIELDS = re.compile(r"secret|password|token|authorization|iban|bank_account", re.IGNORECASE)

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
    # Not the renderer's own traceback: it shows local variables, and with them secrets and accounts.
    shown: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=True, exception_formatter=structlog.dev.plain_traceback)
        if is_terminal
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Before secrets are hidden: the text of an exception may hold one.
            structlog.processors.format_exc_info,
            hide_secrets,
            shown,
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
    return {name: HIDDEN if _SECRET_FIELDS.search(name) else _hidden(value) for name, value in event.items()}


def _hidden(value: object) -> object:
    if isinstance(value, str):
        return hide_in_text(value)
    if isinstance(value, Mapping):
        return hide_secrets(None, "", dict(value))
    return [_hidden(one) for one in value] if isinstance(value, list | tuple) else value
