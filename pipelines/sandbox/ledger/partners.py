"""Suppliers, customers and the companies behind them (docs/systems/ledger.md#2-4, #3-1, #3-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.sandbox.ledger.values import LedgerType, Row

if TYPE_CHECKING:
    from pipelines.sandbox.ledger.work import Node, Work

# Input names that the record shows under another name.
_RENAMED = {"taxNumber": "taxNo", "phoneNumber2": "phone2"}
_ADDRESS = ("streetAddress", "zipCode", "place")
# Numbers of the legal party: sent with the partner, kept at its company (docs/systems/ledger.md#2-4).
_OF_COMPANY = ("companyNumber", "taxNumber")


def supplier(work: Work, node: Node) -> Row:
    """Build a supplier; the company is created along with it unless one is named."""
    row = _partner(work, node, LedgerType.AP)
    work.resolver.require(row, "code", "description")
    return row


def customer(work: Work, node: Node) -> Row:
    """Build a customer, who needs a company that exists already."""
    row = _partner(work, node, LedgerType.AR)
    work.resolver.require(row, "code", "description", "company")
    return row


def company(work: Work, node: Node) -> Row:
    """Build a legal party."""
    row = work.row(node)
    work.resolver.require(row, "code", "description")
    return row


def _partner(work: Work, node: Node, ledger_type: LedgerType) -> Row:
    row = work.row(node) | {"ledgerTypeDbId": int(ledger_type)}
    for given, shown in _RENAMED.items():
        if given in node.values:
            row[shown] = row.pop(given)
    if isinstance(row.get("address"), dict):
        _take_address(work, node, row, row.pop("address"))
    if row.get("companyDbId") is None:
        # A customer needs a company that exists, a supplier does not (docs/systems/ledger.md#2-4).
        if ledger_type is LedgerType.AP:
            row["companyDbId"] = _own_company(work, node, row)
    # The company exists, and the number given with the partner changes it there.
    elif any(name in node.values for name in _OF_COMPANY):
        known = work.store.rows[row["companyDbId"]]
        node.changes.put("companies", known | {name: node.values[name] for name in _OF_COMPANY if name in node.values})
    row.pop("companyNumber", None)
    return row


def _own_company(work: Work, node: Node, row: Row) -> int:
    """Create the legal party of a supplier, under a number of its own: its code is another series than theirs."""
    created = work.store.new(
        ownerDbId=node.owner,
        description=node.values.get("companyName") or row.get("description"),
        **{name: node.values.get(name) for name in _OF_COMPANY},
    )
    created["code"] = f"C{created['dbId']}"
    return int(node.changes.put("companies", created)["dbId"])


def _take_address(work: Work, node: Node, row: Row, address: Row) -> None:
    """Lay a nested address flat; its country is a plain code there (docs/systems/ledger.md#3-1)."""
    row |= {name: address[name] for name in _ADDRESS if name in address}
    if address.get("country"):
        row["countryDbId"] = work.resolver.find("country", {"code": address["country"]}, owner=node.owner)
