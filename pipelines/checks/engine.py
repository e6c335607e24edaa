"""Runs one suite over one table with Great Expectations, and returns what failed: the only place that imports it."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from pipelines.core.errors import CheckError

if TYPE_CHECKING:
    from types import ModuleType

    import pyarrow as pa

    from pipelines.checks.suites import Suite

# The frame's index, named so that failures come back as row numbers: one list per expectation. Naming key columns
# instead costs about 10 µs per failing row, and cannot tell rows whose key is empty or doubled.
ROW: Final = "row"

# Most expectations hold, and to say so costs half of what COMPLETE does: only those that fail are asked for their rows.
VERDICT: Mapping[str, object] = {"result_format": "BOOLEAN_ONLY"}
# COMPLETE is the only format that does not cut the failing rows to 20; everything it would add is left out.
RESULT_FORMAT: Mapping[str, object] = {
    "result_format": "COMPLETE",
    "unexpected_index_column_names": [ROW],
    "exclude_unexpected_values": True,
    "return_unexpected_index_query": False,
    "partial_unexpected_count": 0,
}

NEXT_STEP = "nothing was sent; run again. When it stays, go back to the release before and report it."
LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class Failure:
    """One expectation of a rule that failed: the finding's template (None: undecided) and the failing row numbers."""

    rule: str
    finding: str | None
    rows: tuple[int, ...]


def evaluate(suite: Suite, table: pa.Table, *, parameters: Mapping[str, int]) -> tuple[Failure, ...]:
    """Run a suite over a table; ``parameters`` are the suite's run-time values, such as the expected row count.

    Of a suite of verdicts only the rows that do not meet them all are asked for each: each expectation takes its time
    whatever there is to check, and most documents meet them all. Raises CheckError when an expectation could not run,
    or when one that belongs to no rule fails: then the table itself is wrong, and no verdict about its documents can be
    trusted.
    """
    if absent := sorted(suite.columns - set(table.column_names)):
        raise CheckError(f"{suite.name} has no column {', '.join(absent)}, which its suite reads.", next_step=NEXT_STEP)
    if (gate := suite.gate()) is None:
        return _run(suite, table, parameters)
    stopped = sorted(row for failure in _run(gate[0], _counted(table, gate[1]), parameters) for row in failure.rows)
    if not stopped:
        return ()
    # What a suite of verdicts is told at run time is how many rows there should be.
    found = _run(suite, table.take(stopped), dict.fromkeys(parameters, len(stopped)))
    failures = tuple(replace(failure, rows=tuple(stopped[row] for row in failure.rows)) for failure in found)
    if {row for failure in failures for row in failure.rows} != {*stopped}:
        raise _two_verdicts(suite)
    return failures


def _counted(table: pa.Table, verdicts: Collection[str]) -> pa.Table:
    """Return a table with 1 for each verdict that is met, and 0 where it is not, or was not given."""
    import pyarrow.compute as pc  # noqa: PLC0415 an idle run checks nothing

    for name in verdicts:
        met = pc.fill_null(table[name], fill_value=False).cast("int64")
        table = table.set_column(table.column_names.index(name), name, met)
    return table


def _two_verdicts(suite: Suite) -> CheckError:
    message = f"{suite.name} could not be checked: two looks at the same rows gave different verdicts."
    return CheckError(message, next_step=NEXT_STEP)


def _run(suite: Suite, table: pa.Table, parameters: Mapping[str, int]) -> tuple[Failure, ...]:
    results, failures = _validate(suite, table, parameters)
    problems = [*dict.fromkeys(problem for result in (*results, *failures) for problem in _problems(result))]
    # An expectation that silently did not run would count as passed: its documents would go out unchecked.
    if len(results) != len(suite.expectations):
        problems.append(f"{len(results)} of {len(suite.expectations)} expectations ran")
    if problems:
        raise CheckError(f"{suite.name} could not be checked: {'; '.join(problems)}.", next_step=NEXT_STEP)
    # What failed the first time has failed, whatever the second says.
    if len(failures) != sum(not result.success for result in results) or any(result.success for result in failures):
        raise _two_verdicts(suite)
    return tuple(_failure(suite, result) for result in failures)


def _validate(suite: Suite, table: pa.Table, parameters: Mapping[str, int]) -> tuple[list[Any], list[Any]]:
    """Return the result of every expectation, without rows, and once more of those that fail, with their rows."""
    import pandas as pd  # noqa: PLC0415 an idle run checks nothing

    gx = _great_expectations()
    # ArrowDtype keeps DECIMAL: the plain conversion to pandas makes floats of amounts.
    frame = table.select(sorted(suite.columns)).to_pandas(types_mapper=pd.ArrowDtype)
    frame.index.name = ROW
    try:
        batch = _frames(suite.name).get_batch({"dataframe": frame})

        def validate(expectations: Mapping[str, Any], result_format: Mapping[str, object]) -> list[Any]:
            # Not to_json_dict(), which makes floats of decimals.
            return list(
                batch.validate(
                    gx.ExpectationSuite(**expectations),
                    result_format=dict(result_format),
                    expectation_parameters=dict(parameters),
                ).results
            )

        with _configured_once(gx):
            results = validate(json.loads(suite.document), VERDICT)
            failing = [result.expectation_config.to_domain_obj() for result in results if not result.success]
            named = {"name": suite.name, "expectations": failing}
            return results, validate(named, RESULT_FORMAT) if failing else []
    except Exception as error:  # whatever a check dies of, it did not run, and the batch stops before the outbox
        raise CheckError(f"{suite.name} could not be checked: {_one_line(error)}", next_step=NEXT_STEP) from error


@cache
def _frames(name: str) -> Any:  # noqa: ANN401 Great Expectations' own batch definition
    """Define, once a process, where the tables of a suite come from: each definition is written out as YAML."""
    context = _great_expectations().get_context(mode="ephemeral")
    # Its bars would be drawn into the log and into the output of --json.
    context.variables.progress_bars = {"globally": False}
    return context.data_sources.add_pandas(name).add_dataframe_asset(name).add_batch_definition_whole_dataframe(name)


@contextmanager
def _configured_once(gx: ModuleType) -> Iterator[None]:
    """Let each expectation work out its configuration once, which it otherwise does some seventy times a run.

    That was a quarter of the time of a check of one document. None of them changes while a suite runs; a release that
    has the configuration in another form is left as it is.
    """
    kind = gx.expectations.Expectation
    worked_out = vars(kind).get("configuration")
    if not isinstance(worked_out, property):
        yield
        return
    # The expectation is kept beside its configuration: another one could get the number of one that is gone.
    known: dict[int, tuple[Any, Any]] = {}

    def configuration(expectation: Any) -> Any:  # noqa: ANN401 Great Expectations' own
        if id(expectation) not in known:
            known[id(expectation)] = expectation, worked_out.__get__(expectation)
        return known[id(expectation)][1]

    kind.configuration = property(configuration)
    try:
        yield
    finally:
        kind.configuration = worked_out


def _great_expectations() -> ModuleType:
    """Import Great Expectations, about 7 seconds, without its telemetry and the warnings of its own imports."""
    # Read when the package is imported, so it is set before.
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations  # noqa: PLC0415 only when there is something to check
    return great_expectations


def _problems(result: Any) -> list[str]:  # noqa: ANN401 Great Expectations' own result
    """Return why an expectation could not run: in its result that looks just like a failure."""
    info = result.exception_info or {}
    # One dict for an expectation as a whole, else one for each metric it computes: both shapes come.
    raised = [info] if "raised_exception" in info else list(info.values())
    name = _describe(result.expectation_config)
    return [f"{name}: {_one_line(entry['exception_message'])}" for entry in raised if entry["raised_exception"]]


def _failure(suite: Suite, result: Any) -> Failure:  # noqa: ANN401 Great Expectations' own result
    config, meta = result.expectation_config, result.expectation_config.meta
    if "rule" not in meta:
        seen = result.result.get("observed_value", result.result.get("unexpected_count"))
        message = f"{suite.name} is not what it should be: {_describe(config)} failed ({seen}). {config.description}"
        raise CheckError(message, next_step=NEXT_STEP)
    rows = tuple(row for part in result.result["unexpected_index_list"] for row in part[ROW])
    # Were one failing row not named, its document would not be held and would be posted.
    if len(rows) != result.result["unexpected_count"]:
        message = (
            f"{suite.name}: {_describe(config)} names {len(rows)} of {result.result['unexpected_count']} failures."
        )
        raise CheckError(message, next_step=NEXT_STEP)
    return Failure(meta["rule"], meta.get("finding"), rows)


def _describe(config: Any) -> str:  # noqa: ANN401 Great Expectations' own configuration
    column = config.kwargs.get("column") or ", ".join(config.kwargs.get("column_list", ()))
    expected = f" {config.kwargs['value']}" if "value" in config.kwargs else ""
    return f"{config.type}{expected}" + (f" on {column}" if column else "")


def _one_line(text: object) -> str:
    return " ".join(str(text).split())[:LONGEST_REASON]
