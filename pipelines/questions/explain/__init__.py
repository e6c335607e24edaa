"""The whole story of one document: VMS, voucher, checks, sends, ledger, payments, decisions, and what to do next.

`story` tells it and `show` prints it; the command line imports these two.
"""
