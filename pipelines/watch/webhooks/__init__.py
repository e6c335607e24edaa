"""Webhooks of both systems: what they call, what becomes of a call, and the subscriptions there.

From outside: ``receive.py`` (the routes), ``subscriptions.py`` (register, list, verify, remove, and the look of the
watch) and ``ready.py`` (what the settings lack).
"""
