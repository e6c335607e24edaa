"""Answers that write nothing."""
