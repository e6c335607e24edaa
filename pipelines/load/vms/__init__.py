"""Delivery to the VMS: acknowledgements, payments, actuals and rates; `courier` sends what is new there."""
