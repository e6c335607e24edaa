"""The three stores: control, warehouse, published file."""
