"""The control store as a schema of a PostgreSQL database; imported only where the setting `control` asks for it."""
