"""LibreOffice without a screen: recomputes a workbook, every formula of it, from the cells alone."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from pathlib import Path

from tests.support.patience import PATIENCE

# As in a profile whose user chose to recalculate on load always; the default trusts what the file says.
RECALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
</oor:items>
"""


def recomputed(workbook: Path, folder: Path) -> Path:
    """Return the workbook as LibreOffice saves it, after it has recomputed a copy without the formulas' values."""
    profile = folder / "profile" / "user"
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "registrymodifications.xcu").write_text(RECALCULATE, encoding="utf-8")
    bare = folder / "bare" / workbook.name
    bare.parent.mkdir(exist_ok=True)
    without_values(workbook, bare)
    return converted(bare, folder, kind="xlsx")


def converted(workbook: Path, folder: Path, *, kind: str, read_as: str = "") -> Path:
    """Return the workbook in another format; ``read_as`` says how LibreOffice takes a file that says it not itself."""
    command = [
        shutil.which("soffice") or "soffice",
        f"-env:UserInstallation={(folder / 'profile').as_uri()}",
        "--headless",
    ]
    command += [f"--infilter={read_as}"] if read_as else []
    command += ["--convert-to", kind, "--outdir", str(folder / kind), str(workbook)]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)  # noqa: S603 our own words
    return folder / kind / f"{workbook.stem}.{kind}"


def without_values(workbook: Path, bare: Path) -> None:
    """Copy a workbook, leaving out what its formulas came to."""
    with zipfile.ZipFile(workbook) as source, zipfile.ZipFile(bare, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name.startswith("xl/worksheets/sheet"):
                content = re.sub(rb"</f><v>[^<]*</v>", b"</f>", content)
            target.writestr(name, content)
