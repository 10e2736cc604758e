"""Masks over an image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from steplog._media import png
from steplog._media.array import to_numpy
from steplog._media.base import FileMedia, content_of
from steplog._media.classes import class_labels
from steplog._media.content import Bytes, Content
from steplog.errors import InvalidDataError


class ImageMask(FileMedia):
    """For each pixel of an image the number of a class, 0 to 255; made by ``Image(masks=…)``."""

    __slots__ = ("_class_labels",)
    _type: ClassVar[str] = "mask"
    _folder: ClassVar[str] = "images/mask"
    _class_labels: dict[int, str]

    def __init__(self, group: str, value: Any) -> None:
        noun = f"mask {group!r}"
        if not isinstance(value, Mapping):
            raise InvalidDataError(f"{noun} is a {type(value).__name__}, not a dict with mask_data or path")
        if ("mask_data" in value) == ("path" in value):
            raise InvalidDataError(f"{noun} has not exactly one of mask_data and path")
        content = (
            content_of(value["path"], noun, ("png",)) if "path" in value else _of_numbers(value["mask_data"], noun)
        )
        if content is None:
            raise InvalidDataError(f"{noun}: the path is a {type(value['path']).__name__}, not a str")
        super().__init__(content, None)
        self._class_labels = class_labels(value.get("class_labels"), noun)

    @property
    def class_labels(self) -> dict[int, str]:
        """Names of the classes by number, as far as they were given."""
        return dict(self._class_labels)

    def _read_details(self, said: dict[str, Any], source: Any) -> None:
        self._class_labels = {}


def _of_numbers(data: Any, noun: str) -> Content:
    array = to_numpy(data, noun)
    try:
        rows = [bytes(row) for row in (data if array is None else array.tolist())]
    except (TypeError, ValueError):
        raise InvalidDataError(f"{noun}: mask_data is not rows of ints from 0 to 255") from None
    if not rows or not rows[0] or any(len(row) != len(rows[0]) for row in rows):
        raise InvalidDataError(f"{noun}: mask_data is empty, or its rows have different lengths")
    return Bytes(png.of_rows(rows), "png")
