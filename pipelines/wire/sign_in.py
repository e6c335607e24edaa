"""Signs in to the VMS: OAuth 2 client credentials, on older installations user name and password.

Source: docs/systems/vms.md#1-2.
"""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from pipelines.core.errors import Terminal
from pipelines.core.hiding import never_show
from pipelines.wire.http import UNREADABLE, Call, HttpCaller

if TYPE_CHECKING:
    from pipelines.core.settings_systems import VmsSettings

# A token is asked for anew so long before it expires.
MARGIN = timedelta(seconds=60)
OK = 200
NEXT_STEP = (
    "check SPRINGLINE_VMS__TOKEN_URL, SPRINGLINE_VMS__CLIENT_ID, SPRINGLINE_VMS__CLIENT_SECRET and "
    "SPRINGLINE_VMS__AUDIENCE, or SPRINGLINE_VMS__USERNAME and SPRINGLINE_VMS__PASSWORD."
)


class _Token(msgspec.Struct):
    access_token: str
    # Seconds; a day where the answer does not say.
    expires_in: float = 86_400


class SignIn:
    """The value of the Authorization header; one token serves every thread until it expires."""

    def __init__(self, settings: VmsSettings, *, http: HttpCaller, now: Callable[[], datetime]) -> None:
        """Ask for no token yet."""
        self._settings = settings
        self._http = http
        self._now = now
        self._lock = threading.Lock()
        self._token: str | None = None
        self._expires = now()

    def header(self) -> str:
        """Return the header's value, signing in when there is no token or it is about to expire.

        Raises Terminal when the credentials are refused, Transient when there is no answer.
        """
        settings = self._settings
        if settings.username and settings.password:
            pair = f"{settings.username}:{settings.password.get_secret_value()}"
            encoded = b64encode(pair.encode()).decode()
            never_show(encoded)
            return f"Basic {encoded}"
        # Under the lock, so that ten threads without a token sign in once and not ten times.
        with self._lock:
            if self._token is None or self._now() >= self._expires:
                self._token = self._ask()
            return f"Bearer {self._token}"

    def forget(self, header: str) -> bool:
        """Drop the token of a header that was refused; return whether another try can differ."""
        with self._lock:
            # Another thread may have signed in anew meanwhile.
            if header == f"Bearer {self._token}":
                self._token = None
        return header.startswith("Bearer ")

    def _ask(self) -> str:
        settings = self._settings
        body = {
            "client_id": settings.client_id,
            "client_secret": settings.client_secret.get_secret_value() if settings.client_secret else "",
            "audience": settings.audience,
            "grant_type": "client_credentials",
        }
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        answer = self._http.call(
            Call("POST", settings.token_url or "", "sign in", headers, body=msgspec.json.encode(body))
        )
        try:
            token = msgspec.json.decode(answer.body, type=_Token) if answer.status == OK else None
        except UNREADABLE:
            token = None
        if token is None:
            raise Terminal(
                f"The VMS gave no token: {answer.url} answered {answer.status}.", next_step=NEXT_STEP, sent=False
            )
        # From the answer on: a slow sign-in makes the token look a little younger, which the margin covers.
        self._expires = self._now() + timedelta(seconds=token.expires_in) - MARGIN
        never_show(token.access_token)
        return token.access_token
