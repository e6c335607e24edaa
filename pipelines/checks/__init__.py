"""Checks: posting requirements asserted by Great Expectations; what fails is held with a message, never skipped."""
