"""Delivers what the outbox holds, to the ledger and to the VMS, and settles what became of it.

The only room that changes either system. `steps` is its door, `delivery` the one loop; `ledger/` and `vms/` have what
is particular to a side. From outside also `look_up` (asking the ledger for many values at once), `acknowledgement`,
and the intents of each kind.
"""
