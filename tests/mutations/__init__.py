"""Checks the checker: the product is changed in one place at a time, and a test must fail each time."""
