"""Whatever stands in the file and in the environment: settings, or faults of settings; never another error."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.core.errors import SettingsError
from pipelines.core.settings import load_settings, setting_variables
from pipelines.core.settings_listed import list_settings
from pipelines.going_live.settings_file import toml_value

if TYPE_CHECKING:
    import pytest

LISTED = [setting for section in list_settings() for setting in section.settings]
SECTIONS = [section.name for section in list_settings()]
# What people paste, beside anything at all: as the environment brings it, so without NUL.
TEXTS = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=[]), max_size=30),
    st.sampled_from(("", " ", "true", "nan", "-1", "1e400", "9" * 5000, "[", "{}", '{"a": [1, null]}', "~/x")),
    st.sampled_from(
        ("https://", "https://[x", "http://a:b@c:d", "https://\udcff", "https://a/" + "x" * 5000, "/dev/null")
    ),
)
NAMES = st.sampled_from(setting_variables()) | TEXTS.map("SPRINGLINE_{}".format)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.booleans(), st.integers(), st.floats(), TEXTS.filter(str.isprintable)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(TEXTS.filter(str.isprintable), inner, max_size=2)
    ),
    max_leaves=4,
)
QUIET = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def load(file: Path, environ: dict[str, str]) -> None:
    try:
        load_settings(file, environ=environ)
    except SettingsError as error:
        # As a terminal takes it.
        str(error).encode()


@QUIET
@given(content=st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_in_the_file(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "any.toml").write_bytes(content)
    load(tmp_path / "any.toml", {})


@QUIET
@given(values=st.dictionaries(NAMES, TEXTS, min_size=1, max_size=5))
def test_any_text_in_any_variable(values: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "any.toml").touch()
    load(tmp_path / "any.toml", values)


@QUIET
@given(place=st.sampled_from([*SECTIONS[1:], *LISTED]), value=VALUES)
def test_any_value_at_any_place_of_the_file(place: Any, value: object, tmp_path: Path) -> None:  # noqa: ANN401
    line = f"{place} = " if isinstance(place, str) else f"{place.section and f'{place.section}.'}{place.name} = "
    (tmp_path / "any.toml").write_text(line + toml_value(value) + "\n", "utf-8")
    load(tmp_path / "any.toml", {})
