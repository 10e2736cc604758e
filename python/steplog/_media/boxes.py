"""Boxes over an image."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from steplog._media.base import FileMedia, Source
from steplog._media.classes import class_labels
from steplog._media.content import Bytes
from steplog.errors import InvalidDataError

#: How a position is given: two corners, or a centre with a size.
CORNERS = ("minX", "maxX", "minY", "maxY")
CENTRE = ("middle", "width", "height")


class BoundingBoxes2D(FileMedia):
    """Boxes over an image; made by ``Image(boxes=…)``."""

    __slots__ = ("_boxes", "_class_labels")
    _type: ClassVar[str] = "boxes2D"
    _folder: ClassVar[str] = "metadata/boxes2D"
    _boxes: list[dict[str, Any]] | None
    _class_labels: dict[int, str]

    def __init__(self, group: str, value: Any) -> None:
        noun = f"boxes {group!r}"
        if not isinstance(value, Mapping) or "box_data" not in value:
            raise InvalidDataError(f"{noun} is no dict with box_data")
        boxes = value["box_data"]
        if isinstance(boxes, (str, bytes)) or not isinstance(boxes, Sequence):
            raise InvalidDataError(f"{noun}: box_data is a {type(boxes).__name__}, not a list")
        self._boxes = [_checked(box, f"{noun}, box {number}") for number, box in enumerate(boxes)]
        given = class_labels(value.get("class_labels"), noun)
        unnamed = {box["class_id"] for box in self._boxes if "class_id" in box}
        self._class_labels = {**{number: f"class_{number}" for number in sorted(unnamed)}, **given}
        said = {"box_data": self._boxes, "class_labels": {str(key): name for key, name in self._class_labels.items()}}
        super().__init__(Bytes(json.dumps(said).encode(), "boxes2D.json"), None)

    @property
    def boxes(self) -> list[dict[str, Any]]:
        """The boxes, each with its ``position``; what is in an artifact is fetched."""
        return list(self._loaded()[0])

    @property
    def class_labels(self) -> dict[int, str]:
        """Names of the classes by number; what is in an artifact is fetched."""
        return dict(self._loaded()[1])

    def _loaded(self) -> tuple[list[dict[str, Any]], dict[int, str]]:
        if self._boxes is None:
            try:
                said = json.loads(self.read())
                self._boxes = [dict(box) for box in said["box_data"]]
                labels = said.get("class_labels", {})
                self._class_labels = {int(number): str(name) for number, name in labels.items()}
            except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
                raise InvalidDataError("the artifact's boxes are no JSON with box_data") from None
        return self._boxes, self._class_labels

    def _read_details(self, said: dict[str, Any], source: Source) -> None:
        self._boxes, self._class_labels = None, {}


def _checked(box: Any, noun: str) -> dict[str, Any]:
    if not isinstance(box, Mapping):
        raise InvalidDataError(f"{noun} is a {type(box).__name__}, not a dict")
    checked: dict[str, Any] = {"position": _position(box.get("position"), noun)}
    if "class_id" in box:
        checked["class_id"] = _integer(box["class_id"], f"{noun}: class_id")
    for word in ("box_caption", "domain"):
        if box.get(word) is not None:
            if not isinstance(box[word], str):
                raise InvalidDataError(f"{noun}: {word} is a {type(box[word]).__name__}, not a str")
            checked[word] = box[word]
    if checked.get("domain", "pixel") != "pixel":
        raise InvalidDataError(f'{noun}: domain is {checked["domain"]!r}, not "pixel"; leave it out for fractions')
    if box.get("scores") is not None:
        if not isinstance(box["scores"], Mapping):
            raise InvalidDataError(f"{noun}: scores is a {type(box['scores']).__name__}, not a dict")
        checked["scores"] = {str(key): number(value, f"{noun}: score") for key, value in box["scores"].items()}
    return checked


def _position(position: Any, noun: str) -> dict[str, Any]:
    names = set(position) if isinstance(position, Mapping) else set()
    if names == set(CORNERS):
        return {name: number(position[name], f"{noun}: {name}") for name in CORNERS}
    if names != set(CENTRE):
        raise InvalidDataError(f"{noun}: position has neither {', '.join(CORNERS)} nor {', '.join(CENTRE)}")
    middle = position["middle"]
    if not isinstance(middle, Sequence) or len(middle) != 2:
        raise InvalidDataError(f"{noun}: middle is no pair of numbers")
    return {
        "middle": [number(value, f"{noun}: middle") for value in middle],
        "width": number(position["width"], f"{noun}: width"),
        "height": number(position["height"], f"{noun}: height"),
    }


def number(value: Any, noun: str) -> int | float:
    """A finite number as Python's own.

    Raises:
        InvalidDataError: It is none.
    """
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InvalidDataError(f"{noun} is {value!r}, not a finite number")
    return value


def _integer(value: Any, noun: str) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise InvalidDataError(f"{noun} is a {type(value).__name__}, not an int")
    return int(value)
