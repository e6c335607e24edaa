"""The whole story of one document: VMS, voucher, checks, sends, ledger, payments, decisions, and what to do next."""
