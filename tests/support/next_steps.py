"""Finds every next step that people are told: in Python, in SQL models, in the suites of checks, in the seeds."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from sqlglot import exp, parse_one

import pipelines
from pipelines.core.resources import expectations_folder, seed_file, sql_folder

PACKAGE = Path(pipelines.__file__).parent
ANYTHING = "{}"
MARK = "Next: "
# Names of variables that hold a next step, or a part of one, until it is used.
HOLDERS = {"step", "remedy", "following", "by_hand", "promise"}
CONSTANTS = {
    "ACKNOWLEDGE", "AGAIN", "ALLOW", "BRING_BACK_SCHEMA", "BY_HAND", "FILE_LOOK", "FIRST_RUN", "IN_XLEDGER", "LATER",
    "LOOK", "LOOK_UP", "NEXT", "NEXT_STEP", "NEXT_STEPS", "OPEN_IT", "REACH", "RETRIES", "ROLES", "SCOPES",
    "TABLES_NEXT_STEP", "UNANSWERED", "WRITABLE", "_CREATED", "_SEE_LOG", "_STATUSES", "_WORDS",
}  # fmt: skip
# Where the next step stands among the arguments of a call that does not name it.
PLACES = {"Advice": 1, "Break": 3, "CheckLine": 3, "FileFault": 2, "NoFileError": 1, "fault": 2}
# Modules whose functions return next steps and nothing else.
ALL_RETURNED = {"pipelines/stores/unopened.py"}
SEEDS = ("break_kinds", "match_reasons")


@cache
def found() -> dict[str, set[str]]:
    """Return each next step by the file it stands in; what is only known when it is shown stands there as {}."""
    steps: dict[str, set[str]] = {}
    for file, texts in (*_in_python(), *_in_models(), *_in_suites(), *_in_seeds()):
        bare = (" ".join(text.rpartition(MARK)[2].split()) for text in texts)
        # Without a letter it only holds words that are told elsewhere.
        if told := {text for text in bare if any(letter.isalpha() for letter in text)}:
            steps.setdefault(file, set()).update(told)
    return steps


def _in_python() -> Iterator[tuple[str, Iterator[str]]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE.parent).as_posix()
        if "sandbox" not in path.parts:
            tree = ast.parse(path.read_text("utf-8"))
            yield name, _of_module(tree, has_faults="going_live" in name, is_all=name in ALL_RETURNED)


def _of_module(tree: ast.Module, *, has_faults: bool, is_all: bool) -> Iterator[str]:
    # Alone, a part of a text would be half a step.
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name), args=args) if name in PLACES and len(args) > PLACES[name]:
                yield from _texts(args[PLACES[name]])
            case ast.keyword(arg="next_step" | "anew", value=value):
                yield from _texts(value)
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in HOLDERS | CONSTANTS:
                yield from _texts(value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if name in CONSTANTS:
                yield from _texts(value)
            case ast.Call(func=ast.Attribute(attr=name), args=args) if name in PLACES and len(args) > PLACES[name]:
                yield from _texts(args[PLACES[name]])
            case ast.Tuple(elts=[first, second]) if has_faults and _is_sentence(first):
                # A fault of `springline check`: what is wrong, and what to do.
                yield from _texts(second)
            case ast.FunctionDef(name=name, body=body) if is_all or "next_step" in name:
                returned = (one for part in body for one in ast.walk(part) if isinstance(one, ast.Return))
                yield from (text for one in returned if one.value for text in _texts(one.value))
            case ast.JoinedStr() | ast.Constant(value=str()) if id(node) not in parts:
                yield from (text for text in _texts(node) if MARK in text)


def _is_sentence(node: ast.expr) -> bool:
    return not isinstance(node, ast.Tuple | ast.Constant) or any(" " in text for text in _texts(node))


def _texts(node: ast.expr) -> Iterator[str]:
    """Yield the texts that an expression can come to."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=values):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else ANYTHING for part in values)
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            yield from (one + two for one in _texts(left) for two in _texts(right))
        case ast.IfExp(body=body, orelse=other):
            yield from (*_texts(body), *_texts(other))
        case ast.BoolOp(values=values) | ast.Tuple(elts=values):
            yield from (text for value in values[-1:] for text in _texts(value))
        case ast.Dict(values=values):
            yield from (text for value in values for text in _texts(value))


def _in_models() -> Iterator[tuple[str, Iterator[str]]]:
    for folder in ("map", "post", "rec", "close"):
        for path in sorted((sql_folder() / folder).glob("*.sql")):
            text = path.read_text("utf-8")
            if "next_step" in text:
                yield f"sql/{folder}/{path.name}", _of_model(text)


def _of_model(text: str) -> Iterator[str]:
    for select in parse_one(text, dialect="duckdb").find_all(exp.Select):
        for column in select.selects:
            if column.alias == "next_step":
                yield from _values(column.unalias())


def _values(node: exp.Expr) -> Iterator[str]:
    match node:
        case exp.Literal():
            yield node.name
        case exp.DPipe():
            yield from (one + two for one in _values(node.left) for two in _values(node.right))
        case exp.Case():
            for branch in (*(case.args["true"] for case in node.args["ifs"]), node.args.get("default")):
                yield from _values(branch) if branch is not None else ()
        case exp.Coalesce():
            for value in (node.this, *node.expressions):
                yield from _values(value)
        case exp.Paren():
            yield from _values(node.this)
        case _:
            yield ANYTHING


def _in_suites() -> Iterator[tuple[str, Iterator[str]]]:
    for path in sorted(expectations_folder().rglob("*.json")):
        rules = (one["meta"] for one in json.loads(path.read_text("utf-8"))["expectations"])
        name = path.relative_to(expectations_folder()).as_posix()
        yield f"expectations/{name}", (rule["next_step"] for rule in rules if "next_step" in rule)


def _in_seeds() -> Iterator[tuple[str, Iterator[str]]]:
    for seed in SEEDS:
        yield f"data/seeds/{seed}.csv", (row["next_step"] for row in seed_file(seed))


@cache
def situations(file: Path) -> Mapping[str, Mapping[str, str]]:
    """Read the table: by file, each next step and the situation in which somebody is told it."""
    import yaml  # noqa: PLC0415 tests alone read it

    return dict(yaml.safe_load(file.read_text("utf-8")))
