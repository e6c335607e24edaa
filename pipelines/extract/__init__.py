"""Extract: pages of both systems become verified rows in the staging schemas."""
