"""Refusals of the VMS and the JSON body they are answered with (docs/systems/vms.md#1-2 and #1-9)."""

from __future__ import annotations

from http import HTTPStatus

_SERVER_ERROR = 500


class ApiError(Exception):
    """A request is refused: the HTTP status, and a message that names the member at fault."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class SeedError(ValueError):
    """A seed file cannot be loaded; the message names file, line and member."""


def error_body(error: ApiError, *, date: str, method: str) -> dict[str, object]:
    """Give the documented members; ``date`` is the VMS's local time, without zone."""
    family = "SERVER_ERROR" if error.status >= _SERVER_ERROR else "CLIENT_ERROR"
    # Clients should use `message` only (docs/systems/vms.md#v7).
    return {
        "statusCode": error.status,
        "statusText": HTTPStatus(error.status).phrase,
        "message": error.message,
        "date": date,
        "statusFamily": family,
        "method": method,
    }
