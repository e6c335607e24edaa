"""What both systems hold, read over HTTP alone: nothing here knows how Springline works, or that it exists."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx

PATIENCE = 60.0
Row = dict[str, Any]
_DOCUMENT = {
    "documentNo": "*",
    "documentDate": "*",
    "documentAmount": "*",
    "companyCurrencyAmount": "*",
    "documentType": {"documentType": "*"},
    "invoicingStatus": {"statusTypeCode": "*"},
    "documentCurrency": {"currencyCode": "*"},
    "company": {"companyCode": "*"},
    "documentLines": {
        "documentAmount": "*",
        "companyCurrencyAmount": "*",
        "glAccount": "*",
        "refDocument": {"documentNo": "*"},
        "voyage": {"voyageHeader": {"referenceNo": "*"}},
    },
}
_RATE = {
    "exchangeRate": "*",
    "exchangeRateDate": "*",
    "currency": {"currencyCode": "*"},
    "fromCurrency": {"currencyCode": "*"},
}


@dataclass(frozen=True, slots=True)
class VmsApi:
    """The VMS as any of its users may call it."""

    client: httpx.Client
    environ: Mapping[str, str]

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> VmsApi:
        """Open no connection that is kept: the other side dies now and then."""
        base, limits = environ["SPRINGLINE_VMS__BASE_URL"], httpx.Limits(max_keepalive_connections=0)
        return cls(httpx.Client(base_url=base, timeout=PATIENCE, verify=False, limits=limits), environ)  # noqa: S501 plain http to this machine

    def sign_in(self) -> None:
        """Get a token, which holds for a day at most."""
        names = ("client_id", "client_secret", "audience")
        asked = {name: self.environ[f"SPRINGLINE_VMS__{name.upper()}"] for name in names}
        asked["grant_type"] = "client_credentials"
        granted = self.client.post(self.environ["SPRINGLINE_VMS__TOKEN_URL"], json=asked)
        self.client.headers["Authorization"] = f"Bearer {granted.raise_for_status().json()['access_token']}"

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def call(self, method: str, path: str, body: object = None, *, fields: object = None) -> Any:  # noqa: ANN401 any JSON value
        """Call it; raises ValueError for what it refuses. Numbers come as Decimal."""
        headers = {"Content-Type": "application/json"}
        if fields is not None:
            headers["fields"] = json.dumps(fields)
        content = None if body is None else json.dumps(body, default=float)
        answer = self.client.request(method, path, content=content, headers=headers)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self.sign_in()
            answer = self.client.request(method, path, content=content, headers=headers)
        if answer.is_error:
            raise ValueError(answer.text)
        return json.loads(answer.text, parse_float=Decimal) if answer.text else None

    def documents(self) -> list[Row]:
        """List all documents by key."""
        found = self.call("GET", "Document?sort=key(AS)&limit=2000&pageNumber=1", fields=_DOCUMENT)
        return list(found)

    def rates(self) -> list[Row]:
        """List the rates of this autumn."""
        path = "ExchangeRate?sort=key(AS)&limit=2000&pageNumber=1&filter=exchangeRateDate(GTE)2026-10-01T00:00:00"
        return list(self.call("GET", path, fields=_RATE))


@dataclass(frozen=True, slots=True)
class LedgerBooks:
    """The ledger's own books, by its control endpoints and by its query language."""

    url: str
    token: str

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> LedgerBooks:
        """Read the address."""
        return cls(environ["SPRINGLINE_LEDGER__URL"], environ["SPRINGLINE_LEDGER__TOKEN"])

    def see(self, path: str, *, method: str = "GET") -> Any:  # noqa: ANN401 any JSON value
        """Look into the books."""
        base = self.url.removesuffix("/graphql")
        answer = httpx.request(method, f"{base}/_sandbox/ledger/{path}", timeout=PATIENCE, content=b"{}", verify=False)  # noqa: S501 as above
        return answer.raise_for_status().json()

    def accounts(self) -> dict[str, str | None]:
        """Give the bank account of each partner by its code."""
        query = "{ subledgers(first: 1000, ownerSet: ALL) { edges { node { code bankAccount } } } }"
        headers = {"Authorization": f"token {self.token}"}
        answer = httpx.post(self.url, json={"query": query}, headers=headers, timeout=PATIENCE, verify=False)  # noqa: S501 as above
        edges = answer.raise_for_status().json()["data"]["subledgers"]["edges"] or []
        return {edge["node"]["code"]: edge["node"]["bankAccount"] for edge in edges}
