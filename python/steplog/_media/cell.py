"""The types of the cells of a table, and their JSON."""

from __future__ import annotations

import datetime
import math
from typing import Any

from steplog._media import TYPES, class_of
from steplog._media.array import is_of, to_numpy
from steplog._media.base import Media, Sink, Source
from steplog.errors import InvalidDataError

#: Kinds of Python's own data, by the exact type.
KINDS: dict[type, str] = {int: "number", float: "number", str: "string", bool: "boolean", bytes: "string"}

#: Deepest nesting of lists and dicts in a cell.
MAX_DEPTH = 64

#: What stands in JSON for the numbers that it has no words for.
NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class Type:
    """What may stand in a place: cells of a column, items of a list.

    Attributes:
        kind: ``number``, ``string``, ``boolean``, ``timestamp``, ``list``, ``typedDict``, ``any``, ``unknown`` while
            nothing stood there, or the word of a media class.
        of: The type of a list's items, or those of a dict's values by key.
        nullable: Whether ``None`` may stand there.
    """

    __slots__ = ("kind", "nullable", "of")

    kind: str
    of: Any
    nullable: bool

    def __init__(self, kind: str, of: Any = None, nullable: bool = False) -> None:
        self.kind, self.of, self.nullable = kind, of, nullable

    def merged(self, other: Type) -> Type | None:
        """The type of a place where both stand; ``None`` when they cannot stand in one."""
        nullable = self.nullable or other.nullable
        if "any" in (self.kind, other.kind):
            return Type("any", None, True)
        if "unknown" in (self.kind, other.kind):
            known = other if self.kind == "unknown" else self
            return Type(known.kind, known.of, nullable)
        if self.kind != other.kind:
            return None
        if self.kind == "list":
            items = self.of.merged(other.of)
            return None if items is None else Type("list", items, nullable)
        if self.kind == "typedDict":
            missing = Type("unknown", None, True)
            values = {
                name: self.of.get(name, missing).merged(other.of.get(name, missing)) for name in {**self.of, **other.of}
            }
            return None if None in values.values() else Type("typedDict", values, nullable)
        return Type(self.kind, None, nullable)

    def to_json(self) -> dict[str, Any]:
        """As the field writes it."""
        said: dict[str, Any] = {"wb_type": self.kind}
        if self.kind == "list":
            said["params"] = {"element_type": self.of.to_json()}
        elif self.kind == "typedDict":
            said["params"] = {"type_map": {name: kind.to_json() for name, kind in self.of.items()}}
        if not self.nullable or self.kind == "any":
            return said
        return {"wb_type": "union", "params": {"allowed_types": [{"wb_type": "none"}, said]}}

    @classmethod
    def from_json(cls, said: Any) -> Type:
        """The type of what an artifact says; ``any`` where that is nothing we write."""
        if not isinstance(said, dict):
            return cls("any", None, True)
        kind, params = said.get("wb_type"), said.get("params")
        params = params if isinstance(params, dict) else {}
        if kind == "union":
            allowed = params.get("allowed_types")
            allowed = allowed if isinstance(allowed, list) else []
            types = [each for each in allowed if each != {"wb_type": "none"}]
            inner = cls.from_json(types[0]) if len(types) == 1 else cls("any")
            return cls(inner.kind, inner.of, True)
        if kind == "none":
            return cls("unknown", None, True)
        if kind == "list":
            return cls("list", cls.from_json(params.get("element_type")))
        if kind == "typedDict" and isinstance(params.get("type_map"), dict):
            return cls("typedDict", {str(name): cls.from_json(each) for name, each in params["type_map"].items()})
        if kind in TYPES or kind in ("number", "string", "boolean", "timestamp", "unknown"):
            return cls(str(kind))
        return cls("any", None, True)

    def __eq__(self, other: object) -> bool:
        return self.to_json() == other.to_json() if isinstance(other, Type) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.kind


def normalized(value: Any, noun: str, depth: int = 0) -> tuple[Any, Type]:
    """A cell as a table keeps it, and its type.

    Arrays become lists, scalars of libraries Python's own.

    Raises:
        InvalidDataError: A table cannot hold it.
    """
    if value is None:
        return None, Type("unknown", None, True)
    kind = KINDS.get(type(value))
    if kind is not None:
        return (value.decode(errors="replace") if type(value) is bytes else value), Type(kind)
    if isinstance(value, Media):
        return value, Type(value._type)
    if depth >= MAX_DEPTH:
        raise InvalidDataError(f"{noun} is nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, dict):
        return _dict(value, noun, depth)
    if isinstance(value, (list, tuple, set, frozenset)):
        return _list(list(value), noun, depth)
    if is_of(value, "pandas", "NaTType", "NAType"):
        return None, Type("unknown", None, True)
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value, Type("timestamp")
    array = to_numpy(value, noun)
    if array is not None:
        # As a scalar, or as nested lists.
        return normalized(array.tolist(), noun, depth + 1)
    if is_of(value, "numpy", "generic"):
        item = value.item()
        if isinstance(item, int) and is_of(value, "numpy", "datetime64", "timedelta64"):
            raise InvalidDataError(f"{noun} is a {type(value).__name__} finer than Python's own; convert it first")
        return normalized(item, noun, depth + 1)
    for kind_of, word in ((bool, "boolean"), ((int, float), "number"), (str, "string")):
        if isinstance(value, kind_of):
            return value, Type(word)
    raise InvalidDataError(f"{noun} is a {type(value).__name__}, which a table cannot hold; its str() can be")


def _list(items: list[Any], noun: str, depth: int) -> tuple[Any, Type]:
    element: Type = Type("unknown")
    kept = []
    for item in items:
        value, kind = normalized(item, noun, depth + 1)
        merged = element.merged(kind)
        if merged is None:
            raise InvalidDataError(f"{noun} is a list with a {element} and a {kind}; allow_mixed_types takes it")
        element = merged
        kept.append(value)
    return kept, Type("list", element)


def _dict(entries: dict[Any, Any], noun: str, depth: int) -> tuple[Any, Type]:
    kept, types = {}, {}
    for key, value in entries.items():
        if not isinstance(key, str):
            raise InvalidDataError(f"{noun} is a dict with the key {key!r}, which is a {type(key).__name__}, not a str")
        kept[key], types[key] = normalized(value, noun, depth + 1)
    return kept, Type("typedDict", types)


def any_value(value: Any, noun: str, depth: int = 0) -> Any:
    """A cell of a column of mixed types, as a table keeps it."""
    if depth >= MAX_DEPTH:
        raise InvalidDataError(f"{noun} is nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, dict):
        return {str(key): any_value(item, noun, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [any_value(item, noun, depth + 1) for item in value]
    return normalized(value, noun, depth)[0]


def to_json(value: Any, sink: Sink | None) -> Any:
    """A cell as JSON. Without a sink, media stay the objects that they are, to be compared."""
    if isinstance(value, Media):
        return value if sink is None else value._to_json(sink)
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, list):
        return [to_json(item, sink) for item in value]
    if isinstance(value, dict):
        return {key: to_json(item, sink) for key, item in value.items()}
    if isinstance(value, datetime.date):
        return _milliseconds(value)
    return value


def _milliseconds(value: datetime.date) -> float | int:
    """Since 1970 in UTC; a time without a zone is in UTC."""
    if not isinstance(value, datetime.datetime):
        value = datetime.datetime(value.year, value.month, value.day)
    if value.tzinfo is None:
        value = value.replace(tzinfo=datetime.timezone.utc)
    microseconds = (value - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) // datetime.timedelta(
        microseconds=1
    )
    return microseconds // 1000 if microseconds % 1000 == 0 else microseconds / 1000


def from_json(said: Any, kind: Type, source: Source) -> Any:
    """The cell of what an artifact says."""
    if said is None:
        return None
    if kind.kind == "number" and isinstance(said, str):
        return NOT_FINITE.get(said, math.nan)
    if kind.kind == "timestamp" and isinstance(said, (int, float)):
        epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
        try:
            return epoch + datetime.timedelta(milliseconds=said)
        except (OverflowError, ValueError):
            return said
    if isinstance(said, list):
        inner = kind.of if kind.kind == "list" else Type("any")
        return [from_json(item, inner, source) for item in said]
    if not isinstance(said, dict):
        return said
    word = said.get("_type")
    if kind.kind in (word, "any") and word in TYPES:
        return class_of(word)._from_json(said, source)
    types = kind.of if kind.kind == "typedDict" else {}
    return {name: from_json(item, types.get(name, Type("any")), source) for name, item in said.items()}
