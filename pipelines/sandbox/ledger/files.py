"""Files that come with import items: a part of the request, named by a node, then shown with the voucher.

Source: docs/systems/ledger.md#1-6-files.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from pipelines.sandbox.ledger.errors import GraphqlFault, RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.sandbox.ledger.settings import ServedLedgerSettings
    from pipelines.sandbox.ledger.store import LedgerStore
    from pipelines.sandbox.ledger.values import Row
    from pipelines.sandbox.ledger.work import Node, Work

# Where it would be fetched from is not documented; only that there is a `url`.
_URL = "https://files.example"


def check_sizes(files: Mapping[str, bytes], settings: ServedLedgerSettings) -> None:
    """Raise RefusedError for a file over the limit."""
    most = settings.largest_file_bytes
    too_large = [name for name, content in files.items() if most is not None and len(content) > most]
    if too_large:
        size = len(files[too_large[0]])
        message = f"invoiceFile: File '{too_large[0]}' has {size} bytes, at most {most} are allowed."
        raise RefusedError(GraphqlFault(message))


def attach_file(work: Work, node: Node, *, owner: int) -> dict[str, int]:
    """Keep the file that a node names; give the column that refers to it, none where the node names no file."""
    # A file that no node names is dropped silently; what the real ledger does with it is not known.
    name = node.values.get("invoiceFile")
    if not name:
        return {}
    content = work.files.get(name)
    if content is None:
        work.resolver.faults.append(GraphqlFault(f"invoiceFile: The request has no file '{name}'."))
        return {}
    row = work.store.new(ownerDbId=owner, name=name, size=len(content), content=b64encode(content).decode())
    row["url"] = f"{_URL}/{row['dbId']}/{name}"
    node.changes.put("invoice_files", row)
    return {"invoiceFileDbId": row["dbId"]}


def files(store: LedgerStore) -> list[Row]:
    """List the files with their contents (Base64), and the voucher number of the item that each came with."""
    numbers = {
        item["invoiceFileDbId"]: item.get("trRegNumber")
        for item in store.tables["import_items"].rows.values()
        if "invoiceFileDbId" in item
    }
    return [
        {
            "dbId": row["dbId"],
            "owner": store.rows[row["ownerDbId"]]["ownerCode"],
            "name": row["name"],
            "size": row["size"],
            "content": row["content"],
            "trRegNumber": numbers.get(row["dbId"]),
        }
        for row in store.tables["invoice_files"].scan()
    ]
