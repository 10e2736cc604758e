"""Bad input: the refused call alone fails, says what it is about, and nothing beside it is lost."""

from __future__ import annotations

from typing import Any

import pytest

import steplog
from conftest import history


def cyclic_dict() -> dict[str, Any]:
    cycle: dict[str, Any] = {}
    cycle["self"] = cycle
    return cycle


def cyclic_list() -> list[Any]:
    cycle: list[Any] = []
    cycle.append(cycle)
    return cycle


def deep_list() -> list[Any]:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    return deep


class Unreadable:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


class BrokenMapping(dict):  # type: ignore[type-arg]
    def items(self) -> Any:
        raise RuntimeError("no items")


BAD: list[tuple[str, Any, str]] = [
    ("number", 5, "not a int"),
    ("none", None, "not a NoneType"),
    ("list", [1, 2], "not a list"),
    ("text", "loss", "not a str"),
    ("pairs", [("a", 1)], "not a list"),
    ("int key", {1: 2}, "the key 1 is a int, not a str"),
    ("none key", {None: 2}, "the key None is a NoneType, not a str"),
    ("bytes key", {b"a": 2}, "the key b'a' is a bytes, not a str"),
    ("tuple key", {("a", "b"): 2}, "is a tuple, not a str"),
    ("object", {"bad": object()}, '"bad" is a object'),
    ("nested object", {"n": {"bad": object()}}, '"n.bad" is a object'),
    ("object in a list", {"bad": [1, object()]}, '"bad" is a object'),
    ("exception", {"bad": ValueError("x")}, '"bad" is a ValueError'),
    ("range", {"bad": range(3)}, '"bad" is a range'),
    ("memoryview", {"bad": memoryview(b"x")}, '"bad" is a memoryview'),
    ("no repr", {"bad": Unreadable()}, '"bad" is a '),
    ("cyclic dict", {"bad": cyclic_dict()}, '"bad.self.self'),
    ("cyclic list", {"bad": cyclic_list()}, '"bad" nests more than 64 levels deep, or contains itself'),
    ("deep list", {"bad": deep_list()}, '"bad" nests more than 64 levels deep'),
    ("long key", {"k" * 5000: 1}, "4096"),
    ("long key of a text", {"k" * 5000: "x"}, "4096"),
]


@pytest.mark.parametrize(("data", "message"), [bad[1:] for bad in BAD], ids=[bad[0] for bad in BAD])
def test_a_bad_row_is_refused_alone(data: Any, message: str) -> None:
    run = steplog.init()
    run.log({"a": 1})
    run.log({"b": 2}, commit=False)
    with pytest.raises((ValueError, TypeError)) as caught:
        run.log({**data, "beside": 1} if isinstance(data, dict) else data)
    assert isinstance(caught.value, steplog.InvalidDataError)
    assert isinstance(caught.value, ValueError) and isinstance(caught.value, TypeError)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 400
    assert run.step == 1
    run.log({"c": 3})
    run.finish()
    assert history(run) == {0: {"a": 1}, 1: {"b": 2, "c": 3}}
    assert run.summary.get("beside") is None


def test_what_the_users_own_code_raises_comes_out_as_it_is() -> None:
    run = steplog.init()
    with pytest.raises(RuntimeError, match="no items"):
        run.log(BrokenMapping(a=1, b=object()))  # A dict by type, but not exactly one.
    run.log({"a": 1})
    assert history(run) == {0: {"a": 1}}


def test_a_text_of_ten_megabytes_is_refused_by_name_and_one_of_a_megabyte_is_kept() -> None:
    run = steplog.init()
    with pytest.raises(steplog.InvalidDataError, match='"big" holds a text of 10000000 bytes, more than 1048576'):
        run.log({"big": "x" * 10_000_000, "beside": 2})
    run.log({"large": "x" * 1_048_576})
    run.finish()
    assert history(run) == {0: {"large": "x" * 1_048_576}}


def test_a_lone_surrogate_is_replaced_in_keys_and_values() -> None:
    run = steplog.init()
    run.log({"text": "a\ud800b", "key\udfff": 1, "list": ["\ud83d"]})
    # One mark for each of the three bytes that a lone surrogate has in the generalised UTF-8 of Python's C API.
    mark = "\ufffd" * 3
    assert history(run) == {0: {"text": f"a{mark}b", f"key{mark}": 1, "list": [mark]}}


def test_integers_of_any_size_are_kept_exactly() -> None:
    run = steplog.init()
    run.log({"a": 2**64, "b": -(10**50), "c": [2**200]})
    run.finish()
    assert history(run) == {0: {"a": 2**64, "b": -(10**50), "c": [2**200]}}
    assert run.summary["a"] == 2**64


def test_an_integer_that_python_does_not_print_is_refused_by_name() -> None:
    run = steplog.init()
    with pytest.raises(steplog.InvalidDataError, match='"huge"'):
        run.log({"huge": 10**5000})
    run.log({"a": 1})
    assert history(run) == {0: {"a": 1}}


def test_a_row_of_more_than_a_frame_is_refused() -> None:
    run = steplog.init()
    with pytest.raises(steplog.InvalidDataError):
        run.log({f"key {index}": "x" * 900_000 for index in range(20)})
    run.log({"a": 1})
    assert history(run) == {0: {"a": 1}}


def test_log_from_within_log() -> None:
    run = steplog.init()

    class Sneaky:
        """Converting it logs another row."""

        def item(self) -> float:
            run.log({"inner": 1})
            return 0.5

    Sneaky.__module__, Sneaky.__qualname__ = "numpy", "generic"
    run.log({"plain": 1, "outer": Sneaky()})
    run.finish()
    assert history(run) == {0: {"inner": 1}, 1: {"plain": 1, "outer": 0.5}}


def test_a_row_that_changes_while_it_is_read() -> None:
    run = steplog.init()
    data: dict[str, Any] = {"a": 1}

    class Shrinking:
        def item(self) -> float:
            data.clear()
            return 0.5

    Shrinking.__module__, Shrinking.__qualname__ = "numpy", "generic"
    data["b"] = Shrinking()
    data["c"] = 3
    run.log(data)
    assert history(run) == {0: {"a": 1, "b": 0.5, "c": 3}}


@pytest.mark.parametrize("bad", [object(), cyclic_list(), range(3)])
def test_a_bad_summary_value_is_refused_alone(bad: object) -> None:
    run = steplog.init()
    run.summary["a"] = 1
    with pytest.raises(steplog.InvalidDataError, match='"bad"'):
        run.summary["bad"] = bad
    with pytest.raises(steplog.InvalidDataError, match="not a str"):
        run.summary[5] = 1  # type: ignore[index]
    assert run.summary.as_dict() == {"a": 1}
