"""Looks whether a job has anything to do: a few small requests to the VMS, none to the ledger, nothing written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from pipelines.contracts import vms as contracts
from pipelines.core.errors import Refused
from pipelines.extract.vms import MOVED_BY, OVERLAP, STATUS
from pipelines.stores.control import Control, named_statements
from pipelines.wire.filters import at_least, one_of
from pipelines.wire.pages import keys, split

if TYPE_CHECKING:
    from pipelines.wire.vms import VmsClient

READY = "RFP"
# What the master data job reads, with the cursor that says how far.
MASTER = (contracts.PARTNERS, contracts.VESSELS, contracts.VOYAGES)
# Changed objects that are compared from look to look; more, and the look begins anew.
MOST = 500
# Key, and hash of the text: its own time of change, and those of its lines and terms.
Seen = frozenset[tuple[int, bytes]]

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Probe:
    """One look after the other; two looks are compared by whoever keeps the one that the last run began from."""

    vms: VmsClient
    control: Control
    # By table: from when on changes are asked for, in the VMS's own time.
    _since: dict[str, datetime] = field(default_factory=dict)
    # Filters that this installation of the VMS does not have; all is read once a day all the same.
    _refused: set[tuple[str, str]] = field(default_factory=set)

    def documents(self) -> Seen:
        """Return what is ready for posting, with when each last changed. Raises WireError, ExtractError."""
        (ready,) = one_of(STATUS, (READY,))
        pages = self.vms.pages("Document", fields=("key", *MOVED_BY["Document"]), filters=(ready,))
        return frozenset(pair for page in pages for pair in _pairs(page))

    def has_new_documents(self, before: Seen | None, now: Seen) -> bool:
        """Tell whether documents came, changed or left, but for those that left since we acknowledged them."""
        if before is None or now - before:
            return True
        if not (gone := {key for key, _ in before - now}):
            return False
        listed = {"keys": f"[{','.join(map(str, sorted(gone)))}]"}
        rows = self.control.read(named_statements("watch")["acknowledged"], listed)
        return not gone <= {row["document_key"] for row in rows}

    def master_data(self) -> Seen | None:
        """Return what has changed of partners, vessels and voyages, None before the first reading.

        Raises WireError, ExtractError.
        """
        found: set[tuple[int, bytes]] = set()
        for contract in MASTER:
            since = self._since.get(contract.table) or self._begin(contract.table)
            if since is None:
                return None
            for path in MOVED_BY[contract.entity]:
                found.update(self._changed(contract.entity, path, since))
        if len(found) > MOST:
            # Begin anew from how far the job has read, which is one run that finds nothing.
            self._since.clear()
        return frozenset(found)

    def _begin(self, table: str) -> datetime | None:
        newest = self.control.one("SELECT value FROM cursors WHERE source = ?", (f"vms.{table}",))
        if newest is None:
            return None
        # From the same moment in every look, so that what a look shows more is new.
        self._since[table] = datetime.fromisoformat(newest) - OVERLAP
        return self._since[table]

    def _changed(self, entity: str, path: str, since: datetime) -> Iterator[tuple[int, bytes]]:
        if (entity, path) in self._refused:
            return
        filters = (at_least(path, since.isoformat(timespec="seconds")),)
        try:
            for page in self.vms.pages(entity, fields=("key", path), filters=filters):
                yield from _pairs(page)
        except Refused as error:
            if path == "modifiedDate":
                raise
            self._refused.add((entity, path))
            _log.warning("changes are seen by night only", entity=entity, path=path, reason=error.message)


def _pairs(page: bytes) -> Iterator[tuple[int, bytes]]:
    texts = [bytes(text) for text in split(page).texts]
    return zip(keys(texts), (hashlib.sha256(text).digest()[:16] for text in texts), strict=False)
