"""Puts files beside a GraphQL request: one body of several parts (docs/systems/ledger.md#1-6-files)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

# The part that holds the request itself; no file may have its name.
CONTENT = "content"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that goes along; ``name`` is what the node calls it, so it names the part as well."""

    name: str
    media_type: str
    # Never in a message or a log: it is somebody's invoice.
    content: bytes = field(repr=False)


def multipart(request: bytes, uploads: Sequence[Upload]) -> tuple[str, bytes]:
    """Return content type and body of a request (JSON) with its files.

    The body is made whole: a request that may be tried again must send the same bytes.
    """
    parts: list[tuple[str, tuple[str | None, bytes, str]]] = [(CONTENT, (None, request, "application/json"))]
    parts += [(upload.name, (upload.name, upload.content, upload.media_type)) for upload in uploads]
    made = httpx.Request("POST", "http://multipart", files=parts)
    return made.headers["Content-Type"], made.read()
