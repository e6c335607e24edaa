"""Writes the generated pages of docs/reference from the code, the SQL and the suites; `--check` refuses stale pages.

The top floor: it reads every room, and no room may import it. Its door is ``python -m pipelines.reference``.
"""
