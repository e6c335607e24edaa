"""What Kubernetes documents of its objects, and Airflow of its DAGs, the examples keep to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.environments import python_of
from tests.support.sandbox_server import REPOSITORY
from tests.tenants.harbour import EXAMPLES

pytestmark = pytest.mark.schedulers

HERE = Path(__file__).parent
# The schemas that Kubernetes publishes with each release.
VALIDATE = """
import json, sys, kubernetes_validate
for manifest in json.load(sys.stdin):
    kubernetes_validate.validate(manifest, "1.37", strict=True)
    print(manifest["kind"])
"""
PROGRAM = '#!/bin/sh\ncase "$*" in *{wrong}*) echo no; exit 10;; esac\necho "$@"; exit 14\n'


def python(name: str) -> str:
    found = python_of(HERE / name)
    return str(found) if found else pytest.fail(f"{name} could not be installed")


@pytest.fixture
def tenants(tmp_path: Path) -> Path:
    for name in ("north", "south"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "springline.toml").write_text('warehouse = "springline.duckdb"\n', encoding="utf-8")
    file = tmp_path / "tenants.toml"
    file.write_bytes((EXAMPLES / "tenants.toml").read_bytes())
    return file


def run(command: list[str], *, given: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    told = {**os.environ, "PYTHONPATH": str(REPOSITORY), **environ}
    return subprocess.run(command, input=given, env=told, capture_output=True, text=True, check=False)  # noqa: S603 ours


def test_kubernetes_takes_every_object(tenants: Path) -> None:
    printed = run([sys.executable, str(EXAMPLES / "kubernetes_cronjobs.py"), str(tenants)])
    objects = [json.loads(text) for text in printed.stdout.split("---\n") if text]
    judged = run([python("kubernetes.txt"), "-c", VALIDATE], given=json.dumps(objects))
    assert judged.returncode == 0, judged.stderr
    assert judged.stdout.split() == ["ConfigMap", "PersistentVolumeClaim", *["CronJob"] * 3] * 2
    # What is no member of such an object is seen.
    objects[2]["spec"]["jobTemplate"]["spec"]["backofLimit"] = 3
    assert "backofLimit" in run([python("kubernetes.txt"), "-c", VALIDATE], given=json.dumps(objects)).stderr


def test_airflow_runs_a_task_for_each_tenant(tenants: Path, tmp_path: Path) -> None:
    program = tmp_path / "springline"
    program.write_text(PROGRAM.format(wrong="/south/"), encoding="ascii")
    program.chmod(0o755)
    airflow = [python("airflow.txt"), "-m", "airflow"]
    environ = {
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(EXAMPLES),
        "TENANTS": str(tenants),
        "TENANTS_FOLDER": str(tmp_path / "stores"),
        "TENANTS_PROGRAM": str(program),
    }
    for words in (["db", "migrate"], ["pools", "set", "xledger", "8", "asks Xledger"]):
        made = run([*airflow, *words], **environ)
        assert made.returncode == 0, made.stderr
    ended = run([*airflow, "dags", "test", "springline_documents", "2026-11-02T10:00:00+00:00"], **environ)
    said = ended.stdout + ended.stderr
    assert "run documents publish --config" in said, said[-3000:]
    assert "AirflowFailException: south: springline run documents publish ended with 10" in said
    assert {path.name for path in (tmp_path / "stores").iterdir()} == {"north", "south"}
    # One tenant has failed for good, so the run has.
    assert "DagRun failed" in said
    shown = run([*airflow, "dags", "list-import-errors", "--output", "json"], **environ)
    assert "airflow_dag.py" not in shown.stdout
