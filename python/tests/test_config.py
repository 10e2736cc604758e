"""The config: a dict that only grows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import steplog
from conftest import journals


def test_keys_are_read_as_items_and_as_attributes() -> None:
    config = steplog.init(config={"lr": 0.1, "model": {"depth": 3}, "_hidden": 1}).config
    assert (config["lr"], config.lr, config.get("lr"), config.get("none", 5)) == (0.1, 0.1, 0.1, 5)
    assert config["model"] == {"depth": 3}
    assert "lr" in config and "none" not in config
    assert (list(config.keys()), dict(config.items())) == (["lr", "model"], {"lr": 0.1, "model": {"depth": 3}})
    assert dict(config) == {"lr": 0.1, "model": {"depth": 3}}
    assert config.as_dict() == {"lr": 0.1, "model": {"depth": 3}, "_hidden": 1}
    with pytest.raises(KeyError):
        config["none"]
    with pytest.raises(AttributeError, match="none"):
        config.none  # noqa: B018


def test_a_new_key_or_an_equal_value_is_fine_and_every_change_is_recorded_once() -> None:
    run = steplog.init(config={"lr": 0.1})
    run.config["epochs"] = 3
    run.config.seed = 7
    run.config.update({"lr": 0.1, "epochs": 3.0, "model": {"depth": 3}})
    run.config.setdefaults({"lr": 99, "batch": 32})
    assert journals(run)[0].config == [("lr", 0.1), ("epochs", 3), ("seed", 7), ("model", {"depth": 3}), ("batch", 32)]
    assert run.config.as_dict() == {"lr": 0.1, "epochs": 3, "seed": 7, "model": {"depth": 3}, "batch": 32}


def test_another_value_is_refused_with_key_and_both_values_and_nothing_is_changed() -> None:
    run = steplog.init(config={"lr": 0.1})
    with pytest.raises(steplog.ConfigError) as caught:
        run.config.update({"new": 1, "lr": 0.2})
    for part in ('"lr"', "0.1", "0.2", "allow_val_change"):
        assert part in str(caught.value)
    with pytest.raises(steplog.ConfigError):
        run.config.lr = 0.3
    assert run.config.as_dict() == {"lr": 0.1}
    run.config.update({"lr": 0.2}, allow_val_change=True)
    assert journals(run)[0].config == [("lr", 0.1), ("lr", 0.2)]


def test_update_replaces_nested_dicts_whole() -> None:
    run = steplog.init(config={"model": {"depth": 3, "width": 5}})
    run.config.update({"model": {"depth": 4}}, allow_val_change=True)
    assert run.config["model"] == {"depth": 4}


class Layer:
    def __str__(self) -> str:
        return "Layer(5)"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ((1, 2), [1, 2]),
        (np.float64(0.5), 0.5),
        (float("nan"), None),
        (None, None),
        (2**70, 2**70),
        (Layer(), "Layer(5)"),
        ({1: {"x": (1,)}}, {"1": {"x": [1]}}),
    ],
    ids=repr,
)
def test_values_are_made_plain(value: Any, expected: Any) -> None:
    run = steplog.init(config={"key": value})
    assert run.config.as_dict() == {"key": expected}
    assert journals(run)[0].config == [("key", expected)]


def test_outer_dashes_of_keys_are_stripped() -> None:
    assert steplog.init(config={"--lr": 1, "a-b": 2}).config.as_dict() == {"lr": 1, "a-b": 2}


def test_a_cyclic_value_is_refused_by_name() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    run = steplog.init(config={"lr": 1})
    with pytest.raises(steplog.InvalidDataError, match='"model" nests more than 64'):
        run.config["model"] = cycle
    assert run.config.as_dict() == {"lr": 1}


def test_the_config_cannot_be_rebound() -> None:
    run = steplog.init()
    with pytest.raises(AttributeError):
        run.config = {}  # type: ignore[misc, assignment]


def test_after_finish_it_can_be_read_but_not_written() -> None:
    run = steplog.init(config={"lr": 0.1})
    config = run.config
    run.finish()
    assert config["lr"] == 0.1
    with pytest.raises(steplog.UsageError, match="finished"):
        config["new"] = 1
    assert config.as_dict() == {"lr": 0.1}
