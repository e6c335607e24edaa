"""Checks: posting requirements asserted by Great Expectations; what fails is held with a message, never skipped.

From outside: ``steps`` (the step, and which documents are ready), ``suites`` (the rules in words), ``hold`` (name of
a person's hold), ``run`` and ``verdicts``. The suites themselves are JSON below expectations/.
"""
