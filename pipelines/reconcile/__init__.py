"""Reconcile: what differs between the two sides, kept as breaks until it is gone."""
