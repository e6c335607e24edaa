"""The published file and its tables."""
