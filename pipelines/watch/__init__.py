"""Runs on its own: every job at its cadence, webhooks of both systems, and who is told of what needs a person.

From outside: ``run.py`` (the watch itself), ``orders.py`` (a run that another command asks it for), ``webhooks`` (the
subscriptions at both systems) and ``alerts``.
"""
