"""Which row a call of ``log`` writes to: section 3 of the Run API, and where steplog differs on purpose."""

from __future__ import annotations

from typing import Any

import pytest

import steplog
from conftest import history, rows

A, B, C = {"a": 1}, {"b": 2}, {"c": 3}

#: Calls of log, the step after each, and the finished history.
SCRIPTS: list[tuple[str, list[tuple[dict[str, Any], dict[str, Any], int]], dict[int, dict[str, Any]]]] = [
    ("automatic", [(A, {}, 1), (B, {}, 2)], {0: A, 1: B}),
    ("open row joins", [(A, {"commit": False}, 0), (B, {}, 1)], {0: A | B}),
    ("explicit step stays open", [(A, {"step": 10}, 10), (B, {"step": 10}, 10), (C, {}, 11)], {10: A | B | C}),
    ("higher step completes", [(A, {"commit": False}, 0), (B, {"step": 4}, 4)], {0: A, 4: B}),
    ("explicit commit", [(A, {"step": 20, "commit": True}, 21), (B, {}, 22)], {20: A, 21: B}),
    ("later key overwrites", [({"a": 1}, {"commit": False}, 0), ({"a": 2}, {}, 1)], {0: {"a": 2}}),
    ("empty commits what is pending", [(A, {"commit": False}, 0), ({}, {}, 1)], {0: A}),
    ("empty moves the step", [({}, {}, 1), (A, {}, 2)], {0: {}, 1: A}),
    ("explicit commit joins the open row", [(A, {"step": 4}, 4), (B, {"step": 4, "commit": True}, 5)], {4: A | B}),
    ("auto step may stay open", [(A, {"step": 4}, 4), (B, {"commit": False}, 4), (C, {}, 5)], {4: A | B | C}),
    ("late row is kept", [(A, {"step": 20, "commit": True}, 21), (B, {"step": 5}, 21)], {5: B, 20: A}),
    ("negative step is kept", [(A, {"step": -3}, 0), (B, {}, 1)], {-3: A, 0: B}),
    ("same step after commit", [(A, {}, 1), (B, {"step": 0}, 1), (C, {}, 2)], {0: A | B, 1: C}),
    ("largest step", [(A, {"step": 2**62}, 2**62)], {2**62: A}),
    ("a given _step is ignored", [({"a": 1, "_step": 7}, {}, 1)], {0: A}),
]


@pytest.mark.parametrize(
    ("calls", "expected"), [script[1:] for script in SCRIPTS], ids=[script[0] for script in SCRIPTS]
)
def test_steps(calls: list[tuple[dict[str, Any], dict[str, Any], int]], expected: dict[int, dict[str, Any]]) -> None:
    run = steplog.init()
    for data, options, step_after in calls:
        assert run.log(data, **options) is None  # type: ignore[func-returns-value]
        assert run.step == step_after
    run.finish()
    assert history(run) == expected


def test_a_late_write_to_a_step_wins_and_the_journal_keeps_both() -> None:
    run = steplog.init()
    run.log({"a": 1})
    run.log({"a": 2}, step=0)
    assert [(row.step, row.values) for row in rows(run)] == [(0, {"a": 1}), (0, {"a": 2})]
    assert history(run) == {0: {"a": 2}}


def test_the_summary_shows_the_highest_step_whenever_it_was_written() -> None:
    run = steplog.init()
    run.log({"a": "new"}, step=10, commit=True)
    run.log({"a": "late"}, step=3)
    assert run.summary["a"] == "new"


def test_steps_in_any_order_are_all_there() -> None:
    run = steplog.init()
    steps = [(index * 7919) % 1000 for index in range(1000)]
    for step in steps:
        run.log({"x": step}, step=step)
    run.finish()
    assert history(run) == {step: {"x": step} for step in range(1000)}


@pytest.mark.parametrize("step", [1.0, "1", [1], True, None.__class__, 2**64, -(2**64)])
def test_a_step_that_is_no_64_bit_int_is_refused(step: Any) -> None:
    run = steplog.init()
    run.log(A)
    with pytest.raises(steplog.InvalidDataError, match="step"):
        run.log(B, step=step)
    assert run.step == 1
    run.finish()
    assert history(run) == {0: A}


def test_whatever_says_it_is_an_index_is_a_step() -> None:
    class Index:
        def __index__(self) -> int:
            return 5

    run = steplog.init()
    run.log(A, step=Index(), commit=True)
    assert history(run) == {5: A}


def test_values_are_taken_as_they_are_at_the_call_and_the_callers_dict_stays_as_it_was() -> None:
    run = steplog.init()
    items = [1, 2]
    data = {"list": items, "nested": {"x": 1}, "_step": 9}
    run.log(data, commit=False)
    items.append(3)
    run.log({})
    assert history(run) == {0: {"list": [1, 2], "nested.x": 1}}
    assert data == {"list": [1, 2, 3], "nested": {"x": 1}, "_step": 9}


def test_a_time_given_by_the_caller_wins() -> None:
    run = steplog.init()
    run.log({"a": 1, "_timestamp": 123.5, "_runtime": 7})
    [row] = rows(run)
    assert (row.time, row.values) == (123.5, {"a": 1})
    [read] = run.history
    assert (read["_timestamp"], read["_step"], read["a"]) == (123.5, 0, 1)
    assert read["_runtime"] == pytest.approx(123.5 - run.start_time, abs=1e-3)


def test_an_open_row_is_complete_at_finish() -> None:
    run = steplog.init()
    run.log(A, commit=False)
    assert run.summary.as_dict() == {}
    run.finish()
    assert history(run) == {0: A}
    assert run.summary["a"] == 1
    assert run.step == 1


def test_sync_is_accepted_and_changes_nothing() -> None:
    run = steplog.init()
    run.log(A, sync=True)
    assert history(run) == {0: A}


def test_a_finished_run_refuses_rows() -> None:
    run = steplog.init()
    run.finish()
    with pytest.raises(steplog.UsageError, match="finished"):
        run.log(A)
    assert history(run) == {}
