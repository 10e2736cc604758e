"""Tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from steplog import _message
from steplog._media import cell
from steplog._media.array import is_of, to_numpy
from steplog._media.base import Media, Sink, Source
from steplog._media.cell import KINDS, Type
from steplog.errors import Error, InvalidDataError

#: So many rows an artifact gets of one table.
MAX_ROWS = 200_000

#: What the columns are called when nobody says it.
COLUMNS = ("Input", "Output", "Expected")


class Table(Media):
    """Rows and columns of values and media.

    A column has one type, that of its first value: numbers, text, booleans, times, lists and dicts of such, or media of
    one class. A value of another type is refused. Arrays become lists. A time without a zone is taken as UTC, and comes
    back from an artifact with that zone.

    Args:
        columns: Names of the columns, str or int. Default: those of ``dataframe``, else ``Input``, ``Output`` and
            ``Expected``.
        data: Rows: lists of values, or an array with two axes.
        rows: Another name of ``data``.
        dataframe: A ``DataFrame`` of pandas in place of ``data``; its index is left out.
        dtype: The type of all columns, or a list with one for each: ``int``, ``float``, ``str``, ``bool``,
            ``datetime.datetime``, ``list``, ``dict`` or a class of media. Default: inferred.
        optional: Whether ``None`` may stand in the columns; or a list with one answer for each.
        allow_mixed_types: Whether values of any types may stand in one column.

    Raises:
        InvalidDataError: Something is of another type, or rows and columns do not fit each other.
    """

    __slots__ = ("_columns", "_data", "_types")
    _type: ClassVar[str] = "table"
    _columns: list[str | int]
    _data: list[list[Any]]
    _types: list[Type]

    def __init__(
        self,
        columns: Sequence[str | int] | None = None,
        data: Iterable[Sequence[Any]] | Any | None = None,
        rows: Iterable[Sequence[Any]] | Any | None = None,
        dataframe: Any | None = None,
        dtype: Any | None = None,
        optional: bool | Sequence[bool] = True,
        allow_mixed_types: bool = False,
    ) -> None:
        given = [source for source in (data, rows, dataframe) if source is not None]
        if len(given) > 1:
            raise InvalidDataError("Table takes one of data, rows and dataframe")
        source = given[0] if given else ()
        names: Sequence[Any] = COLUMNS
        if dataframe is not None or is_of(source, "pandas", "DataFrame"):
            names, found = _of_dataframe(source)
        else:
            found = _rows(source)
        self._columns = _names(names if columns is None else columns)
        nullable = _each("optional", optional, len(self._columns))
        if allow_mixed_types:
            self._types = [Type("any", None, True) for _ in self._columns]
        else:
            kinds = _each("dtype", dtype, len(self._columns))
            self._types = [_type_of(kind, bool(may)) for kind, may in zip(kinds, nullable, strict=True)]
        self._data = []
        for row in found:
            self.add_data(*row)

    @property
    def columns(self) -> list[str | int]:
        """Names of the columns."""
        return list(self._columns)

    @property
    def data(self) -> list[list[Any]]:
        """The rows; they are the table's own, so change none of them."""
        return self._data

    def add_data(self, *data: Any) -> None:
        """Add a row at the end.

        Args:
            data: Its values, one for each column.

        Raises:
            InvalidDataError: There are more or fewer, or one is of another type than its column.
        """
        if len(data) != len(self._columns):
            raise InvalidDataError(f"a row of {len(data)} values does not fit {len(self._columns)} columns")
        row: list[Any] = [None] * len(data)
        types = self._types
        changed: dict[int, Type] = {}
        for number, value in enumerate(data):
            kind = types[number]
            # Most cells are plain ones that their column has had before.
            if KINDS.get(type(value)) == kind.kind and type(value) is not bytes:
                row[number] = value
            else:
                row[number], merged = self._checked(number, value)
                if merged is not kind:
                    changed[number] = merged
        for number, merged in changed.items():
            types[number] = merged
        self._data.append(row)

    def add_row(self, *row: Any) -> None:
        """Add a row at the end; another name of ``add_data``.

        Args:
            row: Its values.
        """
        self.add_data(*row)

    def add_column(self, name: str | int, data: Iterable[Any], optional: bool = False) -> None:
        """Add a column behind the others.

        Args:
            name: Its name.
            data: Its values, one for each row; of a table without columns and rows, as many as you like.
            optional: Whether ``None`` may stand in it.

        Raises:
            InvalidDataError: There is a column of that name, there are more or fewer values than rows, or one is of
                another type.
        """
        [name] = _names([name])
        if name in self._columns:
            raise InvalidDataError(f"the table has a column {name!r} already")
        array = to_numpy(data, "Table.add_column")
        values = list(data if array is None else array.tolist())
        if not self._columns and not self._data:
            self._data = [[] for _ in values]
        if len(values) != len(self._data):
            raise InvalidDataError(f"a column of {len(values)} values does not fit {len(self._data)} rows")
        self._columns.append(name)
        self._types.append(Type("unknown", None, optional))
        cells = []
        try:
            for value in values:
                kept, self._types[-1] = self._checked(len(self._columns) - 1, value)
                cells.append(kept)
        except InvalidDataError:
            del self._columns[-1], self._types[-1]
            raise
        for row, kept in zip(self._data, cells, strict=True):
            row.append(kept)

    def add_computed_columns(self, fn: Callable[[int, dict[str | int, Any]], Mapping[str, Any]]) -> None:
        """Add columns that are computed of the others.

        Args:
            fn: Answers the new values of a row by column, asked with the row's number and its values by column; the
                same columns for each row.

        Raises:
            InvalidDataError: A column is there already, or a row lacks one.
        """
        computed = [dict(fn(number, dict(zip(self._columns, row, strict=True)))) for number, row in self.iterrows()]
        names = list(computed[0]) if computed else []
        if any(list(row) != names for row in computed):
            raise InvalidDataError("add_computed_columns: the function does not answer the same columns for each row")
        for name in names:
            self.add_column(name, [row[name] for row in computed], optional=True)

    def get_column(self, name: str | int, convert_to: str | None = None) -> Any:
        """The values of a column.

        Args:
            name: The column.
            convert_to: ``"numpy"`` for an array of NumPy. Default: a list.

        Returns:
            The values, row by row.

        Raises:
            InvalidDataError: There is no such column, or ``convert_to`` is something else.
            Error: NumPy is asked for and not installed.
        """
        if convert_to not in (None, "numpy"):
            raise InvalidDataError(f'convert_to is {convert_to!r}, not "numpy"')
        number = self._number(name)
        values = [row[number] for row in self._data]
        if convert_to is None:
            return values
        try:
            import numpy
        except ImportError:
            raise Error('convert_to="numpy" needs NumPy: pip install numpy') from None
        return numpy.array(values)

    def get_index(self) -> list[int]:
        """The numbers of the rows, from 0."""
        return list(range(len(self._data)))

    def iterrows(self) -> Iterator[tuple[int, list[Any]]]:
        """The rows, each with its number from 0."""
        yield from enumerate(self._data)

    def get_dataframe(self) -> Any:
        """The table as a ``DataFrame`` of pandas.

        Raises:
            Error: pandas is not installed.
        """
        try:
            import pandas
        except ImportError:
            raise Error("get_dataframe needs pandas: pip install pandas") from None
        return pandas.DataFrame(self._data, columns=self._columns)

    def _checked(self, number: int, value: Any) -> tuple[Any, Type]:
        """A cell as it is kept, and the type of its column with it."""
        kind = self._types[number]
        noun = f"the value of column {self._columns[number]!r}"
        if kind.kind == "any":
            return cell.any_value(value, noun), kind
        kept, found = cell.normalized(value, noun)
        if kept is None:
            if not kind.nullable:
                raise InvalidDataError(f"{noun} is None; optional=True lets it stand in the column")
            return None, kind
        merged = kind.merged(found)
        if merged is None:
            raise InvalidDataError(
                f"{noun} is a {found}, where the column has a {kind}; allow_mixed_types=True takes both"
            )
        return kept, merged

    def _number(self, name: str | int) -> int:
        if name not in self._columns:
            raise InvalidDataError(f"the table has no column {name!r}, but {', '.join(map(str, self._columns))}")
        return self._columns.index(name)

    def _to_json(self, sink: Sink) -> dict[str, Any]:
        rows = self._data[:MAX_ROWS]
        if len(rows) < len(self._data):
            _message.warn(f"a table of {len(self._data)} rows is kept with its first {MAX_ROWS}; split it into several")
        types = {str(name): kind.to_json() for name, kind in zip(self._columns, self._types, strict=True)}
        return {
            "_type": self._type,
            "columns": self._columns,
            "data": [[cell.to_json(value, sink) for value in row] for row in rows],
            "ncols": len(self._columns),
            "nrows": len(self._data),
            "column_types": {"wb_type": "typedDict", "params": {"type_map": types}},
        }

    @classmethod
    def _from_json(cls, said: dict[str, Any], source: Source) -> Table:
        columns, data = said.get("columns"), said.get("data")
        if not isinstance(columns, list) or not isinstance(data, list):
            raise InvalidDataError("the artifact's table has no columns and data")
        table = cls(columns=columns)
        types = cell.Type.from_json(said.get("column_types")).of
        types = types if isinstance(types, dict) else {}
        table._types = [types.get(str(name), Type("any", None, True)) for name in table._columns]
        for row in data:
            if not isinstance(row, list) or len(row) != len(columns):
                raise InvalidDataError("the artifact's table has a row that does not fit its columns")
            cells = zip(row, table._types, strict=True)
            table._data.append([cell.from_json(value, kind, source) for value, kind in cells])
        return table

    def __len__(self) -> int:
        return len(self._data)

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Table):
            return NotImplemented
        if self._columns != other._columns or len(self) != len(other):
            return False
        # As they would be kept: what is not a number equals itself, and an instant is one in every zone.
        return all(
            cell.to_json(mine, None) == cell.to_json(theirs, None)
            for mine, theirs in zip(self._data, other._data, strict=True)
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<steplog.Table of {len(self._data)} rows: {', '.join(map(str, self._columns))}>"


def _names(columns: Any) -> list[str | int]:
    if isinstance(columns, (str, bytes)) or not isinstance(columns, Iterable):
        raise InvalidDataError(f"columns is a {type(columns).__name__}, not a list of names")
    names = list(columns)
    for number, name in enumerate(names):
        if isinstance(name, bool) or not isinstance(name, (str, int)):
            raise InvalidDataError(f"the column name {name!r} is a {type(name).__name__}, not a str or int")
        if name in names[:number]:
            raise InvalidDataError(f"two columns are called {name!r}")
    return names


def _rows(data: Any) -> Iterable[Sequence[Any]]:
    array = to_numpy(data, "Table")
    if array is not None:
        if array.ndim != 2:
            raise InvalidDataError(f"Table: an array of the shape {array.shape} is not rows x columns")
        return array.tolist()  # type: ignore[no-any-return]
    if isinstance(data, (str, bytes, Mapping)) or not isinstance(data, Iterable):
        raise InvalidDataError(f"data is a {type(data).__name__}, not rows")
    return (_row(row) for row in data)


def _row(row: Any) -> Sequence[Any]:
    array = to_numpy(row, "Table")
    if array is not None and array.ndim == 1:
        return array.tolist()  # type: ignore[no-any-return]
    if isinstance(row, (str, bytes, Mapping)) or not isinstance(row, Sequence):
        raise InvalidDataError(f"a row is a {type(row).__name__}, not a list of values")
    return row


def _of_dataframe(frame: Any) -> tuple[list[Any], Iterable[Sequence[Any]]]:
    """Names and rows of a ``DataFrame``; what is missing is ``None``, but for numbers, where it is NaN as there."""
    if not is_of(frame, "pandas", "DataFrame"):
        raise InvalidDataError(f"dataframe is a {type(frame).__name__}, not a DataFrame of pandas")
    columns = []
    for number in range(frame.shape[1]):
        column = frame.iloc[:, number]
        values = column.tolist()
        if getattr(column.dtype, "kind", "O") not in "iufb":
            values = [None if gone else value for value, gone in zip(values, column.isna().tolist(), strict=True)]
        columns.append(values)
    return frame.columns.tolist(), zip(*columns, strict=True)


def _each(argument: str, value: Any, count: int) -> list[Any]:
    """What an argument says of each column."""
    if not isinstance(value, (list, tuple)):
        return [value] * count
    if len(value) != count:
        raise InvalidDataError(f"{argument} has {len(value)} items for {count} columns")
    return list(value)


def _type_of(kind: Any, nullable: bool) -> Type:
    if kind is None:
        return Type("unknown", None, nullable)
    if isinstance(kind, type):
        for of_python, word in KINDS.items():
            if issubclass(kind, of_python) and (kind is bool) == (of_python is bool):
                return Type(word, None, nullable)
        if issubclass(kind, Media):
            return Type(kind._type, None, nullable)
        import datetime

        if issubclass(kind, datetime.date):
            return Type("timestamp", None, nullable)
        if issubclass(kind, (list, tuple)):
            return Type("list", Type("unknown"), nullable)
        if issubclass(kind, dict):
            return Type("typedDict", {}, nullable)
    raise InvalidDataError(f"dtype {kind!r} is no type that a column can have")


def read_json(data: bytes, noun: str) -> dict[str, Any]:
    """The JSON of an entry.

    Raises:
        InvalidDataError: It is none, or no object.
    """
    try:
        said = json.loads(data)
    except (RecursionError, ValueError):
        raise InvalidDataError(f"{noun} is no JSON") from None
    if not isinstance(said, dict):
        raise InvalidDataError(f"{noun} is no object of JSON")
    return said
