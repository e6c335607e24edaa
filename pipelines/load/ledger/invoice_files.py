"""Fetches the files of invoices from the VMS as their vouchers are sent, and says which went or why none did.

A file that cannot be had never holds a voucher: it goes without, and people are told (docs/mapping.md#1-10).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pipelines.core.errors import Transient
from pipelines.core.times import read_time
from pipelines.core.words import plural
from pipelines.load.ledger.file_rules import (
    AttachedFile,
    NoFileError,
    NoneAttachedError,
    choose_file,
    read_content,
    sent_name,
)
from pipelines.load.look_up import LOOK_UP_ERRORS, Node, chunks, source_of
from pipelines.outbox.entry import Entry
from pipelines.outbox.states import State
from pipelines.wire.filters import LARGEST_LIST
from pipelines.wire.shaped import shaped
from pipelines.wire.upload import Upload

if TYPE_CHECKING:
    from pipelines.core.errors import Refused
    from pipelines.core.settings import Settings
    from pipelines.wire.vms import VmsClient

# An attachment hangs on a remark, and the remark on its document, by the document's key (docs/systems/vms.md#1-10).
REMARK_FIELDS = (
    "source",
    "attachments.fileName",
    "attachments.filesize",
    "attachments.createdDate",
)
FILE_FIELDS = ("fileName", "file")
# GL documents are not invoices of anybody: nothing hangs on them that an auditor would look for.
INVOICES = frozenset({"AP", "AR"})
MEGABYTE = 1_048_576
# A VMS that did not answer so often is not asked again in this delivery: each time costs all tries of the client.
MOST_SILENCES = 2
# A call with the file that got no answer so often: the file may be what the ledger breaks at.
MOST_UNANSWERED = 2
MOST_NAMED = 10
BY_HAND = "add the file to the voucher in Xledger by hand"


class Enclosure(NamedTuple):
    """What goes with one voucher: the file, else why there is none; ``note`` is the evidence in words."""

    note: str
    upload: Upload | None = None


class InvoiceFiles:
    """The files of the vouchers of one delivery; asks the VMS only about vouchers that are about to go."""

    def __init__(self, vms: VmsClient, settings: Settings) -> None:
        """Ask nothing yet."""
        self._vms = vms
        self._most = settings.posting.attachment_megabytes * MEGABYTE
        self._choices: dict[str, AttachedFile | NoFileError] = {}
        self._silences = 0
        self._without: dict[str, str] = {}

    def choose(self, entries: Iterable[Entry]) -> None:
        """Find out which file goes with each of these vouchers, fifty a request, each voucher once."""
        new = {
            entry.document_key: entry.id
            for entry in entries
            if entry.look_up.get("source") in INVOICES and entry.document_key and entry.id not in self._choices
        }
        self._choices |= {new[key]: choice for key, choice in self.choices(new).items()}

    def choices(self, document_keys: Iterable[int]) -> dict[int, AttachedFile | NoFileError]:
        """Return which file is to go with each document, or why none is; reads no file."""
        found: dict[int, AttachedFile | NoFileError] = {}
        for chunk in chunks(document_keys, size=LARGEST_LIST):
            try:
                listed = self._listed(chunk)
            except NoFileError as error:
                found |= dict.fromkeys(chunk, error)
            else:
                found |= {key: self._choice(listed.get(key, ())) for key in chunk}
        return found

    def has_file(self, entry: Entry) -> bool:
        """Tell whether a file is to go with it, so that it goes in a mutation of its own."""
        return isinstance(self._choices.get(entry.id), AttachedFile)

    def enclosure(self, entry: Entry) -> Enclosure | None:
        """Fetch the file of a voucher that is about to be sent; None for what is no invoice."""
        chosen = self._choices.get(entry.id)
        if chosen is None:
            return None
        if isinstance(chosen, AttachedFile) and entry.state is State.UNKNOWN and entry.attempts >= MOST_UNANSWERED:
            chosen = NoFileError(f"the ledger did not answer {entry.attempts} calls that were to carry {chosen.label}")
        if isinstance(chosen, AttachedFile):
            try:
                content = self.content(chosen)
            except NoFileError as error:
                chosen = error
            else:
                return self._with_file(chosen, content)
        self._choices[entry.id] = chosen
        return Enclosure(f"without a file: {chosen}")

    def refused(self, entry: Entry, refusal: Refused) -> None:
        """Note that the ledger refused a voucher with its file, without naming anything else: it goes without."""
        reason = "; ".join(message for _, message in refusal.problems) or refusal.message
        self._choices[entry.id] = NoFileError(f"the ledger refused it with its file: {reason.rstrip('.')}")

    def warnings(self, entries: Iterable[Entry]) -> list[str]:
        """Say of vouchers that have been sent why no file went, where somebody should do something about it."""
        told: list[str] = []
        for entry in entries:
            match self._choices.get(entry.id):
                case NoneAttachedError():
                    self._without[entry.id] = str(entry.document_no)
                case NoFileError() as reason:
                    step = f"{reason.next_step}; for this one, {BY_HAND}" if reason.next_step else BY_HAND
                    told.append(f"{entry.label} goes to the ledger without a file: {reason}. Next: {step}.")
        return told

    def summary(self) -> list[str]:
        """Say of which documents the VMS has no file: one line for all, since there may be hundreds."""
        if not self._without:
            return []
        names = ", ".join(list(self._without.values())[:MOST_NAMED])
        more = f" and {len(self._without) - MOST_NAMED} more" if len(self._without) > MOST_NAMED else ""
        count = plural(len(self._without), "invoice went", "invoices went")
        return [
            f"{count} to the ledger without a file, because the VMS has none for: {names}{more}. "
            "Next: attach it to a remark of the document before it is posted; for these, add it in Xledger by hand."
        ]

    def _listed(self, document_keys: Sequence[int]) -> Mapping[int, list[AttachedFile]]:
        found: dict[int, list[AttachedFile]] = {}
        try:
            self._refuse_when_silent()
            pages = self._vms.pages_of("Remark", "source", document_keys, fields=REMARK_FIELDS)
            for remark in (remark for page in pages for remark in remarks_of(page)):
                found.setdefault(source_of(remark), []).extend(_attached(remark))
        except LOOK_UP_ERRORS as error:
            raise self._unread("what files it has cannot be read", error) from error
        return found

    def _choice(self, files: Iterable[AttachedFile]) -> AttachedFile | NoFileError:
        try:
            return choose_file(files, most=self._most)
        except NoFileError as error:
            return error

    def content(self, file: AttachedFile) -> bytes:
        """Fetch what is in a file; raises NoFileError where it cannot be had."""
        try:
            self._refuse_when_silent()
            answer = self._vms.get("Attachment", file.key, fields=FILE_FIELDS)
        except LOOK_UP_ERRORS as error:
            raise self._unread(f"{file.label} cannot be read", error) from error
        self._silences = 0
        return read_content(answer, file, most=self._most)

    def _refuse_when_silent(self) -> None:
        if self._silences >= MOST_SILENCES:
            raise NoFileError("the VMS no longer answers when it is asked for files")

    def _unread(self, what: str, error: Exception) -> NoFileError:
        self._silences += isinstance(error, Transient)
        message = getattr(error, "message", "") or str(error)
        next_step = getattr(error, "next_step", "") or "look at the document's remarks in the VMS"
        return NoFileError(f"{what}: {message.rstrip('.')}", next_step.rstrip("."))

    def _with_file(self, file: AttachedFile, content: bytes) -> Enclosure:
        kind = file.kind
        upload = Upload(sent_name(file.name), kind.media_type if kind else "application/octet-stream", content)
        digest = hashlib.sha256(content).hexdigest()
        return Enclosure(f"with the file {file.label}, {len(content):,} bytes, SHA-256 {digest}", upload)


def remarks_of(page: bytes) -> list[Node]:
    """Return the remarks of a page with their files; raises Terminal for what are none."""
    return shaped(page, (*REMARK_FIELDS, "attachments.key"), of="The VMS's Remark", has_stubs=True)


def kept_inputs(inputs: Sequence[Node], upload: Upload | None) -> list[Node]:
    """Return a voucher's inputs as the outbox keeps them: beside the first one name, size and hash of its file."""
    first, *others = ({name: value for name, value in item.items() if name != "file"} for item in inputs)
    if upload is not None:
        digest = hashlib.sha256(upload.content).hexdigest()
        first["file"] = {"name": upload.name, "size": len(upload.content), "sha256": digest}
    return [first, *others]


def sent_inputs(inputs: Sequence[Node]) -> list[Node]:
    """Return inputs as the ledger is given them: the node of the first line names the file."""
    return [
        {
            "clientId": item["clientId"],
            "node": item["node"] | ({"invoiceFile": item["file"]["name"]} if "file" in item else {}),
        }
        for item in inputs
    ]


def _attached(remark: Node) -> list[AttachedFile]:
    return [
        AttachedFile(
            file["key"],
            str(file.get("fileName") or ""),
            _size(file.get("filesize")),
            _created_at(file.get("createdDate")),
        )
        for file in _files(remark["attachments"])
    ]


def _files(listed: object) -> list[Node]:
    # Without a key, or as a bare one, a file can be fetched but not judged, or not even that.
    files = listed if isinstance(listed, list) else []
    return [file for file in files if isinstance(file.get("key"), int)]


def _created_at(value: object) -> str:
    # Only compared, to find the newest: what is no time stands before all others.
    try:
        return read_time(str(value)).isoformat()
    except ValueError:
        return ""


def _size(value: object) -> int | None:
    # Optional, and in which form it comes is not documented: what is no number is as good as absent.
    return int(value) if isinstance(value, int | float) or (isinstance(value, str) and value.isdecimal()) else None
