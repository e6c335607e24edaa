"""Delivers what the outbox holds, to the ledger and to the VMS, and settles what became of it.

The only room that changes either system. `steps` is its door, the only module a batch and other step rooms import;
`delivery` is the one loop, and `ledger/` and `vms/` have what is particular to a side. Going live and questions also
import `look_up` (asking the ledger for many values at once), `acknowledgement`, `ledger.vouchers` (names of members and
breaks), and `ledger.invoice_files` with `ledger.file_rules` (which file would go with an invoice). Recovery also
imports `ledger.entities`, `ledger.master_data` and `ledger.nodes` (the intent of a change), `vms.documents` (the
numbers of what was sent) and `delivery` (how long a call may last).
"""
