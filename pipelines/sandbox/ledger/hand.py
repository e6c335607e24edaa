"""Vouchers a bookkeeper types in: any source, codes instead of references, checked like an imported one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from graphql import GraphQLInputObjectType, Undefined, get_named_type
from graphql.utilities import coerce_input_value

from pipelines.sandbox.ledger.books import Voucher, book, completed
from pipelines.sandbox.ledger.checks import check, missing_members
from pipelines.sandbox.ledger.entities import entity_by_code
from pipelines.sandbox.ledger.errors import BadRequestError
from pipelines.sandbox.ledger.refs import ReferenceResolver
from pipelines.sandbox.ledger.schema import schema
from pipelines.sandbox.ledger.store import RowChanges
from pipelines.sandbox.ledger.values import ErrorLevel, Row, SlType

if TYPE_CHECKING:
    from datetime import datetime

    from pipelines.sandbox.ledger.store import LedgerStore


class HandVoucher(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One voucher: lines have the members of an import node, references as bare codes, debit positive."""

    owner: int
    source: str
    postedDate: str  # noqa: N815 (the names of the API)
    lines: list[dict[str, Any]]
    text: str | None = None
    imported: bool = False
    trRegNumber: int | None = None  # noqa: N815


def owner_id(store: LedgerStore, owner_code: int) -> int:
    """Find an entity; raises BadRequestError for a code nobody has."""
    entity = entity_by_code(store, owner_code)
    if entity is None:
        raise BadRequestError(f"no entity {owner_code}")
    return int(entity["dbId"])


def source_row(store: LedgerStore, code: str) -> Row:
    """Find a transaction source; raises BadRequestError for a code nobody has."""
    found = store.tables["transaction_sources"].having("code", code)
    if not found:
        raise BadRequestError(f"no transaction source {code}")
    return found[0]


def line_columns(store: LedgerStore, values: Row, *, owner: int, source: str) -> Row:
    """Resolve one line written with bare codes; raises BadRequestError naming all that is wrong with it."""
    node_type = schema().type_map["AddGLImportItemsInputNode"]
    if not isinstance(node_type, GraphQLInputObjectType):
        raise TypeError(node_type)
    unknown = values.keys() - node_type.fields.keys()
    if unknown:
        raise BadRequestError(f"a line has no {', '.join(sorted(unknown))}")
    node: Row = {"transactionSource": {"code": source}}
    for name, value in values.items():
        node[name] = coerce_input_value(_referred(node_type, name, value), node_type.fields[name].type)
        # How graphql-core says that a value does not fit; it gives no reason.
        if node[name] is Undefined:
            raise BadRequestError(f"{name} of a line has a value of a wrong type: {value!r}")
    resolver = ReferenceResolver(store, own=owner)
    columns = resolver.columns(node, input_type=node_type, owner=owner)
    sl_type = resolver.system_value("slTransactionType", columns.pop("slTransactionType", None), SlType)
    if resolver.faults:
        raise BadRequestError("; ".join(fault.message for fault in resolver.faults))
    return columns if sl_type is None else columns | {"slTransactionTypeDbId": sl_type}


def book_by_hand(store: LedgerStore, given: HandVoucher, *, now: datetime) -> Row:
    """Book a voucher and give its header; raises BadRequestError with everything that keeps it from being booked."""
    changes = RowChanges()
    header = add_by_hand(store, changes, given, now=now, may_be_closed=False)
    store.commit(changes, now=now)
    return header


def add_by_hand(
    store: LedgerStore, changes: RowChanges, given: HandVoucher, *, now: datetime, may_be_closed: bool
) -> Row:
    """Add the rows of a voucher to ``changes`` and give its header; raises BadRequestError."""
    owner = owner_id(store, given.owner)
    lines = [line_columns(store, line, owner=owner, source=given.source) for line in given.lines]
    voucher = Voucher(
        owner=owner,
        source=source_row(store, given.source),
        posted_date=given.postedDate,
        text=given.text if given.text is not None else next((line.get("text") for line in lines), None),
        lines=[completed(store, line, owner=owner) for line in lines],
        tr_reg_number=given.trRegNumber,
        is_imported=given.imported,
    )
    return book_checked(store, changes, voucher, now=now, may_be_closed=may_be_closed)


def book_checked(
    store: LedgerStore, changes: RowChanges, voucher: Voucher, *, now: datetime, may_be_closed: bool
) -> Row:
    """Add a voucher's rows to ``changes`` unless something keeps it from being booked (BadRequestError)."""
    # A voucher entered by hand needs no registration number; it needs everything else that an import needs.
    problems = missing_members([
        line | {"trRegNumber": 0, "postedDate": voucher.posted_date} for line in voucher.lines
    ]) or check(store, voucher, may_be_closed=may_be_closed)  # fmt: skip
    errors = [problem.message for problem in problems if problem.level is ErrorLevel.ERROR]
    if errors:
        raise BadRequestError(" ".join(dict.fromkeys(errors)))
    return book(store, changes, voucher, now=now)


def _referred(node_type: GraphQLInputObjectType, name: str, value: object) -> object:
    is_reference = isinstance(get_named_type(node_type.fields[name].type), GraphQLInputObjectType)
    return {"code": value} if is_reference and isinstance(value, str) else value
