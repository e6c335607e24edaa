"""Finds a member that stands twice in one object: readers of JSON take one of the two, and none says which."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence

import msgspec

_SPACED = re.compile(rb'"[ \t\r\n]+:')
_NAMED = b'":'


def twice_in(text: bytes) -> str:
    """Return the name of the first member that stands twice in an object of a JSON text, empty where none does.

    >>> twice_in(b'[{"key": 1, "of": {"code": "A", "code": "B"}}]'), twice_in(b'{"a": {"a": 1}, "b": [{"a": 2}]}')
    ('code', '')

    For answers that are acted on as they are: look-ups, and what a write was answered with. Pages that land in tables
    are judged object by object (pipelines/extract/exact.py). A text that is no JSON is its reader's to judge.
    """
    if _has_plainly_none(text):
        return ""
    found: list[str] = []

    def look(members: Sequence[tuple[str, object]]) -> None:
        names = Counter(name for name, _ in members)
        found.extend(name for name, count in names.items() if count > 1)

    try:
        json.loads(text.decode("utf-8"), object_pairs_hook=look, parse_float=len, parse_int=len)
    except (ValueError, RecursionError):
        return ""
    return found[0] if found else ""


def _has_plainly_none(text: bytes) -> bool:
    """Tell, in a tenth of the time, that as many members were read as are written.

    Where nothing is escaped a quote ends a text, so that one with a colon behind it stands behind each name and
    nowhere else. Of two members of one name a reader keeps one, and writes one again.
    """
    if b"\\" in text or _SPACED.search(text):
        return False
    try:
        again = msgspec.json.encode(msgspec.json.decode(text))
    # No JSON, or a number that is not written again.
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
        return False
    return text.count(_NAMED) == again.count(_NAMED)
