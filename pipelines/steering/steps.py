"""The door of this room for a batch: the step by which changed bank accounts wait for a second person."""

from __future__ import annotations

from pipelines.steering.bank_changes import note_bank_changes

__all__ = ["note_bank_changes"]
