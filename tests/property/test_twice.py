"""The quick look for a member that stands twice never misses one."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from pipelines.wire.twice import _has_plainly_none, twice_in

NAMES = st.sampled_from(["a", "b", 'a":', "é", "\n", "a :"])
VALUES = st.one_of(NAMES, st.none(), st.integers(), st.floats(), st.sampled_from([10**30, 1e308]))
SPACES = st.sampled_from(["", "", "", " ", "\n", "\t "])


def written(node: object, spaces: tuple[str, str], *, is_ascii: bool) -> str:
    """Write a node, objects as lists of pairs, members as often as they come."""
    if isinstance(node, tuple):
        members = (
            f"{json.dumps(name, ensure_ascii=is_ascii)}{spaces[place % 2]}:{written(value, spaces, is_ascii=is_ascii)}"
            for place, (name, value) in enumerate(node)
        )
        return "{" + ",".join(members) + "}"
    if isinstance(node, list):
        return "[" + ",".join(written(value, spaces, is_ascii=is_ascii) for value in node) + "]"
    return json.dumps(node, ensure_ascii=is_ascii)


def has_twice(node: object) -> bool:
    if isinstance(node, tuple):
        names = [name for name, _ in node]
        return len(names) != len(set(names)) or any(has_twice(value) for _, value in node)
    return isinstance(node, list) and any(map(has_twice, node))


NODES = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=4) | st.lists(st.tuples(NAMES, inner), max_size=4).map(tuple),
    max_leaves=20,
)


@given(node=NODES, spaces=st.tuples(SPACES, SPACES), is_ascii=st.booleans())
def test_what_stands_twice_is_found_however_it_is_written(
    node: object, spaces: tuple[str, str], *, is_ascii: bool
) -> None:
    text = written(node, spaces, is_ascii=is_ascii).encode()
    assert not (has_twice(node) and _has_plainly_none(text))
    assert twice_in(text) or not has_twice(node)


def test_a_plain_answer_is_read_quickly() -> None:
    assert _has_plainly_none(b'{"data":{"a":[{"key":1},{"key":2.50}]}}')
