"""The stores: the control store (SQLite, must never be lost), the warehouse (DuckDB, can be rebuilt), their readers.

From outside: ``control`` (open, read, write, marks), ``marks``, ``warehouse`` (open, rows in), ``control_copy`` (what
the warehouse has of the control store), ``control_schema`` (its tables in words), ``settings_tables`` and ``seeds``
(what models read of settings and constants), ``open_tables`` and ``rows`` (reading), ``seals``, ``request_counts``,
``backup``, and ``sent_objects`` (what was sent, with the corrections that have arrived since). Only this room imports
``versions`` and ``copies``.
"""
