"""The SQL models: read from sql/, put in order, verified, built, traced back to their sources and transpiled."""
