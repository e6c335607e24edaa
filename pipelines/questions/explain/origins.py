"""Where each field of a voucher comes from: lineage down to the staged columns, contracts up to the API's members."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from pipelines.contracts.tables import CONTRACTS, SCHEMAS
from pipelines.load.ledger.vouchers import MEMBERS
from pipelines.models.lineage import sources

if TYPE_CHECKING:
    from pipelines.core.table_ref import ColumnRef
    from pipelines.models.model import Catalog

LINES = "post.draft_lines"
# What a mapping file may put into a dimension. Where it does, `explain` names its line; elsewhere these members would
# only stand beside the right one.
BY_FILE = ("map.line_dimensions",)


def field_origins(catalog: Catalog) -> dict[str, dict[str, object]]:
    """Return, for each column of a voucher line, the ledger's field and the members of the API it comes from.

    A field that comes from no member follows from rules and settings alone.
    """
    # Lineage over the parsed models, so it is right for the SQL as it is, with nothing written down by hand.
    origins = sources(catalog, LINES, without=BY_FILE)
    return {
        member.column: {
            "field": f"{member.name}{{{member.key}}}" if member.key else member.name,
            "from": list(dict.fromkeys(api_member(origin) for origin in origins[member.column])),
        }
        for member in MEMBERS
    }


def api_member(column: ColumnRef) -> str:
    """Return where a staged column stands in its system's API, as `Document.businessPartner.businessPartnerCode`."""
    return _api_members().get((str(column.table), column.name), str(column))


@cache
def _api_members() -> Mapping[tuple[str, str], str]:
    """Map each staged column, as table and name, to its member in the API; a member of a list stands below it."""
    paths: dict[tuple[str, str], str] = {}
    for side, contracts in CONTRACTS.items():
        for contract in contracts:
            own = [(member, member.path) for member in contract.members]
            nested = ((children.table, children.located) for children in contract.children)
            for table, located in ((contract.table, own), *nested):
                for member, path in located:
                    paths[f"{SCHEMAS[side]}.{table}", member.column] = f"{contract.entity}.{path}".replace("[0]", "")
    return paths
