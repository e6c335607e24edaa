"""Which members of a contract a number of objects have: one that none has is perhaps called otherwise there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.contracts.contract import Contract, Member


def located_members(contract: Contract) -> Iterator[tuple[Member, str]]:
    """Yield every member with its dotted path in the object, in which lists are not marked."""
    for member in contract.members:
        # In any element, not only in the first: the question is whether the name exists there at all.
        yield member, member.path.replace("[0]", "")
    for children in contract.children:
        yield from children.located


def absent_members(contract: Contract, objects: list[dict[str, Any]]) -> list[str]:
    """Return the paths of the members of which no object has a value; two spellings of one value count as one.

    >>> from pipelines.contracts.contract import Contract, text
    >>> ship = Contract("Ship", "ships", "k", (text("a", "codes[0].a"), text("b", "b"), text("c", "c")))
    >>> absent_members(ship, [{"codes": [{}, {"a": "1"}], "b": None}])
    ['b', 'c']
    """
    if not objects:
        return []
    located = list(located_members(contract))
    present = {path for _, path in located if any(True for _ in values_at(objects, path))}
    return [path for path, others in spellings(located) if not present & {path, *others}]


def spellings(located: Sequence[tuple[Member, str]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the path of each value with its other spellings, which stand for nothing of their own."""
    for member, path in located:
        if not member.other_spelling:
            yield path, tuple(other for one, other in located if one.other_spelling == path)


def values_at(value: object, path: str) -> Iterator[object]:
    """Yield every value that stands at a dotted path of an object, or of a list of objects; of a list each element's.

    >>> [*values_at({"lines": [{"code": "1"}, {"code": None}, {}]}, "lines.code")]
    ['1']
    """
    if isinstance(value, list):
        for element in value:
            yield from values_at(element, path)
    elif not path:
        yield from () if value is None else (value,)
    elif isinstance(value, Mapping):
        name, _, below = path.partition(".")
        yield from values_at(value.get(name), below)
