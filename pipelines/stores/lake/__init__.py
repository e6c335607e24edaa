"""A tenant's lake (DuckLake): what the working database holds as of the last batch, for the next one on any machine."""
