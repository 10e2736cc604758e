"""What the numbers of a classification mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from steplog._media.base import Media, Sink, Source
from steplog._media.content import Bytes
from steplog.errors import InvalidDataError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Classes(Media):
    """Names of classes by their number.

    Args:
        class_set: Dicts with ``id``, an int, and ``name``, a str; other entries of them are kept.

    Raises:
        InvalidDataError: A dict lacks one of the two, or has another type there.
    """

    __slots__ = ("_class_set",)
    _type: ClassVar[str] = "classes"
    _class_set: list[dict[str, Any]]

    def __init__(self, class_set: Iterable[Mapping[str, Any]]) -> None:
        self._class_set = [_checked(entry) for entry in class_set]

    @property
    def names(self) -> dict[int, str]:
        """The names by number; of one number that stands there twice, the later."""
        return {entry["id"]: entry["name"] for entry in self._class_set}

    @classmethod
    def from_names(cls, names: Mapping[int, str]) -> Classes:
        """Classes of names by number.

        Args:
            names: The names.

        Returns:
            The classes, by number.
        """
        return cls({"id": number, "name": name} for number, name in sorted(names.items()))

    def _to_json(self, sink: Sink) -> dict[str, Any]:
        return {"_type": self._type, "class_set": self._class_set}

    @classmethod
    def _from_json(cls, said: dict[str, Any], source: Source) -> Classes:
        class_set = said.get("class_set")
        if not isinstance(class_set, list):
            raise InvalidDataError("the artifact's classes have no class_set")
        return cls(class_set)

    def _add_file(self, sink: Sink) -> dict[str, Any]:
        """Add them as a file of their own; answers how an image names it."""
        content = Bytes(json.dumps(self._to_json(sink)).encode(), "classes.json")
        return {"type": "classes-file", "path": content.add_to(sink, "media/classes"), "digest": content.sha256}

    def __eq__(self, other: object) -> bool:
        return self._class_set == other._class_set if isinstance(other, Classes) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<steplog.Classes {self.names}>"


def _checked(entry: Any) -> dict[str, Any]:
    if not isinstance(entry, Mapping):
        raise InvalidDataError(f"Classes takes dicts with id and name, not a {type(entry).__name__}")
    number, name = entry.get("id"), entry.get("name")
    if not hasattr(number, "__index__") or isinstance(number, bool) or not isinstance(name, str):
        raise InvalidDataError(f"the class {dict(entry)!r} has no id that is an int and name that is a str")
    return {**entry, "id": int(number), "name": name}  # type: ignore[arg-type]


def class_labels(labels: Any, noun: str) -> dict[int, str]:
    """Names by number, as masks and boxes are given them."""
    if labels is None:
        return {}
    if not isinstance(labels, Mapping):
        raise InvalidDataError(f"{noun}: class_labels is a {type(labels).__name__}, not a dict")
    for number, name in labels.items():
        if not hasattr(number, "__index__") or isinstance(number, bool) or not isinstance(name, str):
            raise InvalidDataError(f"{noun}: the class label {number!r}: {name!r} is not an int with a str")
    return {int(number): name for number, name in labels.items()}
