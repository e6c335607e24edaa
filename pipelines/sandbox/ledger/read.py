"""Connections: paging, filters, owner sets, object status, and the deltas (docs/systems/ledger.md#1-3, #1-4, #1-9)."""

from __future__ import annotations

import operator
import re
from bisect import bisect_left, bisect_right
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from graphql import GraphQLObjectType, get_named_type

from pipelines.sandbox.ledger.entities import visible
from pipelines.sandbox.ledger.errors import GraphqlFault, RefusedError
from pipelines.sandbox.ledger.schema import SCALARS, as_decimal, schema
from pipelines.sandbox.ledger.store import DELTA_KINDS
from pipelines.sandbox.ledger.values import LedgerType, Row, is_open_on, local

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from pipelines.sandbox.ledger.store import Delta, LedgerStore, LedgerTable

    Test = Callable[[Row], bool]

# Official (docs/systems/ledger.md#1-3).
MAX_RECORDS = 10_000
# The dbId and the place in the order of changes, joined by a dot as in real cursors; for deltas the place alone. Only
# the place counts: a row that changes during the reading comes again at the end.
_CURSOR = re.compile(r"\d{1,18}(\.\d{1,18}){0,3}")
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "": operator.eq,
    "in": lambda value, values: value in values,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


class NodeSource(NamedTuple):
    """Where a connection's rows stand, what they are, and which of them it shows."""

    table: str
    type_name: str
    only: LedgerType | None = None


CONNECTIONS: dict[str, NodeSource] = {
    "accounts": NodeSource("accounts", "Account"),
    "apTransactions": NodeSource("ap_rows", "APTransaction"),
    "arTransactions": NodeSource("ar_rows", "ARTransaction"),
    "bankAccounts": NodeSource("bank_accounts", "BankAccount"),
    "companies": NodeSource("companies", "Company"),
    "countries": NodeSource("countries", "Country"),
    "currencies": NodeSource("currencies", "Currency"),
    "customers": NodeSource("subledgers", "Customer", LedgerType.AR),
    "entities": NodeSource("entities", "Entity"),
    "exchangeRates": NodeSource("exchange_rates", "ExchangeRate"),
    "glImportItems": NodeSource("import_items", "GLImportItem"),
    "glImportItemErrors": NodeSource("import_errors", "GLImportItemError"),
    "journalHeaders": NodeSource("headers", "JournalHeader"),
    "objectKinds": NodeSource("object_kinds", "ObjectKind"),
    "objectValues": NodeSource("object_values", "ObjectValue"),
    "periodStatusItems": NodeSource("periods_closed", "PeriodStatusItem"),
    "projects": NodeSource("projects", "Project"),
    "subledgers": NodeSource("subledgers", "Subledger"),
    "suppliers": NodeSource("subledgers", "Supplier", LedgerType.AP),
    "transactions": NodeSource("transactions", "Transaction"),
    "xglDimensions": NodeSource("xgl_dimensions", "XGLDimension"),
}


class Window(NamedTuple):
    """The part of the order of changes that a page is taken from."""

    size: int
    newest_first: bool
    after: int
    before: int | None

    @classmethod
    def of(cls, arguments: Row) -> Window:
        """Read first, last, after and before; raises RefusedError where they make no page."""
        first, last = arguments.get("first"), arguments.get("last")
        # Every known client sends one of them. Refused, so that a client which forgets it is noticed
        # (docs/systems/ledger.md#a12).
        if (first is None) == (last is None):
            raise RefusedError(GraphqlFault("Argument 'first' or 'last' is required, and only one of them."))
        size: int = arguments["last"] if first is None else first
        if not 1 <= size <= MAX_RECORDS:
            raise RefusedError(
                GraphqlFault(f"Argument 'first' or 'last' must be between 1 and {MAX_RECORDS}, not {size}.")
            )
        after, before = _place(arguments.get("after")), _place(arguments.get("before"))
        return cls(size, first is None, after or 0, before)

    def page(self, found: list[Any], cursors: Callable[[Any], str], nodes: Callable[[Any], Row]) -> Row:
        """Give the connection of what was found, one more than the page holds where there is more."""
        edges = [{"cursor": cursors(item), "node": nodes(item)} for item in found[: self.size]]
        is_more = len(found) > self.size
        return {
            # null and not [] when there is nothing: official, and a trap for clients (docs/systems/ledger.md#1-3).
            "edges": edges or None,
            "pageInfo": {
                # Against the direction of reading this only repeats what was sent: no source says more.
                "hasNextPage": self.before is not None if self.newest_first else is_more,
                "hasPreviousPage": is_more if self.newest_first else self.after > 0,
            },
        }


def read_connection(store: LedgerStore, name: str, arguments: Row, *, owner: int, now: datetime) -> Row:
    """Give one page of a connection as the token of ``owner`` sees it."""
    window, source = Window.of(arguments), CONNECTIONS[name]
    wanted = arguments.get("filter") or {}
    owners = visible(store, owner, owner_set=arguments.get("ownerSet"), table=source.table)
    tests = [_is_owned(owners), *(_test(source, key, value) for key, value in wanted.items())]
    if source.only is not None:
        tests.append(_is_of(source.only))
    if arguments.get("objectStatus") in ("OPEN", "CLOSED"):
        tests.append(_is_open(local(now)[:10], is_wanted=arguments["objectStatus"] == "OPEN"))
    rows = _candidates(store.tables[source.table], wanted, window)
    found = list(islice((row for row in rows if all(test(row) for test in tests)), window.size + 1))
    return window.page(found, lambda row: f"{row['dbId']}.{row['seq']}", lambda row: row)


def read_deltas(store: LedgerStore, kind: str, arguments: Row, *, owner: int, now: datetime) -> Row:
    """Give one page of the changes of a type that are still kept, as the token of ``owner`` sees them."""
    window, log = Window.of(arguments), store.deltas[kind]
    cutoff = store.delta_cutoff(now)
    is_owned = _is_owned(visible(store, owner, owner_set=None, table=DELTA_KINDS[kind]))
    low = bisect_right(log, window.after, key=_delta_place)
    high = len(log) if window.before is None else bisect_left(log, window.before, key=_delta_place)
    places = range(high - 1, low - 1, -1) if window.newest_first else range(low, high)
    kept = (log[place] for place in places if log[place].at >= cutoff)
    # A removed row no longer says whose it was: its delta is shown to every token.
    seen = (delta for delta in kept if is_owned(store.rows.get(delta.db_id, {})))
    found = list(islice(seen, window.size + 1))
    return window.page(
        found, lambda delta: str(delta.seq), lambda delta: {"dbId": delta.db_id, "mutationType": delta.change}
    )


def changed_rows(store: LedgerStore, source: NodeSource, *, owner: int, after: int) -> Iterator[Row]:
    """Walk the rows changed after a place that the token of ``owner`` sees, oldest change first."""
    is_owned = _is_owned(visible(store, owner, owner_set=None, table=source.table))
    is_meant = _is_of(source.only) if source.only is not None else is_owned
    return (row for row in store.tables[source.table].scan(after=after) if is_owned(row) and is_meant(row))


def _delta_place(delta: Delta) -> int:
    return delta.seq


def _place(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not _CURSOR.fullmatch(cursor):
        raise RefusedError(GraphqlFault(f"Invalid cursor '{cursor[:50]}'."))
    return int(cursor.rpartition(".")[2])


def _candidates(table: LedgerTable, wanted: Row, window: Window) -> Iterable[Row]:
    """Take the shortest way to the rows: by dbId, an indexed column, their time, or through all in their order."""
    for column in ("dbId", *table.index):
        values = [wanted[column]] if wanted.get(column) else wanted.get(f"{column}_in")
        # The index has no entry for null and 0.
        if not values or not all(values):
            continue
        by_id = (table.rows[value] for value in set(values) if value in table.rows)
        indexed = (row for value in set(values) for row in table.having(column, value))
        return _in_order(by_id if column == "dbId" else indexed, window)
    if wanted.get("modifiedAt_gte"):
        return _in_order(table.moved_since(wanted["modifiedAt_gte"]), window)
    return table.scan(after=window.after, before=window.before, newest_first=window.newest_first)


def _in_order(rows: Iterable[Row], window: Window) -> Iterator[Row]:
    inside = [row for row in rows if _is_inside(row["seq"], window)]
    return iter(sorted(inside, key=operator.itemgetter("seq"), reverse=window.newest_first))


def _is_inside(seq: int, window: Window) -> bool:
    return seq > window.after and (window.before is None or seq < window.before)


def _test(source: NodeSource, key: str, value: Any) -> Test:  # noqa: ANN401 (any scalar)
    column, _, suffix = key.partition("_")
    read, value = _reading(source, column, value)
    if value is None:
        return lambda row: row.get(column) is None
    wanted, compare = frozenset(value) if suffix == "in" else value, _OPERATORS[suffix]

    def test(row: Row) -> bool:
        found = row.get(column)
        # As in SQL, null compares with nothing.
        return found is not None and compare(read(found) if read else found, wanted)

    return test


def _reading(source: NodeSource, column: str, value: Any) -> tuple[Callable[[object], Any] | None, Any]:  # noqa: ANN401
    """Tell how a column is compared: amounts and rates as numbers, the rest as it stands."""
    node = schema().type_map[source.type_name]
    scalar = get_named_type(node.fields[column].type).name if isinstance(node, GraphQLObjectType) else ""
    values = value if isinstance(value, list) else [value]
    if scalar in ("MoneyString", "Float"):
        numbers = [None if item is None else as_decimal(item) for item in values]
        return as_decimal, numbers if isinstance(value, list) else numbers[0]
    # The variable may be a plain String, whose form nobody has checked yet (docs/systems/ledger.md#1-5). Dates and
    # times of the same form sort as text.
    if scalar in ("DateString", "DateTimeString"):
        for item in values:
            if item is not None:
                SCALARS["DateTimeString"](item)
    return None, value


def _is_owned(owners: set[int]) -> Test:
    # Currencies, countries and sources have no owner: everybody sees them.
    return lambda row: (owner := row.get("ownerDbId")) is None or owner in owners


def _is_of(ledger_type: LedgerType) -> Test:
    return lambda row: bool(row.get("ledgerTypeDbId") == ledger_type)


def _is_open(today: str, *, is_wanted: bool) -> Test:
    return lambda row: is_open_on(row, today) is is_wanted
