"""What the ledger refuses: GraphQL errors with their codes, and requests of a person that make no sense."""

from __future__ import annotations

from typing import Any, NamedTuple

INVALID_VALUE = "INVALID_VALUE"


class GraphqlFault(NamedTuple):
    """One entry of ``errors``: limits carry their code at the top level, others in extensions, a timeout has none."""

    message: str
    code: str = INVALID_VALUE
    is_limit: bool = False
    extensions: dict[str, str] | None = None

    def as_error(self, path: list[str] | None = None) -> dict[str, Any]:
        """Give it the shape of the wire (docs/systems/ledger.md#1-7, #10-4, #10-9)."""
        error: dict[str, Any] = {"message": self.message}
        extensions = dict(self.extensions or {})
        # Two places for a code, as in real answers. A client that reads only one of them mistakes a limit for a
        # refusal.
        if self.is_limit:
            error["code"] = self.code
        elif self.code:
            extensions["code"] = self.code
        if extensions:
            error["extensions"] = extensions
        if path is not None:
            error["path"] = path
        return error


class RefusedError(Exception):
    """A request or a root field is refused, for one reason or several."""

    def __init__(self, *faults: GraphqlFault) -> None:
        super().__init__("; ".join(fault.message for fault in faults))
        self.faults = faults


class BadRequestError(Exception):
    """A person asked for something the books do not allow; the message says what."""
