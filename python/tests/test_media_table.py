"""Tables: rows, columns, the types of these, and that they come back as they were."""

from __future__ import annotations

import datetime
import enum
import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import steplog
from steplog._media.table import MAX_ROWS
from test_media import GRAY, Memory, again, written

UTC = datetime.timezone.utc


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(tmp_path / "memory")


def types(table: steplog.Table, memory: Memory) -> dict[str, Any]:
    said = written(table, memory)["column_types"]
    assert said["wb_type"] == "typedDict"
    return dict(said["params"]["type_map"])


def optional(kind: Any) -> dict[str, Any]:
    said = {"wb_type": kind} if isinstance(kind, str) else kind
    return {"wb_type": "union", "params": {"allowed_types": [{"wb_type": "none"}, said]}}


def test_a_table_has_rows_and_columns() -> None:
    table = steplog.Table(columns=["a", "b"], data=[[1, "x"], [2.5, None]])
    table.add_data(3, "z")
    table.add_row(np.int64(4), np.str_("w"))
    assert table.columns == ["a", "b"]
    assert table.data == [[1, "x"], [2.5, None], [3, "z"], [4, "w"]]
    assert type(table.data[3][0]) is int and type(table.data[3][1]) is str
    assert table.get_column("a") == [1, 2.5, 3, 4]
    assert table.get_column("a", convert_to="numpy").tolist() == [1.0, 2.5, 3.0, 4.0]
    assert table.get_index() == [0, 1, 2, 3]
    assert list(table.iterrows())[:2] == [(0, [1, "x"]), (1, [2.5, None])]
    assert len(table) == 4 and bool(steplog.Table())
    assert repr(table) == "<steplog.Table of 4 rows: a, b>"
    frame = table.get_dataframe()
    assert (frame.columns.tolist(), frame["a"].tolist()) == (["a", "b"], [1.0, 2.5, 3.0, 4.0])
    assert steplog.Table().columns == ["Input", "Output", "Expected"]
    assert steplog.Table(rows=[[1, 2, 3]]).data == [[1, 2, 3]]
    assert steplog.Table(columns=[0, "a"], data=np.eye(2)).data == [[1.0, 0.0], [0.0, 1.0]]


def test_columns_are_added() -> None:
    table = steplog.Table(columns=["a"], data=[[1], [2]])
    table.add_column("b", np.array([0.5, 1.5]))
    table.add_column("c", [None, "x"], optional=True)
    table.add_computed_columns(lambda number, row: {"sum": row["a"] + row["b"], "number": number})
    assert table.columns == ["a", "b", "c", "sum", "number"]
    assert table.data == [[1, 0.5, None, 1.5, 0], [2, 1.5, "x", 3.5, 1]]
    empty = steplog.Table(columns=[])
    empty.add_column("a", [1, 2])
    assert empty.data == [[1], [2]]
    before = [list(row) for row in table.data]
    for name, values, message in (
        ("a", [1, 2], "has a column 'a' already"),
        ("d", [1], "a column of 1 values does not fit 2 rows"),
        ("d", [1, None], "is None; optional=True lets it stand"),
        ("d", [1, "x"], "is a string, where the column has a number"),
        (None, [1, 2], "the column name None is a NoneType, not a str or int"),
    ):
        with pytest.raises(steplog.InvalidDataError, match=message):
            table.add_column(name, values)  # type: ignore[arg-type]
    assert (table.columns, table.data) == (["a", "b", "c", "sum", "number"], before)


def test_a_dataframe_is_taken_over(memory: Memory) -> None:
    frame = pd.DataFrame(
        {
            "number": [1.5, math.nan],
            "text": ["a", None],
            "time": pd.to_datetime(["2024-01-02", None]),
            "kind": pd.Categorical(["x", "y"]),
            "truth": [True, False],
        },
        index=[7, 8],
    )
    for table in (steplog.Table(dataframe=frame), steplog.Table(data=frame)):
        assert table.columns == ["number", "text", "time", "kind", "truth"]
        assert table.data[0] == [1.5, "a", pd.Timestamp("2024-01-02"), "x", True]
        assert math.isnan(table.data[1][0]) and table.data[1][1:] == [None, None, "y", False]
    assert types(table, memory) == {
        "number": optional("number"),
        "text": optional("string"),
        "time": optional("timestamp"),
        "kind": optional("string"),
        "truth": optional("boolean"),
    }
    back = again(table, memory)
    assert back == table
    assert back.data[0][2] == datetime.datetime(2024, 1, 2, tzinfo=UTC)
    twice = pd.DataFrame([[1, 2]], columns=["a", "a"])
    with pytest.raises(steplog.InvalidDataError, match="two columns are called 'a'"):
        steplog.Table(dataframe=twice)
    assert steplog.Table(columns=["a", "b"], dataframe=twice).data == [[1, 2]]


def test_the_json_is_that_of_the_field(memory: Memory) -> None:
    table = steplog.Table(columns=["x", "label"], data=[[0.5, "a"], [2, "b"]])
    assert written(table, memory) == {
        "_type": "table",
        "columns": ["x", "label"],
        "data": [[0.5, "a"], [2, "b"]],
        "ncols": 2,
        "nrows": 2,
        "column_types": {
            "wb_type": "typedDict",
            "params": {"type_map": {"x": optional("number"), "label": optional("string")}},
        },
    }
    assert memory.files == {}


class Color(enum.IntEnum):
    RED = 1


def test_cells_come_back(memory: Memory) -> None:
    noon = datetime.datetime(2024, 5, 6, 12, 0, 0, 123456)
    zoned = noon.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=2)))
    rows = [
        [1, "ä\0", True, noon, [1, 2.5, None], {"a": 1, "b": ["x"]}],
        [math.nan, b"bytes", np.False_, zoned, (), {"a": 2, "c": {"d": False}}],
        [-math.inf, "", None, datetime.date(1969, 12, 31), np.arange(3), {}],
        [2**70, "x", False, np.datetime64("2024-01-01T00:00:00"), [], None],
        [Color.RED, None, None, None, None, None],
    ]
    table = steplog.Table(columns=["number", "text", "truth", "time", "list", "dict"], data=rows)
    assert types(table, memory)["list"] == optional({"wb_type": "list", "params": {"element_type": optional("number")}})
    back = again(table, memory)
    assert back == table
    assert back.get_column("number")[:1] + back.get_column("number")[2:] == [1, -math.inf, 2**70, 1]
    assert math.isnan(back.data[1][0])
    assert back.get_column("text") == ["ä\0", "bytes", "", "x", None]
    assert back.get_column("time")[:3] == [
        noon.replace(tzinfo=UTC),
        zoned,
        datetime.datetime(1969, 12, 31, tzinfo=UTC),
    ]
    assert back.get_column("list") == [[1, 2.5, None], [], [0, 1, 2], [], None]
    assert back.get_column("dict") == [{"a": 1, "b": ["x"]}, {"a": 2, "c": {"d": False}}, {}, None, None]
    # It goes on with the types that it had.
    with pytest.raises(steplog.InvalidDataError, match="column 'number' is a string, where the column has a number"):
        back.add_data("x", None, None, None, None, None)
    assert written(back, memory) == written(table, memory)


def test_media_in_cells(memory: Memory) -> None:
    pictures = [steplog.Image(GRAY + number, caption=str(number)) for number in range(3)]
    table = steplog.Table(columns=["id", "picture"], data=[[0, pictures[0]], [1, None]])
    table.add_data(2, pictures[2])
    said = written(table, memory)
    assert types(table, memory)["picture"] == optional("image-file")
    assert [cell and cell["path"] for _, cell in said["data"]] == [
        f"media/images/{pictures[0].sha256[:20]}.png",
        None,
        f"media/images/{pictures[2].sha256[:20]}.png",
    ]
    assert sorted(memory.files) == sorted(cell["path"] for _, cell in said["data"] if cell)
    back = again(table, memory)
    assert (back, back.get_column("picture")) == (table, [pictures[0], None, pictures[2]])
    assert memory.read == []
    with pytest.raises(steplog.InvalidDataError, match="is a html-file, where the column has a image-file"):
        table.add_data(3, steplog.Html("x"))
    mixed = steplog.Table(columns=["a"], data=[[pictures[0]], [steplog.Html("x")], ["x"]], allow_mixed_types=True)
    assert again(mixed, memory) == mixed
    lists = steplog.Table(columns=["a"], data=[[[pictures[0], pictures[1]]]])
    assert again(lists, memory).data == [[pictures[:2]]]


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (
            1,
            "x",
            "the value of column 'a' is a string, where the column has a number; allow_mixed_types=True takes both",
        ),
        (1, True, "is a boolean, where the column has a number"),
        ("x", 1.5, "is a number, where the column has a string"),
        ([1], ["x"], "is a list, where the column has a list"),
        ([1], {"a": 1}, "is a typedDict, where the column has a list"),
        ({"a": 1}, {"a": "x"}, "is a typedDict, where the column has a typedDict"),
        (None, [1, "x"], "is a list with a number and a string"),
        (None, {1: 2}, "is a dict with the key 1, which is a int, not a str"),
        (None, object(), "is a object, which a table cannot hold"),
        (None, 1j, "is a complex, which a table cannot hold"),
        (None, np.datetime64(1, "ns"), "is a datetime64 finer than Python's own"),
    ],
)
def test_a_column_has_one_type(first: Any, second: Any, message: str) -> None:
    table = steplog.Table(columns=["a", "b"], data=[[first, 0]])
    with pytest.raises(TypeError) as caught:
        table.add_data(second, 1)
    assert isinstance(caught.value, steplog.InvalidDataError)
    assert message in caught.value.message
    assert table.data == [[first, 0]]
    if "where" in message:
        mixed = steplog.Table(columns=["a"], allow_mixed_types=True, data=[[first], [second]])
        assert mixed.get_column("a") == [first, second]


def test_types_can_be_said(memory: Memory) -> None:
    kinds = [int, float, str, bool, datetime.datetime, list, dict, steplog.Image]
    names = [kind.__name__ for kind in kinds]
    table = steplog.Table(columns=names, dtype=kinds, optional=[False] + [True] * 7)
    assert types(table, memory) == {
        "int": {"wb_type": "number"},
        "float": optional("number"),
        "str": optional("string"),
        "bool": optional("boolean"),
        "datetime": optional("timestamp"),
        "list": optional({"wb_type": "list", "params": {"element_type": {"wb_type": "unknown"}}}),
        "dict": optional({"wb_type": "typedDict", "params": {"type_map": {}}}),
        "Image": optional("image-file"),
    }
    with pytest.raises(steplog.InvalidDataError, match="column 'int' is None; optional=True lets it stand"):
        table.add_data(*[None] * 8)
    with pytest.raises(steplog.InvalidDataError, match="column 'str' is a number"):
        table.add_data(1, 1, 1, *[None] * 5)
    table.add_data(1, *[None] * 7)
    with pytest.raises(TypeError):
        steplog.Table(columns=["a"], dtype=str, data=[[1]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"data": [[1]]}, "a row of 1 values does not fit 3 columns"),
        ({"data": [[1, 2, 3, 4]]}, "a row of 4 values does not fit 3 columns"),
        ({"data": ["abc"]}, "a row is a str, not a list of values"),
        ({"data": "abc"}, "data is a str, not rows"),
        ({"data": {"a": 1}}, "data is a dict, not rows"),
        ({"data": np.zeros(3)}, "an array of the shape (3,) is not rows x columns"),
        ({"data": [], "rows": []}, "Table takes one of data, rows and dataframe"),
        ({"dataframe": [1]}, "dataframe is a list, not a DataFrame of pandas"),
        ({"columns": "abc"}, "columns is a str, not a list of names"),
        ({"columns": [1.5]}, "the column name 1.5 is a float, not a str or int"),
        ({"columns": ["a", "a"]}, "two columns are called 'a'"),
        ({"dtype": [int]}, "dtype has 1 items for 3 columns"),
        ({"optional": [True]}, "optional has 1 items for 3 columns"),
        ({"dtype": "int"}, "dtype 'int' is no type that a column can have"),
        ({"dtype": set}, "is no type that a column can have"),
    ],
)
def test_a_table_says_what_it_refuses(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(steplog.InvalidDataError) as caught:
        steplog.Table(**arguments)
    assert message in caught.value.message


def test_what_a_table_lacks() -> None:
    table = steplog.Table(columns=["a"], data=[[1]])
    with pytest.raises(steplog.InvalidDataError, match="has no column 'b', but a"):
        table.get_column("b")
    with pytest.raises(steplog.InvalidDataError, match="convert_to is 'pandas'"):
        table.get_column("a", convert_to="pandas")
    with pytest.raises(steplog.InvalidDataError, match="the same columns for each row"):
        steplog.Table(columns=["a"], data=[[1], [2]]).add_computed_columns(lambda number, _: {str(number): 1})


def test_pandas_is_asked_for_when_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(steplog.Error, match="get_dataframe needs pandas: pip install pandas"):
        steplog.Table().get_dataframe()


def test_tables_are_equal_when_all_of_them_is() -> None:
    def table(**changes: Any) -> steplog.Table:
        return steplog.Table(**{"columns": ["a", "b"], "data": [[1, math.nan], [2, 0.5]], **changes})

    assert table() == table()
    assert table() != table(columns=["a", "c"])
    assert table() != table(data=[[1, math.nan]])
    assert table() != table(data=[[1, math.nan], [2, 0.25]])
    assert table() != [[1, 2]]


def test_an_artifact_gets_so_many_rows(memory: Memory, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    monkeypatch.delenv("STEPLOG_SILENT")
    table = steplog.Table(columns=["a"], data=([number] for number in range(MAX_ROWS + 1)))
    said = written(table, memory)
    assert (len(said["data"]), said["nrows"], said["data"][-1]) == (200_000, 200_001, [199_999])
    assert "a table of 200001 rows is kept with its first 200000; split it into several" in capsys.readouterr().err


def test_joined_tables(memory: Memory) -> None:
    left = steplog.Table(columns=["id", "picture"], data=[[1, steplog.Image(GRAY)]])
    right = steplog.Table(columns=["id", "label"], data=[[1, "cat"]])
    joined = steplog.JoinedTable(left, right, "id")
    said = written(joined, memory)
    assert (said["_type"], said["join_key"]) == ("joined-table", "id")
    assert json.loads(memory.files[said["table2"]])["data"] == [[1, "cat"]]
    back = again(joined, memory)
    assert (back, back.tables, back.join_key) == (joined, (left, right), "id")
    assert again(steplog.JoinedTable(left, right, ("picture", "label")), memory).join_key == ["picture", "label"]
    for arguments, message in (
        ((left, right, "label"), "the table has no column 'label'"),
        ((left, 5, "id"), "JoinedTable takes tables, not a int"),
        ((left, right, ["id"]), "join_key is no column, and no pair of columns"),
    ):
        with pytest.raises(steplog.InvalidDataError, match=message):
            steplog.JoinedTable(*arguments)  # type: ignore[arg-type]


def test_types_that_others_wrote_are_read(memory: Memory) -> None:
    said = {
        "_type": "table",
        "columns": ["a", "b", "c"],
        "data": [[1, "NaN", {"_type": "unheard-of"}], [None, "x", [1]]],
        "column_types": {
            "wb_type": "typedDict",
            "params": {
                "type_map": {
                    "a": {
                        "wb_type": "union",
                        "params": {"allowed_types": [{"wb_type": "none"}, {"wb_type": "number"}]},
                    },
                    "b": {
                        "wb_type": "union",
                        "params": {"allowed_types": [{"wb_type": "string"}, {"wb_type": "number"}]},
                    },
                    "c": {"wb_type": "pythonObject"},
                }
            },
        },
    }
    table = steplog.Table._from_json(said, memory)
    assert table.data == [[1, "NaN", {"_type": "unheard-of"}], [None, "x", [1]]]
    del said["column_types"]
    assert steplog.Table._from_json(said, memory).data == table.data
