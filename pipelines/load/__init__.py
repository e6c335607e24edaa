"""Delivers what the outbox holds, to the ledger and to the VMS, and settles what became of it."""
