"""Reads from the answer to a write which objects it names: only of those it is known that they were written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.core.errors import Unclear

Node = Mapping[str, Any]

# Members of a ledger's node that are numbers of ours: what was added comes back with them.
NUMBERS = ("trRegNumber", "trItemNumber", "code")


def written_key(answer: Node, *, key: object = None) -> int:
    """Return the key of the VMS's object in the answer to a PUT of ``key``, or to a POST (None).

    Raises Unclear for an answer without a key, or with another.
    """
    named = answer.get("key")
    # Python takes true for the number 1.
    if not isinstance(named, int) or isinstance(named, bool) or named <= 0:
        raise Unclear("The VMS's answer names no object.")
    if key is not None and named != key:
        raise Unclear(f"The VMS's answer names the object {named} and not {key}.")
    return named


def written_ids(inputs: Sequence[Node], edges: Sequence[Node]) -> list[str | None]:
    """Return the id of what each input of a mutation has written, None where the answer does not say it.

    Edges are matched by the client id they echo; where the ledger echoes none, by position, if they carry our numbers.
    What is no number, an id that two inputs share, that of another row than the one to be updated, and the id of a node
    with another number than ours are not taken.
    """
    nodes = [edge.get("node") for edge in edges]
    echoed = [edge.get("clientId") for edge in edges]
    is_echoed = any(echoed) or len(edges) != len(inputs)
    if is_echoed:
        counts = Counter(client for client in echoed if isinstance(client, str))
        by_client = dict(zip(map(str, echoed), nodes, strict=True))
        nodes = [by_client.get(item["clientId"]) if counts[item["clientId"]] == 1 else None for item in inputs]
    ids = [_id(item["node"], node, is_echoed=is_echoed) for item, node in zip(inputs, nodes, strict=True)]
    shared = Counter(ids)
    return [db_id if shared[db_id] == 1 else None for db_id in ids]


def _id(sent: Node, node: object, *, is_echoed: bool) -> str | None:
    if not isinstance(node, Mapping):
        return None
    # A number on older types and text on newer ones (docs/systems/ledger.md#1-5); Python takes true for the number 1.
    db_id = node.get("dbId")
    if not isinstance(db_id, int | str) or isinstance(db_id, bool) or not str(db_id).strip("0").isdecimal():
        return None
    # What is updated is named by its id; of what is added an answer may leave the numbers out, if it echoes the input.
    names = ["dbId"] if "dbId" in sent else [name for name in NUMBERS if name in sent]
    is_ours = all(
        (is_echoed and node.get(name) is None) or _plain(node.get(name)) == _plain(sent[name]) for name in names
    )
    return str(db_id) if is_ours else None


def _plain(value: object) -> str:
    # The ledger may keep a code in capitals (docs/systems/ledger.md#l13); a second record would be the price of asking.
    return str(value).strip().casefold()
