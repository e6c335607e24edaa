"""The routes `/health` and `/metrics`, for whatever server serves them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipelines.watch.observe.health import UNABLE, read_health
from pipelines.watch.observe.metrics import StoreMetrics

if TYPE_CHECKING:
    from starlette.requests import Request

    from pipelines.core.settings import Settings

# Neither is ever kept by a proxy: an old answer would be worse than none.
_FRESH = {"Cache-Control": "no-store"}
OK, UNAVAILABLE = 200, 503


def observe_routes(settings: Settings, *, now: Callable[[], datetime]) -> list[Route]:
    """Return the routes; ``now`` is the clock (aware).

    `/health` answers 200 when it is ready or degraded: what is degraded (a system away, documents held) another
    instance would not do better, and webhooks must still be taken. It answers 503 when the control store cannot be read
    or the watch hangs, so that a load balancer or a supervisor begins another one.
    """
    metrics = StoreMetrics(settings, now=now)

    # Not async: both read files, and starlette gives such a function a thread of its own.
    def health(_request: Request) -> Response:
        found = read_health(settings, now=now())
        return JSONResponse(found.as_dict(), UNAVAILABLE if found.state == UNABLE else OK, _FRESH)

    def scrape(_request: Request) -> Response:
        return Response(metrics.text(), OK, _FRESH, CONTENT_TYPE_LATEST)

    return [Route("/health", health), Route("/metrics", scrape)]
