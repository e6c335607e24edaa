"""`make sbom` and `make audit`: both work from uv.lock alone, with the uv that the lock names.

A bill of materials (CycloneDX 1.5) follows from the lock and nothing else: the same lock gives the same bytes, on any
day and without a network. The audit asks osv.dev for every locked package. Its answer changes with what the world finds
out, so three endings are kept apart: nothing known (0), something known (1), nobody there to ask (0, and said in
capitals; 1 with AUDIT=required, as a release needs it).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
EXPORT = ("export", "--no-config", "--offline", "--frozen", "--quiet", "--no-default-groups")
# By what stands behind the version in a bill's name: a lake is deployed with another release of DuckDB.
DEPLOYED = {"": ("--all-extras", "--no-extra", "lake"), "-lake": ("--extra", "lake")}
AUDIT = ("audit", "--no-config", "--frozen", "--preview-features", "audit-command")
FOUND = 1
# How uv ends what it says of a request without an answer.
_NOT_REACHED = "for url ("
_PINNED = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^ ;\\]+)", re.MULTILINE)

Bill = dict[str, Any]


def bill_of_materials(*extras: str) -> Bill:
    """Return the bill of materials of what is deployed with extras; its serial number is made of the lock and them."""
    made = subprocess.run([UV, *EXPORT, "--format", "cyclonedx1.5", *extras], check=True, capture_output=True, cwd=ROOT)  # noqa: S603 our own uv
    bill: Bill = json.loads(made.stdout)
    # Of the moment: two exports of one lock would differ in them alone.
    del bill["metadata"]["timestamp"]
    made_of = (ROOT / "uv.lock").read_bytes() + " ".join(extras).encode()
    bill["serialNumber"] = uuid.UUID(hashlib.sha256(made_of).hexdigest()[:32], version=5).urn
    return bill


def parts(bill: Bill) -> set[tuple[str, str]]:
    """Return name and version of each part of a bill."""
    return {(part["name"], part["version"]) for part in bill["components"]}


def pinned(requirements: str) -> set[tuple[str, str]]:
    """Return name and version of each line of a requirements file."""
    return {(found["name"], found["version"]) for found in _PINNED.finditer(requirements)}


def write_bills() -> int:
    """Write dist/springline-<version>.cdx.json, and that of a lake; 1 where the first lacks something deployed."""
    bills = {behind: bill_of_materials(*extras) for behind, extras in DEPLOYED.items()}
    if missing := pinned((ROOT / "requirements.txt").read_text("utf-8")) - parts(bills[""]):
        return _end(1, f"The bill of materials lacks {sorted(missing)}: run make lock.")
    folder = ROOT / "dist"
    folder.mkdir(exist_ok=True)
    for behind, bill in bills.items():
        file = folder / f"springline-{bill['metadata']['component']['version']}{behind}.cdx.json"
        file.write_text(json.dumps(bill, indent=1) + "\n", "utf-8")
        _end(0, f"{file.relative_to(ROOT)}: {len(bill['components'])} parts")
    return 0


def audit(environ: Mapping[str, str], *more: str) -> int:
    """Ask for known vulnerabilities; 1 where there are some, or where nobody answers and AUDIT=required."""
    # One try: a machine without a network must not wait for it in every check.
    once = {"UV_HTTP_RETRIES": "0", **environ}
    command = [str(UV), *AUDIT, *more]
    asked = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, env=once)  # noqa: S603 ours
    said = (asked.stdout + asked.stderr).strip()
    # Whatever else uv cannot do, such as read a lock of another release, is a fault of ours.
    if asked.returncode in {0, FOUND} or _NOT_REACHED not in asked.stderr:
        return _end(asked.returncode, said)
    why = " ".join(said.split())
    return _end(int(environ.get("AUDIT") == "required"), f"NOT AUDITED: nobody to ask was reached. {why}")


def _end(code: int, words: str) -> int:
    sys.stdout.write(f"{words}\n")
    return code


if __name__ == "__main__":
    sys.exit(write_bills() if sys.argv[1:] == ["sbom"] else audit(os.environ))
