"""What `springline models` shows."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console, RenderableType

from pipelines.core.errors import UsageError
from pipelines.models.lineage import lineage_lines
from pipelines.models.show import draw_lineage, draw_list, draw_model, show
from tests.models.small import catalog


def _drawn(shown: RenderableType) -> str:
    text = StringIO()
    Console(width=140, file=text).print(shown)
    return text.getvalue()


def _shown(**options: str) -> str:
    text = StringIO()
    show(catalog(), Console(width=140, file=text), **options)
    return text.getvalue()


def test_each_option_shows_its_own() -> None:
    assert "what was landed" in _shown()
    assert "of the lines" in _shown(name="post.totals")
    assert "└── stg_vms.document_lines.amount" in _shown(name="post.totals", lineage="total")
    assert "CAST(ROUND(documents.amount, 2) AS DECIMAL(18, 4)) AS amount" in _shown(
        name="map.rounded", dialect="postgres"
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lineage": "total"}, "are about one model"),
        ({"name": "post.total"}, "There is no model post.total"),
        ({"name": "post.totals", "lineage": "tota"}, "post.totals has no column tota"),
        ({"name": "post.totals", "dialect": "oracle"}, "There is no dialect oracle"),
    ],
)
def test_what_cannot_be_shown_is_a_usage_error(options: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        _shown(**options)


def test_the_list_has_every_model_in_order() -> None:
    shown = _shown()
    assert "One document with its amount in minor units" in shown
    assert shown.index("map.rounded") < shown.index("post.kept") < shown.index("post.totals")
    models = catalog()
    assert [str(ref) for ref in models.readers(models.model("map.rounded").ref)] == ["post.kept", "post.totals"]
    assert [str(ref) for ref in models.model("post.kept").reads] == ["ctl.outbox", "map.rounded"]
    assert models.model("map.rounded").grain == ("document_key",)


def test_a_page_has_every_column_with_its_sources() -> None:
    lines = [" ".join(line.split()) for line in _shown(name="post.totals").splitlines()]
    total = next(place for place, line in enumerate(lines) if line.startswith("total DECIMAL(38,18)"))
    assert lines[total].endswith("stg_vms.document_lines.amount")
    difference = next(place for place, line in enumerate(lines) if line.startswith("difference DECIMAL(38,18)"))
    assert lines[difference].endswith("stg_vms.document_lines.amount")
    assert lines[difference + 1] == "stg_vms.documents.amount"
    kept = _shown(name="post.kept")
    assert "document_key IN (" in kept
    assert "read by" in _shown(name="map.rounded")


def test_lineage_tells_what_stands_twice_only_once() -> None:
    twice = "-- One x.\n-- grain: a\nSELECT amount AS a, amount + difference AS b FROM post.totals"
    models = {**{model.path[4:-4].replace("/", "."): model.sql for model in catalog().models}, "post.x": twice}
    lines = lineage_lines(catalog(models), "post.x", "b")
    assert [(line.depth, line.column, line.is_repeated) for line in lines] == [
        (0, "post.x.b", False),
        (1, "post.totals.amount", False),
        (2, "map.rounded.amount", False),
        (3, "stg_vms.documents.amount", False),
        (1, "post.totals.difference", False),
        (2, "map.rounded.amount", True),
        (2, "stg_vms.document_lines.amount", False),
    ]


def test_all_of_it_can_be_drawn() -> None:
    models = catalog()
    listed = _drawn(draw_list(models))
    assert "map: what was landed" in listed
    assert "One document with what its lines come to" in listed
    shown = _drawn(draw_model(models, "post.kept"))
    assert "post.kept" in shown
    assert "WHERE state = 'sent'" in shown
    tree = _drawn(draw_lineage(lineage_lines(models, "post.totals", "difference")))
    assert "└── stg_vms.document_lines.amount" in tree
    assert "= rounded.amount - totals.total" in tree
