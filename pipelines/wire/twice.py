"""Finds a member that stands twice in one object: readers of JSON take one of the two, and none says which."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence


def twice_in(text: bytes) -> str:
    """Return the name of the first member that stands twice in an object of a JSON text, empty where none does.

    >>> twice_in(b'[{"key": 1, "of": {"code": "A", "code": "B"}}]'), twice_in(b'{"a": {"a": 1}, "b": [{"a": 2}]}')
    ('code', '')

    For answers that are acted on as they are: look-ups, and what a write was answered with. Pages that land in tables
    are judged object by object (pipelines/extract/exact.py). A text that is no JSON is its reader's to judge.
    """
    found: list[str] = []

    def look(members: Sequence[tuple[str, object]]) -> None:
        names = Counter(name for name, _ in members)
        found.extend(name for name, count in names.items() if count > 1)

    try:
        json.loads(text.decode("utf-8"), object_pairs_hook=look, parse_float=len, parse_int=len)
    except (ValueError, RecursionError):
        return ""
    return found[0] if found else ""
