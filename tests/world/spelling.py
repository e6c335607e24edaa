"""The two ways in which installations of the VMS spell partner types and pools (docs/systems/vms.md#3-11)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tests.world.encode import Json, Row
    from tests.world.worlds import World

# The vendor's own: a type's member is `businessPartnerType`, the pool hangs on a vessel's code.
VENDOR = "vendor"
# Of older installations: `businessPartnerTypeCode`, and the pool hangs on the vessel.
OLDER = "older"
SPELLINGS = (VENDOR, OLDER)


def spelt(world: World, spelling: str) -> World:
    """Give a world with its VMS side in a spelling; both come to the same vouchers."""
    if spelling == VENDOR:
        return world
    vms: dict[str, Iterable[Row]] = {**world.vms}
    vms["BusinessPartnerType"] = _older_types(vms["BusinessPartnerType"])
    vms["Vessel"] = _older_vessels(vms["Vessel"])
    return replace(world, vms=vms)


def _older_types(rows: Iterable[Row]) -> Iterator[Row]:
    for row in rows:
        yield {("businessPartnerTypeCode" if name == "businessPartnerType" else name): row[name] for name in row}


def _older_vessels(rows: Iterable[Row]) -> Iterator[Row]:
    for row in rows:
        codes, pool = row["vesselCodes"], None
        assert isinstance(codes, list)
        kept: list[Mapping[str, Json]] = []
        for code in codes:
            pool = pool or code.get("pool")
            kept.append({name: code[name] for name in code if name != "pool"})
        yield {**row, "vesselCodes": kept, "pool": pool}
