"""Extract: pages of both systems become verified rows in the staging schemas.

The door is `steps`, the only module a batch and other step rooms import; preflight, which reads apart from a batch,
also imports `vms`, `ledger` and `originals` (documents that a reversal takes back). A page goes through `parse` (with
`exact` and `flatten`), `incoming` and `merge`, led by `land`; `cursors` say how far was read.
"""
