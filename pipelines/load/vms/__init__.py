"""Delivery to the VMS: acknowledgements, payments, actuals, rates and remarks; `courier` sends what is new there."""
