"""Reads the body of an answer piece by piece, and unpacks it with a limit: a small one may unpack to any size."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

# What we ask for. Whatever else is installed, httpx would ask for that too, and unpack it without a limit.
ACCEPTED = "gzip, deflate"
# zlib's own number for a gzip or a zlib header, whichever comes.
_EITHER_HEADER = 47


class TooLargeError(Exception):
    """A body is larger than the limit."""


class BrokenPackingError(Exception):
    """A body cannot be unpacked, or has not come to its end."""


def unpacked(pieces: Iterable[bytes], *, encoding: str, limit: int) -> bytes:
    """Return a body of at most ``limit`` bytes; no more is ever in memory, whatever it would unpack to.

    ``encoding`` is the header Content-Encoding. Raises TooLargeError, and BrokenPackingError, also for an encoding that
    was not asked for and for one packed twice.
    """
    encoding = encoding.strip().lower()
    if encoding in {"", "identity"}:
        return _joined(pieces, limit=limit)
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        raise BrokenPackingError(f"its encoding {encoding[:40]!a} was not asked for")
    reader = zlib.decompressobj(_EITHER_HEADER)

    def parts() -> Iterable[bytes]:
        left = limit + 1
        for piece in pieces:
            part = reader.decompress(piece, left)
            left -= len(part)
            yield part

    try:
        body = _joined(parts(), limit=limit)
    except zlib.error as error:
        raise BrokenPackingError(str(error)) from error
    if not reader.eof or reader.unused_data:
        raise BrokenPackingError("its packed body is cut off" if not reader.eof else "more follows its packed body")
    return body


def _joined(parts: Iterable[bytes], *, limit: int) -> bytes:
    found: list[bytes] = []
    size = 0
    for part in parts:
        found.append(part)
        size += len(part)
        if size > limit:
            raise TooLargeError
    return b"".join(found)
