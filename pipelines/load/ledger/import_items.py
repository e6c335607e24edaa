"""Asks the ledger's import whether it has a voucher, by its number, entity, voucher type and order number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pipelines.load.ledger.entities import LedgerEntities, without_entity
from pipelines.load.look_up import ABSENT, LookUpFinding, Node, code_of, complete, conflict, one_of
from pipelines.outbox.entry import Entry
from pipelines.wire.query import Reading

SELECTION = "dbId trRegNumber trItemNumber ownerDbId extOrderNumber transactionSource { code }"


class _Key(NamedTuple):
    """What a voucher's items have in common; the number alone may be that of another system's voucher."""

    number: str
    owner: str | None
    source: str | None
    order: str | None


def import_reading(entries: Sequence[Entry]) -> Reading:
    """Ask for the import items with the voucher numbers of these entries."""
    return one_of("glImportItems", "trRegNumber", [entry.document_key for entry in entries], selection=SELECTION)


def import_findings(
    entries: Sequence[Entry], items: Sequence[Node], entities: LedgerEntities
) -> dict[str, LookUpFinding]:
    """Judge vouchers by the import items that have their numbers.

    The ledger does not refuse a voucher that it has already (docs/systems/ledger.md#a3), so lines that are there must
    never be sent again: fewer or more than there should be are a conflict that a person resolves by removing them.
    """
    # The filter asks by number only; entity, type and order number are compared here (docs/architecture.md#outbox).
    by_key: dict[_Key, list[Node]] = {}
    for item in items:
        by_key.setdefault(_item_key(item), []).append(item)
    return {entry.id: _finding(entry, entities, by_key) for entry in entries}


def other_numbers(entries: Sequence[Entry], items: Sequence[Node], entities: LedgerEntities) -> dict[str, str]:
    """Give, by entry, the order number under which its entity's import has a voucher with its key and type instead."""
    orders: dict[_Key, str] = {}
    for item in items:
        if item["extOrderNumber"]:
            orders.setdefault(_item_key(item)._replace(order=None), item["extOrderNumber"])
    found: dict[str, str] = {}
    for entry in entries:
        owner = entities.owner(entry.owner_code)
        order = orders.get(_Key(str(entry.document_key), owner, str(entry.look_up["source"]), None))
        if owner is not None and order not in {None, entry.look_up["ext_order_number"]}:
            found[entry.id] = str(order)
    return found


def _item_key(item: Node) -> _Key:
    owner = item["ownerDbId"]
    return _Key(
        str(item["trRegNumber"]),
        None if owner is None else str(owner),
        code_of(item, "transactionSource"),
        item["extOrderNumber"],
    )


def _finding(entry: Entry, entities: LedgerEntities, items: Mapping[_Key, Sequence[Node]]) -> LookUpFinding:
    owner = entities.owner(entry.owner_code)
    if owner is None:
        return without_entity(entry)
    look_up = entry.look_up
    own = items.get(_Key(str(entry.document_key), owner, str(look_up["source"]), str(look_up["ext_order_number"])))
    return _compared(entry, own, lines=int(str(look_up["lines"]))) if own else ABSENT


def _compared(entry: Entry, items: Sequence[Node], *, lines: int) -> LookUpFinding:
    ordered = sorted(items, key=lambda item: (item["trItemNumber"] or 0, int(item["dbId"])))
    ids = [str(item["dbId"]) for item in ordered]
    # The numbers and not only the count: line 1 twice and line 2 missing is no whole voucher.
    if [item["trItemNumber"] for item in ordered] == list(range(1, lines + 1)):
        return complete("found in the ledger's import", {"dbIds": [*ids]})
    code, how = ("incomplete", "incomplete") if len(ids) < lines else ("repeated", "more than once")
    detail = (
        f"{entry.label} is {how} in the ledger: its import has {len(ids)} items for {lines} lines: "
        f"{', '.join(ids)}. Next: remove these items in Xledger; the next run then sends the voucher whole."
    )
    return conflict(f"{code}_in_ledger", detail, {"dbIds": [*ids]})
