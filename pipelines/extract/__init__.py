"""Extract: pages of both systems become verified rows in the staging schemas.

The door is `steps`. Preflight and retries read apart from a batch and may import `vms` and `ledger` too. A page goes
through `parse` (with `exact` and `flatten`), `incoming` and `merge`, led by `land`; `cursors` say how far was read.
"""
