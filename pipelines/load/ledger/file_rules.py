"""Which of a document's files goes with its voucher, whether it can go, and under which name (docs/mapping.md#1-10)."""

from __future__ import annotations

import binascii
import re
import unicodedata
from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from pipelines.wire.http import UNREADABLE


class FileKind(NamedTuple):
    """A kind of file that is sent: how it begins, and its place; of a document's files one of the lowest place goes."""

    name: str
    media_type: str
    beginnings: tuple[bytes, ...]
    place: int


_PDF = FileKind("PDF", "application/pdf", (b"%PDF-",), 0)
_TIFF = FileKind("TIFF", "image/tiff", (b"II*\0", b"MM\0*"), 1)
_JPEG = FileKind("JPEG", "image/jpeg", (b"\xff\xd8\xff",), 1)
_PNG = FileKind("PNG", "image/png", (b"\x89PNG\r\n\x1a\n",), 1)
# Last: an invoice in XML (EHF) is for programs, and a person who approves wants to see one.
_XML = FileKind("XML", "application/xml", (b"<",), 2)
KINDS: Mapping[str, FileKind] = {
    "pdf": _PDF, "tif": _TIFF, "tiff": _TIFF, "jpg": _JPEG, "jpeg": _JPEG, "png": _PNG, "xml": _XML,
}  # fmt: skip
# Before the first mark of a PDF some writers put a line of their own (ISO 32000-1, annex H, allows 1,024 bytes).
_HEAD = 1_024
_BLANK = b"\xef\xbb\xbf \t\r\n"
_LONGEST_NAME = 80
_UNSAFE = re.compile(r"[^A-Za-z0-9 ._()-]+")
_MOST_NAMED = 5


class AttachedFile(NamedTuple):
    """A file in the VMS, without what is in it; ``size`` in bytes where the VMS says it."""

    key: int
    name: str
    size: int | None
    created_at: str

    @property
    def kind(self) -> FileKind | None:
        """Its kind by the ending of its name, None where files of that kind are not sent."""
        return KINDS.get(self.name.rpartition(".")[2].lower()) if "." in self.name else None

    @property
    def label(self) -> str:
        """Name it in a message: its name says nothing where two have the same, and its key is what the VMS goes by."""
        return f"{self.name!r} (attachment {self.key})"


class NoFileError(Exception):
    """No file goes, for this reason; ``next_step`` is empty where nobody need do anything."""

    def __init__(self, reason: str, next_step: str = "") -> None:
        """Say why, without a full stop."""
        super().__init__(reason)
        self.next_step = next_step


class NoneAttachedError(NoFileError):
    """The VMS has no file for the document at all."""


def choose_file(files: Iterable[AttachedFile], *, most: int) -> AttachedFile:
    """Return the file that goes: the newest PDF, else the newest picture, else the newest XML.

    Raises NoFileError where there is none, or where that one has more than ``most`` bytes. An older one never stands in
    for it: it may be what the newer one replaced.
    """
    listed = list(files)
    if not listed:
        raise NoneAttachedError("the VMS has no file for it")
    sendable = [(file, kind) for file in listed if (kind := file.kind) is not None]
    if not sendable:
        names = ", ".join(repr(file.name) for file in listed[:_MOST_NAMED])
        raise NoFileError(
            f"of its files ({names}) none is a PDF, TIFF, JPEG, PNG or XML", "attach the invoice in the VMS as a PDF"
        )
    best = min(kind.place for _, kind in sendable)
    newest = max((file for file, kind in sendable if kind.place == best), key=lambda file: (file.created_at, file.key))
    if newest.size is not None:
        _check_size(newest, newest.size, most=most)
    return newest


def read_content(answer: bytes, file: AttachedFile, *, most: int) -> bytes:
    """Return what is in a file, from the VMS's answer; raises NoFileError for what cannot be sent.

    Files that came by the API are Base64, those of the Java client may be raw (docs/systems/vms.md#1-10). So each way
    is tried, and the one that gives what the name promises is right.
    """
    forms = [form for form in _forms(answer) if form.strip()]
    if not forms:
        raise NoFileError(f"{file.label} is empty", "attach the invoice in the VMS again")
    kind = file.kind
    content = next((form for form in forms if kind is not None and _is_kind(form, kind)), None)
    if content is None:
        raise NoFileError(
            f"{file.label} holds no {kind.name if kind else 'file that is sent'}", "attach the invoice in the VMS again"
        )
    _check_size(file, len(content), most=most)
    return content


def sent_name(name: str) -> str:
    """Return the name under which a file goes: plain ASCII, at most 80 characters, the ending in lower case.

    Node and part of the request must agree on it, byte for byte, on both sides.

    >>> sent_name("Faktura Ålesund.PDF")
    'Faktura Alesund.pdf'
    """
    stem, _, ending = re.split(r"[/\\]", name)[-1].rpartition(".")
    plain = unicodedata.normalize("NFKD", stem)
    # An accent that stands by itself now goes; what is of another script becomes an underscore.
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    safe = _UNSAFE.sub("_", plain).strip(" .")[: _LONGEST_NAME - len(ending) - 1]
    return f"{safe if safe.strip('_') else 'invoice'}.{ending.lower()}"


def _check_size(file: AttachedFile, size: int, *, most: int) -> None:
    if size > most:
        raise NoFileError(
            f"{file.label} has {size:,} bytes, more than {most:,}",
            "attach a smaller file in the VMS, or set posting.attachment_megabytes higher where Xledger takes more",
        )


def _is_kind(content: bytes, kind: FileKind) -> bool:
    if kind is _PDF:
        return any(beginning in content[:_HEAD] for beginning in kind.beginnings)
    return (content.lstrip(_BLANK) if kind is _XML else content).startswith(kind.beginnings)


def _forms(answer: bytes) -> Sequence[bytes]:
    """Return what the content of a file may be, by each way of reading the answer."""
    try:
        file = msgspec.json.decode(answer, type=dict[str, object]).get("file")
    except UNREADABLE:
        # No object around it: the answer may be the file.
        return [answer]
    match file:
        case str():
            return [*_from_base64(file), *_from_text(file)]
        case list() if all(isinstance(byte, int) and -128 <= byte < 256 for byte in file):  # noqa: PLR2004 a byte
            return [bytes(byte % 256 for byte in file)]
        case None:
            return []
        case _:
            return [answer]


def _from_base64(text: str) -> list[bytes]:
    try:
        return [b64decode("".join(text.split()), validate=True)]
    except (binascii.Error, ValueError):
        return []


def _from_text(text: str) -> list[bytes]:
    # One character a byte; a text with characters beyond that (XML) is UTF-8.
    try:
        return [text.encode("latin-1")] if not text.lstrip().startswith("<") else [text.encode()]
    except UnicodeEncodeError:
        return [text.encode(errors="replace")]
