"""The bill of materials is the lock's and nothing else's, and an audit that could not be made is no clean one."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.supply.__main__ import DEPLOYED, ROOT, audit, bill_of_materials, parts, pinned

KNOWN = {"id": "GHSA-test", "modified": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize("behind", DEPLOYED)
def test_a_bill_is_the_same_every_time(behind: str) -> None:
    one = bill_of_materials(*DEPLOYED[behind])
    assert json.dumps(bill_of_materials(*DEPLOYED[behind])) == json.dumps(one)
    assert all(part.get("purl", "").startswith("pkg:pypi/") for part in one["components"])


def test_bills_have_all_that_is_deployed() -> None:
    one, lake = (bill_of_materials(*extras) for extras in DEPLOYED.values())
    assert pinned((ROOT / "requirements.txt").read_text("utf-8")) <= parts(one)
    [(name, version)] = {part for part in parts(lake) if part[0] == "duckdb"}
    assert {(f"duckdb-extension-{extension}", version) for extension in ("ducklake", "postgres-scanner")} <= parts(lake)
    assert (name, version) not in parts(one)
    assert one["serialNumber"] != lake["serialNumber"]


@contextmanager
def service(*, vulnerable: str) -> Iterator[str]:
    """Answer as osv.dev does (https://google.github.io/osv.dev/api/)."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
            found = [{"vulns": [KNOWN]} if one["package"]["name"] == vulnerable else {} for one in asked]
            self.give({"results": found})

        def do_GET(self) -> None:
            self.give(KNOWN | {"summary": "escapes its sandbox", "affected": []})

        def give(self, answer: object) -> None:
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(("vulnerable", "code"), [("jinja2", 1), ("no such package", 0)])
def test_a_known_vulnerability_fails_the_audit(vulnerable: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    with service(vulnerable=vulnerable) as url:
        assert audit(os.environ, "--service-url", url) == code
    assert ("GHSA-test" in capsys.readouterr().out) == bool(code)


@pytest.mark.parametrize(("required", "code"), [("", 0), ("required", 1)])
def test_an_audit_that_reached_nobody_says_so(required: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit({**os.environ, "AUDIT": required}, "--service-url", "http://127.0.0.1:1") == code
    assert "NOT AUDITED" in capsys.readouterr().out
