"""The published file and its Parquet tables: what they hold, how they are brought up to date and put in place."""
