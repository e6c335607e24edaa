"""A headless Chromium, driven over the WebDriver protocol that its own chromedriver speaks."""

from __future__ import annotations

import base64
import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.patience import PATIENCE

CHROMIUM, CHROMEDRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--force-color-profile=srgb",
)  # fmt: skip


class Browser:
    """One session; sizes are CSS pixels."""

    def __init__(self, address: str, *, profile: Path) -> None:
        """Start the browser with a profile of its own."""
        self._address = address
        options = {"binary": CHROMIUM, "args": [*ARGUMENTS, f"--user-data-dir={profile}"]}
        capabilities = {"goog:chromeOptions": options, "goog:loggingPrefs": {"performance": "ALL", "browser": "ALL"}}
        self._session = self._call("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})["sessionId"]

    def _call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401 JSON
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._address + path, data=data, method=method)  # noqa: S310 loopback
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 loopback
            return json.load(answer)["value"]

    def _ask(self, path: str, body: Mapping[str, object]) -> Any:  # noqa: ANN401 JSON
        return self._call("POST", f"/session/{self._session}/{path}", body)

    def devtools(self, command: str, **parameters: object) -> Any:  # noqa: ANN401 JSON
        """Send a command of the DevTools protocol."""
        return self._ask("goog/cdp/execute", {"cmd": command, "params": parameters})

    def look(self, *, width: int, height: int = 900, scheme: str = "light", media: str = "screen") -> None:
        """Set the size of the window, the colour scheme its user prefers, and the medium."""
        self.devtools(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.devtools("Emulation.setEmulatedMedia", media=media, features=features)

    def open(self, page: Path) -> None:
        """Open a file."""
        self._ask("url", {"url": page.as_uri()})

    def run(self, script: str, *arguments: object) -> Any:  # noqa: ANN401 JSON
        """Run a function body in the page and return its value."""
        return self._ask("execute/sync", {"script": script, "args": list(arguments)})

    def wait_for(self, script: str, *arguments: object) -> Any:  # noqa: ANN401 JSON
        """Run a function body that calls its last argument with its value."""
        return self._ask("execute/async", {"script": script, "args": list(arguments)})

    def press(self, key: str) -> None:
        """Press and release a key."""
        code = {"Tab": 9, "Enter": 13}[key]
        for kind in ("keyDown", "keyUp"):
            self.devtools("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def screenshot(self, path: Path) -> None:
        """Save a picture of the whole page."""
        size = self.run("return [document.documentElement.clientWidth, document.documentElement.scrollHeight]")
        clip = {"x": 0, "y": 0, "width": size[0], "height": min(size[1], 16_000), "scale": 1}
        taken = self.devtools("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(taken["data"]))

    def print(self, path: Path) -> None:
        """Save the page as somebody with a dark screen prints it."""
        self.look(width=794, scheme="dark", media="print")
        printed = self.devtools("Page.printToPDF", preferCSSPageSize=True, printBackground=False)
        path.write_bytes(base64.b64decode(printed["data"]))

    def requested(self) -> list[str]:
        """Return the addresses the browser has asked for since it was last asked."""
        entries = self._ask("se/log", {"type": "performance"})
        messages = [json.loads(entry["message"])["message"] for entry in entries]
        return [one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"]

    def complaints(self) -> list[str]:
        """Return what the browser's console has said since it was last asked."""
        return [entry["message"] for entry in self._ask("se/log", {"type": "browser"})]

    def accessibility_faults(self) -> Sequence[str]:
        """Return what axe finds wrong with the page as it is shown: the rule, and where."""
        self.run(AXE.read_text(encoding="utf-8"))
        found = self.wait_for("const done = arguments[arguments.length - 1]; axe.run(document).then(done)")
        return [f"{one['id']}: {node['html'][:200]}" for one in found["violations"] for node in one["nodes"]]

    def close(self) -> None:
        """End the session and the browser."""
        self._call("DELETE", f"/session/{self._session}")


@contextmanager
def chromium(folder: Path) -> Iterator[Browser]:
    """Run a browser with a fresh profile in ``folder``."""
    driver = subprocess.Popen([CHROMEDRIVER, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # noqa: S603 our own words
    try:
        browser = Browser(_address(driver), profile=folder / "profile")
        try:
            yield browser
        finally:
            browser.close()
    finally:
        driver.terminate()
        driver.wait(timeout=PATIENCE)
        if driver.stdout:
            driver.stdout.close()


def _address(driver: subprocess.Popen[str]) -> str:
    """Read from chromedriver's greeting on which port it listens."""
    until = time.monotonic() + PATIENCE
    for line in driver.stdout or ():
        port = line.rstrip().rstrip(".").rpartition("on port ")[2]
        if "started successfully" in line and port.isdigit():
            return f"http://127.0.0.1:{port}"
        if time.monotonic() > until:
            break
    raise AssertionError("chromedriver did not start")
