"""Two tables side by side."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from steplog._media.base import Media, Sink, Source
from steplog._media.content import Bytes
from steplog._media.table import Table, read_json
from steplog.errors import InvalidDataError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class JoinedTable(Media):
    """Two tables whose rows are shown side by side where they have the same value.

    Args:
        table1: One table.
        table2: The other.
        join_key: The column that both have; or a pair, the column of each.

    Raises:
        InvalidDataError: A table has no such column, or is none.
    """

    __slots__ = ("_join_key", "_tables")
    _type: ClassVar[str] = "joined-table"
    _tables: tuple[Table, Table]
    _join_key: str | list[str]

    def __init__(self, table1: Table, table2: Table, join_key: str | Sequence[str]) -> None:
        keys = [join_key, join_key] if isinstance(join_key, str) else list(join_key)
        if len(keys) != 2 or not all(isinstance(key, str) for key in keys):
            raise InvalidDataError("join_key is no column, and no pair of columns")
        for table, key in ((table1, keys[0]), (table2, keys[1])):
            if not isinstance(table, Table):
                raise InvalidDataError(f"JoinedTable takes tables, not a {type(table).__name__}")
            table._number(key)
        self._tables, self._join_key = (table1, table2), join_key if isinstance(join_key, str) else keys

    @property
    def tables(self) -> tuple[Table, Table]:
        """The two tables."""
        return self._tables

    @property
    def join_key(self) -> str | list[str]:
        """The column that both have; or the column of each."""
        return self._join_key

    def _to_json(self, sink: Sink) -> dict[str, Any]:
        paths = [
            Bytes(json.dumps(table._to_json(sink)).encode(), "table.json").add_to(sink, "media/tables")
            for table in self._tables
        ]
        return {"_type": self._type, "table1": paths[0], "table2": paths[1], "join_key": self._join_key}

    @classmethod
    def _from_json(cls, said: dict[str, Any], source: Source) -> JoinedTable:
        tables, join_key = [], said.get("join_key")
        for member in ("table1", "table2"):
            if not isinstance(said.get(member), str):
                raise InvalidDataError(f"the artifact's joined table has no {member}")
            with open(source.local_file(said[member]), "rb") as file:
                tables.append(Table._from_json(read_json(file.read(), said[member]), source))
        if not isinstance(join_key, (str, list)):
            raise InvalidDataError("the artifact's joined table has no join_key")
        return cls(tables[0], tables[1], join_key)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, JoinedTable):
            return NotImplemented
        return self._tables == other._tables and self._join_key == other._join_key

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<steplog.JoinedTable by {self._join_key}>"
