"""Arrays and tensors: a scalar, a list of up to 32 numbers, or, of more, how they spread."""

from __future__ import annotations

import math
import sys
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import steplog
from conftest import history, journals, rows


def logged(value: object) -> Any:
    run = steplog.init()
    run.log({"key": value})
    [row] = rows(run)
    assert list(row.values) == ["key"]
    return row.values["key"]


SMALL: list[tuple[str, Any, Any]] = [
    ("float64", np.float64(0.1), 0.1),
    ("float32", np.float32(0.5), 0.5),
    ("float16", np.float16(0.5), 0.5),
    ("bfloat16", ml_dtypes.bfloat16(0.5), 0.5),
    ("longdouble", np.longdouble(0.5), 0.5),
    ("int64", np.int64(-7), -7),
    ("uint64", np.uint64(2**64 - 1), 2**64 - 1),
    ("int8", np.int8(3), 3),
    ("bool", np.bool_(True), True),
    ("str", np.str_("text"), "text"),
    ("bytes", np.bytes_(b"text"), "text"),
    ("complex64", np.complex64(1 + 2j), "1+2j"),
    ("datetime64", np.datetime64("2024-01-01T00:00:00"), "2024-01-01T00:00:00"),
    ("timedelta64", np.timedelta64(5, "s"), "PT5S"),
    ("array of no dimension", np.array(2.5), 2.5),
    ("array of one", np.array([[3]]), 3),
    ("array of some", np.array([1, 2, 3]), [1, 2, 3]),
    ("array of two dimensions", np.arange(4.0).reshape(2, 2), [[0.0, 1.0], [2.0, 3.0]]),
    ("array of 32", np.arange(32), list(range(32))),
    ("array of bools", np.array([True, False]), [True, False]),
    ("array of texts", np.array(["a", "b"]), ["a", "b"]),
    ("array of nothing", np.array([]), []),
    ("array of no rows", np.zeros((3, 0)), []),
    ("array of bfloat16", np.ones(2, ml_dtypes.bfloat16), [1.0, 1.0]),
    ("arrays in a list", [np.array([1, 2]), np.float32(0.5)], [[1, 2], 0.5]),
]


@pytest.mark.parametrize(("value", "expected"), [case[1:] for case in SMALL], ids=[case[0] for case in SMALL])
def test_scalars_and_small_arrays_are_plain(value: object, expected: object) -> None:
    run = steplog.init(config={"key": value})
    run.log({"key": value, "n": {"key": value}})
    run.summary["hand"] = value
    [row] = rows(run)
    assert (type(row.values["key"]), row.values) == (type(expected), {"key": expected, "n.key": expected})
    assert journals(run)[0].summary == [("hand", expected)]
    assert journals(run)[0].config == [("key", expected)]


def histogram_of(array: Any) -> dict[str, Any]:
    counts, edges = np.histogram(array, bins=32)
    return {"_type": "histogram", "values": counts.tolist(), "bins": edges.tolist()}


RANDOM = np.random.default_rng(5)

LARGE: list[tuple[str, Any]] = [
    ("float64", RANDOM.normal(size=1000)),
    ("float32", RANDOM.normal(size=(40, 50)).astype("float32")),
    ("float16", RANDOM.normal(size=33).astype("float16")),
    ("int32", RANDOM.integers(-100, 100, 500, dtype="int32")),
    ("uint8", RANDOM.integers(0, 255, 500, dtype="uint8")),
    ("all equal", np.full(33, 7.0)),
    ("not contiguous", np.arange(200.0).reshape(20, 10)[::2, ::3]),
    ("with infinities in a wide range", np.linspace(-1e308, 7e307, 100)),
]


@pytest.mark.parametrize("array", [case[1] for case in LARGE], ids=[case[0] for case in LARGE])
def test_a_large_array_in_a_row_is_the_histogram_of_numpy(array: Any) -> None:
    assert logged(array) == histogram_of(array)


def test_a_histogram_is_one_leaf_of_a_row_and_of_the_summary() -> None:
    run = steplog.init()
    weights = np.arange(100.0)
    run.log({"layer": {"weights": weights, "list": [weights]}})
    expected = histogram_of(weights)
    assert history(run) == {0: {"layer.weights": expected, "layer.list": [expected]}}
    assert run.summary["layer"]["weights"].as_dict() == expected


def test_bools_masked_and_machine_learning_types_spread_too() -> None:
    bools = np.arange(40) > 9
    assert logged(bools) == histogram_of(bools.astype("uint8"))
    steplog.finish()
    small = np.arange(64).astype(ml_dtypes.bfloat16)
    assert logged(small) == histogram_of(np.arange(64, dtype="float32"))
    steplog.finish()
    masked = np.ma.masked_array(np.arange(99.0), mask=np.arange(99) > 40)
    assert logged(masked) == histogram_of(np.arange(41.0))


def test_what_is_not_finite_is_left_out_of_a_histogram() -> None:
    array = np.arange(50.0)
    array[[3, 20, 40]] = math.nan, math.inf, -math.inf
    assert logged(array) == histogram_of(array[np.isfinite(array)])


def test_numbers_too_close_for_numpy_have_a_histogram_all_the_same() -> None:
    constant = np.full(40, 1e30)
    with pytest.raises(ValueError, match="Too many bins"):
        np.histogram(constant, bins=32)
    histogram = logged(constant)
    assert (histogram["_type"], sum(histogram["values"]), len(histogram["bins"])) == ("histogram", 40, 33)
    assert histogram["bins"][0] < 1e30 < histogram["bins"][-1]


BAD: list[tuple[str, Any, str]] = [
    ("all NaN", np.full(33, math.nan), "an array without one finite number"),
    ("text", np.array(["x"] * 33), "an array of <U1, of which there is no histogram"),
    ("objects", np.array([object()] * 33), "an array of object, of which there is no histogram"),
    ("complex", np.zeros(33, complex), "an array of complex128, of which there is no histogram"),
    ("times", np.zeros(33, "M8[s]"), "an array of datetime64[s], of which there is no histogram"),
    ("few objects", np.array([object()] * 2), "is a object, which cannot be logged"),
]


@pytest.mark.parametrize(("array", "message"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_an_array_without_a_histogram_is_refused_alone(array: Any, message: str) -> None:
    run = steplog.init()
    with pytest.raises(ValueError) as caught:
        run.log({"beside": 1, "bad": array})
    assert isinstance(caught.value, steplog.InvalidDataError)
    assert message in str(caught.value)
    run.log({"a": 1})
    assert history(run) == {0: {"a": 1}}


def test_a_large_array_set_by_hand_is_its_statistics() -> None:
    run = steplog.init()
    array = RANDOM.normal(size=(30, 5))
    run.summary["a"] = array
    run.summary["n"] = {"ints": np.arange(100)}
    expected = {
        "_type": "numpy.ndarray",
        "var": np.var(array).item(),
        "mean": np.mean(array).item(),
        "min": np.min(array).item(),
        "max": np.max(array).item(),
        "10%": np.percentile(array, 10).item(),
        "25%": np.percentile(array, 25).item(),
        "75%": np.percentile(array, 75).item(),
        "90%": np.percentile(array, 90).item(),
        "size": 150,
    }
    changes = dict(journals(run)[0].summary)
    assert list(changes["a"].items()) == list(expected.items())
    assert run.summary["a"].as_dict() == expected
    assert changes["n"]["ints"] == {
        "_type": "numpy.ndarray",
        **{"var": 833.25, "mean": 49.5, "min": 0, "max": 99},
        **{"10%": 9.9, "25%": 24.75, "75%": 74.25, "90%": 89.10000000000001, "size": 100},
    }


def test_a_large_array_in_the_config_is_its_text() -> None:
    array = np.arange(2000.0)
    run = steplog.init(config={"a": array, "n": {"b": array[:33]}})
    assert run.config.as_dict() == {"a": str(array), "n": {"b": str(array[:33])}}


class Device:
    """What the fakes below share: an array somewhere else, of which only a copy can be read."""

    def __init__(self, array: Any) -> None:
        self.array = np.asarray(array)
        self.shape = self.array.shape

    def __str__(self) -> str:
        return "on a device"


class TorchTensor(Device):
    """The part of a PyTorch tensor that steplog uses; it can be read only when detached and on the CPU."""

    def __init__(self, array: Any, dtype: str = "torch.float32", done: tuple[str, ...] = ()) -> None:
        super().__init__(array)
        self.dtype, self.done = dtype, done

    def _after(self, step: str, dtype: str | None = None) -> TorchTensor:
        return TorchTensor(self.array, dtype or self.dtype, (*self.done, step))

    def detach(self) -> TorchTensor:
        return self._after("detach")

    def cpu(self) -> TorchTensor:
        return self._after("cpu")

    def float(self) -> TorchTensor:
        return self._after("float", "torch.float32")

    def size(self) -> tuple[int, ...]:
        return self.shape

    def numel(self) -> int:
        return self.array.size

    def numpy(self) -> Any:
        assert self.done[:2] == ("detach", "cpu") and "bfloat16" not in self.dtype
        return self.array

    def item(self) -> Any:
        return self.numpy().item()

    def tolist(self) -> Any:
        return self.numpy().tolist()


class TensorflowTensor(Device):
    """The part of a TensorFlow tensor that steplog uses."""

    def numpy(self) -> Any:
        return self.array if self.array.ndim else self.array[()]


class JaxArray(Device):
    """The part of a JAX array that steplog uses."""

    def __init__(self, array: Any) -> None:
        super().__init__(array)
        self.size = self.array.size

    def item(self) -> Any:
        return self.array.item()

    def tolist(self) -> Any:
        return self.array.tolist()

    def __array__(self) -> Any:
        return self.array


TorchTensor.__module__, TorchTensor.__qualname__ = "torch", "Tensor"
TensorflowTensor.__module__, TensorflowTensor.__qualname__ = "tensorflow.python.framework.ops", "EagerTensor"
JaxArray.__module__, JaxArray.__qualname__ = "jaxlib._jax", "ArrayImpl"


class Parameter(TorchTensor):
    """A class of the script's own, derived from that of the library."""


@pytest.mark.parametrize("tensor", [TorchTensor, Parameter, TensorflowTensor, JaxArray])
def test_tensors_are_recognised_by_the_name_of_their_type(tensor: type[Device]) -> None:
    run = steplog.init(config={"small": tensor([1.5, 2.5]), "large": tensor(np.zeros(33))})
    large = RANDOM.normal(size=(20, 20))
    run.log({"one": tensor(0.25), "some": tensor([[1, 2], [3, 4]]), "none": tensor([]), "large": tensor(large)})
    run.summary["hand"] = tensor(large)
    expected = {"one": 0.25, "some": [[1, 2], [3, 4]], "none": [], "large": histogram_of(large)}
    assert history(run) == {0: expected}
    assert run.summary["hand"]["mean"] == np.mean(large)
    assert run.config.as_dict() == {"small": [1.5, 2.5], "large": "on a device"}
    assert {"torch", "tensorflow", "jax"} & set(sys.modules) == set()


def test_a_tensor_of_a_type_that_numpy_lacks_is_widened() -> None:
    assert logged(TorchTensor(np.arange(40.0), "torch.bfloat16")) == histogram_of(np.arange(40.0))
