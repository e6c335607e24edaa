"""How an intent is named for people."""

from __future__ import annotations

from pipelines.outbox.store import Entry


def subject(entry: Entry) -> str:
    """Name what an intent is about, as a person knows it.

    A document has its number and key, master data its kind and code.
    """
    if entry.document_key is None:
        return f"{entry.kind.replace('_', ' ')} {entry.natural_key}"
    return f"document {entry.document_no} (key {entry.document_key})"


def title(entry: Entry) -> str:
    """Name what an intent writes, as a person finds it: a payment with its invoice, a rate with its day and pair."""
    name = f"{entry.kind.capitalize()} {entry.natural_key}"
    return name if entry.document_no is None else f"{name} of document {entry.document_no}"
