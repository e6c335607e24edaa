"""The same comparison of documents and payments as a person would write it in plain pandas.

It reads the same staging rows, in whole minor units, and says for each document what both sides have and in which state
it is, and for each invoice what was paid. It knows none of the words, drift and breaks that sql/rec tells.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np

from tests.bench.peers.rec_rows import INVOICES, PAYMENTS, QUERIES

if TYPE_CHECKING:
    import pandas as pd


def work(world: Path, result: Path) -> None:
    """Compare a world, and write both tables of what was found."""
    with duckdb.connect(str(world), read_only=True) as connection:
        tables = {name: connection.execute(query).df() for name, query in QUERIES.items()}
    with duckdb.connect(str(result)) as connection:
        for name, found in (("documents", documents(tables)), ("payments", payments(tables))):
            connection.register("found", found)
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM found")  # noqa: S608 our own names


def documents(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Give both amounts and the state of each document: key, units and company units of both sides, state."""
    vouchers, books = tables["vouchers"], tables["books"]
    found = tables["documents"][~tables["documents"].document_type.isin(PAYMENTS)]
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
    posted = kinds[kinds.document_type.isin(PAYMENTS) & (kinds.status_code == "POS")][["document_key"]]
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
