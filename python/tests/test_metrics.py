"""``define_metric``: what is said about metrics, in the summary and in rows."""

from __future__ import annotations

import math

import pytest

import steplog
from conftest import history, journals, rows


def log_all(run: steplog.Run, key: str, *values: object) -> None:
    for value in values:
        run.log({key: value})


@pytest.mark.parametrize(
    ("summary", "expected"),
    [
        ("min", {"min": 1}),
        ("max,mean", {"max": 3, "mean": 2}),
        ("First, LAST", {"first": 2, "last": 3}),
        ("min,max,min", {"min": 1, "max": 3}),
    ],
)
def test_the_summary_has_what_was_asked_for(summary: str, expected: dict[str, float]) -> None:
    run = steplog.init()
    metric = run.define_metric("loss", summary=summary)
    log_all(run, "loss", 2, 1, 3)
    assert run.summary["loss"].as_dict() == expected
    assert metric.summary == tuple(dict.fromkeys(word.strip().lower() for word in summary.split(",")))
    run.finish()
    assert journals(run)[0].metrics == [{"name": "loss", "summary": list(metric.summary)}]


def test_none_leaves_the_metric_out_and_copy_leaves_it_as_it_is() -> None:
    run = steplog.init()
    run.define_metric("quiet", summary="none,max")
    run.define_metric("plain", summary="copy")
    run.log({"quiet": 1, "plain": 2, "other": 3})
    assert {key: value for key, value in run.summary.items() if key[0] != "_"} == {"plain": 2, "other": 3}


def test_nan_sticks_to_a_maximum_and_text_counts_for_nothing() -> None:
    run = steplog.init()
    run.define_metric("loss", summary="max,mean")
    log_all(run, "loss", 1.0, "text", 3.0)
    assert run.summary["loss"].as_dict() == {"max": 3.0, "mean": 2.0}
    log_all(run, "loss", math.nan, 9.0)
    assert math.isnan(run.summary["loss"]["max"])


def test_a_late_row_is_the_first() -> None:
    run = steplog.init()
    run.define_metric("loss", summary="first,last")
    run.log({"loss": 5}, step=5, commit=True)
    run.log({"loss": 2}, step=2)
    assert run.summary["loss"].as_dict() == {"first": 2, "last": 5}


def test_the_last_value_of_an_open_row_counts_alone() -> None:
    run = steplog.init()
    run.define_metric("loss", summary="mean")
    run.log({"loss": 100}, commit=False)
    run.log({"loss": 1}, commit=False)
    assert "loss" not in run.summary
    run.log({"loss": 3})
    run.log({"loss": 5})
    assert run.summary["loss"].as_dict() == {"mean": 4}


def test_a_prefix_a_nested_key_and_a_key_with_a_dot() -> None:
    run = steplog.init()
    run.define_metric("val/*", summary="min")
    run.define_metric("n.a", summary="max")
    run.define_metric("p.q", summary="max")
    run.log({"val/loss": 2, "train/loss": 2, "n": {"a": 1, "b": 1}, "p.q": 7})
    run.log({"val/loss": 3, "train/loss": 3, "n": {"a": 0, "b": 0}, "p.q": 6})
    expected = {
        "val/loss": {"min": 2},
        "train/loss": 3,
        "n": {"a": {"max": 1}, "b": 0},
        "p.q": {"max": 7},
    }
    assert {key: value for key, value in run.summary.as_dict().items() if key[0] != "_"} == expected


def test_rows_that_lack_the_step_metric_get_its_last_value() -> None:
    run = steplog.init()
    epoch = run.define_metric("epoch")
    metric = run.define_metric("val/*", step_metric=epoch)
    assert (metric.name, metric.step_metric, metric.step_sync) == ("val/*", "epoch", True)
    run.log({"val/loss": 9})
    run.log({"epoch": 1, "loss": 0.5})
    run.log({"val/loss": 8})
    run.log({"loss": 0.4})
    run.log({"val/loss": 7, "epoch": 2})
    run.log({"epoch": 3}, commit=False)
    run.log({"val/loss": 6})
    run.finish()
    assert history(run) == {
        0: {"val/loss": 9},
        1: {"epoch": 1, "loss": 0.5},
        2: {"val/loss": 8, "epoch": 1},
        3: {"loss": 0.4},
        4: {"val/loss": 7, "epoch": 2},
        5: {"epoch": 3, "val/loss": 6},
    }


def test_step_sync_can_be_switched_off() -> None:
    run = steplog.init()
    metric = run.define_metric("val/loss", step_metric="epoch", step_sync=False, hidden=True)
    assert (metric.step_sync, metric.hidden, metric.summary) == (False, True, None)
    run.log({"epoch": 1})
    run.log({"val/loss": 8})
    assert [row.values for row in rows(run)] == [{"epoch": 1}, {"val/loss": 8}]


def test_a_later_definition_adds_and_overwrite_replaces() -> None:
    run = steplog.init()
    run.define_metric("loss", summary="min")
    run.define_metric("loss", step_metric="epoch")
    run.log({"epoch": 4, "loss": 2})
    assert run.summary["loss"].as_dict() == {"min": 2}
    run.define_metric("loss", summary="max", overwrite=True)
    run.log({"loss": 3})
    assert history(run) == {0: {"epoch": 4, "loss": 2}, 1: {"loss": 3}}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": ""}, "the metric's name is empty"),
        ({"name": "a*b"}, "only at the end"),
        ({"name": 3}, "name is a int, not a str"),
        ({"name": "a", "summary": "best"}, 'summary "best" is none of min, max, mean, first, last, none, copy'),
        ({"name": "a", "summary": 1}, "summary is a int, not a str"),
        ({"name": "a", "step_metric": 1}, "step_metric is a int, not a str"),
        ({"name": "a", "step_metric": "e*"}, "the step metric must be the name of one metric"),
        ({"name": "a", "hidden": "yes"}, "hidden is a str, not a bool"),
        ({"name": "a", "step_sync": 1}, "step_sync is a int, not a bool"),
    ],
)
def test_what_is_wrong_is_refused_by_name(arguments: dict[str, object], message: str) -> None:
    run = steplog.init()
    with pytest.raises(steplog.Error, match=message.replace("*", r"\*")):
        run.define_metric(**arguments)  # type: ignore[arg-type]
    assert journals(run)[0].metrics == []


def test_the_arguments_goal_and_best_are_gone() -> None:
    run = steplog.init()
    with pytest.raises(TypeError, match="goal"):
        run.define_metric("loss", goal="minimize")  # type: ignore[call-arg]


def test_after_finish_it_is_refused() -> None:
    run = steplog.init()
    run.finish()
    with pytest.raises(steplog.UsageError, match="define_metric: the run is finished"):
        run.define_metric("loss")
