"""The control API under /_sandbox and the plain admin page: for tests, the demonstration and people."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime
from functools import wraps
from html import escape
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from pipelines.sandbox.faults import FaultRule, Faults
from pipelines.sandbox.ledger.routes import ledger_overview
from pipelines.sandbox.state import StateTable
from pipelines.sandbox.vms.accruals import AccrualRun
from pipelines.sandbox.vms.errors import ApiError
from pipelines.sandbox.vms.overview import vms_overview

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from starlette.requests import Request

    from pipelines.sandbox.clock import Clock
    from pipelines.sandbox.vms.routes import Vms

# Keys differ from run to run: a test can only expect a count of paths without them.
_KEY = re.compile(r"/\d+(?=/|$)")


class ReceivedRequests:
    """How many requests each side got since the start, per method and path or operation."""

    def __init__(self) -> None:
        # No lock: only the gate adds, and it runs on the single thread of the event loop.
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, side: str, *, method: str, path: str, operation: str) -> None:
        """Count one; keys in a path become ``{key}``."""
        label = operation or (_KEY.sub("/{key}", path) if any(map(str.isdigit, path)) else path)
        self._counts[side, f"{method} {label}"] += 1

    def clear(self) -> None:
        """Start again from nothing."""
        self._counts.clear()

    def shown(self) -> dict[str, dict[str, int]]:
        """Give the counts per side."""
        return {
            side: {label: count for (of, label), count in sorted(self._counts.items()) if of == side}
            for side in ("vms", "ledger")
        }


class _ClockChange(msgspec.Struct, forbid_unknown_fields=True):
    now: datetime | None = None
    advance_seconds: float | None = None


class _Admin:
    """The handlers; each gives a JSON value, or raises ValueError or ApiError for what cannot be done."""

    def __init__(
        self, vms: Vms, ledger_db: sqlite3.Connection, *, clock: Clock, faults: Faults, counts: ReceivedRequests
    ) -> None:
        self._vms = vms
        self._ledger_db = ledger_db
        self._clock = clock
        self._faults = faults
        self._counts = counts

    def health(self, _: Request) -> object:
        """Say that the sandbox is up, what time it has, and how many objects of each kind the VMS holds."""
        return {"status": "ok", "now": self._clock.now(), "vms": self._vms.counts()}

    def clock(self, request: Request) -> object:
        """Read or move the one clock of both sides."""
        if request.method == "POST":
            change = msgspec.json.decode(request.state.body, type=_ClockChange)
            if change.now is not None:
                self._clock.set(change.now)
            if change.advance_seconds is not None:
                self._clock.advance(change.advance_seconds)
        return {"now": self._clock.now()}

    def faults(self, request: Request) -> object:
        """List, add or remove faults."""
        if request.method == "POST":
            self._faults.add(msgspec.json.decode(request.state.body, type=FaultRule))
        elif request.method == "DELETE":
            self._faults.clear()
        return {"faults": self._faults.rules(), "suffered": self._faults.suffered}

    def requests(self, request: Request) -> object:
        """Read the request counts, or reset them."""
        if request.method == "DELETE":
            self._counts.clear()
        return self._counts.shown()

    def vms_settings(self, request: Request) -> object:
        """Read or change the switches of the VMS side."""
        if request.method == "POST":
            return self._vms.switches.change(msgspec.json.decode(request.state.body, type=dict[str, Any]))
        return self._vms.switches.now

    def vms_accruals(self, request: Request) -> object:
        """Generate, and post unless told otherwise, the accruals of a period."""
        self._vms.called_at(request)
        return self._vms.desk.accrue(msgspec.json.decode(request.state.body, type=AccrualRun))

    def vms_deliveries(self, _: Request) -> object:
        """List the last notifications of webhooks, with their attempts."""
        return self._vms.webhooks.log()

    def page(self, _: Request) -> Response:
        """Show what each side holds."""
        sides = {"VMS": vms_overview(self._vms), "Ledger": ledger_overview(self._ledger_db)}
        shown = self._counts.shown().items()
        counted = [(side, label, str(count)) for side, rows in shown for label, count in rows.items()]
        sides["Sandbox"] = [
            StateTable("Clock", ("UTC",), [(self._clock.now().isoformat(timespec="seconds"),)]),
            StateTable("Requests", ("Side", "Request", "Count"), counted),
            StateTable("Faults", ("Rule",), [(msgspec.json.encode(rule).decode(),) for rule in self._faults.rules()]),
        ]
        return HTMLResponse(_html(sides))


def admin_routes(
    vms: Vms, ledger_db: sqlite3.Connection, *, clock: Clock, faults: Faults, counts: ReceivedRequests
) -> list[Route]:
    """Give the routes of the control API and of the admin page."""
    admin = _Admin(vms, ledger_db, clock=clock, faults=faults, counts=counts)
    return [
        Route("/", admin.page),
        Route("/_sandbox/health", _json(admin.health)),
        Route("/_sandbox/clock", _json(admin.clock), methods=["GET", "POST"]),
        Route("/_sandbox/faults", _json(admin.faults), methods=["GET", "POST", "DELETE"]),
        Route("/_sandbox/requests", _json(admin.requests), methods=["GET", "DELETE"]),
        Route("/_sandbox/vms/settings", _json(admin.vms_settings), methods=["GET", "POST"]),
        Route("/_sandbox/vms/deliveries", _json(admin.vms_deliveries)),
        # Period end has no documented API: in the VMS a person fills in a dialog (docs/systems/vms.md#4-2).
        Route("/_sandbox/vms/accruals", _json(admin.vms_accruals), methods=["POST"]),
    ]


def _json(handler: Callable[[Request], object]) -> Callable[[Request], Response]:
    @wraps(handler)
    # A plain function, which Starlette runs on a thread: waiting for a side's lock must not stop the event loop.
    def answered(request: Request) -> Response:
        try:
            content, status = handler(request), 200
        # msgspec's errors are ValueErrors too: a body of the wrong shape is answered in the same way.
        except (ValueError, ApiError) as error:
            content, status = {"error": str(error)}, 400
        return Response(msgspec.json.encode(content), status, media_type="application/json")

    return answered


_STYLE = (
    "body{font:14px system-ui,sans-serif;margin:2rem;max-width:72rem}table{border-collapse:collapse;margin:0 0 1.5rem}"
    "th,td{border:1px solid #bbb;padding:.2rem .6rem;text-align:left}th{background:#eee}"
)


def _html(sides: dict[str, list[StateTable]]) -> str:
    parts = [f"<h2>{escape(side)}</h2>" + "".join(map(_table, tables)) for side, tables in sides.items()]
    head = f'<meta charset="utf-8"><title>Sandbox</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body><h1>Sandbox</h1>{"".join(parts)}</body></html>'


def _table(table: StateTable) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.headings)
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows)
    return f"<h3>{escape(table.title)}</h3><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
