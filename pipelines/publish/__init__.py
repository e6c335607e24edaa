"""Publish: what analysts and accountants look at."""
