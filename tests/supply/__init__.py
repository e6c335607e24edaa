"""What the product is made of: the bill of materials, and whether a part of it has a known vulnerability."""
