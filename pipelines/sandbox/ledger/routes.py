"""The ledger, a stand-in for Xledger: GraphQL endpoint, control API, seed, and its part of the admin page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.routing import Route

from pipelines.sandbox.ledger.control import control_routes
from pipelines.sandbox.ledger.core import Ledger
from pipelines.sandbox.ledger.graphql import TOKEN as LEDGER_TOKEN
from pipelines.sandbox.ledger.graphql import answer
from pipelines.sandbox.ledger.overview import ledger_overview
from pipelines.sandbox.ledger.seed import LedgerSeedError, seed_ledger

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["LEDGER_TOKEN", "Ledger", "LedgerSeedError", "ledger_overview", "ledger_routes", "seed_ledger"]

# The explorer of the real API stands at /GraphQL, its endpoint at /graphql (docs/systems/ledger.md#1-1).
_PATHS = ("/graphql", "/GraphQL")


def ledger_routes(ledger: Ledger) -> list[Route]:
    """Give the routes of a ledger; faults are met by the gate before them."""

    async def graphql(request: Request) -> Response:
        body = await request.body()
        authorization, content_type = (request.headers.get(name) for name in ("authorization", "content-type"))
        status, content = await run_in_threadpool(
            answer, ledger, authorization=authorization, content_type=content_type or "", body=body
        )
        return Response(content, status, media_type="application/json")

    # Real answers may be compressed. Level 1, because both ends are on one machine.
    gzip = [Middleware(GZipMiddleware, minimum_size=1_000, compresslevel=1)]
    endpoints = [Route(path, graphql, methods=["POST"], middleware=gzip) for path in _PATHS]
    return [*endpoints, *control_routes(ledger)]
