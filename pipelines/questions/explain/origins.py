"""Where each field of a voucher comes from: lineage down to the staged columns, contracts up to the API's members."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING

from pipelines.contracts import ledger as ledger_contracts
from pipelines.contracts import vms as vms_contracts
from pipelines.load.ledger.vouchers import MEMBERS
from pipelines.models.lineage import sources

if TYPE_CHECKING:
    from pipelines.core.table_ref import ColumnRef
    from pipelines.models.model import Catalog

LINES = "post.draft_lines"


def field_origins(catalog: Catalog) -> dict[str, dict[str, object]]:
    """Return, for each column of a voucher line, the ledger's field and the members of the API it comes from.

    A field without any comes from the rules and settings alone.
    """
    origins = sources(catalog, LINES)
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
    return dict(_declared())


def _declared() -> Iterator[tuple[tuple[str, str], str]]:
    for schema, contracts in (("stg_vms", vms_contracts.ALL), ("stg_ledger", ledger_contracts.ALL)):
        for contract in contracts:
            for member in contract.members:
                yield (f"{schema}.{contract.table}", member.column), _path(contract.entity, member.path)
            for children in contract.children:
                for member in children.members:
                    path = _path(contract.entity, children.path, member.path)
                    yield (f"{schema}.{children.table}", member.column), path


def _path(*parts: str) -> str:
    return ".".join(parts).replace("[0]", "")
