"""One batch: which steps, in which order, over which stores, and the retries that need a small batch of their own.

From outside: `jobs` (the jobs as data), `run` (one batch, and the opening of stores and clients), and `scratch`
(documents mapped aside, without a trace).
"""
