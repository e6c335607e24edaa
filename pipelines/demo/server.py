"""Both sandboxes in a process of their own, and the control interface through which people act there."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.core.errors import SpringlineError
from pipelines.core.resources import sample_folder

if TYPE_CHECKING:
    from pipelines.core.settings import Settings

START_SECONDS = 30
CALL_SECONDS = 120
# Requests that change something, by how the sandbox names them when it counts.
_WRITES = ("POST /ws", "PUT", "DELETE", "POST add", "POST update", "POST remove")
_SEE_LOG = "see sandbox.log in the demo folder."

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SandboxControl:
    """The control interface of both sandboxes, at its address."""

    url: str

    def call(self, path: str, body: object | None = None) -> Any:  # noqa: ANN401 JSON of any shape
        """Get what is at a path, or post a body there; raises SpringlineError with the message of a refusal."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/{path}", data=data, headers={"Content-Type": "application/json"})  # noqa: S310 loopback
        try:
            with urllib.request.urlopen(request, timeout=CALL_SECONDS) as answer:  # noqa: S310 loopback
                return json.load(answer, parse_float=Decimal)
        except urllib.error.HTTPError as refusal:
            message = refusal.read().decode(errors="replace")
            raise SpringlineError(f"The sandbox refuses {path}: {message}.", next_step=_SEE_LOG) from refusal

    def do_stage(self, stage: str) -> int:
        """Carry out what people do in the ledger at a stage, in its order, and return how many actions that were."""
        lines = (sample_folder() / "later" / "deeds.jsonl").read_text(encoding="utf-8").splitlines()
        deeds = [deed for deed in map(json.loads, lines) if deed["stage"] == stage]
        # One call for deeds of a kind that follow each other, never out of order: a match needs the voucher before it.
        for call, alike in groupby(deeds, key=lambda deed: deed["call"]):
            self.call(f"ledger/{call}", [deed["body"] for deed in alike])
        return len(deeds)

    def writes(self) -> int:
        """Count the requests so far that changed something on either side."""
        sides = self.call("requests")
        return sum(count for counts in sides.values() for name, count in counts.items() if name.startswith(_WRITES))


# The ledger's address is what the sandbox prints; its control interface has no setting, because no real system has one.
def control_of(settings: Settings) -> SandboxControl:
    """Find the control interface beside the ledger's address."""
    return SandboxControl(settings.ledger.url.removesuffix("/graphql") + "/_sandbox")


@contextmanager
def sandbox(folder: Path) -> Iterator[dict[str, str]]:
    """Serve the sample world while the context lasts, and yield the settings that the servers print.

    Raises SpringlineError when they do not start.
    """
    # Port 0: the system gives a free one, so that two demonstrations can run at once.
    command = [sys.executable, "-m", "pipelines.sandbox.serve", "--port", "0"]
    command += ["--state", str(folder / "sandbox.sqlite"), "--seed", str(sample_folder())]
    with (folder / "sandbox.log").open("w", encoding="utf-8") as log:
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)  # noqa: S603 our own module
        try:
            yield _printed_settings(server)
        finally:
            # Asked before it is killed: its state is kept for `springline sandbox --state …`.
            server.terminate()
            try:
                server.wait(timeout=START_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
            if server.stdout:
                server.stdout.close()


def _printed_settings(server: subprocess.Popen[str]) -> dict[str, str]:
    # One setting a line until an empty one: behind it the servers answer.
    printed: dict[str, str] = {}
    for line in server.stdout or ():
        if not line.strip():
            return printed
        name, _, value = line.rstrip("\n").partition("=")
        printed[name] = value
    raise SpringlineError("The sandbox did not start.", next_step=_SEE_LOG)
