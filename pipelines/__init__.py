"""Springline: keeps the voyage management system and the ledger from drifting apart."""

__version__ = "0.2.0"
