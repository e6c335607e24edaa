"""Makes stores.tar.xz: what a release leaves behind after two batches. Run with that release's code: see README.md."""

from __future__ import annotations

import sqlite3
import sys
import tarfile
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.flow.world import World, sample_documents, world

SENT = ("2706035", "2706036", "2706037")
HELD_BY_RULE, HELD_BY_PERSON, IGNORED, UNKNOWN = "2708004", "2706038", "2706039", "2706040"
KEPT = ("stores/springline.ctl.sqlite", "stores/springline.duckdb", "sandbox.sqlite")
LOST_ANSWER = {"kind": "status", "status": 500, "body": "Oops"}


def live_through(sides: World) -> None:
    """Send three documents, hold one, ignore one, accept a break, and leave one voucher of unknown fate."""
    sides.command("hold", HELD_BY_PERSON, "--reason", "the agent disputes it")
    sides.command("ignore", IGNORED, "--reason", "posted by hand")
    sides.run("master-data", "documents")
    sides.booked()
    [late] = sample_documents(UNKNOWN)
    sides.change("Document", late["key"], invoicingStatus="RFP")
    # The ledger takes this voucher, but its answer and all that is asked of its import afterwards are lost.
    sides.sandbox.fault("ledger", {"kind": "drop_after"}, times=1, match={"operation": "addGLImportItems"})
    sides.sandbox.fault("ledger", LOST_ANSWER, match={"operation": "glImportItems"}, after=1)
    sides.run("documents")
    sides.sandbox.control("DELETE", "faults")
    [changed] = sample_documents(SENT[1])
    sides.change("Document", changed["key"], externalDocumentNo="another")
    sides.run("reconcile")
    [found] = sides.command("breaks", "list", "--json").json()["breaks"]
    sides.command("breaks", "accept", str(found["break_id"]), "--reason", "the agent sent it again")


def _whole(path: Path) -> Path:
    """Write into a SQLite file what stands in its write-ahead log alone."""
    if path.suffix == ".sqlite":
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


def _of_nobody(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def main() -> None:
    """Write the archive that is named on the command line."""
    documents = sample_documents(*SENT, HELD_BY_RULE, HELD_BY_PERSON, IGNORED)
    [late] = sample_documents(UNKNOWN)
    documents.append({**late, "invoicingStatus": "INV"})
    with (
        TemporaryDirectory() as name,
        world(Path(name), {"vms/Document": documents}, is_first_day=True, SPRINGLINE_OPERATOR="kari") as sides,
    ):
        live_through(sides)
        with tarfile.open(sys.argv[1], "w:xz", preset=9) as archive:
            for path in KEPT:
                archive.add(_whole(Path(name) / path), path, filter=_of_nobody)


if __name__ == "__main__":
    main()
