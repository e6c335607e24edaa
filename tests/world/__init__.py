"""Generates the sample world that both sandbox servers start with: the same bytes every time."""
