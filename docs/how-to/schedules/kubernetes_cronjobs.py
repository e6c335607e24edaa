"""Prints the manifest of a Kubernetes CronJob a tenant and job, for every tenant of a list.

    python kubernetes_cronjobs.py tenants.toml | kubectl apply -f -

Needs `pip install --no-deps springline` and nothing else. Prints JSON, which is YAML. A tenant's springline.toml goes
into a ConfigMap, its warehouse onto a volume of its own. Its addresses and secrets stand in a Secret springline-TENANT
that is made apart: each key is a variable, as SPRINGLINE_CONTROL and SPRINGLINE_LEDGER__TOKEN.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipelines.core.tenants import RESULTS, TRIED_AGAIN, Tenant, read_tenants

IMAGE = "registry.example.com/springline:0.2.0"
# What is ready every ten minutes; everything hourly on weekdays, and every night.
DOCUMENTS, EVERYTHING = ("run", "documents", "publish"), ("run",)
JOBS = {
    "documents": ("{offset}-59/10 * * * *", DOCUMENTS),
    "hourly": ("5 6-20 * * 1-5", EVERYTHING),
    "nightly": ("35 2 * * *", EVERYTHING),
}
# Kubernetes knows one good end. What is a result ends with 0 here; its own code stands in the pod's log.
ENDS = f"""springline "$@"; code=$?; echo "ended with $code"
case $code in {"|".join(map(str, sorted(RESULTS)))}) exit 0;; esac; exit $code"""
# A process that was killed, by the limit of memory or by a signal.
KILLED = (137, 143)


def manifests(tenants: Iterator[Tenant]) -> Iterator[dict[str, Any]]:
    """Yield the objects of all tenants."""
    for place, tenant in enumerate(tenants):
        name = f"springline-{tenant.name}"
        text = tenant.config.read_text("utf-8")
        yield {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": _metadata(name, tenant),
            "data": {"springline.toml": text},
        }
        yield {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": _metadata(name, tenant),
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}},
        }
        for job, (cron, arguments) in JOBS.items():
            # So that not all begin in the same minute.
            yield {
                "apiVersion": "batch/v1",
                "kind": "CronJob",
                "metadata": _metadata(f"{name}-{job}", tenant),
                "spec": {
                    "schedule": cron.format(offset=place % 10),
                    "timeZone": "Europe/Oslo",
                    # Within one job; where two jobs of a tenant meet, Springline has the second end with 17.
                    "concurrencyPolicy": "Forbid",
                    # A tick that could not be started in time is left out: the next finds what it would have found.
                    "startingDeadlineSeconds": 300,
                    "successfulJobsHistoryLimit": 1,
                    "failedJobsHistoryLimit": 3,
                    "jobTemplate": {"spec": _job(name, tenant, arguments)},
                },
            }


def _job(name: str, tenant: Tenant, arguments: tuple[str, ...]) -> dict[str, Any]:
    return {
        "backoffLimit": 3,
        "podFailurePolicy": {
            "rules": [
                # A node that is drained or lost is no fault of the tenant's: started anew, and not counted.
                {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
                {
                    "action": "FailJob",
                    "onExitCodes": {
                        "containerName": "springline",
                        "operator": "NotIn",
                        "values": sorted([*TRIED_AGAIN, *KILLED]),
                    },
                },
            ]
        },
        "template": {"metadata": {"labels": _labels(tenant)}, "spec": _pod(name, arguments)},
    }


def _pod(name: str, arguments: tuple[str, ...]) -> dict[str, Any]:
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "runAsGroup": 10001,
            "fsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "springline",
                "image": IMAGE,
                "command": ["/bin/sh", "-c", ENDS, "springline"],
                "args": [*arguments, "--config", "/etc/springline/springline.toml"],
                "envFrom": [{"secretRef": {"name": name}}],
                "resources": {"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}},
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": [
                    {"name": "settings", "mountPath": "/etc/springline", "readOnly": True},
                    {"name": "data", "mountPath": "/data"},
                    {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 the container's own
                ],
            }
        ],
        # Where the claim is lost, the next run reads both systems anew.
        "volumes": [
            {"name": "settings", "configMap": {"name": name}},
            {"name": "data", "persistentVolumeClaim": {"claimName": name}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}},
        ],
    }


def _metadata(name: str, tenant: Tenant) -> dict[str, Any]:
    return {"name": name, "labels": _labels(tenant)}


def _labels(tenant: Tenant) -> dict[str, str]:
    return {"app.kubernetes.io/name": "springline", "app.kubernetes.io/instance": tenant.name}


if __name__ == "__main__":
    for manifest in manifests(iter(read_tenants(Path(sys.argv[1])).values())):
        print(f"---\n{json.dumps(manifest, indent=2, ensure_ascii=False)}")  # noqa: T201 kubectl reads it
