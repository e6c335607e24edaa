"""What every table and column is, in words: from the models, the contracts of both APIs and the control store's DDL."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from pipelines.checks.suites import load_rules
from pipelines.contracts.contract import Contract, Member
from pipelines.contracts.tables import CONTRACTS, SCHEMAS
from pipelines.core.resources import sql_folder
from pipelines.core.table_ref import ColumnRef, TableRef
from pipelines.models.model import Catalog, ModelColumn
from pipelines.stores.seals import SEALED_TABLES
from pipelines.stores.sent_objects import SENT_TABLES

SIDES = {"vms": "VMS", "ledger": "ledger"}
# What landing adds to every object, and to the rows of its lists.
LANDING: Mapping[str, str] = {
    "fetch_id": "the landing that brought this row",
    "fetched_at": "when it was read, UTC",
    "content_hash": "hash of the object with its lists; empty: to be read anew",
    "position": "place in the list, from 0",
}
# What was sent, one table a kind of intent: they share their columns' names.
SENT: Mapping[str, str] = {
    "id": "the outward write in ctl.outbox",
    "document_no": "number of the document in the VMS",
    "document_key": "database id of the document in the VMS",
    "company_code": "company in the VMS",
    "owner_code": "entity in the ledger",
    "voucher_type": "AP, AR or GL",
    "invoice_no": "invoice number of the control lines",
    "subledger_no": "supplier or customer of the control lines",
    "currency": "currency of the amounts",
    "header_text": "text of the first control line, which the ledger shows as the voucher's",
    "header_db_id": "database id of the voucher's header in the ledger, once found",
    "payment_db_id": "database id of the payment's row in the ledger",
    "part_no": "place among the parts that correct each other, from 1",
    "document_amount": "in the document's currency, with the VMS's sign",
    "source_amount": "in the currency it was paid in",
    "company_amount": "in the company's currency",
    "prefix": "what the numbers of one voyage, account and month begin with",
    "period_month": "first day of the month",
    "voyage_no": "reference number of the voyage",
    "account": "GL account",
    "rate_date": "the day the rate is for",
    "from_currency": "1 of it is exchange_rate of to_currency",
    "to_currency": "the other currency",
    "exchange_rate": "how much of to_currency 1 of from_currency is",
    "state": "where the outward write stands",
    "updated_at": "when it last changed, UTC",
}
# What a sealed period consisted of: the rows of close.period_entries as they were.
SEALED: Mapping[str, str] = {
    "period_month": "first day of the month",
    "side": "ledger, vms or accrual",
    "subject": "of the ledger the voucher, of the VMS the document, of accruals the company",
    "account": "GL account; empty: none",
    "voyage_no": "reference number of the voyage; empty: none",
    "company_code": "company in the VMS",
    "owner_code": "entity in the ledger",
    "document_key": "database id of the document in the VMS",
    "document_no": "number of the document in the VMS",
    "header_db_id": "database id of the voucher's header in the ledger",
    "voucher_no": "number of the voucher in the ledger",
    "status": "booked; posted, open or gone; accrued",
    "company_currency_code": "currency of the amount",
    "company_amount": "as it was at the seal; of the ledger and of accruals, debit positive",
    "row_count": "rows of the ledger added up",
}
ABOUT_SENT: Mapping[str, str] = {
    "sent_vouchers": "One voucher as it was sent to the ledger.",
    "sent_lines": "One line of a voucher as it was sent to the ledger.",
    "payments": "One payment as it was sent to the VMS.",
    "actuals": "One actual as it was sent to the VMS.",
    "rates": "One exchange rate as it was sent to the VMS.",
}
# Columns of the checks: ok_ and the name of the rule.
VERDICT = "ok_"
SHOWN_ORIGINS = 4
# A column as it is, at most under another name.
_PASSED_ON = re.compile(r"(\w+\.\w+)?")
_TABLE = re.compile(
    r"(?:^-- (?P<about>[^\n]*)\n)?CREATE TABLE IF NOT EXISTS (?P<name>\w+) \((?P<body>.*?)\n\)",
    re.DOTALL | re.MULTILINE,
)
_COLUMN = re.compile(r"^ +(?P<name>[a-z_]+) [A-Z].*?--\s*(?P<words>.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Origin:
    """A member of a remote object; ``path`` is dotted and begins below the object."""

    side: str
    entity: str
    path: str
    comment: str


@dataclass(frozen=True, slots=True)
class ControlTable:
    """One table of sql/control/schema.sql: what one row is, the text of its columns, and what they are."""

    about: str
    body: str
    columns: Mapping[str, str]


def column_meaning(catalog: Catalog, ref: TableRef, name: str) -> str:
    """Return what a model's column is; where nobody said, where it comes from, else what computes it."""
    return description(catalog, ColumnRef(ref, name)) or _derived(catalog, catalog.by_ref[ref].column(name), ref)


def description(catalog: Catalog, column: ColumnRef) -> str:
    """Return what a column is: its own comment, its rule, else what is said of the one column it passes on."""
    # Up the lineage as long as a column is passed on unchanged: a comment written once then holds for all its copies.
    while (model := catalog.by_ref.get(column.table)) is not None:
        defined = model.column(column.name)
        if defined.description:
            return defined.description
        if rule := load_rules().rules.get(column.name.removeprefix(VERDICT)):
            return f"false: {rule.title}"
        if len(defined.parents) != 1 or not _PASSED_ON.fullmatch(defined.expression):
            return ""
        column = defined.parents[0]
    return comment(column)


def comment(column: ColumnRef) -> str:
    """Return what is known of an external column, nothing when nobody said."""
    if column.table.schema == "ctl":
        if column.table.name in SENT_TABLES:
            return SENT.get(column.name, "")
        if column.table.name in SEALED_TABLES:
            return SEALED.get(column.name, "")
        table = control_tables().get(column.table.name)
        return table.columns.get(column.name, "") if table else ""
    origin = origins().get(column)
    return origin.comment if origin else LANDING.get(column.name, "")


@cache
def origins() -> Mapping[ColumnRef, Origin]:
    """Return the member behind every landed column; what landing itself adds is not among them."""
    return {
        ColumnRef(TableRef(SCHEMAS[side], table), member.column): Origin(
            SIDES[side], contract.entity, path, member.comment
        )
        for side, contracts in CONTRACTS.items()
        for contract in contracts
        for table, member, path in _members(contract)
    }


@cache
def control_tables() -> Mapping[str, ControlTable]:
    """Return the control store's tables by name, in the order of their file."""
    return {
        found["name"]: ControlTable(
            found["about"] or "",
            found["body"],
            {column["name"]: column["words"] for column in _COLUMN.finditer(found["body"])},
        )
        for found in _TABLE.finditer(control_schema())
    }


def control_schema() -> str:
    """Return the DDL of the control store."""
    return (sql_folder() / "control" / "schema.sql").read_text(encoding="utf-8")


def _derived(catalog: Catalog, column: ModelColumn, ref: TableRef) -> str:
    ends = [_place(end) for end in catalog.origins[ColumnRef(ref, column.name)]]
    shown = ", ".join(dict.fromkeys(ends[:SHOWN_ORIGINS]))
    if not shown:
        return f"computed: {column.expression or column.name}"
    more = ", …" if len(ends) > SHOWN_ORIGINS else ""
    return f"from {shown}{more}"


def _place(column: ColumnRef) -> str:
    origin = origins().get(column)
    return f"{origin.side} {origin.entity}.{origin.path}" if origin else str(column)


def _members(contract: Contract) -> Iterator[tuple[str, Member, str]]:
    key = next(member for member in contract.members if member.column == contract.key)
    for member in contract.members:
        yield contract.table, member, member.path
    for children in contract.children:
        yield children.table, key, key.path
        for member in children.members:
            yield children.table, member, f"{children.path}.{member.path}"
