"""What happens in a storm, as data: it is drawn from a seed, told as YAML, played again, and cut down."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any, NamedTuple

import msgspec

from tests.storm.deeds import DEEDS, PARTNER_DEEDS, RATE_DEEDS
from tests.storm.deeds_documents import enter_an_accrual, enter_an_invoice
from tests.storm.people import People
from tests.storm.weather import faults

Row = dict[str, Any]
JOBS = ("master-data", "documents", "rates", "payments", "actuals", "reconcile", "publish")
# How likely each is part of a run.
LIKELY = {
    "master-data": 0.4,
    "documents": 0.8,
    "rates": 0.25,
    "payments": 0.6,
    "actuals": 0.25,
    "reconcile": 0.1,
    "publish": 0.04,
}
# What is there before the first run of a storm.
ENTERED = (*(enter_an_invoice,) * 5, enter_an_accrual)
# About as many durable steps as a job has, in a landing, the models and the stores (points.py).
STEPS = 60
# In place of a deed: a second run, which the first one keeps out.
SECOND_RUN = "a second run"


class Deed(msgspec.Struct, frozen=True, tag_field="what", tag="deed"):
    """Something that people do; ``chance`` decides to what they do it, however much is left out before."""

    name: str
    chance: int


class Run(msgspec.Struct, frozen=True, tag_field="what", tag="run", omit_defaults=True):
    """One run: ``minutes`` after what was before, its clock ``skew`` minutes off, with these rules of the sandbox.

    ``kill`` is where it ends (forks.Kill), ``full`` after how many writes to the control store no file may grow any
    more, and ``meanwhile`` what happens when it makes its n-th request.
    """

    jobs: list[str]
    minutes: int = 0
    skew: int = 0
    faults: list[Row] = []
    kill: tuple[str, int, bool] | None = None
    full: int | None = None
    meanwhile: tuple[int, Deed] | None = None


class Story(msgspec.Struct, frozen=True):
    """A whole storm: what it is about, and what happens in which order; clean runs follow."""

    about: str
    is_first_day: bool
    steps: list[Deed | Run]

    def yaml(self) -> str:
        """Tell it, so that it can be played again."""
        return msgspec.yaml.encode(self).decode()

    @classmethod
    def of_yaml(cls, text: str) -> Story:
        """Read what ``yaml`` told."""
        return msgspec.yaml.decode(text, type=cls)


class Focus(NamedTuple):
    """What a storm is about: the jobs that run in it, and what people do."""

    jobs: Sequence[str]
    deeds: Sequence[Callable[[People], None]]


# The narrow ones cost a tenth, so each seed of them tells more of what it is about.
FOCI = {
    "all": Focus(JOBS, DEEDS),
    "rates": Focus(("rates",), RATE_DEEDS),
    "partners": Focus(("master-data",), PARTNER_DEEDS),
}


def draw(seed: int, *, focus: str | None = None) -> Story:
    """Make up the storm of a seed."""
    rng = Random(seed)  # noqa: S311 no secret: the same numbers every time
    # Drawn also where it is given: the storm behind it is the same.
    drawn = rng.choice(("all", "all", "all", "rates", "partners"))
    about = focus or drawn
    entered = [_deed(rng, _name(rng.choice(ENTERED))) for _ in range(rng.randint(5, 14))]
    rounds = [step for _ in range(rng.randint(3, 7)) for step in _round(rng, FOCI[about])]
    is_first_day = rng.random() < 0.15
    # In half of them something is in the books before the first fault: what people do to a voucher is met by more runs.
    posted: list[Deed | Run] = []
    if rng.random() < 0.5:
        posted = [Run(["master-data", "documents"]), _deed(rng, "book what was imported")]
    return Story(about, is_first_day, [*entered, *posted, *rounds] if about == "all" else rounds)


def _round(rng: Random, about: Focus) -> Iterator[Deed | Run]:
    # Else most of what can be done to a voucher could seldom be done.
    if rng.random() < 0.6:
        yield _deed(rng, "book what was imported")
    for _ in range(rng.randint(1, 10)):
        yield _deed(rng, _name(rng.choice(about.deeds)))
    # Not all of them: the rest costs as much and meets nothing new.
    names = [job for job in about.jobs if rng.random() < LIKELY[job]] or [about.jobs[0]]
    jobs = len(names)
    kill = full = meanwhile = None
    # About as many writes and requests as there are.
    number = rng.randint(1, 12 * jobs)
    match rng.random():
        case chance if chance < 0.35:
            what = rng.choice(("write", "call", "step"))
            kill = (what, rng.randint(1, STEPS * jobs) if what == "step" else number, rng.random() < 0.5)
        case chance if chance < 0.42:
            full = number
        case chance if chance < 0.6:
            deed = SECOND_RUN if rng.random() < 0.4 else _name(rng.choice(about.deeds))
            meanwhile = (rng.randint(1, 5 * jobs), _deed(rng, deed))
    yield Run(
        names,
        minutes=rng.choice((1, 20, 70, 130, 600)),
        skew=rng.choice((0, 0, 0, 0, -60, 60)),
        faults=[{**fault.rule, "name": fault.name} for fault in faults(rng, names)],
        kill=kill,
        full=full,
        meanwhile=meanwhile,
    )


def _deed(rng: Random, name: str) -> Deed:
    return Deed(name, rng.randint(0, 999_999))


def _name(deed: Callable[[People], None]) -> str:
    return deed.__name__.replace("_", " ")
