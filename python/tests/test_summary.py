"""The summary: the latest value of every metric, unless one was set by hand."""

from __future__ import annotations

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


def test_a_logged_value_that_was_deleted_comes_back_with_the_next_row() -> None:
    run = steplog.init()
    run.log({"loss": 1, "n": {"a": 1, "b": 2}})
    del run.summary["loss"], run.summary["n"]["a"]
    assert {key: run.summary.get(key) for key in ("loss", "n")} == {"loss": None, "n": {"b": 2}}
    run.log({"loss": 2, "n": {"a": 3}})
    assert (run.summary["loss"], run.summary["n"].as_dict()) == (2, {"a": 3, "b": 2})


def test_a_nested_view_is_read_as_the_summary_is() -> None:
    run = steplog.init()
    run.log({"n": {"a": 1, "deep": {"b": 2}}})
    view = run.summary["n"]
    assert (view["a"], view.a, view.get("a"), view.get("none", 5), view.deep["b"]) == (1, 1, 1, 5, 2)
    assert sorted(view.keys()) == ["a", "deep"]
    with pytest.raises(KeyError):
        view["none"]
    with pytest.raises(KeyError):
        view.none  # noqa: B018


def test_step_and_times_are_among_its_keys() -> None:
    run = steplog.init()
    run.log({"loss": 1})
    assert sorted(run.summary.keys()) == ["_runtime", "_step", "_timestamp", "loss"]


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


def test_logged_dicts_are_merged_and_take_each_others_place_with_scalars() -> None:
    run = steplog.init()
    run.log({"n": {"a": 1, "b": {"c": 2}}, "v": 1})
    run.log({"n": {"a": 3, "b": {"d": 4}}, "v": {"x": 1, "y": {"z": 2}}})
    assert run.summary["n"].as_dict() == {"a": 3, "b": {"c": 2, "d": 4}}
    assert run.summary["v"].as_dict() == {"x": 1, "y": {"z": 2}}
    run.log({"v": "text", "n": {"b": 5}})
    assert (run.summary["v"], run.summary["n"].as_dict()) == ("text", {"a": 3, "b": 5})
    run.log({"v": {"x": 6}}, step=1)
    assert run.summary["v"] == "text", "a late row does not win"


def test_a_dotted_key_is_no_dict() -> None:
    run = steplog.init()
    run.log({"a.b": 1, "a": {"b": 2}})
    run.summary["c.d"] = 3
    assert {key: run.summary.as_dict()[key] for key in ("a.b", "a", "c.d")} == {"a.b": 1, "a": {"b": 2}, "c.d": 3}


def test_an_empty_dict_waits_for_entries() -> None:
    run = steplog.init()
    run.summary["q"] = {}
    assert run.summary["q"].as_dict() == {}
    run.summary["q"]["x"] = 1
    run.log({"q": {"y": 2}})
    assert run.summary["q"].as_dict() == {"x": 1, "y": 2}


def test_update_and_deletes() -> None:
    run = steplog.init()
    run.summary.update({"a": 1, "b.c": 2, "d": {"e": {"f": 3}, "g": 4}})
    run.summary["d"].update({"h": 5, "e": 6})
    run.summary["d"].e = {"i": 7}
    del run.summary["missing"]
    del run.summary.a
    del run.summary.d["g"]
    del run.summary["d"]["e"].missing
    assert run.summary.as_dict() == {"b.c": 2, "d": {"e": {"i": 7}, "h": 5}}
    del run.summary["d"]
    assert (run.summary.as_dict(), "d" in run.summary, len(run.summary)) == ({"b.c": 2}, False, 1)
    with pytest.raises(steplog.InvalidDataError, match="takes a dict, not a list"):
        run.summary.update([("a", 1)])  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        run.summary.update(a=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        run.summary.update()  # type: ignore[call-arg]
    assert run.summary.as_dict() == {"b.c": 2}


def test_a_refused_update_stores_nothing() -> None:
    run = steplog.init()
    for values in ({"a": 1, "bad": object()}, {"a": {"bad": [object()]}}, {"a": 1, 5: 2}, {"a": 1, None: 2}):
        with pytest.raises(TypeError) as caught:
            run.summary.update(values)
        assert isinstance(caught.value, steplog.InvalidDataError)
    with pytest.raises(TypeError, match="the summary key 5 is a int, not a str"):
        run.summary[5] = 1  # type: ignore[index]
    run.summary["d"] = {"x": 1}
    with pytest.raises(TypeError, match="not a str"):
        run.summary["d"][b"y"] = 1
    assert (run.summary.as_dict(), journals(run)[0].summary) == ({"d": {"x": 1}}, [("d", {"x": 1})])


def test_an_update_is_one_change_and_a_view_can_be_a_value() -> None:
    run = steplog.init()
    run.summary.update({"a": {"x": 1}, "b": 2})
    run.summary["c"] = run.summary["a"]
    run.summary["d"] = {"in": run.summary["a"]}
    run.summary["a"].x = 5
    assert run.summary.as_dict() == {"a": {"x": 5}, "b": 2, "c": {"x": 1}, "d": {"in": {"x": 1}}}


def test_what_it_offers_beyond_the_run_api() -> None:
    run = steplog.init()
    run.summary.update({"b": {"c": 1}, "a": 2, "_wandb": 3})
    assert ("a" in run.summary, "z" in run.summary, list(run.summary)) == (True, False, ["a", "b"])
    assert (list(run.summary.keys()), list(run.summary.values())) == (["a", "b"], [2, {"c": 1}])
    assert list(run.summary.items()) == [("a", 2), ("b", {"c": 1})]
    assert repr(run.summary["b"]) == "{'c': 1}"


@pytest.mark.parametrize("how", ["setting", "environment"])
def test_a_setting_lets_logged_values_replace_those_set_by_hand(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if how == "environment":
        monkeypatch.setenv("STEPLOG_STICKY_SUMMARY", "false")
    run = steplog.init(settings={"sticky_summary": False} if how == "setting" else None)
    run.summary.update({"best": 0.9, "n": {"a": 1, "b": 2}, "kept": 5})
    run.log({"best": 0.1, "n": {"a": 3}}, commit=False)
    assert (run.summary["best"], run.summary["n"].as_dict()) == (0.9, {"a": 1, "b": 2}), "the row is open"
    run.log({})
    shown = {key: run.summary.as_dict()[key] for key in ("best", "n", "kept")}
    assert shown == {"best": 0.1, "n": {"a": 3, "b": 2}, "kept": 5}
    run.summary["best"] = 0.7
    assert run.summary["best"] == 0.7
    run.log({"n": 6})
    assert (run.summary["n"], run.summary["best"]) == (6, 0.7)


def test_values_set_by_hand_stay_when_the_environment_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPLOG_STICKY_SUMMARY", "true")
    run = steplog.init()
    run.summary["best"] = 0.9
    run.log({"best": 0.1})
    assert run.summary["best"] == 0.9


def test_after_finish_it_can_be_read_but_not_written() -> None:
    run = steplog.init()
    run.log({"loss": 0.5, "n": {"a": 1}})
    summary = run.summary
    run.finish()
    assert (summary["loss"], summary.loss, summary["n"]["a"], "loss" in summary) == (0.5, 0.5, 1, True)
    with pytest.raises(steplog.UsageError, match="finished"):
        summary["loss"] = 1
    with pytest.raises(steplog.UsageError, match="finished"):
        summary.update({"new": 1})
    with pytest.raises(steplog.UsageError, match="finished"):
        summary["n"].a = 2
    with pytest.raises(steplog.UsageError, match="finished"):
        del summary["loss"]
    assert summary["loss"] == 0.5
