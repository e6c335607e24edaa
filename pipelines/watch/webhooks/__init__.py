"""Webhooks of both systems: what they call, what becomes of a call, and the subscriptions there.

From outside: ``receive.py`` (the routes), ``subscriptions.py`` (register, list, verify, remove), ``looking.py`` (what
the watch calls now and then) and ``ready.py`` (what the settings lack).
"""
