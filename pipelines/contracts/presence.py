"""Which members of a contract a number of objects have: one that none has is perhaps called otherwise there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.contracts.contract import Contract, Member


def located_members(contract: Contract) -> Iterator[tuple[Member, str]]:
    """Yield every member with its dotted path in the object, in which lists are not marked."""
    for member in contract.members:
        yield member, member.path.replace("[0]", "")
    for children in contract.children:
        yield from children.located


def absent_members(contract: Contract, objects: Sequence[Mapping[str, object]]) -> list[str]:
    """Return the paths of the members of which no object has a value; two spellings of one value count as one.

    >>> from pipelines.contracts.contract import Contract, text
    >>> ship = Contract("Ship", "ships", "k", (text("a", "codes[0].a"), text("b", "b"), text("c", "c")))
    >>> absent_members(ship, [{"codes": [{}, {"a": "1"}], "b": None}])
    ['b', 'c']
    """
    if not objects:
        return []
    located = list(located_members(contract))
    present = {path for _, path in located if any(_has_value(one, path.split(".")) for one in objects)}
    return [path for path, others in spellings(located) if not present & {path, *others}]


def spellings(located: Sequence[tuple[Member, str]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the path of each value with its other spellings, which stand for nothing of their own."""
    for member, path in located:
        if not member.other_spelling:
            yield path, tuple(other for one, other in located if one.other_spelling == path)


def _has_value(value: object, names: Sequence[str]) -> bool:
    if isinstance(value, list):
        return any(_has_value(element, names) for element in value)
    if not names:
        return value is not None
    return isinstance(value, Mapping) and _has_value(value.get(names[0]), names[1:])
