"""Checks: posting requirements asserted by Great Expectations; what fails is held with a message, never skipped.

The door is `steps` (the step, which documents are ready, the rules), the only module a batch and other step rooms
import. Questions and the reference also import `suites` (the rules in words), `messages` (what a hold says, in its
parts), `run`, `verdicts` and `followers`. The suites themselves are JSON below expectations/.
"""
