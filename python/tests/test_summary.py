"""The summary: the latest value of every metric, unless one was set by hand."""

from __future__ import annotations

import math

import pytest

import steplog
from conftest import REMOVED, journals


def test_it_shows_the_last_complete_row() -> None:
    run = steplog.init()
    run.log({"loss": 0.5, "n": {"a": 1, "b": 2}})
    run.log({"loss": 0.3, "n": {"a": 3}})
    run.log({"loss": 0.1}, commit=False)
    assert run.summary["loss"] == 0.3
    assert run.summary.loss == 0.3
    assert run.summary["n"].as_dict() == {"a": 3, "b": 2}
    assert run.summary.n.a == 3
    assert (run.summary["_step"], run.summary["_runtime"] >= 0) == (1, True)
    assert run.summary["_timestamp"] >= run.start_time
    assert run.summary.get("none", 5) == 5
    assert {"loss", "n"} <= set(run.summary.keys())
    for key in ("none", "n.a"):
        with pytest.raises(KeyError):
            run.summary[key]
    with pytest.raises(KeyError):
        run.summary.none  # noqa: B018


def test_a_value_set_by_hand_stays_until_it_is_deleted_or_set_again() -> None:
    run = steplog.init()
    run.log({"best": 0.1})
    run.summary["best"] = 0.9
    run.log({"best": 0.2})
    assert run.summary["best"] == 0.9
    run.summary.best = 0.95
    run.log({"best": 0.3})
    assert run.summary["best"] == 0.95
    del run.summary["best"]
    assert "best" not in run.summary
    run.log({"best": 0.4})
    assert run.summary["best"] == 0.4
    run.finish()
    assert journals(run)[0].summary == [("best", 0.9), ("best", 0.95), ("best", REMOVED)]
    assert [row.values["best"] for row in journals(run)[0].rows] == [0.1, 0.2, 0.3, 0.4]


def test_nested_views_write_through_and_keep_what_is_beside() -> None:
    run = steplog.init()
    run.summary["q"] = {"x": 1, "y": 2}
    run.summary["q"]["x"] = 5
    assert run.summary["q"].as_dict() == {"x": 5, "y": 2}
    del run.summary["q"]["y"]
    assert run.summary["q"].as_dict() == {"x": 5}
    run.summary.q.z = {"deep": 1}
    assert run.summary["q"]["z"]["deep"] == 1
    run.log({"q": {"x": 9, "new": 8}})
    assert run.summary["q"].as_dict() == {"x": 5, "z": {"deep": 1}, "new": 8}


def test_a_scalar_becomes_a_dict_and_back() -> None:
    run = steplog.init()
    run.summary["v"] = 1
    run.summary["v"] = {"a": 2}
    assert run.summary["v"].as_dict() == {"a": 2}
    run.summary["v"] = 3
    assert run.summary["v"] == 3


def test_update_and_deletes() -> None:
    run = steplog.init()
    run.summary.update({"a": 1, "b.c": 2})
    del run.summary["missing"]
    del run.summary.a
    assert run.summary.as_dict() == {"b.c": 2}
    with pytest.raises(steplog.InvalidDataError, match="takes a dict, not a list"):
        run.summary.update([("a", 1)])  # type: ignore[arg-type]


def test_none_is_no_value_and_non_finite_numbers_are() -> None:
    run = steplog.init()
    run.log({"none": None, "nan": math.nan, "inf": math.inf, "kept": 1})
    run.log({"kept": None})
    assert "none" not in run.summary
    assert math.isnan(run.summary["nan"])
    assert (run.summary["inf"], run.summary["kept"]) == (math.inf, 1)


def test_after_finish_it_can_be_read_but_not_written() -> None:
    run = steplog.init()
    run.log({"loss": 0.5})
    summary = run.summary
    run.finish()
    assert summary["loss"] == 0.5
    with pytest.raises(steplog.UsageError, match="finished"):
        summary["loss"] = 1
    with pytest.raises(steplog.UsageError, match="finished"):
        del summary["loss"]
    assert summary["loss"] == 0.5
