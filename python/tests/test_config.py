"""The config: a dict that only grows; where it comes from is in test_config_sources.py."""

from __future__ import annotations

import copy
import datetime
import decimal
import enum
import pathlib
import pickle
import sys
import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import steplog
from conftest import history, journals


def test_keys_are_read_as_items_and_as_attributes() -> None:
    config = steplog.init(config={"lr": 0.1, "model": {"depth": 3}, "_hidden": 1}).config
    assert (config["lr"], config.lr, config.get("lr"), config.get("none", 5)) == (0.1, 0.1, 0.1, 5)
    assert config["model"] == {"depth": 3}
    assert "lr" in config and "none" not in config
    assert (list(config.keys()), dict(config.items())) == (["lr", "model"], {"lr": 0.1, "model": {"depth": 3}})
    assert dict(config) == {"lr": 0.1, "model": {"depth": 3}}
    assert config.as_dict() == {"lr": 0.1, "model": {"depth": 3}, "_hidden": 1}
    assert (config["_hidden"], config._hidden, "_hidden" in config, config.get("_hidden")) == (1, 1, True, 1)
    assert (list(config), list(config.values())) == (["lr", "model"], [0.1, {"depth": 3}])
    assert repr(config) == "{'lr': 0.1, 'model': {'depth': 3}, '_hidden': 1}"
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


def test_a_change_may_be_allowed_for_the_whole_run() -> None:
    run = steplog.init(config={"lr": 0.1}, allow_val_change=True)
    run.config.lr = 0.2
    run.config.update({"lr": 0.3})
    with pytest.raises(steplog.ConfigError):
        run.config.update({"lr": 0.4}, allow_val_change=False)
    assert journals(run)[0].config == [("lr", 0.1), ("lr", 0.2), ("lr", 0.3)]


def test_in_a_notebook_changes_are_free(monkeypatch: pytest.MonkeyPatch) -> None:
    run = steplog.init(config={"lr": 0.1})
    notebook = types.ModuleType("IPython")
    shell = types.SimpleNamespace(has_trait=lambda name: name == "kernel")
    notebook.get_ipython = lambda: shell  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", notebook)
    run.config.lr = 0.2
    with pytest.raises(steplog.ConfigError):
        run.config.update({"lr": 0.3}, allow_val_change=False)
    notebook.get_ipython = lambda: None  # type: ignore[attr-defined]
    with pytest.raises(steplog.ConfigError):
        run.config.lr = 0.4
    assert journals(run)[0].config == [("lr", 0.1), ("lr", 0.2)]


def test_edits_in_place_are_seen_and_not_recorded() -> None:
    run = steplog.init(config={"model": {"depth": 3}, "sizes": [1]})
    run.config["model"]["depth"] = 4
    run.config.sizes.append(2)
    run.config["new"] = {"a": 1}
    run.config.new["a"] = 2
    edited = {"model": {"depth": 4}, "sizes": [1, 2], "new": {"a": 2}}
    assert (run.config.as_dict(), run.config is steplog.config) == (edited, True)
    run.config.update({"model": {"width": 5}}, allow_val_change=True)
    assert run.config.as_dict() == {**edited, "model": {"width": 5}}
    recorded = [("model", {"depth": 3}), ("sizes", [1]), ("new", {"a": 1}), ("model", {"width": 5})]
    assert journals(run)[0].config == recorded


def test_what_the_script_gave_is_copied() -> None:
    given = {"model": {"depth": 3}}
    run = steplog.init(config=given)
    given["model"]["depth"] = 4
    run.config["model"]["depth"] = 5
    assert (given, run.config_static["model"]) == ({"model": {"depth": 4}}, {"depth": 3})


def test_keys_cannot_be_removed_and_not_be_counted() -> None:
    config = steplog.init(config={"lr": 0.1, "pop": 1}).config
    with pytest.raises(steplog.InvalidDataError, match="'lr' cannot be deleted"):
        del config["lr"]
    with pytest.raises(TypeError, match="'lr' cannot be deleted"):
        del config.lr
    with pytest.raises(AttributeError, match=r"no popitem\(\): its keys cannot be removed"):
        config.popitem  # noqa: B018
    with pytest.raises(TypeError, match=r"use len\(config.keys\(\)\)"):
        len(config)
    assert (config.pop, bool(config), config.as_dict()) == (1, True, {"lr": 0.1, "pop": 1})


def test_a_key_is_a_str() -> None:
    run = steplog.init(config={"lr": 0.1})
    for keys in ({5: 1}, {"a": 1, None: 2}):
        with pytest.raises(steplog.InvalidDataError, match=r"is a (int|NoneType), not a str"):
            run.config.update(keys)
    with pytest.raises(TypeError, match="not a str"):
        run.config[b"a"] = 1  # type: ignore[index]
    assert journals(run)[0].config == [("lr", 0.1)]


def test_copies_and_what_another_process_gets_are_dicts() -> None:
    config = steplog.init(config={"lr": 0.1, "model": {"depth": 3}}).config
    for other in (copy.copy(config), copy.deepcopy(config), pickle.loads(pickle.dumps(config)), dict(config)):
        assert (type(other), other) == (dict, {"lr": 0.1, "model": {"depth": 3}})
    copy.deepcopy(config)["model"]["depth"] = 4
    assert config["model"] == {"depth": 3}


def test_a_config_is_a_mapping_to_whoever_asks() -> None:
    first = steplog.init(config={"lr": 0.1, "_hidden": 1})
    first.log({"setup": first.config})
    assert (isinstance(first.config, Mapping), history(first)) == (True, {0: {"setup.lr": 0.1}})
    first.finish()
    assert steplog.init(config={"before": first.config}).config.as_dict() == {"before": {"lr": 0.1}}


def test_config_static_is_a_copy_for_reading() -> None:
    run = steplog.init(config={"lr": 0.1, "model": {"depth": 3}})
    static = run.config_static
    assert (static.lr, static["model"], {**static}) == (0.1, {"depth": 3}, {"lr": 0.1, "model": {"depth": 3}})
    for change in (lambda: setattr(static, "lr", 1), lambda: static.__setitem__("lr", 1)):
        with pytest.raises(AttributeError, match="read-only copy"):
            change()
    with pytest.raises(AttributeError, match="'none'"):
        static.none  # noqa: B018
    assert (list(static), len(static), repr(static)) == (["lr", "model"], 2, "{'lr': 0.1, 'model': {'depth': 3}}")
    run.config["new"] = 1
    assert "new" not in static and "new" in run.config_static


class Layer:
    def __str__(self) -> str:
        return "Layer(5)"


class Colour(enum.Enum):
    RED = "r"


class Level(enum.IntEnum):
    LOW = 1


@dataclass
class Size:
    width: int
    ratio: float


def function() -> None:
    pass


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
        ({2}, [2]),
        (b"bytes", "bytes"),
        (datetime.datetime(2024, 1, 1), "2024-01-01T00:00:00"),
        (datetime.date(2024, 1, 1), "2024-01-01"),
        (decimal.Decimal("1.50"), "1.50"),
        (pathlib.Path("a/b"), "a/b"),
        (slice(1, None, 2), {"slice_start": 1, "slice_step": 2, "slice_stop": None}),
        ([slice(3)], [{"slice_start": None, "slice_step": None, "slice_stop": 3}]),
        (function, f"{__name__}.function"),
        (Layer, f"{__name__}.Layer"),
        (Colour.RED, "RED"),
        (Level.LOW, "LOW"),
        (Size(3, float("nan")), {"width": 3, "ratio": None}),
        ([float("nan"), {"x": float("nan")}], [None, {"x": None}]),
        (float("inf"), float("inf")),
        (range(3), "range(0, 3)"),
        (ValueError("x"), "x"),
        ([Layer()], ["Layer(5)"]),
        ({}, {}),
        ({"empty": {}}, {"empty": {}}),
    ],
    ids=lambda value: type(value).__name__,
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
