"""One period: what stops it, its pack, its seal."""
