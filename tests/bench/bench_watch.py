"""How soon a document that becomes ready is accepted by the ledger and acknowledged, by webhook and by polling alone.

Run as ``python -m tests.bench watch``. Documents are made ready at random moments; a real watch works in a process of
its own beside a real sandbox, both on the cores of this machine.
"""

from __future__ import annotations

import random
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles

from tests.bench.desk import say
from tests.bench.kept import Row, keep
from tests.flow.watching import Harbour, harbour_of
from tests.flow.world import copies, read_rows
from tests.support.once import begin_in

DOCUMENTS, SECONDS = 200, 120.0
FIRST = 6_000_001
SENT = """
    SELECT outbox.document_key, outbox.kind, MIN(outbox_events.at)
    FROM outbox JOIN outbox_events ON outbox_events.outbox_id = outbox.id
    WHERE outbox.kind IN ('voucher', 'acknowledgement') AND outbox_events.to_state = 'sent'
    GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds from ready to accepted, and from accepted to acknowledged, of each document."""

    accepted: list[float]
    acknowledged: list[float]

    def __str__(self) -> str:
        """Say the middle, and what 95 of a hundred are within."""
        return " and ".join(
            f"{what} in {median(times):.1f} s, 95 % within {quantiles(times, n=20)[-1]:.1f} s"
            for what, times in (("accepted", self.accepted), ("acknowledged behind that", self.acknowledged))
        )


def take(folder: Path, *, by_webhook: bool, documents: int = DOCUMENTS, seconds: float = SECONDS) -> Taken:
    """Make documents ready at random moments while a watch runs, and time each."""
    keys = range(FIRST, FIRST + documents)
    world = [*read_rows("vms/Document"), *copies(documents, first_key=FIRST, invoicingStatus="INV")]
    port = _free_port()
    settings = {"WATCH__PORT": str(port)}
    if by_webhook:
        settings |= {"WEBHOOKS__URL": f"http://127.0.0.1:{port}", "WEBHOOKS__VMS_SUBSCRIBER": "API"}
        settings |= {"WEBHOOKS__VMS_PASSWORD": "bench"}
    given = {f"SPRINGLINE_{name}": value for name, value in settings.items()}
    with harbour_of(folder, world, keys, every=10, **given) as harbour:
        ahead = timedelta(seconds=harbour.ahead)
        if by_webhook:
            made = harbour.command("webhooks", "register", "--side", "vms")
            if made.exit_code:
                raise AssertionError(made)
        harbour.start()
        _wait_for_rest(harbour)
        ready = _make_ready(harbour, documents=documents, seconds=seconds)
        harbour.until(lambda: all(harbour.is_posted(number) for number in ready))
        harbour.end()
        rows = harbour.world.rows(SENT)
    sent = {(key, kind): datetime.fromisoformat(at) - ahead for key, kind, at in rows}
    accepted = [(sent[key, "voucher"] - ready[f"N{key}"]).total_seconds() for key in keys]
    behind = [(sent[key, "acknowledgement"] - sent[key, "voucher"]).total_seconds() for key in keys]
    return Taken(accepted, behind)


def _wait_for_rest(harbour: Harbour) -> None:
    harbour.until(lambda: harbour.batches("%publish%") > 0)
    before = -1
    while (batches := harbour.batches()) != before:
        before = batches
        time.sleep(12)


def _make_ready(harbour: Harbour, *, documents: int, seconds: float) -> dict[str, datetime]:
    chance = random.Random(13)  # noqa: S311 no secret
    began = time.monotonic()
    ready = {}
    for moment in sorted(chance.uniform(0, seconds) for _ in range(documents)):
        time.sleep(max(0.0, began + moment - time.monotonic()))
        number = harbour.make_ready()
        ready[number] = datetime.now(UTC)
    return ready


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def within(seconds: Sequence[float], share: int) -> float:
    """Return the seconds within which so many in a hundred were done."""
    return round(quantiles(seconds, n=100)[share - 1], 2)


def main() -> None:
    """Measure both ways, and print them."""
    rows: list[Row] = []
    documents = int(sys.argv[1]) if len(sys.argv) > 1 else DOCUMENTS
    seconds = SECONDS * documents / DOCUMENTS
    for way, by_webhook in (("by webhook", True), ("by polling every 10 s", False)):
        with tempfile.TemporaryDirectory() as name:
            begin_in(Path(name))
            taken = take(Path(name) / "world", by_webhook=by_webhook, documents=documents, seconds=seconds)
        say(f"watch, {documents} documents made ready at random in {seconds:.0f} s, {way}: {taken}")
        accepted = {f"{share} % accepted within s": within(taken.accepted, share) for share in (50, 95)}
        rows.append({"what": way, **accepted, "95 % acknowledged behind that within s": within(taken.acknowledged, 95)})
    if documents == DOCUMENTS:
        keep("watch", {"posted": rows})


if __name__ == "__main__":
    main()
