"""`steplog.Histogram`: what it counts, what it refuses, and what a row keeps of it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

import steplog
from conftest import rows


def test_numbers_are_counted_as_numpy_counts_them() -> None:
    numbers = [1.0, 2.0, 1.0, 0.5, 4.0, 3.999]
    for given in (numbers, tuple(numbers), iter(numbers), np.array(numbers), np.array([numbers, numbers])[0:1]):
        histogram = steplog.Histogram(given, num_bins=4)
        assert (histogram.histogram, histogram.bins) == ([3, 1, 0, 2], [0.5, 1.375, 2.25, 3.125, 4.0])
    assert len(steplog.Histogram(range(10)).histogram) == 64
    assert steplog.Histogram(pd.Series(numbers), num_bins=4) == steplog.Histogram(numbers, num_bins=4)
    assert steplog.Histogram(np.float32(numbers)).histogram == steplog.Histogram(numbers).histogram
    assert len(steplog.Histogram([1, 2], num_bins=512).histogram) == 512


def test_what_was_counted_is_taken_as_it_is() -> None:
    counts, edges = np.histogram([1, 2, 2, 5], bins=3)
    histogram = steplog.Histogram(np_histogram=(counts, edges))
    assert (histogram.histogram, histogram.bins) == ([3, 0, 1], edges.tolist())
    fractions = steplog.Histogram(np_histogram=([0.5, 1], [0, 1, 2]))
    assert (fractions.histogram, fractions.bins) == ([0.5, 1.0], [0.0, 1.0, 2.0])
    assert repr(histogram) == "<steplog.Histogram of 4 in 3 bins>"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "either a sequence or np_histogram"),
        ({"sequence": [1], "np_histogram": ([1], [0, 1])}, "either a sequence or np_histogram"),
        ({"sequence": []}, "at least one and all finite"),
        ({"sequence": np.array([])}, "at least one and all finite"),
        ({"sequence": [1, float("nan")]}, "at least one and all finite"),
        ({"sequence": np.array([1, np.inf])}, "at least one and all finite"),
        ({"sequence": ["a"]}, "at least one and all finite"),
        ({"sequence": "12"}, "takes numbers, not a str"),
        ({"sequence": 12}, "takes numbers, not a int"),
        ({"sequence": [1], "num_bins": 513}, "num_bins is 513, not 1 to 512"),
        ({"sequence": [1], "num_bins": 0}, "num_bins is 0, not 1 to 512"),
        ({"sequence": [1], "num_bins": 1.5}, "num_bins is a float, not an int"),
        ({"np_histogram": ([1, 2], [0, 1])}, "2 counts and 2 edges"),
        ({"np_histogram": ([1] * 513, range(514))}, "513 bins, not 1 to 512"),
        ({"np_histogram": ([1], [1, 0])}, "not ascending"),
        ({"np_histogram": ([float("nan")], [0, 1])}, "not finite"),
        ({"np_histogram": ([1], [0, float("inf")])}, "not finite"),
        ({"np_histogram": [1, 2, 3]}, "no pair of counts and edges"),
        ({"np_histogram": 1}, "no pair of counts and edges"),
        ({"np_histogram": (["a"], [0, 1])}, "no pair of counts and edges"),
    ],
)
def test_what_is_no_histogram_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(steplog.InvalidDataError, match=message) as refusal:
        steplog.Histogram(**arguments)
    assert isinstance(refusal.value, ValueError)


def test_a_row_and_the_summary_keep_it_in_the_form_of_arrays() -> None:
    kept = {"_type": "histogram", "values": [1, 0, 2], "bins": [0.0, 1.0, 2.0, 3.0]}
    histogram = steplog.Histogram(np_histogram=(kept["values"], kept["bins"]))
    run = steplog.init(project="p")
    run.log({"a": histogram, "b": {"c": histogram}, "d": [histogram]})
    run.log({"array": np.arange(40)})
    run.summary["best"] = histogram
    first, second = rows(run)
    assert first.values == {"a": kept, "b.c": kept, "d": [kept]}
    assert set(second.values["array"]) == set(kept)  # type: ignore[call-overload]
    assert run.summary["best"].as_dict() == kept
    assert run.history[0]["a"] == kept
    with pytest.raises(steplog.InvalidDataError, match=r"the config key .* is a Histogram"):
        run.config["a"] = histogram
    assert json.loads(json.dumps(run.history[0]["a"])) == kept
