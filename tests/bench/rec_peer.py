"""The same comparison of documents and payments as a person would write it in plain pandas: the bench's peer.

It reads the same staging rows, in whole minor units, and says for each document what both sides have and in which state
it is, and for each invoice what was paid. It knows none of the words, drift and breaks that sql/rec tells.
"""

# ruff: noqa: S608 - statements are made of our own names

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

UNITS = "CAST(round({} * 100) AS BIGINT)"
INVOICES = ("INI", "INO", "CRI", "CRO")


def read(connection: duckdb.DuckDBPyConnection) -> dict[str, pd.DataFrame]:
    """Read what the comparison needs; amounts as whole cents, so that pandas adds them up exactly."""
    amount, company = UNITS.format("document_amount"), UNITS.format("company_currency_amount")
    invoice, booked, open_ = (UNITS.format(name) for name in ("invoice_amount", "amount", "invoice_remaining"))
    rows = f"row_db_id, header_db_id, match_id, source_code, {invoice} AS units, {open_} AS open_units"
    queries = {
        "documents": f"SELECT document_key, document_type, status_code, {amount} AS units, {company} AS company_units "
        "FROM stg_vms.documents",
        "references": f"SELECT document_key, ref_document_key, {amount} AS units FROM stg_vms.document_lines "
        "WHERE ref_document_key IS NOT NULL",
        "vouchers": "SELECT document_key, header_db_id, voucher_type FROM ctl.sent_vouchers WHERE state = 'sent'",
        "controls": "SELECT document_key, account FROM ctl.sent_lines WHERE is_control",
        "books": f"SELECT header_db_id, account_code, {invoice} AS units, {booked} AS company_units "
        "FROM stg_ledger.transactions",
        "holds": "SELECT DISTINCT document_key FROM ctl.holds WHERE until IS NULL AND severity = 'critical'",
        "subledger": f"SELECT 'AP' AS side, -1 AS sign, {rows} FROM stg_ledger.ap_rows UNION ALL "
        f"SELECT 'AR', 1, {rows} FROM stg_ledger.ar_rows",
    }
    return {name: connection.execute(query).df() for name, query in queries.items()}


def documents(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Give both amounts and the state of each document: key, units and company units of both sides, state."""
    vouchers, books = tables["vouchers"], tables["books"]
    found = tables["documents"][~tables["documents"].document_type.isin(["PMI", "PMO"])]
    found = found.merge(vouchers, on="document_key", how="left")
    control = tables["controls"].drop_duplicates("document_key")
    found = found.merge(control, on="document_key", how="left")
    totals = books.groupby(["header_db_id", "account_code"], as_index=False)[["units", "company_units"]].sum()
    found = found.merge(
        totals,
        left_on=["header_db_id", "account"],
        right_on=["header_db_id", "account_code"],
        how="left",
        suffixes=("_vms", "_ledger"),
    )
    sign = np.where(found.voucher_type == "AR", 1, -1)
    found["units_ledger"] = found.units_ledger * sign
    found["company_units_ledger"] = found.company_units_ledger * sign
    is_held = found.document_key.isin(tables["holds"].document_key)
    differs = (found.units_ledger != found.units_vms) | (found.company_units_ledger != found.company_units_vms)
    found["state"] = np.select(
        [found.header_db_id.isna() & is_held, found.header_db_id.isna(), found.units_ledger.isna(), differs],
        ["held", "waiting", "only in VMS", "amount differs"],
        "agreed",
    )
    return found[["document_key", "units_vms", "units_ledger", "company_units_vms", "company_units_ledger", "state"]]


def payments(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Give what was paid and is open of each invoice that was sent, on both sides, and its state."""
    rows, vouchers = tables["subledger"], tables["vouchers"]
    rows = rows.assign(units=rows.units * rows.sign, settled=(rows.units - rows.open_units) * rows.sign)
    paying = rows[(rows.source_code == "DR") & (rows.match_id != 0)][["side", "match_id"]].drop_duplicates()
    owned = rows[rows.source_code == rows.side].merge(vouchers, on="header_db_id")
    owned = owned.merge(paying.assign(is_paid=True), on=["side", "match_id"], how="left")
    owned["paid"] = np.where(owned.is_paid.notna(), owned.settled, 0)
    ledger = owned.groupby("document_key", as_index=False).agg(
        amount_ledger=("units", "sum"), settled=("settled", "sum"), paid_ledger=("paid", "sum")
    )
    kinds = tables["documents"]
    posted = kinds[kinds.document_type.isin(["PMI", "PMO"]) & (kinds.status_code == "POS")][["document_key"]]
    told = tables["references"].merge(posted, on="document_key")
    paid = -told.groupby("ref_document_key").units.sum().rename("paid_vms")
    invoices = kinds[kinds.document_type.isin(INVOICES)][["document_key", "units"]].merge(ledger, on="document_key")
    invoices = invoices.join(paid, on="document_key").fillna({"paid_vms": 0})
    invoices["open_ledger"] = invoices.amount_ledger - invoices.settled
    sign = np.where(invoices.units < 0, -1, 1)
    apart = sign * (invoices.paid_ledger - invoices.paid_vms)
    invoices["state"] = np.select(
        [apart > 0, apart < 0, (invoices.paid_vms != 0) & (invoices.open_ledger != 0)],
        ["not yet in VMS", "match undone", "part paid"],
        "agreed",
    )
    return invoices[["document_key", "units", "amount_ledger", "paid_vms", "paid_ledger", "open_ledger", "state"]]
