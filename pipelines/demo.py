"""The demonstration: both sandboxes, every job, the ledger's posting, a second run, and a comparison of both sides."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from pipelines.batch import BatchResult, chosen_jobs, run_batch
from pipelines.errors import SpringlineError
from pipelines.progress import progress
from pipelines.resources import sample_folder
from pipelines.settings import Settings, load_settings
from pipelines.status import read_status
from pipelines.wire.vms import VmsClient

if TYPE_CHECKING:
    from rich.console import Console

TODAY = date(2026, 11, 2)
CLOCK = "2026-11-02T08:00:00Z"
START_SECONDS = 30
VMS_FIELDS = ("documentNo", "documentAmount", "documentType.documentType", "invoicingStatus.statusTypeCode")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the closing table: documents of one type and what became of them."""

    document_type: str
    posted: int
    held: int
    set_aside: int
    left_alone: int


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demonstration came to; ``differences`` says in words where the two sides do not agree."""

    runs: tuple[BatchResult, ...]
    lines: tuple[Line, ...]
    held: tuple[Mapping[str, Any], ...]
    rejected: tuple[Mapping[str, Any], ...]
    differences: tuple[str, ...]
    folder: Path

    @property
    def exit_code(self) -> int:
        """0 when both sides agree on everything that was not meant to be held."""
        return 15 if self.differences else 0

    def as_dict(self) -> dict[str, object]:
        """Return the object that `demo --json` prints."""
        return {
            "documents": [
                {"type": line.document_type, "posted": line.posted, "held": line.held, "rejected": line.set_aside}
                for line in self.lines
            ],
            "held": [dict(row) for row in self.held],
            "rejected": [dict(row) for row in self.rejected],
            "differences": list(self.differences),
            "runs": [run.as_dict() for run in self.runs],
            "exit_code": self.exit_code,
        }


def run_demo(folder: Path, *, environ: Mapping[str, str], now: Callable[[], datetime], console: Console) -> DemoResult:
    """Run the demonstration in ``folder``, emptied first; raises SpringlineError when the sandbox does not start."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with _sandbox(folder) as printed:
        variables = {
            **{name: value for name, value in environ.items() if not name.startswith("SPRINGLINE_")},
            **printed,
            "SPRINGLINE_WAREHOUSE": str(folder / "springline.duckdb"),
            "SPRINGLINE_PUBLISHED": str(folder / "published"),
        }
        (folder / "settings.env").write_text(_as_exports(variables), encoding="utf-8")
        settings = load_settings(None, environ=variables)
        control = settings.ledger.url.removesuffix("/graphql") + "/_sandbox"
        _call(f"{control}/clock", {"now": CLOCK})
        with progress(console, is_shown=console.is_terminal) as report:
            first = _run(settings, now=now, report=report)
            _call(f"{control}/ledger/post", {})
            second = _run(settings, now=now, report=report)
            third = _run(settings, now=now, report=report)
        return _compare(settings, runs=(first, second, third), control=control, now=now, folder=folder)


def _run(settings: Settings, *, now: Callable[[], datetime], report: Callable[[str, int, int], None]) -> BatchResult:
    return run_batch(settings, jobs=chosen_jobs([]), operator="demo", now=now, today=TODAY, report=report)


@contextmanager
def _sandbox(folder: Path) -> Iterator[dict[str, str]]:
    command = [sys.executable, "-m", "pipelines.sandbox.serve", "--port", "0"]
    command += ["--state", str(folder / "sandbox.sqlite"), "--seed", str(sample_folder())]
    with (folder / "sandbox.log").open("w", encoding="utf-8") as log:
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)  # noqa: S603 our own module
        try:
            yield _printed_settings(server)
        finally:
            server.terminate()
            try:
                server.wait(timeout=START_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
            if server.stdout:
                server.stdout.close()


def _printed_settings(server: subprocess.Popen[str]) -> dict[str, str]:
    printed: dict[str, str] = {}
    for line in server.stdout or ():
        if not line.strip():
            return printed
        name, _, value = line.rstrip("\n").partition("=")
        printed[name] = value
    raise SpringlineError("The sandbox did not start.", next_step="see sandbox.log in the demo folder.")


def _as_exports(variables: Mapping[str, str]) -> str:
    own = {name: value for name, value in sorted(variables.items()) if name.startswith("SPRINGLINE_")}
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in own.items())


def _call(url: str, body: object | None = None) -> Any:  # noqa: ANN401 JSON of any shape
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})  # noqa: S310 loopback
    with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310 loopback
        return json.load(answer, parse_float=Decimal)


def _compare(
    settings: Settings,
    *,
    runs: tuple[BatchResult, ...],
    control: str,
    now: Callable[[], datetime],
    folder: Path,
) -> DemoResult:
    """Ask each side for its own books and hold them against what the sample world was made to show."""
    expected = json.loads((sample_folder() / "expected.json").read_text(encoding="utf-8"))["documents"]
    vouchers = _vouchers(control)
    documents = _vms_documents(settings, now=now)
    status = read_status(settings, now=now())
    held = {row["document_no"] for row in status["held"]}
    rejected = {row["document_no"] for row in status["rejected"]}
    differences = [*_moved_again(runs[-1])]
    counts: Counter[tuple[str, str]] = Counter()
    for number, wanted in expected.items():
        found = _outcome(number, documents.get(number), vouchers, held=held, rejected=rejected)
        counts[wanted["type"], found] += 1
        meant = "left alone" if wanted["outcome"] in {"shown", "ignored"} else wanted["outcome"]
        if found != meant:
            differences.append(f"{wanted['type']} {number}: meant to be {meant} ({wanted['branch']}), but is {found}")
    return DemoResult(
        runs=runs,
        lines=tuple(
            Line(kind, *(counts[kind, outcome] for outcome in ("posted", "held", "rejected", "left alone")))
            for kind in sorted({kind for kind, _ in counts})
        ),
        held=tuple(status["held"]),
        rejected=tuple(status["rejected"]),
        differences=tuple(differences),
        folder=folder,
    )


def _moved_again(second: BatchResult) -> Iterator[str]:
    if sent := sum(counts.sent for counts in second.jobs.values()):
        yield f"the last run sent {sent} things although nothing had changed"


def _vouchers(control: str) -> dict[int, list[Mapping[str, Any]]]:
    """Return the ledger's own imported vouchers by the number they were sent with."""
    found: dict[int, list[Mapping[str, Any]]] = {}
    for voucher in _call(f"{control}/ledger/vouchers"):
        if voucher["importedAt"] and voucher["trRegNumber"]:
            found.setdefault(voucher["trRegNumber"], []).append(voucher)
    return found


def _vms_documents(settings: Settings, *, now: Callable[[], datetime]) -> dict[str, Mapping[str, Any]]:
    client = VmsClient(settings.vms, count=lambda _side, _operation: None, now=now)
    try:
        found = client.find("Document", filters=(), fields=VMS_FIELDS)
    finally:
        client.close()
    return {document["documentNo"]: document for document in found}


def _outcome(
    number: str,
    document: Mapping[str, Any] | None,
    vouchers: Mapping[int, Sequence[Mapping[str, Any]]],
    *,
    held: set[str],
    rejected: set[str],
) -> str:
    """Say what became of a document by what the two sides themselves hold."""
    if document is None:
        return "not in the VMS"
    if booked := vouchers.get(document["key"], ()):
        return _booked_outcome(document, booked)
    if number in held:
        return "held"
    return "rejected" if number in rejected else "left alone"


def _booked_outcome(document: Mapping[str, Any], booked: Sequence[Mapping[str, Any]]) -> str:
    status = (document.get("invoicingStatus") or {}).get("statusTypeCode")
    if len(booked) > 1:
        return f"posted {len(booked)} times"
    if status != "POS":
        return f"posted but {status} in the VMS"
    return "posted" if _agrees(document, booked[0]) else "posted with another amount"


def _agrees(document: Mapping[str, Any], voucher: Mapping[str, Any]) -> bool:
    """Tell whether the control lines add up to the document, and all lines to nothing."""
    nodes = [line["sent"] for line in voucher["lines"] if line.get("sent")]
    control = next((node["account"] for node in nodes if node["trItemNumber"] == 1), None)
    total = sum((Decimal(node["invoiceAmount"]) for node in nodes), Decimal(0))
    parts = [Decimal(node["invoiceAmount"]) for node in nodes if node["account"] == control and node.get("xgl") is None]
    return not total and abs(sum(parts, Decimal(0))) == abs(Decimal(str(document["documentAmount"])))


def show_demo(result: DemoResult, console: Console) -> None:
    """Print what moved, what is held and why, and where to look next."""
    moved = Table("type", "posted", "held", "set aside", "left alone", title="What moved", title_justify="left")
    for line in result.lines:
        moved.add_row(line.document_type, *map(str, (line.posted, line.held, line.set_aside, line.left_alone)))
    console.print(moved)
    stopped = Table("document", "rule", "why, and what to do", title="What is held, and why", title_justify="left")
    for row in (*result.held, *({**row, "rule": "set aside"} for row in result.rejected)):
        stopped.add_row(escape(str(row["document_no"])), row["rule"], escape(row["message"]))
    console.print(stopped)
    for problem in dict.fromkeys(problem for run in result.runs for problem in run.problems):
        console.print(f"! {problem}", markup=False, highlight=False)
    for difference in result.differences:
        console.print(f"DIFFERENT: {difference}", markup=False)
    agreement = "do not agree" if result.differences else "agree on everything that was not meant to be held"
    console.print(f"\nBoth sides {agreement}.")
    console.print(
        f"Look next: set -a; . {result.folder}/settings.env; set +a; springline status\n"
        f"The working file is {result.folder}/springline.duckdb, what was sent and why stands in "
        f"{result.folder}/springline.ctl.sqlite;\n"
        f"springline sandbox --state {result.folder}/sandbox.sqlite shows both systems."
    )
