"""Both vendor systems on a free port, in a thread or in a process of their own, for tests over real sockets."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import httpx
import msgspec

from pipelines.sandbox.serve import base_url, bind, build_app, close_app, server, settings_lines
from tests.support.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

REPOSITORY = Path(__file__).parents[2]
SAMPLE = REPOSITORY / "data" / "sample"


class Sandbox:
    """A running sandbox; leaving it as a context, or ``close``, stops it. Its state file stays."""

    def __init__(self, env: dict[str, str]) -> None:
        self.env = env
        self.base_url = env["SPRINGLINE_LEDGER__URL"].removesuffix("/graphql")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def url(self, path: str) -> str:
        return self.base_url + path

    def control(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 (any JSON value)
        """Call the control API (``path`` without ``/_sandbox/``) and give its JSON; raises for a refusal."""
        content = None if body is None else msgspec.json.encode(body)
        answer = httpx.request(method, self.url(f"/_sandbox/{path}"), content=content, timeout=PATIENCE)
        if answer.is_error:
            raise ValueError(answer.text)
        return answer.json()

    def fault(self, side: str, action: Mapping[str, object], **rule: object) -> None:
        """Switch a fault on; ``rule`` holds match, times and after."""
        self.control("POST", "faults", {"side": side, "action": action, **rule})

    def vms(self) -> httpx.Client:
        """Give a client with a fresh token whose paths start at the REST root; the caller closes it."""
        asked = {"grant_type": "client_credentials"}
        asked |= {
            name: self.env[f"SPRINGLINE_VMS__{name.upper()}"] for name in ("client_id", "client_secret", "audience")
        }
        granted = httpx.post(self.env["SPRINGLINE_VMS__TOKEN_URL"], json=asked, timeout=PATIENCE)
        headers = {"Authorization": f"Bearer {granted.raise_for_status().json()['access_token']}"}
        return httpx.Client(base_url=self.env["SPRINGLINE_VMS__BASE_URL"], headers=headers, timeout=PATIENCE)

    def close(self) -> None:
        raise NotImplementedError


class _ThreadSandbox(Sandbox):
    def __init__(self, state: Path, seed: Path | None, port: int) -> None:
        self._app = build_app(state, seed)
        self._listener = bind(port)
        self._server = server(self._app)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener]}, daemon=True)
        super().__init__(_read(settings_lines(base_url(self._listener), seed=seed)))
        self._thread.start()

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(PATIENCE)
        self._listener.close()
        close_app(self._app)


class _ProcessSandbox(Sandbox):
    def __init__(self, state: Path, seed: Path | None, port: int) -> None:
        command = [sys.executable, "-m", "pipelines.sandbox.serve", "--port", str(port), "--state", str(state)]
        command += ["--seed", str(seed)] if seed is not None else []
        environ = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ)  # noqa: S603 (ours)
        stdout = self.process.stdout
        assert stdout is not None
        super().__init__(_read(iter(lambda: stdout.readline().rstrip("\n"), "")))

    def kill(self) -> None:
        """Kill the server the hard way, as a power cut would."""
        self.process.kill()
        self.close()

    def close(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=PATIENCE)


def running_sandbox(
    directory: Path, seed: Path | None = SAMPLE, *, state: str = "sandbox.sqlite", port: int = 0
) -> Sandbox:
    """Start a sandbox in a thread of this process, on a state file in ``directory``; ready when it is given back."""
    return _ThreadSandbox(directory / state, seed, port)


def sandbox_process(
    directory: Path, seed: Path | None = SAMPLE, *, state: str = "sandbox.sqlite", port: int = 0
) -> _ProcessSandbox:
    """Start a sandbox in a process of its own, which can be killed."""
    return _ProcessSandbox(directory / state, seed, port)


def write_seed(directory: Path, vms: Mapping[str, str], ledger: Mapping[str, str] | None = None) -> Path:
    """Write a seed directory from JSON lines per entity and give it."""
    for side, files in (("vms", vms), ("ledger", ledger or {})):
        (directory / side).mkdir(parents=True, exist_ok=True)
        for name, lines in files.items():
            (directory / side / f"{name}.jsonl").write_text(lines.strip() + "\n", "utf-8")
    return directory


def _read(lines: Iterable[str]) -> dict[str, str]:
    pairs = (line.partition("=") for line in lines if line)
    return {name: value for name, _, value in pairs}
