"""Reconcile: what differs between the two sides, or stops one of them, kept as breaks until it is gone.

From outside import `steps` (a batch), `record` (to open and close a break in a transaction of one's own) and `kinds`
(the list of all kinds of break). The `of_*` modules say, finder by finder, which rows are breaks and in which words.
"""
