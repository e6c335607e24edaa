"""What ten changes cost among very many partners and voyages that are in step already, beside the same requests alone.

Run as ``python -m tests.bench.bench_master_data [--full]``. The sandbox's own time is in both figures.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.contracts import vms as vms_contracts
from pipelines.contracts.shape import paths
from pipelines.extract.ledger import BY_CHANGE, WHOLE
from pipelines.extract.vms import MOVED_BY
from pipelines.wire.filters import at_least
from tests.bench.desk import (
    CLOCK,
    NO_LIMITS,
    Cost,
    Desk,
    clients,
    desk,
    make_world,
    quickest,
    reading,
    say,
    world_settings,
)

if TYPE_CHECKING:
    import httpx

PARTNERS, VOYAGES = 50_000, 12_500
FULL = 4
FIRST_PARTNER_KEY, FIRST_VOYAGE_KEY = 2_000_001, 1_300_001
CHANGED_PARTNERS, CHANGED_VOYAGES = 6, 4
VMS_SINCE, LEDGER_SINCE = "2026-10-01T11:55:00", "2026-01-01T06:45:00"


def change(vms: httpx.Client, *, partners: int, voyages: int) -> None:
    """Rename partners and move the ends of voyages in the VMS, as its users do."""
    for place in range(CHANGED_PARTNERS):
        key = FIRST_PARTNER_KEY + place * partners // CHANGED_PARTNERS
        vms.put(f"/BusinessPartner/{key}", json={"businessPartnerName": f"Renamed {place} AS"}).raise_for_status()
    for place in range(CHANGED_VOYAGES):
        key = FIRST_VOYAGE_KEY + place * voyages // CHANGED_VOYAGES
        vms.put(f"/Voyage/{key}", json={"voyageEndDateGMT": "2027-01-15T18:00:00"}).raise_for_status()


def measure_changes(at: Desk, *, partners: int, voyages: int) -> tuple[Cost, Cost, Cost]:
    """Measure the first run, a run behind ten changes, and one with nothing new."""
    first = at.run("master-data")
    with at.sandbox.vms() as vms:
        change(vms, partners=partners, voyages=voyages)
    at.writes()
    changed = at.run("master-data")
    written = at.writes()
    total = CHANGED_PARTNERS + CHANGED_VOYAGES
    if changed.counts("master-data")["sent"] != total or written != {
        "POST updateSuppliers": 1,
        "POST updateProjects": 1,
    }:
        raise AssertionError(changed.report, written)
    at.run("master-data")
    return first, changed, quickest(at, "master-data")


def measure_floor(at: Desk) -> float:
    """Read what a run behind ten changes reads, and return the seconds; its two mutations are left out."""
    since = {"modifiedAt_gte": LEDGER_SINCE}
    wanted = (*WHOLE, *BY_CHANGE)
    readings = [reading(contract, None if contract in WHOLE else since) for contract in wanted]
    with clients(at.settings()) as (vms, ledger):
        begin = time.perf_counter()
        for contract in (vms_contracts.PARTNERS, vms_contracts.VESSELS, vms_contracts.VOYAGES):
            for path in MOVED_BY[contract.entity]:
                for _ in vms.pages(contract.entity, fields=paths(contract), filters=[at_least(path, VMS_SINCE)]):
                    pass
        for pages in ledger.read(readings):
            for _ in pages:
                pass
        return time.perf_counter() - begin


def main(*, is_full: bool = False) -> None:
    """Measure and print all of it."""
    partners, voyages = (count * (FULL if is_full else 1) for count in (PARTNERS, VOYAGES))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seed = make_world(folder, partners=partners, voyages=voyages)
        settings = world_settings(seed)
        with desk(folder, seed, **settings) as at:
            at.sandbox.control("POST", "clock", {"now": CLOCK})
            at.sandbox.control("POST", "ledger/settings", NO_LIMITS)
            shutil.rmtree(seed)
            first, changed, idle = measure_changes(at, partners=partners, voyages=voyages)
            floor = measure_floor(at)
    say(
        f"{partners:>7,} partners and {voyages:,} voyages in step: first master-data run {first}\n"
        f"        with 10 changes, which alone are sent, {changed}; its reading alone {floor:.2f} s; nothing new {idle}"
    )


if __name__ == "__main__":
    main(is_full="--full" in sys.argv[1:])
