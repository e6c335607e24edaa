"""Tells people what needs them: the conditions, what was told of each, and how it is delivered."""
