"""Delivery to the ledger: `vouchers` and `master_data` say what goes, `courier` sends it, the others look and judge."""
