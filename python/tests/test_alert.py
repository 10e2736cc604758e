"""``alert`` and ``mark_preempting``: what a run tells people."""

from __future__ import annotations

import datetime
import time
from typing import Any

import pytest

import steplog
from conftest import journals
from steplog import AlertLevel


def alerts(run: steplog.Run) -> list[dict[str, Any]]:
    found = journals(run)[0].alerts
    assert all(abs(alert.pop("time") - time.time()) < 60 for alert in found)
    return found


@pytest.mark.parametrize(
    ("arguments", "level", "wait_millis"),
    [
        ({}, "INFO", 60_000),
        *(({"level": level}, level, 60_000) for level in ("INFO", "WARN", "ERROR")),
        *(({"level": level}, level.value, 60_000) for level in AlertLevel),
        ({"level": ""}, "INFO", 60_000),
        ({"level": None, "wait_duration": None}, "INFO", 60_000),
        ({"wait_duration": 0}, "INFO", 60_000),
        ({"wait_duration": 1.5}, "INFO", 1500),
        ({"wait_duration": 3}, "INFO", 3000),
        ({"wait_duration": datetime.timedelta(minutes=5)}, "INFO", 300_000),
    ],
)
def test_an_alert_is_recorded(arguments: dict[str, Any], level: str, wait_millis: int) -> None:
    run = steplog.init()
    assert run.alert("title", "a *text*\n", **arguments) is None
    expected = {"title": "title", "text": "a *text*\n", "level": level, "wait_millis": wait_millis}
    assert alerts(run) == [expected]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"level": "warn"}, 'level "warn" is none of INFO, WARN, ERROR'),
        ({"level": 3}, "level is a int, not one of INFO, WARN, ERROR"),
        ({"title": 3}, "title is a int, not a str"),
        ({"text": None}, "text is a NoneType, not a str"),
        ({"title": "x" * 64}, "shorter than 64 characters; it has 64"),
        ({"wait_duration": "1"}, "wait_duration is a str, not a number of seconds or a timedelta"),
        ({"wait_duration": True}, "wait_duration is a bool"),
        ({"wait_duration": -1}, "wait_duration -1 is negative"),
    ],
)
def test_what_is_wrong_is_a_value_error_and_leaves_nothing(arguments: dict[str, Any], message: str) -> None:
    run = steplog.init()
    with pytest.raises(ValueError, match=message) as caught:
        run.alert(**{"title": "title", "text": "text", **arguments})
    assert isinstance(caught.value, (steplog.Error, TypeError))
    assert alerts(run) == []


def test_a_title_of_63_characters_is_fine() -> None:
    run = steplog.init()
    run.alert("ü" * 63, "")
    assert alerts(run)[0]["title"] == "ü" * 63


def test_the_module_speaks_for_the_open_run() -> None:
    with pytest.raises(steplog.Error, match=r"You must call steplog.init\(\) before steplog.alert\(\)"):
        steplog.alert("a", "b")
    run = steplog.init()
    steplog.alert("a", "b")
    steplog.finish()
    assert [alert["title"] for alert in alerts(run)] == ["a"]
    with pytest.raises(steplog.Error, match=r"You must call steplog.init\(\) before steplog.mark_preempting\(\)"):
        steplog.mark_preempting()


def test_after_finish_it_is_refused() -> None:
    run = steplog.init()
    run.finish()
    with pytest.raises(steplog.UsageError, match="alert: the run is finished"):
        run.alert("a", "b")
    with pytest.raises(steplog.UsageError, match="mark_preempting: the run is finished"):
        run.mark_preempting()


def test_preemption_is_recorded() -> None:
    run = steplog.init()
    steplog.mark_preempting()
    [at] = journals(run)[0].preempting
    assert abs(at - time.time()) < 60


def test_a_disabled_run_takes_everything() -> None:
    run = steplog.init(mode="disabled")
    run.alert("a", "b")
    run.mark_preempting()
    run.define_metric("loss", summary="min")
    run.log({"loss": 1})
    run.finish()
    run.alert("a", "b")
