"""Who may call the VMS: OAuth 2.0 client credentials with 24-hour tokens, or Basic (docs/systems/vms.md#1-2)."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from pipelines.sandbox.vms.errors import ApiError
from pipelines.sandbox.vms.json import decode, encode

if TYPE_CHECKING:
    from pipelines.sandbox.clock import Clock

TOKEN_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client needs; it opens nothing but a sandbox on loopback."""

    client_id: str = "springline"
    client_secret: str = "sandbox-client"  # noqa: S105 (opens nothing but a sandbox)
    # The documented audience of test systems (docs/systems/vms.md#1-2).
    audience: str = "https://dataloy.dev"
    username: str = "api@springline.example"
    password: str = "sandbox-basic"  # noqa: S105 (opens nothing but a sandbox)


CREDENTIALS = Credentials()


class Auth:
    """Hands out and checks tokens; they are signed and carry their end, so that they outlive a restart."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def grant(self, body: bytes, *, content_type: str) -> tuple[int, dict[str, object]]:
        """Answer a token request, in JSON or form-encoded: the HTTP status and the body."""
        # JSON is documented; one public client sends a form.
        given = _form(body) if content_type.startswith("application/x-www-form-urlencoded") else _json(body)
        if given.get("grant_type") != "client_credentials":
            # The token address belongs to a sign-in service and not to the VMS: its errors have OAuth's members.
            return 403, _refusal("unauthorized_client", "Grant type not allowed for the client.")
        if (given.get("client_id"), given.get("client_secret")) != (CREDENTIALS.client_id, CREDENTIALS.client_secret):
            return 401, _refusal("access_denied", "Unauthorized")
        if given.get("audience") != CREDENTIALS.audience:
            return 403, _refusal("access_denied", f"Service not found: {given.get('audience')}")
        claims = {
            "iss": "sandbox",
            "aud": CREDENTIALS.audience,
            "sub": CREDENTIALS.client_id,
            "exp": int(self._clock.now().timestamp()) + TOKEN_SECONDS,
        }
        return 200, {"access_token": _sign(claims), "expires_in": TOKEN_SECONDS, "token_type": "Bearer"}

    def check(self, authorization: str) -> None:
        """Let a request pass; raises ApiError 401 without valid credentials."""
        scheme, _, value = authorization.partition(" ")
        if scheme.lower() == "bearer":
            if self._clock.now().timestamp() >= _expiry(value):
                # Status and text as documented; the client then asks for a new token (docs/systems/vms.md#1-2).
                raise ApiError("Token expired.", status=401)
        # Older installations have only Basic, so both ways are always open here (docs/systems/vms.md#1-2).
        elif scheme.lower() != "basic" or _user(value) != f"{CREDENTIALS.username}:{CREDENTIALS.password}":
            raise ApiError("Unauthorized.", status=401)


def _refusal(error: str, description: str) -> dict[str, object]:
    return {"error": error, "error_description": description}


def _json(body: bytes) -> dict[str, object]:
    try:
        given = decode(body)
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}


def _form(body: bytes) -> dict[str, object]:
    return dict(parse_qsl(body.decode("utf-8", "replace")))


def _sign(claims: dict[str, object]) -> str:
    text = f"{_part(encode({'alg': 'HS256', 'typ': 'JWT'}))}.{_part(encode(claims))}"
    return f"{text}.{_signature(text)}"


def _signature(text: str) -> str:
    return _part(hmac.digest(CREDENTIALS.client_secret.encode(), text.encode(), sha256))


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _expiry(token: str) -> float:
    text, _, signature = token.rpartition(".")
    # The signature first: nothing in an unsigned token is read.
    if not hmac.compare_digest(signature.encode(), _signature(text).encode()):
        raise ApiError("Invalid token.", status=401)
    claims = text.partition(".")[2]
    claims = decode(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    return float(claims["exp"])


def _user(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
