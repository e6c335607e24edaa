"""Reconcile: what differs between the two sides, or stops one of them, kept as breaks until it is gone.

The door is `steps`, the only module a batch and other step rooms import; steering and the reference also import `kinds`
(the list of all kinds of break). The `of_*` modules say, finder by finder, which rows are breaks and in which words.
"""
