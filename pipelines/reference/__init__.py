"""The generated pages of docs/reference: written from the code, the SQL and the suites, and refused when stale."""
