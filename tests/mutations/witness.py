"""A plugin of pytest that tells why a run failed: by an assertion about behaviour, or because it could not go on.

A mutant that cannot be imported, or a model that cannot be built, fails every test and proves nothing about any.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

OPTION = "--witness"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(OPTION, type=Path, required=True, help="the file that gets what was seen")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Witness(config.getoption(OPTION)), "mutation-witness")


class Witness:
    """Counts what ran and what fell over, and ends the run at the first assertion that fails."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._ran = 0
        self._fell: list[str] = []
        self._assertion = ""

    # The first that returns a report ends the asking, and this one returns none.
    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        self._ran += call.when == "call"
        if call.excinfo is None or isinstance(call.excinfo.value, pytest.skip.Exception):
            return
        # A fixture that plays a whole job asserts how it ended, so what is set up counts too.
        if _is_assertion(call.excinfo.value):
            self._assertion = self._assertion or item.nodeid
            item.session.shouldstop = "an assertion failed"
        else:
            self._fell.append(f"{item.nodeid}: {call.excinfo.typename}: {call.excinfo.value}"[:500])

    def pytest_sessionfinish(self) -> None:
        seen = {"ran": self._ran, "assertion": self._assertion, "fell": self._fell}
        self._place.write_text(json.dumps(seen), "utf-8")


def _is_assertion(error: BaseException) -> bool:
    # Hypothesis gives several failures of one test as a group; `fail` is also what `raises` calls in vain.
    if isinstance(error, BaseExceptionGroup):
        return any(map(_is_assertion, error.exceptions))
    return isinstance(error, AssertionError | pytest.fail.Exception)
