"""What every room needs and what needs no room: settings, errors, log, currencies, periods, and how values are written.

Everything here may be imported from anywhere. Nothing here reads a table, calls a system or knows a step.
"""
