"""The demonstration: both sandboxes, every job, what people do in the ledger in between, and a comparison.

From outside import `play.run_demo` and `show.show_demo`. The comparison reads both systems itself and uses none of the
product's SQL: it is evidence by other means, and must stay so.
"""
