"""The house: each step room has one door, each room says what may be imported of it, and no import goes in a circle.

Which room stands on which floor is a contract in pyproject.toml.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import pipelines

HOUSE = Path(pipelines.__file__).parent
# The rooms of the steps of a batch; batch/ alone knows their order.
STEP_ROOMS = ("extract", "models", "checks", "load", "reconcile", "publish", "close")
DOOR = "steps"
MODULES = {
    ".".join(("pipelines", *path.relative_to(HOUSE).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in sorted(HOUSE.rglob("*.py"))
}
PACKAGES = sorted({path.parent for path in HOUSE.rglob("*.py")} - {HOUSE})


def imports(source: str) -> Iterator[str]:
    """Yield each module of the house that a module imports, wherever the import stands, as far as it is one."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute: a relative one would pass every rule here unseen"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            module = name if name in MODULES else name.rpartition(".")[0]
            if module in MODULES:
                yield module


@cache
def imported() -> dict[str, frozenset[str]]:
    """Return what each module of the house imports of it."""
    return {name: frozenset(imports(path.read_text("utf-8"))) - {name} for name, path in MODULES.items()}


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def past_the_door(module: str, others: frozenset[str]) -> list[str]:
    """Return what a module imports of other step rooms but their doors."""
    return [
        f"{module} imports {other}"
        for other in sorted(others)
        if room_of(other) in STEP_ROOMS
        and room_of(other) != room_of(module)
        and other != f"pipelines.{room_of(other)}.{DOOR}"
    ]


def test_step_rooms_and_batch_come_through_the_door() -> None:
    inside = {*STEP_ROOMS, "batch"}
    assert [
        fault
        for module, others in imported().items()
        if room_of(module) in inside
        for fault in past_the_door(module, others)
    ] == []


@pytest.mark.parametrize(
    "source",
    [
        "from pipelines.models import build",
        "from pipelines.models.build import build",
        "import pipelines.models.build",
        "def late():\n    from pipelines.models.build import build",
        "if TYPE_CHECKING:\n    from pipelines.models.build import build",
    ],
)
def test_an_import_past_the_door_is_seen_wherever_it_stands(source: str) -> None:
    others = frozenset(imports(source))
    assert past_the_door("pipelines.batch.run", others) == ["pipelines.batch.run imports pipelines.models.build"]
    assert past_the_door("pipelines.models.steps", others) == []


@pytest.mark.parametrize("room", STEP_ROOMS)
def test_a_step_room_says_what_is_imported_of_it(room: str) -> None:
    said = ast.get_docstring(ast.parse((HOUSE / room / "__init__.py").read_text("utf-8"))) or ""
    inner = {
        other.removeprefix(f"pipelines.{room}.")
        for module, others in imported().items()
        for other in others
        if room_of(other) == room and room_of(module) != room
    }
    assert [name for name in sorted(inner) if f"`{name}`" not in said] == []


@pytest.mark.parametrize("package", PACKAGES, ids=[path.relative_to(HOUSE).as_posix() for path in PACKAGES])
def test_a_room_says_what_it_is_and_does_nothing_when_it_is_entered(package: Path) -> None:
    module = ast.parse((package / "__init__.py").read_text("utf-8"))
    assert ast.get_docstring(module)
    assert len(module.body) == 1


def test_every_module_is_in_a_room() -> None:
    assert [path.name for path in HOUSE.glob("*.py")] == ["__init__.py"]


def test_no_module_imports_itself_round_a_corner() -> None:
    TopologicalSorter(imported()).prepare()


def test_no_room_imports_itself_through_another() -> None:
    rooms: dict[str, set[str]] = {}
    for module, others in imported().items():
        rooms.setdefault(room_of(module), set()).update(map(room_of, others) if "." in module else ())
    TopologicalSorter({room: others - {room, ""} for room, others in rooms.items()}).prepare()


# A batch, which refuses a lost store with the warehouse at hand; a store that is being made; one that is thrown away.
MAY_BEGIN_A_STORE = {"pipelines.batch.run", "pipelines.batch.scratch", "pipelines.recovery.rebuild"}


def begins_a_store(source: str) -> bool:
    """Tell whether a module opens a control store by its path, which begins one where it is lost."""
    if "Control(" not in source and "open_for_question" not in source:
        return False
    called = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    calls = [name.id for name in called if isinstance(name, ast.Name)]
    return "Control" in calls or ("open_for_question" in source and "refuse_lost_control(" not in source)


def test_a_lost_store_is_refused_by_whoever_opens_one() -> None:
    opening = {name for name, path in MODULES.items() if begins_a_store(path.read_text("utf-8"))}
    assert sorted(name for name in opening - MAY_BEGIN_A_STORE if room_of(name) != "stores") == []
    assert begins_a_store("with closing(Control(path)) as control:\n    pass")
