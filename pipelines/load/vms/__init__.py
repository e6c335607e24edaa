"""Delivery to the VMS."""
