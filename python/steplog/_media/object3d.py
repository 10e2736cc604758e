"""Bodies and clouds of points."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from steplog._media.array import to_numpy
from steplog._media.base import FileMedia, content_of
from steplog._media.content import Bytes, Content
from steplog.errors import InvalidDataError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os

FORMATS = ("obj", "gltf", "glb", "babylon", "stl", "pts.json")

#: How many numbers a point has: its place, with a category, with a color.
POINTS = (3, 4, 6)

#: The kind of scene that has boxes and vectors beside points.
SCENE = "lidar/beta"


class Object3D(FileMedia):
    """A body, or a cloud of points, in three dimensions.

    Args:
        data_or_path: The path of a file that ends in ``obj``, ``gltf``, ``glb``, ``babylon``, ``stl`` or ``pts.json``,
            which is kept as it is; an open file; an array or tensor of points, n x 3 (x, y, z), n x 4 (with a
            category, an int from 1) or n x 6 (with red, green and blue, 0 to 255); or a dict with ``type``
            ``"lidar/beta"``, ``points`` as above, and ``boxes`` and ``vectors``, lists of dicts.
        caption: Text that is shown with it.
        file_type: What an open file without a name is.

    Raises:
        FileNotFoundError: There is no such file.
        InvalidDataError: An argument is something else, or an array has another shape.
    """

    __slots__ = ()
    _type: ClassVar[str] = "object3D-file"
    _folder: ClassVar[str] = "object3D"

    def __init__(
        self, data_or_path: str | os.PathLike[str] | Any, caption: str | None = None, file_type: str | None = None
    ) -> None:
        content = content_of(data_or_path, "Object3D", FORMATS, file_type)
        super().__init__(_of_points(data_or_path) if content is None else content, caption)

    @classmethod
    def from_file(cls, data_or_path: str | os.PathLike[str] | Any, file_type: str | None = None) -> Object3D:
        """An object of a file.

        Args:
            data_or_path: The path of a file, or an open file.
            file_type: What an open file without a name is.

        Returns:
            The object.

        Raises:
            FileNotFoundError: There is no such file.
            InvalidDataError: It is none of the known formats.
        """
        return cls(data_or_path, file_type=file_type)

    @classmethod
    def from_numpy(cls, data: Any) -> Object3D:
        """An object of an array of points.

        Args:
            data: Points, n x 3, 4 or 6.

        Returns:
            The object.

        Raises:
            InvalidDataError: It is no such array.
        """
        return cls(data)

    @classmethod
    def from_point_cloud(
        cls,
        points: Any,
        boxes: Sequence[Mapping[str, Any]] = (),
        vectors: Sequence[Mapping[str, Any]] = (),
        point_cloud_type: str = SCENE,
    ) -> Object3D:
        """A scene of points, boxes and vectors.

        Args:
            points: Points, n x 3, 4 or 6: an array, or a list of lists.
            boxes: Dicts with ``corners``, eight points, and, if you like, ``label``, ``color`` (red, green and blue, 0
                to 255) and ``score``.
            vectors: Dicts with ``start`` and ``end``, a point each.
            point_cloud_type: The kind of scene; there is one.

        Returns:
            The object.

        Raises:
            InvalidDataError: An argument is something else.
        """
        return cls({"type": point_cloud_type, "points": points, "boxes": boxes, "vectors": vectors})


def _of_points(data: Any) -> Content:
    said: Any
    if isinstance(data, Mapping):
        if data.get("type") != SCENE:
            raise InvalidDataError(f"Object3D: the type of a scene is {data.get('type')!r}, not {SCENE!r}")
        points, boxes, vectors = data.get("points", ()), data.get("boxes", ()), data.get("vectors", ())
        said = {
            "type": SCENE,
            "points": _points(points) if len(points) else [],
            "boxes": _dicts(boxes, "boxes"),
            "vectors": _dicts(vectors, "vectors"),
        }
    elif to_numpy(data, "Object3D") is None:
        raise InvalidDataError(f"Object3D takes a path, an open file, an array or a dict, not a {type(data).__name__}")
    else:
        said = _points(data)
    try:
        return Bytes(json.dumps(said, allow_nan=False).encode(), "pts.json")
    except (TypeError, ValueError) as error:
        raise InvalidDataError(f"Object3D: the scene has no JSON form: {error}") from None


def _points(data: Any) -> list[list[float]]:
    array = to_numpy(data, "Object3D")
    if array is not None and (array.ndim != 2 or array.dtype.kind not in "iuf"):
        raise InvalidDataError(f"Object3D: an array of {array.dtype} of the shape {array.shape} is not n x 3, 4 or 6")
    points = [list(point) for point in (data if array is None else array.tolist())]
    width = len(points[0]) if points else 0
    if width not in POINTS or any(len(point) != width for point in points):
        raise InvalidDataError(f"Object3D: points are n x 3, 4 or 6 numbers, not {len(points)} x {width}")
    return points


def _dicts(items: Any, noun: str) -> list[Any]:
    if isinstance(items, (str, bytes, Mapping)) or not all(isinstance(item, Mapping) for item in items):
        raise InvalidDataError(f"Object3D: {noun} is no list of dicts")
    return [_plain(item) for item in items]


def _plain(value: Any) -> Any:
    """The value with lists in the place of arrays and tuples."""
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if hasattr(value, "tolist"):
        return value.tolist()
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value
