"""Cuts a JSON array into the raw text of its objects, without reading what is in them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import msgspec

from pipelines.core.errors import ExtractError

# Reads NaN, Infinity and raw control characters, which some servers write and no JSON may have.
_FALLBACK = json.JSONDecoder(strict=False)
_BLANK = " \t\r\n"
OPEN_IT = "open that address with the same credentials, and ask whoever runs the VMS."


class Listing(NamedTuple):
    """One page that is asked for; ``is_parted`` when one object that is no JSON must not cost the others."""

    entity: str
    fields: Sequence[str]
    filters: Sequence[str]
    number: int
    is_parted: bool


@dataclass(slots=True)
class Reading:
    """How far the objects of one listing have been read: how many came, of how many where the server counts them."""

    seen: int = 0
    total: int | None = None
    is_over: bool = False

    @property
    def lacks_some(self) -> bool:
        """Tell whether the server has counted more objects than have come."""
        return self.total is not None and self.seen < self.total

    def add(self, count: int) -> None:
        """Note one page; it is the last when it is empty, or when all that were counted have come."""
        self.seen += count
        self.is_over = not count or (self.total is not None and not self.lacks_some)


class NoArrayError(ExtractError):
    """A page as it came over the wire is no JSON array; ``body`` is what it is."""

    def __init__(self, message: str, *, body: bytes) -> None:
        """Say which page."""
        super().__init__(message, next_step=OPEN_IT)
        self.body = body


class NotJsonError(ValueError):
    """The text as a whole is no JSON array."""


class Unreadable(bytes):
    """A page of one object whose text is no JSON; its key was asked for by itself."""

    key: int

    def __new__(cls, text: bytes, *, key: int) -> Self:
        """Keep the text as it came."""
        page = super().__new__(cls, text)
        page.key = key
        return page


class PageSplit(NamedTuple):
    """The text of each element of an array; ``is_valid`` says that the whole page is JSON by the book."""

    texts: Sequence[bytes]
    is_valid: bool


class _Keyed(msgspec.Struct):
    key: Any = None


def with_members(objects: Sequence[dict[str, Any]], members: Sequence[str], *, entity: str) -> Sequence[dict[str, Any]]:
    """Return objects of which each has these members (dotted paths), not empty; raises ExtractError.

    A look-up that cannot read what it has to compare would find nothing, and what is there would be written again.
    """
    for found in objects:
        for path in members:
            value: Any = found
            for name in path.split("."):
                value = value.get(name) if isinstance(value, dict) else None
            if value is None:
                raise ExtractError(
                    f"{entity} {found.get('key')}: the VMS answered a look-up without {path}.",
                    next_step="let the API's user read it.",
                )
    return objects


def is_object(body: bytes) -> bool:
    """Tell whether an answer is one JSON object; a lenient reader's is enough, as in ``split``."""
    try:
        texts = split(b"[" + body + b"]").texts
    except NotJsonError:
        return False
    return len(texts) == 1 and bytes(texts[0]).lstrip().startswith(b"{")


def split(page: bytes) -> PageSplit:
    """Cut a JSON array into its elements, each exactly as it stands there.

    A page that only a lenient reader accepts (NaN, half a surrogate pair) is cut all the same, so that one bad object
    does not take the others with it. Raises NotJsonError when even that fails.
    """
    # Nearly every page goes this way, at the speed of the library; the slow one is for the page with a fault.
    try:
        return PageSplit(msgspec.json.decode(page, type=list[msgspec.Raw]), is_valid=True)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return PageSplit(_split_leniently(page), is_valid=False)


def _split_leniently(page: bytes) -> list[bytes]:
    # "surrogateescape" brings bytes that are no UTF-8 back unchanged, so each object's text stays as it came.
    text = page.decode("utf-8", errors="surrogateescape").strip(_BLANK)
    if not (text.startswith("[") and text.endswith("]")):
        raise NotJsonError("no JSON array")
    objects: list[bytes] = []
    at = _skip_blank(text, 1)
    while text[at] != "]":
        try:
            end = _FALLBACK.raw_decode(text, at)[1]
        except (ValueError, RecursionError) as error:
            raise NotJsonError(str(error)) from error
        objects.append(text[at:end].encode("utf-8", errors="surrogateescape"))
        at = _skip_blank(text, end)
        if text[at] == ",":
            at = _skip_blank(text, at + 1)
        elif text[at] != "]":
            raise NotJsonError(f"a comma was expected at character {at}")
    if at != len(text) - 1:
        raise NotJsonError(f"text goes on behind the array at character {at}")
    return objects


def _skip_blank(text: str, at: int) -> int:
    # The text ends with a bracket, so there is always something to stop at until that has been passed.
    while at < len(text) - 1 and text[at] in _BLANK:
        at += 1
    return at


def keys(objects: Sequence[bytes]) -> list[int]:
    """Return the member ``key`` of each object that has a whole number there."""
    whole: list[int] = []
    for text in objects:
        try:
            key = msgspec.json.decode(text, type=_Keyed).key
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            # What msgspec has cut out is no bytes yet.
            key = _lenient_key(bytes(text))
        # Python takes true for the number 1.
        if isinstance(key, int) and not isinstance(key, bool):
            whole.append(key)
    return whole


def _lenient_key(text: bytes) -> object:
    try:
        value = _FALLBACK.decode(text.decode("utf-8", errors="replace"))
    except (ValueError, RecursionError):
        return None
    return value.get("key") if isinstance(value, dict) else None
