"""The report's words for states and for outcomes of a batch."""

from __future__ import annotations

from collections.abc import Mapping

# In the order in which a reader should meet them.
STATES: Mapping[str, str] = {
    "agreed": "both sides say the same",
    "waiting": "goes with the next run, or is not booked yet",
    "held": "may not go out until somebody mends it",
    "unknown": "sent, and no answer came",
    "rejected": "could not be read, or the ledger refused it",
    "amount differs": "both sides have it, with different amounts",
    "fields differ": "the amounts agree, something else does not",
    "only in VMS": "the ledger has no voucher of it",
    "only in ledger": "the VMS has no document of it",
    "ignored": "left alone by a person's decision",
}
JOBS_END: Mapping[int, str] = {
    0: "clean",
    1: "stopped by a bug",
    10: "a setting is missing or wrong",
    11: "a system could not be read, or broke its contract",
    12: "a SQL model could not be built",
    13: "a check could not run; nothing was sent",
    14: "documents are held; the others went through",
    15: "something could not be delivered, or its fate is unknown",
    16: "the sides differ by more than the tolerance",
    17: "another batch was at work",
}
