"""The same comparison of documents and payments as a person would write it in polars, on all cores.

It reads the same rows and finds the same as rec_pandas.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl  # type: ignore[import-not-found]

from tests.bench.peers.rec_rows import INVOICES, PAYMENTS, QUERIES


def work(world: Path, result: Path) -> None:
    """Compare a world, and write both tables of what was found."""
    with duckdb.connect(str(world), read_only=True) as connection:
        tables = {name: connection.execute(query).pl().lazy() for name, query in QUERIES.items()}
    found = dict(zip(("documents", "payments"), pl.collect_all([documents(tables), payments(tables)]), strict=True))
    with duckdb.connect(str(result)) as connection:
        for name, rows in found.items():
            connection.register("found", rows)
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM found")  # noqa: S608 our own names


def documents(tables: dict[str, pl.LazyFrame]) -> pl.LazyFrame:
    """Give both amounts and the state of each document: key, units and company units of both sides, state."""
    totals = tables["books"].group_by("header_db_id", "account_code").agg(pl.col("units", "company_units").sum())
    sign = pl.when(pl.col("voucher_type") == "AR").then(1).otherwise(-1)
    is_unsent = pl.col("header_db_id").is_null()
    units = [pl.col(name).alias(f"{name}_vms") for name in ("units", "company_units")]
    booked = [(pl.col(f"{name}_right") * sign).alias(f"{name}_ledger") for name in ("units", "company_units")]
    differs = (pl.col("units_ledger") != pl.col("units_vms")) | (
        pl.col("company_units_ledger") != pl.col("company_units_vms")
    )
    return (
        tables["documents"]
        .filter(~pl.col("document_type").is_in(PAYMENTS))
        .join(tables["vouchers"], on="document_key", how="left")
        .join(tables["controls"].unique("document_key"), on="document_key", how="left")
        .join(totals, left_on=["header_db_id", "account"], right_on=["header_db_id", "account_code"], how="left")
        .join(tables["holds"].with_columns(is_held=True), on="document_key", how="left")
        .with_columns(*units, *booked)
        .with_columns(
            state=pl.when(is_unsent & pl.col("is_held"))
            .then(pl.lit("held"))
            .when(is_unsent)
            .then(pl.lit("waiting"))
            .when(pl.col("units_ledger").is_null())
            .then(pl.lit("only in VMS"))
            .when(differs)
            .then(pl.lit("amount differs"))
            .otherwise(pl.lit("agreed"))
        )
        .select("document_key", "units_vms", "units_ledger", "company_units_vms", "company_units_ledger", "state")
    )


def payments(tables: dict[str, pl.LazyFrame]) -> pl.LazyFrame:
    """Give what was paid and is open of each invoice that was sent, on both sides, and its state."""
    rows = tables["subledger"].with_columns(
        units=pl.col("units") * pl.col("sign"), settled=(pl.col("units") - pl.col("open_units")) * pl.col("sign")
    )
    paying = rows.filter((pl.col("source_code") == "DR") & (pl.col("match_id") != 0)).select("side", "match_id")
    ledger = (
        rows.filter(pl.col("source_code") == pl.col("side"))
        .join(tables["vouchers"], on="header_db_id")
        .join(paying.unique().with_columns(is_paid=True), on=["side", "match_id"], how="left")
        .group_by("document_key")
        .agg(
            amount_ledger=pl.col("units").sum(),
            settled=pl.col("settled").sum(),
            paid_ledger=pl.col("settled").filter(pl.col("is_paid")).sum(),
        )
    )
    posted = tables["documents"].filter(pl.col("document_type").is_in(PAYMENTS) & (pl.col("status_code") == "POS"))
    paid = (
        tables["references"]
        .join(posted, on="document_key", how="semi")
        .group_by("ref_document_key")
        .agg(paid_vms=-pl.col("units").sum())
    )
    apart = pl.when(pl.col("units") < 0).then(-1).otherwise(1) * (pl.col("paid_ledger") - pl.col("paid_vms"))
    return (
        tables["documents"]
        .filter(pl.col("document_type").is_in(INVOICES))
        .join(ledger, on="document_key")
        .join(paid, left_on="document_key", right_on="ref_document_key", how="left")
        .with_columns(pl.col("paid_vms").fill_null(0), open_ledger=pl.col("amount_ledger") - pl.col("settled"))
        .with_columns(
            state=pl.when(apart > 0)
            .then(pl.lit("not yet in VMS"))
            .when(apart < 0)
            .then(pl.lit("match undone"))
            .when((pl.col("paid_vms") != 0) & (pl.col("open_ledger") != 0))
            .then(pl.lit("part paid"))
            .otherwise(pl.lit("agreed"))
        )
        .select("document_key", "units", "amount_ledger", "paid_vms", "paid_ledger", "open_ledger", "state")
    )
