"""How signals end a watch: once, in steps, and without harm when they come again."""

from __future__ import annotations

import signal
import time

import pytest

from pipelines.watch import stop as stopping
from pipelines.watch.stop import Stop, Stopped, stopped_by_signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_and_a_second_one_changes_nothing(number: signal.Signals) -> None:
    stop = Stop()
    ended: list[int] = []
    with stopped_by_signals(stop, end=ended.append):
        stop.check()
        signal.raise_signal(number)
        signal.raise_signal(number)
        with pytest.raises(Stopped):
            stop.check()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert ended == []


def test_whatever_does_not_ask_is_left_and_at_last_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "LEAVE_AFTER", 0.05)
    monkeypatch.setattr(stopping, "END_AFTER", 0.2)
    ended: list[int] = []
    with stopped_by_signals(Stop(), end=ended.append):
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Stopped):
            time.sleep(60)
        end = time.monotonic() + 60
        while not ended:
            assert time.monotonic() < end
            time.sleep(0.01)
    assert ended == [0]


def test_a_watch_that_has_ended_is_not_ended_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "END_AFTER", 0.2)
    ended: list[int] = []
    with stopped_by_signals(Stop(), end=ended.append):
        signal.raise_signal(signal.SIGTERM)
    time.sleep(0.4)
    assert ended == []
