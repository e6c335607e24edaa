"""A story that goes wrong is cut down to what it needs, and tells itself whole as YAML."""

from __future__ import annotations

from tests.storm.shrink import shrink
from tests.storm.story import Deed, Run, Story, draw


def _is_wrong(story: Story) -> bool:
    """Tell whether a run of documents with a lost answer follows an invoice, which is what goes wrong here."""
    entered = [place for place, step in enumerate(story.steps) if isinstance(step, Deed) and "enter an" in step.name]
    lost = [
        place
        for place, step in enumerate(story.steps)
        if isinstance(step, Run) and "documents" in step.jobs and step.faults and step.kill is None
    ]
    return bool(entered and lost and entered[0] < lost[-1])


def test_a_story_is_cut_down_to_what_it_needs() -> None:
    wrong = next(story for seed in range(100) if _is_wrong(story := draw(seed, focus="all")))
    played: list[str] = []

    def is_wrong(story: Story) -> bool:
        played.append(story.yaml())
        return _is_wrong(story)

    smallest = shrink(wrong, is_wrong=is_wrong)
    # Each takes seconds: a story of two dozen steps and three dozen faults is cut down within minutes.
    assert len(played) == len({*played}) <= 100
    deed, run = smallest.steps
    assert isinstance(deed, Deed)
    assert isinstance(run, Run)
    assert (deed.name.split()[0], run.jobs, len(run.faults), run.minutes, run.skew) == ("enter", ["documents"], 1, 0, 0)
    assert (run.kill, run.full, run.meanwhile) == (None, None, None)


def test_a_seed_is_one_story_and_yaml_tells_it_whole() -> None:
    for seed in range(20):
        story = draw(seed)
        assert Story.of_yaml(story.yaml()) == story == draw(seed)
