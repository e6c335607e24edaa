"""Fleets of one session share nothing: the control store of another has the keys of other documents, sent elsewhere."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.tenants.fleet import fleet

pytestmark = pytest.mark.schedulers


def test_a_second_fleet_knows_nothing_of_what_the_first_has_sent(tmp_path: Path) -> None:
    stores = set()
    for name in ("first", "second"):
        with fleet(tmp_path / name, 1) as ships:
            [port] = ships.ports.values()
            # The same documents of the same keys, in systems of their own.
            port.enter(Random(1))  # noqa: S311 no secret
            ships.machine("machine")
            ships.warm("machine")
            assert port.violations() == []
            stores.add(str(port.control))
    assert len(stores) == len(("first", "second"))
