"""What can be logged, and as what it comes back."""

from __future__ import annotations

import math
import struct
import sys
from collections import ChainMap, OrderedDict, UserDict, defaultdict
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

import steplog
from conftest import history, rows


def logged(value: object) -> object:
    run = steplog.init()
    run.log({"key": value})
    [row] = rows(run)
    assert list(row.values) == ["key"]
    return row.values["key"]


@pytest.mark.parametrize(
    "value",
    [
        0,
        1,
        -1,
        2**63 - 1,
        -(2**63),
        2**63,
        2**64,
        -(2**63) - 1,
        10**100,
        0.1,
        -0.0,
        5e-324,
        sys.float_info.max,
        math.inf,
        -math.inf,
        True,
        False,
        None,
        "",
        "text",
        "nul\0inside",
        "👩‍🔬",
        [],
        [1, [2.5, None, "x"], True],
    ],
    ids=repr,
)
def test_plain_values_come_back_as_they_were(value: object) -> None:
    read = logged(value)
    assert (type(read), read) == (type(value), value)
    assert repr(read) == repr(value)


@pytest.mark.parametrize(
    "bits", [0x7FF8000000000000, 0xFFF8000000000000, 0x7FF8DEADBEEF0001, 0x0000000000000001, 1 << 63]
)
def test_floats_keep_their_bits(bits: int) -> None:
    (value,) = struct.unpack("<d", struct.pack("<Q", bits))
    assert struct.unpack("<Q", struct.pack("<d", logged(value))) == (bits,)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float64(0.1), 0.1),
        (np.float32(0.5), 0.5),
        (np.float16(0.5), 0.5),
        (np.int64(-7), -7),
        (np.uint64(2**64 - 1), 2**64 - 1),
        (np.int8(3), 3),
        (np.bool_(True), True),
        (np.str_("text"), "text"),
        (np.array(2.5), 2.5),
        (np.array(7), 7),
        (np.array([3.5]), 3.5),
        (np.array([1, 2, 3]), [1, 2, 3]),
        (np.arange(4.0).reshape(2, 2), [[0.0, 1.0], [2.0, 3.0]]),
        (np.array([]), []),
        ((1, 2), [1, 2]),
    ],
    ids=lambda value: f"{type(value).__name__}-{value}",
)
def test_numpy_scalars_and_small_arrays(value: object, expected: object) -> None:
    read = logged(value)
    assert (type(read), read) == (type(expected), expected)


def test_a_large_array_is_refused_with_its_size() -> None:
    run = steplog.init()
    with pytest.raises(steplog.InvalidDataError, match='"weights" is an array of 33 numbers'):
        run.log({"weights": np.zeros(33)})


class Tensor:
    """Looks like a PyTorch tensor from outside."""

    shape = ()

    def __init__(self, number: float) -> None:
        self.number = number

    def size(self) -> tuple[int, ...]:
        return ()

    def numel(self) -> int:
        return 1

    def item(self) -> float:
        return self.number

    def tolist(self) -> float:
        return self.number


Tensor.__module__ = "torch"


def test_tensors_are_recognised_by_the_name_of_their_type() -> None:
    assert logged(Tensor(0.25)) == 0.25
    assert "torch" not in sys.modules


@pytest.mark.parametrize(
    "mapping",
    [
        OrderedDict(a=1, b=2),
        defaultdict(int, a=1, b=2),
        UserDict(a=1, b=2),
        MappingProxyType({"a": 1, "b": 2}),
        ChainMap({"a": 1}, {"b": 2}),
    ],
    ids=lambda mapping: type(mapping).__name__,
)
def test_any_mapping_is_a_row_and_a_nested_dict(mapping: Mapping[str, Any]) -> None:
    run = steplog.init()
    run.log(mapping)  # type: ignore[arg-type]
    run.log({"in": mapping})
    assert history(run) == {0: {"a": 1, "b": 2}, 1: {"in.a": 1, "in.b": 2}}


def test_nested_dicts_are_a_metric_for_each_leaf() -> None:
    run = steplog.init()
    run.log({"n": {"a": 1, "deep": {"b": [{"x": 1}]}, "empty": {}}, "a.b": 2, "a": {"b": 3}, 'quote"\\': 4})
    assert history(run) == {0: {"n.a": 1, "n.deep.b": [{"x": 1}], r"a\.b": 2, "a.b": 3, 'quote"\\\\': 4}}


@pytest.mark.parametrize(
    "key", ["", " ", "with space", "train/loss", "ключ", "k" * 300, "nul\0", "_underscore", "👩‍🔬"]
)
def test_any_text_is_a_key(key: str) -> None:
    run = steplog.init()
    run.log({key: 1})
    assert history(run) == {0: {key: 1}}


def test_keys_and_values_of_subclasses_are_what_they_are_a_kind_of() -> None:
    class Text(str):
        def __str__(self) -> str:
            return "lies"

    class Number(int):
        def __repr__(self) -> str:
            return "lies"

    class Real(float):
        pass

    run = steplog.init()
    run.log({Text("key"): Number(5), "real": Real(0.5), "big": Number(2**70), "text": Text("t")})
    assert history(run) == {0: {"key": 5, "real": 0.5, "big": 2**70, "text": "t"}}


def test_two_thousand_keys_in_a_row() -> None:
    run = steplog.init()
    row = {f"layer.{index}/weight": index / 2 for index in range(2000)}
    for _ in range(3):
        run.log(row)
    expected = {key.replace(".", r"\."): value for key, value in row.items()}
    assert history(run) == {0: expected, 1: expected, 2: expected}


def test_keys_made_anew_for_every_row() -> None:
    run = steplog.init()
    for step in range(20_000):
        run.log({"".join(["key", str(step % 3)]): step})
    read = history(run)
    assert len(read) == 20_000
    assert read[19_999] == {"key1": 19_999}
