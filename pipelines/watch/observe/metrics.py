"""What Prometheus reads: figures of the control store at the moment of a scrape, with labels that cannot run away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from pipelines.batch.jobs import JOBS
from pipelines.stores.control import Control, named_statements
from pipelines.stores.job_ends import OF_LOOK, last_well, read_job_ends
from pipelines.stores.lost import open_control
from pipelines.stores.request_counts import month_of
from pipelines.watch.alerts.kinds import KINDS
from pipelines.watch.observe.growing import Growing, Seconds
from pipelines.watch.observe.health import NOT_TOLD, STATES, STORE, WATCH, read_health

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

    from pipelines.core.settings import Settings

# Rules, kinds and codes come from our own files, and are few; a store of another release may hold more.
MOST_LABELS, OTHER = 60, "other"
WAITS: Mapping[str, tuple[str, str]] = {
    "voucher": ("accepted", "the ledger has accepted its voucher"),
    "acknowledgement": ("acknowledged", "the VMS has it as posted"),
}


class StoreMetrics(Collector):
    """Reads the control store at each scrape; scrapes wait for one another."""

    def __init__(self, settings: Settings, *, now: Callable[[], datetime]) -> None:
        """Take the clock (aware) from the caller; nothing is read yet."""
        self._settings = settings
        self._now = now
        self._growing = Growing()
        self._lock = Lock()
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def describe(self) -> Iterator[Metric]:
        """Describe nothing: the registry would otherwise read everything to know the names."""
        return iter(())

    def text(self) -> bytes:
        """Return all metrics in Prometheus's text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Read the store, and yield its figures; where it cannot be read, how it is alone."""
        now = self._now()
        with self._lock:
            health = read_health(self._settings, now=now)
            counts = {reason.kind: reason.count for reason in health.reasons}
            yield _gauge("health", "1 for the state it is in", "state", {one: one == health.state for one in STATES})
            kinds = (*KINDS, NOT_TOLD, STORE, WATCH)
            yield _gauge("conditions", "what needs people, by kind", "kind", {one: counts.get(one, 0) for one in kinds})
            if health.watch_seen_seconds is not None:
                seen = {"watch": health.watch_seen_seconds}
                yield _gauge("seen_age_seconds", "since the watch last said that it is alive", "process", seen)
            if STORE in counts:
                return
            with closing(open_control(self._settings, for_reading=True)) as control:
                self._growing.read(control)
                yield from self._standing(control, now)
            yield from self._growing_metrics()

    def _standing(self, control: Control, now: datetime) -> Iterator[Metric]:
        statements = named_statements("observe")
        ends = read_job_ends(control)
        ages = {job: max((now - at).total_seconds(), 0.0) for job in JOBS if (at := last_well(ends, job))}
        yield _gauge("job_last_good_age_seconds", "since a job last went through, or had nothing to do", "job", ages)
        failures = {
            job: max(ends[name].failures for name in names)
            for job in JOBS
            if (names := ends.keys() & {job, OF_LOOK + job})
        }
        yield _gauge("job_failures", "failures of a job in a row", "job", failures)
        for name, label, about in (
            ("breaks", "kind", "open breaks that nobody has accepted"),
            ("held", "rule", "documents and suppliers that are held"),
        ):
            rows = [(row["label"], row["number"]) for row in control.read(statements[name])]
            yield _gauge("held_documents" if name == "held" else name, about, label, _bounded(rows))
        requests = control.read(statements["requests"], {"month": month_of(now)})
        used = {"vms": 0, "ledger": 0} | {row["side"]: row["number"] for row in requests}
        yield _gauge("requests_this_month", "requests in the calendar month, in Oslo", "side", used)
        included = self._settings.ledger.monthly_requests
        yield _gauge("requests_included", "requests a month that are included", "side", {"ledger": included})
        left = {"ledger": included - used["ledger"]}
        yield _gauge("requests_left", "requests of the month that are left; the VMS has no such limit", "side", left)

    def _growing_metrics(self) -> Iterator[Metric]:
        outbox = GaugeMetricFamily("springline_outbox", "outward writes", labels=("kind", "state"))
        for (kind, state), number in self._growing.outbox.items():
            outbox.add_metric((kind, state), number)
        yield outbox
        for kind, (name, about) in WAITS.items():
            words = f"seconds from a document's being ready for posting until {about}"
            yield _histogram(f"ready_to_{name}_seconds", words, (), [((), self._growing.waits[kind])])
        batches = [((code,), seconds) for code, seconds in self._growing.batches.items()]
        yield _histogram("batch_seconds", "duration of a batch", ("exit_code",), batches)
        # One that an earlier release had is left out.
        known = {(job.name, step.name) for job in JOBS.values() for step in (*job.steps, *job.later)}
        steps = [(names, seconds) for names, seconds in self._growing.steps.items() if names in known]
        yield _histogram("step_seconds", "duration of a step", ("job", "step"), steps)


def _gauge(name: str, about: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(f"springline_{name}", about, labels=(label,))
    for key, value in values.items():
        family.add_metric((key,), float(value))
    return family


def _histogram(name: str, about: str, labels: Sequence[str], values: Iterable[tuple[Sequence[str], Seconds]]) -> Metric:
    family = HistogramMetricFamily(f"springline_{name}", about, labels=labels)
    for key, seconds in values:
        family.add_metric(key, seconds.buckets(), seconds.total)
    return family


def _bounded(rows: Sequence[tuple[str, int]]) -> dict[str, float]:
    """Return the largest by their labels, and all others as one."""
    found: dict[str, float] = dict(rows[:MOST_LABELS])
    if rest := sum(number for _, number in rows[MOST_LABELS:]):
        found[OTHER] = found.get(OTHER, 0) + rest
    return found
