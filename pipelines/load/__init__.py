"""Delivers what the outbox holds, to the ledger and to the VMS, and settles what became of it.

The only room that changes either system. `steps` is its door; `delivery` is the one loop, and `ledger/` and `vms/` have
what is particular to a side. From outside also `ports` (asking the ledger many values at once), `acknowledgement`, and
the intents of each kind.
"""
