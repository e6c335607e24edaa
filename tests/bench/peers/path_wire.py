"""What both peers of the whole path share: signing in, vouchers packed into mutations, and acknowledging, by requests.

As an experienced developer would write it: a session that retries, and no outbox. Killed between a mutation and what it
acknowledges, it would send those vouchers twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

PAGE, NODES, WORKERS, SECONDS = 500, 500, 8, 60
LISTED = {"sort": "key(AS)", "limit": PAGE}
READY = {"filter": "invoicingStatus.statusTypeCode(EQ)RFP", **LISTED}
PAYABLES = {"filter": "accountCode(EQ)APX", **LISTED}
MUTATION = """
mutation ($inputs: [AddGLImportItemsInput!]!) {
  addGLImportItems(inputs: $inputs) { edges { node { dbId trRegNumber } } }
}
"""
# The key by which the ledger finds what a member refers to.
KEYS = dict.fromkeys(("account", "currency", "glObject1", "glObject3", "project", "subledger", "xgl"), "code")
KEYS |= {"transactionSource": "code", "owner": "ownerCode", "jobLevel": "dbSubId"}

_A, _CODED = "*", {"countryCode": "*"}
# What is asked for of an account and of a document, in the form of the header that asks for it.
ACCOUNT = {"accountCode": _A, "glAccount": _A, "company": {"companyCode": _A}}
DOCUMENT = {
    **dict.fromkeys(("documentNo", "externalDocumentNo", "documentDate"), _A),
    **dict.fromkeys(("documentAmount", "companyCurrencyAmount"), _A),
    "documentType": {"documentType": _A},
    "documentCurrency": {"currencyCode": _A},
    "company": {"companyCode": _A, "country": _CODED},
    "businessPartner": {
        **dict.fromkeys(("businessPartnerCode", "businessPartnerName"), _A),
        "addresses": {"country": _CODED},
        "bankAccount": {"iban": _A, "bankAccountNo": _A},
    },
    "documentPaymentTerms": {"dueDate": _A, "percentage": _A},
    "documentLines": {
        **dict.fromkeys(("documentAmount", "companyCurrencyAmount", "glAccount", "documentLineText"), _A),
        "voyage": {
            "voyageHeader": {"referenceNo": _A},
            "vessel": {"vesselCodes": {"vesselCode": _A, "pool": {"poolCode": _A}}},
        },
    },
}


@dataclass(frozen=True, slots=True)
class Systems:
    """Where both systems are, and a session for each."""

    vms_url: str
    ledger_url: str
    vms: requests.Session
    ledger: requests.Session

    def deliver(self, lines: Iterable[Mapping[Any, Any]]) -> None:
        """Send voucher lines, whole vouchers together, and set the documents of each mutation to posted."""
        with ThreadPoolExecutor(WORKERS) as pool:
            for keys, nodes in packed(lines):
                self.send(nodes)
                list(pool.map(self.acknowledge, keys))

    def send(self, nodes: list[dict[str, Any]]) -> None:
        """Send one mutation; RuntimeError where the ledger refuses it."""
        asked: Any = {"query": MUTATION, "variables": {"inputs": [{"node": node} for node in nodes]}}
        answer = checked(self.ledger.post(self.ledger_url, json=asked, timeout=SECONDS)).json()
        if "errors" in answer or len(answer["data"]["addGLImportItems"]["edges"]) != len(nodes):
            raise RuntimeError(answer.get("errors"))

    def acknowledge(self, key: int) -> None:
        """Set a document to posted."""
        checked(self.vms.put(f"{self.vms_url}/Document/{key}", json={"invoicingStatus": "POS"}, timeout=SECONDS))


def connect(told: Mapping[str, str]) -> Systems:
    """Sign in to both systems."""
    vms, ledger = session(), session()
    asked = {name: told[name] for name in ("client_id", "client_secret", "audience")}
    granted = vms.post(told["token_url"], json={**asked, "grant_type": "client_credentials"}, timeout=SECONDS)
    vms.headers["Authorization"] = f"Bearer {checked(granted).json()['access_token']}"
    ledger.headers["Authorization"] = f"token {told['token']}"
    return Systems(told["base_url"], told["url"], vms, ledger)


def session() -> requests.Session:
    """Return a session that tries again what was refused for the moment."""
    retries = Retry(5, backoff_factor=0.5, status_forcelist=(429, 500, 502, 503, 504, 529), allowed_methods=None)
    made = requests.Session()
    for scheme in ("http://", "https://"):
        made.mount(scheme, HTTPAdapter(max_retries=retries, pool_maxsize=WORKERS))
    return made


def checked(answer: requests.Response) -> requests.Response:
    """Return an answer; HTTPError where it is none."""
    answer.raise_for_status()
    return answer


def fields(wanted: Mapping[str, object]) -> dict[str, str]:
    """Return the header that asks the VMS for members."""
    return {"fields": json.dumps(wanted)}


def read_settings(path: Path) -> dict[str, str]:
    """Read where both systems are, and what it takes to sign in."""
    told: dict[str, str] = json.loads(path.read_text("utf-8"))
    return told


def packed(lines: Iterable[Mapping[Any, Any]]) -> Iterator[tuple[list[int], list[dict[str, Any]]]]:
    """Give the keys and the nodes of each mutation: as many whole vouchers as it takes."""
    keys: list[int] = []
    nodes: list[dict[str, Any]] = []
    for key, voucher in groupby(lines, key=lambda line: line["trRegNumber"]):
        own = [node_of(line) for line in voucher]
        if len(nodes) + len(own) > NODES:
            yield keys, nodes
            keys, nodes = [], []
        keys.append(key)
        nodes += own
    if nodes:
        yield keys, nodes


def node_of(line: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the node of a voucher line; what is empty is left out."""
    written = {name: value for name, value in line.items() if value is not None}
    return {name: {KEYS[name]: value} if name in KEYS else value for name, value in written.items()}
