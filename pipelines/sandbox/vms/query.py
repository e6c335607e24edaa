"""List requests: which objects match, in which order, and which page of them (docs/systems/vms.md#1-5 to #1-7)."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelines.sandbox.vms.errors import ApiError
from pipelines.sandbox.vms.filter import compile_filters
from pipelines.sandbox.vms.model import ObjectKind
from pipelines.sandbox.vms.paths import Path, resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.sandbox.vms.json import Obj
    from pipelines.sandbox.vms.store import VmsStore

# The limit without paging was seen (docs/systems/vms.md#1-7); that a page may be as long is assumed (#v4).
MAX_OBJECTS = 2000
_SORT = re.compile(r"(?P<path>[\w.+ ]+)\((?P<order>AS|ASI|DS|DSI)\)")
_PARAMETERS = frozenset({"filter", "sort", "pageNumber", "limit"})
_MAX_REMEMBERED = 64
_ABOVE_KEY = re.compile(r"key\(GT\)(?P<key>[0-9]{1,18})")
_BY_KEY = ("key(AS)",)


@dataclass(frozen=True, slots=True)
class Query:
    """The query string of a list request."""

    filters: tuple[str, ...] = ()
    sorts: tuple[str, ...] = ()
    page: int | None = None
    limit: int = MAX_OBJECTS

    @classmethod
    def read(cls, pairs: list[tuple[str, str]]) -> Query:
        """Read decoded name and value pairs; raises ApiError 400 for unknown or repeated ones.

        Decided: an unknown parameter is refused and not ignored, so that a misspelled one is noticed.
        """
        given: dict[str, list[str]] = {}
        for name, value in pairs:
            if name not in _PARAMETERS:
                raise ApiError(f"Unknown query parameter '{name}': filter, sort, pageNumber and limit are known.")
            given.setdefault(name, []).append(value)
        limit = _whole(given, "limit", highest=MAX_OBJECTS)
        page = _whole(given, "pageNumber", highest=None)
        if page is not None and limit is None:
            raise ApiError("pageNumber needs a limit.")
        # How several sorts are given is not documented: as repeated parameters and with commas are both accepted.
        sorts = tuple(part for value in given.get("sort", []) for part in value.split(","))
        is_paged = limit is not None
        return cls(tuple(given.get("filter", [])), sorts, (page or 1) if is_paged else None, limit or MAX_OBJECTS)


def _whole(given: dict[str, list[str]], name: str, *, highest: int | None) -> int | None:
    values = given.get(name)
    if values is None:
        return None
    number = int(values[0]) if len(values) == 1 and values[0].isascii() and values[0].isdigit() else 0
    if number < 1 or (highest is not None and number > highest):
        raise ApiError(f"{name} must be one whole number from 1{f' to {highest}' if highest else ''}.")
    return number


class Lists:
    """Answers list requests; the matches of a query are remembered until something is written."""

    def __init__(self, store: VmsStore) -> None:
        self._store = store
        self._remembered: dict[tuple[object, ...], tuple[int, list[int]]] = {}

    def page(self, entity: str, query: Query, *, enterprise: bool) -> tuple[list[Obj], int]:
        """Give a page of objects and how many match in all; raises ApiError 400 for more than 2000 unpaged."""
        query, above = _without_key(query)
        keys = self._keys(entity, query, enterprise=enterprise)
        # Ascending: _without_key accepts only the sort key(AS).
        keys = keys if above is None else keys[bisect_right(keys, above) :]
        if query.page is None:
            if len(keys) > MAX_OBJECTS:
                raise ApiError(
                    f"Too many objects requested: {len(keys)} match and at most {MAX_OBJECTS} are given without paging."
                )
            chosen = keys
        else:
            chosen = keys[(query.page - 1) * query.limit : query.page * query.limit]
        table = self._store.tables[entity]
        return [table[key] for key in chosen], len(keys)

    def _keys(self, entity: str, query: Query, *, enterprise: bool) -> list[int]:
        name = (entity, query.filters, query.sorts, enterprise)
        generation, keys = self._remembered.get(name, (-1, []))
        if generation == self._store.generation:
            return keys
        keys = _sorted(self._store, entity, _matching(self._store, entity, query, enterprise=enterprise), query.sorts)
        if len(self._remembered) >= _MAX_REMEMBERED:
            self._remembered.clear()
        self._remembered[name] = (self._store.generation, keys)
        return keys


def _without_key(query: Query) -> tuple[Query, int | None]:
    """Take out a last filter that asks for the keys above one, in the order of key, and give that key.

    A reader that goes on from key to key asks for one and the same list all along, which is then made only once.
    """
    last = _ABOVE_KEY.fullmatch(query.filters[-1]) if query.filters else None
    is_one_of_all = not any(text.startswith("(") for text in query.filters)
    if last is None or query.sorts != _BY_KEY or not is_one_of_all:
        return query, None
    return replace(query, filters=query.filters[:-1]), int(last["key"])


def _matching(store: VmsStore, entity: str, query: Query, *, enterprise: bool) -> list[Obj]:
    wanted = compile_filters(store, entity, texts=query.filters, enterprise=enterprise)
    table = store.tables[entity]
    keys = wanted.candidates(store)
    objects = table.values() if keys is None else [table[key] for key in keys if key in table]
    return [obj for obj in objects if wanted.matches(obj)]


def _sorted(store: VmsStore, entity: str, objects: list[Obj], sorts: tuple[str, ...]) -> list[int]:
    # No order is promised without sort, and none that a client could lean on is given: the newest key comes first.
    objects.sort(key=lambda obj: -obj["key"])
    # Sorting is stable, so the first sort is applied last.
    for text in reversed(sorts):
        found = _SORT.fullmatch(text)
        if found is None:
            raise ApiError(f"Cannot read the sort '{text}': expected property(AS), (ASI), (DS) or (DSI).")
        path = resolve(store, entity, text=found["path"], use="sort")
        # Sorting through a null reference drops the row, as filtering does (docs/systems/vms.md#1-5).
        objects = [obj for obj in objects if path.values(obj) is not None]
        objects.sort(key=_rank(path, ignore_case=found["order"].endswith("I")), reverse=found["order"].startswith("D"))
    return [obj["key"] for obj in objects]


def _rank(path: Path, *, ignore_case: bool) -> Callable[[Obj], tuple[int, Any]]:
    """Order numbers, then texts, then what is broken; nulls come last ascending and first descending."""

    def rank(obj: Obj) -> tuple[int, Any]:
        value = (path.values(obj) or [None])[0]
        if value is None:
            return 3, 0
        if isinstance(value, int | Decimal):
            return 0, value
        if isinstance(value, str):
            return 1, value.casefold() if ignore_case and path.leaf.kind is ObjectKind.TEXT else value
        return 2, str(value)

    return rank
