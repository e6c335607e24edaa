"""The settings of both systems: how each is reached, and what it lets a caller do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import Field, SecretStr

from pipelines.core.settings_section import Section
from pipelines.core.settings_sources import SECRETS, variable_name
from pipelines.core.settings_values import MOST_INTEGER, Address, BaseAddress, Text, Token, User

if TYPE_CHECKING:
    from pipelines.core.settings_sources import Given


class VmsSettings(Section):
    """How to reach the VMS: OAuth2 client credentials, or user name and password on older installations."""

    base_url: BaseAddress = Field(
        description="address of the VMS's REST interface", examples=["https://<tenant>.dataloy.com/ws/rest"]
    )
    token_url: Address | None = Field(
        default=None,
        description="where to get a token, as handed out by Dataloy",
        examples=["https://<tenant>.eu.auth0.com/oauth/token"],
    )
    client_id: Text | None = Field(
        default=None, description="id of the machine-to-machine client", examples=["<client id>"]
    )
    client_secret: SecretStr | None = Field(default=None, description="secret of the machine-to-machine client")
    plain_http: bool = Field(
        default=False,
        description="`true` lets an address of this section begin with http:// where it is not on this machine: "
        "the secret, and every document, then travels for all to read",
    )
    audience: Text = Field(
        default="https://dataloy", description="what a token is asked for; `https://dataloy.dev` on test systems"
    )
    username: User | None = Field(
        default=None, description="older installations: a user's name in place of a client", examples=["springline"]
    )
    password: SecretStr | None = Field(default=None, description="password of the user, on older installations")
    page_size: int = Field(default=500, ge=1, le=2000, description="objects a page")
    workers: int = Field(default=8, ge=1, le=32, description="writes to the VMS at the same time")
    requests_per_second: float = Field(default=500, ge=0.01, le=10_000, description="most requests a second")
    timeout: float = Field(default=60, gt=0, le=3600, description="seconds to wait for an answer")
    attempts: int = Field(default=5, ge=1, le=20, description="tries of one request")


class LedgerSettings(Section):
    """How to reach the ledger, and what it lets a caller do."""

    url: Address = Field(
        default="https://www.xledger.net/graphql",
        description="address of the ledger's GraphQL; `https://demo.xledger.net/graphql` for the demo system",
    )
    token: Token = Field(
        description="the API token; a domain administrator makes it, in the group entity where there is one"
    )
    plain_http: bool = Field(
        default=False,
        description="`true` lets an address of this section begin with http:// where it is not on this machine: "
        "the token, and every voucher, then travels for all to read",
    )
    page_size: int = Field(default=1000, ge=1, le=10_000, description="records a page")
    nodes_per_mutation: int = Field(default=500, ge=1, le=500, description="voucher lines a call")
    burst_requests: int = Field(default=20, ge=1, le=100_000, description="most requests in `ledger.burst_seconds`")
    burst_seconds: float = Field(
        default=5, gt=0, le=3600, description="seconds in which `ledger.burst_requests` are counted"
    )
    monthly_requests: int = Field(
        default=5000,
        ge=1,
        le=MOST_INTEGER,
        description="requests a month that the price plan includes; counted, shown by `status`",
    )
    timeout: float = Field(default=60, gt=0, le=3600, description="seconds to wait for an answer")
    attempts: int = Field(default=6, ge=1, le=20, description="tries of one request")
    longest_wait: float = Field(
        default=120, ge=0, le=86_400, description="seconds to wait for a limit to pass before the batch gives up"
    )


def sign_in_problems(vms: object, given: Given) -> list[str]:
    """Return what is missing of a way to sign in to the VMS."""
    # Not a rule of the model: pydantic asks those only when every field is right, and all faults are told at once.
    if not isinstance(vms, Mapping):
        return []
    has = {name for name in VmsSettings.model_fields if vms.get(name) or given.is_told(("vms", name))}
    place = f"{given.file}, [vms]" if given.has_file else "the VMS"
    missing = [
        variable_name(("vms", name)) if ("vms", name) in SECRETS or not given.has_file else name
        for name in ("token_url", "client_id", "client_secret")
        if name not in has
    ]
    if not missing or {"username", "password"} <= has:
        return []
    password = variable_name(("vms", "password"))
    if "username" in has:
        return [f"{place}: no sign-in: {password} is missing, and username needs it"]
    is_are = "is" if len(missing) == 1 else "are"
    older = f"on older installations username, and {password}"
    return [f"{place}: no sign-in: {', '.join(missing)} {is_are} missing ({older})"]
