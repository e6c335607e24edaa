"""What people decide, kept in the control store."""
