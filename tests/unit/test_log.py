"""Logs: JSON lines without a terminal, nothing secret in either."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
import structlog

from pipelines.core.hiding import hide_in_text, never_show
from pipelines.core.log import configure_logging


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_without_a_terminal_each_event_is_a_json_line() -> None:
    stream = io.StringIO()
    configure_logging(stream=stream)
    structlog.contextvars.bind_contextvars(batch="b1")
    structlog.get_logger().info("landed", landed=3)
    event = json.loads(stream.getvalue())
    assert event.pop("timestamp").endswith("Z")
    assert event == {"event": "landed", "level": "info", "landed": 3, "batch": "b1"}


def test_on_a_terminal_events_are_lines_for_people_who_ask() -> None:
    stream = Terminal()
    configure_logging(stream=stream, is_verbose=True)
    structlog.get_logger().info("landed", landed=3)
    assert "landed" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def logged(stream: io.StringIO, *, is_verbose: bool = False, is_quiet: bool = False) -> set[str]:
    """Give which of these events are logged."""
    configure_logging(stream=stream, is_verbose=is_verbose, is_quiet=is_quiet)
    logger = structlog.get_logger()
    for write, event in (
        (logger.debug, "step_begun"),
        (logger.info, "step_done"),
        # As stamina writes it before it tries again.
        (logger.warning, "retry_scheduled"),
        (logger.error, "step_failed"),
    ):
        write(event)
    return {
        event for event in ("step_begun", "step_done", "retry_scheduled", "step_failed") if event in stream.getvalue()
    }


def test_what_is_logged_depends_on_who_looks() -> None:
    assert logged(Terminal()) == set()
    assert logged(io.StringIO()) == {"step_done", "retry_scheduled", "step_failed"}
    assert logged(io.StringIO(), is_quiet=True) == {"step_failed"}
    for stream in (Terminal(), io.StringIO()):
        assert logged(stream, is_verbose=True) == {"step_begun", "step_done", "retry_scheduled", "step_failed"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("client_secret", "s3cret"),
        ("token", "abc"),
        ("partner_iban", "NO0286011117947"),
        ("error", "sent Authorization: Bearer eyJhbGciOi.JIUzI1NiJ9.abc"),
        ("error", "header token AQIDBAUGBwgJCgsMDQ4PEBESExQ was refused"),
        ("error", "pays to NO02 8601 1117 947 tomorrow"),
    ],
)
def test_no_secret_and_no_bank_account_is_logged(field: str, value: str) -> None:
    stream = io.StringIO()
    configure_logging(stream=stream)
    structlog.get_logger().warning("refused", **{field: value})
    # A fraction of a second may have any digits.
    told = {name: text for name, text in json.loads(stream.getvalue()).items() if name != "timestamp"}
    for secret in ("s3cret", "abc", "eyJ", "AQID", "8601"):
        assert secret not in json.dumps(told)


def test_an_exception_is_one_line() -> None:
    stream = io.StringIO()
    configure_logging(stream=stream)
    try:
        int("boom")
    except ValueError:
        structlog.get_logger().exception("failed")
    assert "boom" in json.loads(stream.getvalue())["exception"]


ACCOUNT = "86011117947"
ECHOES = [
    f"account {ACCOUNT} is closed",
    "account 8601.11.17947 is closed",
    "account 8601 11 17947, closed",
    '{"bankAccountNo":86011117947}',
    '{"bankAccountNo": "86011117947", "iban"',
    '{"message":"{\\"bankAccountNo\\":\\"86011117947\\"}"}',
    '{"client_secret": "s3cr3t", "grant_type"',
    "GET /?access=kn0wn-s3cret",
    "NO93 8601 1117 947 and NO9386011117947",
]


@pytest.mark.parametrize("text", ECHOES)
def test_what_another_system_repeats_is_hidden(text: str) -> None:
    never_show("kn0wn-s3cret")
    shown = hide_in_text(text)
    assert "***" in shown
    assert not any(word in shown for word in (ACCOUNT, "17947", "1117 947", "s3cr3t", "kn0wn"))


@pytest.mark.parametrize(
    "text", ["voucher 20260000123", "86011117947.50 NOK", "document 2706035", "KID 0086011117947", "none of the others"]
)
def test_what_is_no_account_stays(text: str) -> None:
    never_show("none")
    assert hide_in_text(text) == text


def test_a_character_that_no_store_keeps_is_replaced() -> None:
    assert hide_in_text("no such\0account") == "no such\ufffdaccount"


def test_what_lies_deep_is_hidden() -> None:
    stream = io.StringIO()
    configure_logging(stream=stream)
    structlog.get_logger().info("sent", nodes=[{"bank_account": "1", "text": f"to {ACCOUNT}"}], of=(ACCOUNT,))
    assert json.loads(stream.getvalue())["nodes"] == [{"bank_account": "***", "text": "to ***"}]
    assert ACCOUNT not in stream.getvalue()


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_a_traceback_in_the_log_shows_no_account(stream: io.StringIO) -> None:
    configure_logging(stream=stream, is_verbose=True)
    account = ACCOUNT
    try:
        int(f"to {account}")
    except ValueError:
        structlog.get_logger().exception("failed")
    assert "ValueError" in stream.getvalue()
    assert ACCOUNT not in stream.getvalue()


BUG = """
import sys, threading
from pipelines.core.hiding import hide_in_tracebacks, never_show
hide_in_tracebacks()
never_show("kn0wn-s3cret")
def fail():
    raise ValueError("to {} with kn0wn-s3cret".format(86011117947))
{}
"""


@pytest.mark.parametrize("call", ["fail()", "one = threading.Thread(target=fail); one.start(); one.join()"])
def test_the_traceback_of_a_bug_shows_no_account(call: str) -> None:
    code = BUG.replace("\n{}\n", f"\n{call}\n")
    told = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)  # noqa: S603 ours
    assert "ValueError: to *** with ***" in told.stderr
    assert ACCOUNT not in told.stderr
