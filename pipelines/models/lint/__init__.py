"""What models may be written in."""
