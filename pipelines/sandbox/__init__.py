"""Both vendor systems as strict local servers on loopback; nothing here knows the rest of the product."""
