"""Documents landed as Singer does it: messages of a tap, a stream a table, piped into target-duckdb."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CHILDREN = {"lines": "documentLines", "terms": "documentPaymentTerms"}
# Whatever else a member is, an object, a list or nothing, is kept as JSON.
TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}


def work(pages: Path, database: Path) -> None:
    """Land all pages; raises CalledProcessError where the target fails."""
    config = database.with_suffix(".json")
    config.write_text(json.dumps({"filepath": str(database), "default_target_schema": "vms"}), "utf-8")
    target = [str(Path(sys.executable).with_name("target-duckdb")), "-c", str(config)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(target, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, text=True) as process:  # noqa: S603
        assert process.stdin
        for message in messages(pages):
            process.stdin.write(json.dumps(message) + "\n")
        process.stdin.close()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, target)


def messages(pages: Path) -> Iterator[dict[str, Any]]:
    """Give what a tap writes: the schema of each stream before its first record, then records."""
    told: set[str] = set()
    for page in sorted(pages.iterdir()):
        for document in json.loads(page.read_bytes()):
            rows = {name: document.pop(member) for name, member in CHILDREN.items()}
            for stream, records in {"documents": [document], **rows}.items():
                for record in records:
                    if stream not in told:
                        told.add(stream)
                        yield schema_of(stream, record)
                    if stream in CHILDREN:
                        record["document_key"] = document["key"]
                    yield {"type": "RECORD", "stream": stream, "record": record}


def schema_of(stream: str, record: dict[str, Any]) -> dict[str, Any]:
    """Give the message that says what a record looks like."""
    members = {name: {"type": ["null", TYPES.get(type(value), "object")]} for name, value in record.items()}
    own = {"document_key": {"type": ["integer"]}} if stream in CHILDREN else {}
    schema = {"type": "object", "properties": members | own}
    return {"type": "SCHEMA", "stream": stream, "key_properties": ["key"], "schema": schema}
