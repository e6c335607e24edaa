"""Reads `multipart/form-data` (RFC 7578), strictly: what a client of the ledger sends files in."""

from __future__ import annotations

import re

# 1 to 70 characters: RFC 2046, section 5.1.1.
_BOUNDARY = re.compile(r'multipart/form-data;.*?\bboundary="?([^";]{1,70})"?', re.IGNORECASE)
_NAME = re.compile(r'form-data;(?:.*;)? ?name="([^"]*)"', re.IGNORECASE)
_END = b"--"
_LINE = b"\r\n"
# The part that holds the GraphQL request itself (docs/systems/ledger.md#1-6-files).
CONTENT = "content"


def is_multipart(content_type: str) -> bool:
    """Tell whether a request says that it comes in parts."""
    return content_type.lower().startswith("multipart/form-data")


def read_parts(body: bytes, content_type: str) -> dict[str, bytes]:
    """Give each part by its name; raises ValueError for a body that is not whole, or a name that comes twice."""
    found = _BOUNDARY.match(content_type)
    if found is None:
        raise ValueError("the content type names no boundary")
    # The first boundary has no line break before it; with one added, all boundaries look alike.
    before, *sections = (_LINE + body).split(_LINE + _END + found[1].encode())
    if before or not sections or sections[-1].rstrip() != _END:
        raise ValueError("the parts do not begin and end with the boundary")
    parts: dict[str, bytes] = {}
    for section in sections[:-1]:
        head, blank, content = section.partition(_LINE + _LINE)
        name = _NAME.search(head.decode("utf-8"))
        if not blank or name is None:
            raise ValueError("a part has no name")
        # A quote inside a name is written so (HTML, multipart/form-data encoding).
        given = name[1].replace("%22", '"')
        if given in parts:
            raise ValueError(f"two parts are named {given!r}")
        parts[given] = content
    return parts


def request_of(body: bytes, content_type: str) -> bytes:
    """Give the GraphQL request inside a body: its part `content` where it has parts; empty where it cannot be read."""
    if not is_multipart(content_type):
        return body
    try:
        return read_parts(body, content_type).get(CONTENT, b"")
    # Only counts and faults use this; the ledger itself answers what is wrong with the body.
    except ValueError:
        return b""
