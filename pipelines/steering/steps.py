"""The door of this room for a batch: changed bank accounts wait for a second person, decisions find their documents."""

from __future__ import annotations

from pipelines.steering.bank_changes import note_bank_changes
from pipelines.steering.by_number import note_decided_documents

__all__ = ["note_bank_changes", "note_decided_documents"]
