"""The whole path in pandas and requests, as an experienced developer would write it: read, map, send, acknowledge.

Decimals from the first byte to the last, whole vouchers, retries. It maps what the bench's documents need, invoices of
suppliers with one payment term and no VAT, and stops at any other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd

from tests.bench.peers.path_wire import (
    ACCOUNT,
    DOCUMENT,
    PAYABLES,
    READY,
    SECONDS,
    Systems,
    checked,
    connect,
    fields,
    read_settings,
)

CENT, TOLERANCE = Decimal("0.01"), Decimal("0.05")
AMOUNTS = {"invoiceAmount": "documentAmount", "amount": "companyCurrencyAmount"}
ALIKE = ["trRegNumber", "extOrderNumber", "postedDate", "currency", "owner", "invoiceNumber", "extIdentifier"]


def work(settings: Path, _database: Path) -> None:
    """Bring what is ready in the VMS into the ledger."""
    systems = connect(read_settings(settings))
    found = list(read(systems, "Document", READY, DOCUMENT))
    accounts = pd.json_normalize(list(read(systems, "Account", PAYABLES, ACCOUNT)))
    documents = read_documents(found, accounts)
    lines = read_lines(found).merge(documents, on="key", suffixes=("", "_document"))
    details = detail_lines(balanced(lines))
    controls = control_lines(documents, details)
    vouchers = pd.concat([controls, details]).sort_values(["trRegNumber", "trItemNumber"])
    systems.deliver(vouchers.astype(object).where(vouchers.notna(), None).to_dict("records"))


def read(systems: Systems, entity: str, asked: dict[str, Any], wanted: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Read all pages of objects, amounts as decimals."""
    for number in count(1):
        paged = {**asked, "pageNumber": number}
        answer = systems.vms.get(f"{systems.vms_url}/{entity}", params=paged, headers=fields(wanted), timeout=SECONDS)
        objects = json.loads(checked(answer).content, parse_float=Decimal)
        if not objects:
            return
        yield from objects


def read_documents(found: list[dict[str, Any]], accounts: pd.DataFrame) -> pd.DataFrame:
    """Return a row a document, in the ledger's terms; ValueError where this mapping does not know one."""
    table = pd.json_normalize(found)
    terms = table["documentPaymentTerms"]
    is_whole = terms.str.len().eq(1) & terms.str[0].str.get("percentage").eq(100)
    if not (table["documentType.documentType"].eq("INI") & is_whole).all():
        raise ValueError("only invoices of suppliers with one payment term are mapped")
    table = table.merge(accounts, on="company.companyCode", how="left", suffixes=("", "_account"))
    number = table["externalDocumentNo"].fillna("").str.partition("|")
    partner_country = table["businessPartner.addresses"].str[0].str.get("country").str.get("countryCode")
    is_local = table["company.country.countryCode"].eq("SG") & partner_country.eq("SG")
    return pd.DataFrame(
        {
            "key": table["key"],
            "trRegNumber": table["key"],
            "extOrderNumber": table["documentNo"],
            "postedDate": table["documentDate"].str[:10],
            "currency": table["documentCurrency.currencyCode"],
            "owner": table["company.companyCode"].astype(int),
            "invoiceNumber": number[0].str.strip().replace("", None).fillna(table["documentNo"]),
            "extIdentifier": number[2].str.strip().replace("", None),
            "glObject3": is_local.map({True: "LS", False: "FS"}),
            "account_control": table["glAccount"],
            "subledger": table["businessPartner.businessPartnerCode"],
            "bankAccount": bank_accounts(table),
            "dueDate": terms.str[0].str.get("dueDate").str[:10],
            "text_control": (table["documentNo"] + " " + table["businessPartner.businessPartnerName"]).str[:100],
            **{f"{name}_total": table[member].map(rounded) for name, member in AMOUNTS.items()},
        }
    )


def bank_accounts(table: pd.DataFrame) -> pd.Series[str]:
    """Return the partners' accounts, a Norwegian IBAN as its national number."""
    iban = table["businessPartner.bankAccount.iban"]
    national = iban.where(~iban.str.startswith("NO", na=False), iban.str[4:])
    return national.fillna(table["businessPartner.bankAccount.bankAccountNo"])


def read_lines(found: list[dict[str, Any]]) -> pd.DataFrame:
    """Return a row a line, with vessel, pool and voyage."""
    table = pd.json_normalize(found, "documentLines", "key", meta_prefix="document.").sort_values("key")
    vessel = table["voyage.vessel.vesselCodes"].str[0]
    return pd.DataFrame(
        {
            "key": table["document.key"].astype(int),
            "account": table["glAccount"],
            "text": table["documentLineText"].str[:100],
            "glObject1": vessel.str.get("vesselCode"),
            "project": table["voyage.voyageHeader.referenceNo"],
            "xgl": vessel.str.get("pool").str.get("poolCode").fillna("DLVMS"),
            **{name: table[member].map(rounded) for name, member in AMOUNTS.items()},
        }
    )


def balanced(lines: pd.DataFrame) -> pd.DataFrame:
    """Put what rounding has left over on the largest line; ValueError where it is more than rounding can be."""
    for name in AMOUNTS:
        by_document = lines.groupby("key")
        gap = lines[f"{name}_total"] - by_document[name].transform("sum")
        allowed = by_document[name].transform("size").map(lambda count: count * TOLERANCE)
        if (gap.abs() > allowed).any():
            raise ValueError("lines do not add up to the total")
        size = lines[name].abs()
        largest = size.eq(size.groupby(lines["key"]).transform("max"))
        is_first = largest & largest.groupby(lines["key"]).cumsum().eq(1)
        lines[name] = lines[name].where(~is_first, lines[name] + gap)
    return lines


def detail_lines(lines: pd.DataFrame) -> pd.DataFrame:
    """Return the detail lines of all vouchers; the control line is the first."""
    own = ["account", "text", "glObject1", "glObject3", "project", "xgl", *AMOUNTS]
    return with_all(lines[ALIKE + own].assign(trItemNumber=lines.groupby("key").cumcount() + 2))


def control_lines(documents: pd.DataFrame, details: pd.DataFrame) -> pd.DataFrame:
    """Return the control line of each voucher; vessel and voyage where all its lines agree."""
    dimensions = details.groupby("trRegNumber")[["glObject1", "project"]].agg(agreed).reset_index()
    found = documents.merge(dimensions, on="trRegNumber", how="left")
    totals = {name: -found[f"{name}_total"] for name in AMOUNTS}
    own = found[[*ALIKE, "glObject1", "project", "subledger", "bankAccount", "dueDate"]]
    named = {"account": found["account_control"], "text": found["text_control"].str.strip()}
    return with_all(own.assign(**named, **totals, invoiceDate=found["postedDate"], trItemNumber=1))


def with_all(lines: pd.DataFrame) -> pd.DataFrame:
    """Add what all lines have, and write amounts as text."""
    written = {name: lines[name].map(str) for name in AMOUNTS}
    return lines.assign(**written, transactionSource="AP", jobLevel=1)


def agreed(values: pd.Series[str]) -> str | None:
    """Return the value that all lines have."""
    first: str = values.iloc[0]
    return first if values.eq(first).all() else None


def rounded(amount: Decimal) -> Decimal:
    """Return an amount with the decimals of its currency, which are two here."""
    return Decimal(amount).quantize(CENT, ROUND_HALF_UP)
