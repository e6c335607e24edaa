"""What becomes of documents that get ready while both systems are away for an hour, and what people are told of it.

Run as ``python -m tests.bench.bench_watch_outage``: a real hour, or as many seconds as are named. A watch works in a
process of its own; what it asks is answered with 503 meanwhile.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.bench.desk import say
from tests.flow.watching import Harbour, harbour_of
from tests.flow.world import copies, read_rows
from tests.support.once import begin_in

DOCUMENTS, SECONDS = 20, 3600.0
FIRST = 6_000_001
AWAY = {"kind": "status", "status": 503}
SENT = f"SELECT 1 FROM outbox WHERE document_key >= {FIRST}"  # noqa: S608 a number


def listen(told: list[str]) -> ThreadingHTTPServer:
    """Take alerts as a chat would, and keep their titles."""

    class Chat(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["title"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Chat)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def measure(harbour: Harbour, told: list[str], seconds: float) -> str:
    """Take both systems away for so long, and give what came of it."""
    harbour.start()
    harbour.until(lambda: harbour.batches("%publish%") > 0)
    before = [*told]
    harbour.world.sandbox.fault("ledger", AWAY)
    # Whoever makes a document ready only writes there.
    harbour.world.sandbox.fault("vms", AWAY, match={"method": "GET"})
    ready = []
    for _ in range(DOCUMENTS):
        ready.append(harbour.make_ready())
        time.sleep(seconds / DOCUMENTS)
    if harbour.world.rows(SENT):
        raise AssertionError("sent while both were away")
    harbour.world.sandbox.control("DELETE", "faults")
    began = time.monotonic()
    harbour.until(lambda: all(map(harbour.is_posted, ready)), seconds=1200)
    posted = time.monotonic() - began
    harbour.until(lambda: "is over" in " ".join(told[len(before) :]), seconds=600)
    booked = [harbour.world.booked().get(key) for key in range(FIRST, FIRST + DOCUMENTS)]
    if set(booked) != {1}:
        raise AssertionError(booked)
    return f"{DOCUMENTS} documents posted once each within {posted:.0f} s; told: {'; '.join(told[len(before) :])}"


def main() -> None:
    """Measure, and print it."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    told: list[str] = []
    chat = listen(told)
    keys = range(FIRST, FIRST + DOCUMENTS)
    documents = [*read_rows("vms/Document"), *copies(DOCUMENTS, first_key=FIRST, invoicingStatus="INV")]
    given = {"SPRINGLINE_ALERTS__URLS": f"json://127.0.0.1:{chat.server_port}"}
    with tempfile.TemporaryDirectory() as name:
        begin_in(Path(name))
        with harbour_of(Path(name) / "world", documents, keys, every=10, **given) as harbour:
            say(f"watch, both systems away for {seconds:.0f} s: {measure(harbour, told, seconds)}")


if __name__ == "__main__":
    main()
