"""Steering: what people decide on documents, breaks and suppliers' bank accounts, kept in the control store.

From outside import `steps` (a batch), `steer` and `break_decisions` (commands), and what others need to know of
decisions: `decisions`, `find_document`, `bank_changes`.
"""
