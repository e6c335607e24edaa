"""What the tests of the command line share."""

from __future__ import annotations

from tests.cli.springline import terminal

__all__ = ["terminal"]
