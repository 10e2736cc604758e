"""What can be logged, and as what it comes back; arrays and tensors are in test_arrays.py."""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import functools
import math
import pathlib
import struct
import sys
import uuid
from collections import ChainMap, OrderedDict, UserDict, defaultdict, namedtuple
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar

import pandas
import pytest

import steplog
from conftest import history, journals, rows


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


class Colour(enum.Enum):
    RED = "red"
    MIX = (1, 2)


class Level(enum.IntEnum):
    LOW = 1


class Word(str, enum.Enum):
    YES = "y"


@dataclass
class Layer:
    width: int
    names: list[str] = field(default_factory=list)
    kind: ClassVar[str] = "no field"


@dataclass(frozen=True)
class Model:
    layer: Layer
    rate: float = 0.5


Point = namedtuple("Point", "x y")
HOUR = datetime.timezone(datetime.timedelta(hours=1))
ZERO = datetime.timezone(datetime.timedelta(0))

#: Name of the case, what is logged or set, and what a row and the summary hold.
PLAIN: list[tuple[str, Any, Any]] = [
    ("tuple", (1, 2), [1, 2]),
    ("set", {1}, [1]),
    ("frozenset", frozenset(["a"]), ["a"]),
    ("namedtuple", Point(1, 2.5), [1, 2.5]),
    ("nested sequences", ([1, (2,)], {3}), [[1, [2]], [3]]),
    ("long list", list(range(1000)), list(range(1000))),
    ("bytes", "ä".encode(), "ä"),
    ("bytearray", bytearray(b"ab"), "ab"),
    ("datetime", datetime.datetime(2024, 2, 29, 12, 30, 1, 5), "2024-02-29T12:30:01.000005"),
    ("datetime in UTC", datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc), "2024-01-01T00:00:00Z"),
    ("datetime in a zone like UTC", datetime.datetime(2024, 1, 1, tzinfo=ZERO), "2024-01-01T00:00:00Z"),
    ("datetime elsewhere", datetime.datetime(2024, 1, 1, tzinfo=HOUR), "2024-01-01T00:00:00+01:00"),
    ("pandas timestamp", pandas.Timestamp("2024-01-01", tz="UTC"), "2024-01-01T00:00:00Z"),
    ("date", datetime.date(2024, 2, 29), "2024-02-29"),
    ("time", datetime.time(12, 30), "12:30:00"),
    ("time in UTC", datetime.time(12, 30, tzinfo=datetime.timezone.utc), "12:30:00Z"),
    ("timedelta of a day", datetime.timedelta(days=1), "P1D"),
    ("timedelta of all", datetime.timedelta(2, 3 * 3600 + 4 * 60 + 5, 500_000), "P2DT3H4M5.5S"),
    ("timedelta below a second", datetime.timedelta(microseconds=1), "PT0.000001S"),
    ("timedelta of nothing", datetime.timedelta(0), "PT0S"),
    ("timedelta backwards", datetime.timedelta(hours=-1), "-PT1H"),
    ("Decimal", decimal.Decimal("1.5"), "1.5"),
    ("UUID", uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
    ("Path", pathlib.Path("a/b"), "a/b"),
    ("PurePath", pathlib.PurePosixPath("/a"), "/a"),
    ("Fraction", fractions.Fraction(1, 2), "1/2"),
    ("imaginary", 1j, "1j"),
    ("complex", 1 + 2j, "1+2j"),
    ("Enum", Colour.RED, "red"),
    ("Enum of a tuple", Colour.MIX, [1, 2]),
    ("IntEnum", Level.LOW, 1),
    ("Enum of text", Word.YES, "y"),
    ("list of dataclasses", [Layer(3)], [{"width": 3, "names": []}]),
    ("function", logged, f"{__name__}.logged"),
    ("method", Layer.__eq__, f"{__name__}.Layer.__eq__"),
    ("builtin function", print, "builtins.print"),
    ("class", Layer, f"{__name__}.Layer"),
    ("builtin class", int, "builtins.int"),
    ("exception class", ValueError, "builtins.ValueError"),
    ("text with NUL", "a\0b", "a\0b"),
    ("emoji", "👩‍🔬", "👩‍🔬"),
    ("empty text", "", ""),
    ("non-str keys inside", [{1: {None: 2}, (1, 2): 3}], [{"1": {"None": 2}, "(1, 2)": 3}]),
    ("keys that become one", [{1: "first", "1": "last"}], [{"1": "last"}]),
]


@pytest.mark.parametrize(("value", "expected"), [case[1:] for case in PLAIN], ids=[case[0] for case in PLAIN])
def test_what_is_no_json_becomes_plain(value: Any, expected: Any) -> None:
    run = steplog.init()
    run.log({"key": value, "n": {"key": value}})
    run.summary["by hand"] = value
    run.summary["in a list"] = [value]
    assert (type(rows(run)[0].values["key"]), history(run)) == (
        type(expected),
        {0: {"key": expected, "n.key": expected}},
    )
    assert dict(journals(run)[0].summary) == {"by hand": expected, "in a list": [expected]}


#: Name of the case, what is logged or set, the leaves of the row, and the summary of either.
MAPS: list[tuple[str, Any, dict[str, Any], dict[str, Any]]] = [
    ("dataclass", Layer(3, ["a"]), {"d.width": 3, "d.names": ["a"]}, {"width": 3, "names": ["a"]}),
    ("nested dataclass", Model(Layer(3)), {"d.layer.width": 3, "d.layer.names": [], "d.rate": 0.5},
     {"layer": {"width": 3, "names": []}, "rate": 0.5}),
    ("non-str keys", {1: {2.5: 1}, None: 2, False: 3}, {"d.1.2\\.5": 1, "d.None": 2, "d.False": 3},
     {"1": {"2.5": 1}, "None": 2, "False": 3}),
    ("empty dict inside", {"a": {}, "b": {"c": {}}, "d": 1}, {"d.d": 1}, {"d": 1}),
    ("one thing", {"_type": "mine", "a": {}}, {"d": {"_type": "mine", "a": {}}}, {"_type": "mine", "a": {}}),
]  # fmt: skip


@pytest.mark.parametrize(("value", "leaves", "summary"), [case[1:] for case in MAPS], ids=[case[0] for case in MAPS])
def test_maps_are_leaves_and_come_back_as_maps(value: Any, leaves: dict[str, Any], summary: dict[str, Any]) -> None:
    run = steplog.init()
    run.log({"d": value})
    run.summary["e"] = value
    assert history(run) == {0: leaves}
    assert (run.summary["d"].as_dict(), run.summary["e"].as_dict()) == (summary, summary)


def test_bytes_that_are_no_text_raise_what_python_raises() -> None:
    run = steplog.init()
    for log in (lambda: run.log({"b": b"\xff", "a": 1}), lambda: run.summary.update({"a": 1, "b": [b"\xff"]})):
        with pytest.raises(UnicodeDecodeError):
            log()
    run.log({"c": 2})
    assert (history(run), run.summary.get("a")) == ({0: {"c": 2}}, None)


REFUSED: list[tuple[str, Any, str]] = [
    ("object", object(), "is a object, which cannot be logged"),
    ("exception", ValueError("x"), "is a ValueError, which cannot be logged"),
    ("range", range(3), "is a range, which cannot be logged"),
    ("memoryview", memoryview(b"x"), "is a memoryview, which cannot be logged"),
    ("slice", slice(3), "is a slice, which cannot be logged"),
    ("generator", (n for n in ()), "is a generator, which cannot be logged"),
    ("partial", functools.partial(print), "is a functools.partial, which cannot be logged"),
    ("DataFrame", pandas.DataFrame({"a": [1]}), 'is a pandas.DataFrame, which cannot be logged; log single numbers'),
    ("Series", pandas.Series([1]), "is a pandas.Series, which cannot be logged; log a statistic of it"),
]  # fmt: skip


@pytest.mark.parametrize("place", ["row", "row, nested", "row, in a list", "summary", "summary, nested"])
@pytest.mark.parametrize(("value", "message"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_is_no_data_is_refused_and_nothing_is_kept(value: Any, message: str, place: str) -> None:
    run = steplog.init()
    nested = {"n": {"bad": value}} if "nested" in place else {"bad": [value] if "list" in place else value}
    with pytest.raises(TypeError) as caught:
        (run.log if "row" in place else run.summary.update)({"beside": 1, **nested})
    assert isinstance(caught.value, steplog.InvalidDataError) and isinstance(caught.value, ValueError)
    assert message.replace("pandas.", type(value).__module__ + ".") in caught.value.message
    run.log({"a": 1})
    assert history(run) == {0: {"a": 1}}
    assert (journals(run)[0].summary, run.summary.get("beside")) == ([], None)


def test_none_in_a_row_is_null_and_in_the_summary_nothing() -> None:
    run = steplog.init()
    run.log({"new": None, "gone": 1, "list": [None], "hand": 1})
    run.log({"gone": None, "n": {"x": None}})
    run.summary["hand"] = None
    run.summary["never"] = None
    run.summary["d"] = {"x": None, "y": 1}
    assert [row.values for row in rows(run)] == [
        {"new": None, "gone": 1, "list": [None], "hand": 1},
        {"gone": None, "n.x": None},
    ]
    shown = {key: value for key, value in run.summary.as_dict().items() if key[0] != "_"}
    assert shown == {"list": [None], "d": {"y": 1}}
    run.log({"gone": 2, "hand": 2})
    assert (run.summary["gone"], run.summary["hand"]) == (2, 2)


def test_numbers_that_are_not_finite() -> None:
    run = steplog.init()
    run.log({"nan": math.nan, "inf": math.inf, "minus": -math.inf, "hand": 1})
    assert repr(rows(run)[0].values) == "{'nan': nan, 'inf': inf, 'minus': -inf, 'hand': 1}"
    assert repr([run.summary[key] for key in ("nan", "inf", "minus")]) == "[nan, inf, -inf]"
    run.summary["hand"] = math.nan
    run.summary["inf by hand"] = math.inf
    assert ("hand" in run.summary, run.summary["inf by hand"]) == (False, math.inf)


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
