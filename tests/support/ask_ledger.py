"""Works in the sandbox's ledger as a bookkeeper's own program would."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from tests.support.patience import PATIENCE


def ask_ledger(environ: Mapping[str, str], query: str, **variables: object) -> dict[str, Any]:
    """Ask or write by GraphQL, with the access that the settings in ``environ`` have; give the data."""
    headers = {"Authorization": f"token {environ['SPRINGLINE_LEDGER__TOKEN']}"}
    asked = {"query": query, "variables": variables}
    answer = httpx.post(environ["SPRINGLINE_LEDGER__URL"], json=asked, headers=headers, timeout=PATIENCE).json()
    assert "errors" not in answer, answer
    return dict(answer["data"])
