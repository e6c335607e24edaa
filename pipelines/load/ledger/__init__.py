"""Delivery to the ledger."""
