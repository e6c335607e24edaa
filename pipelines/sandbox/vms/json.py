"""JSON in which a number keeps its digits: what was written as 1250.00 is served as 1250.00, never through a float."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

# An object as stored: its key, and of its members those that were given a value (or null) once.
Obj = dict[str, Any]

# Amounts are JSON numbers on this side (docs/systems/vms.md#7) and text in the ledger.
_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


def decode(text: bytes | str) -> Any:  # noqa: ANN401 (any JSON value)
    """Read JSON; raises ValueError for what is none."""
    try:
        return _decoder.decode(text)
    except RecursionError as error:
        raise ValueError("the JSON is nested too deeply") from error


def encode(value: Any) -> bytes:  # noqa: ANN401 (any JSON value)
    """Write JSON."""
    return _encoder.encode(value)
