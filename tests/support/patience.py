"""How long a test waits for what must come: no speed is measured here, and a machine can be loaded."""

from __future__ import annotations

from typing import Final

# Seconds; far more than ten times what any of it takes by itself.
PATIENCE: Final = 600.0
