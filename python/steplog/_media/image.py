"""Images."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping
from typing import Any, ClassVar

from steplog._media import png
from steplog._media.array import is_of, library_of, to_numpy
from steplog._media.base import FileMedia, Source, content_of
from steplog._media.boxes import BoundingBoxes2D
from steplog._media.classes import Classes
from steplog._media.content import Bytes, Content, checked_name
from steplog._media.image_size import HEAD_BYTES, image_size
from steplog._media.mask import ImageMask
from steplog.errors import Error, InvalidDataError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from steplog._media.base import Sink

#: What an image of an array may be kept as.
FILE_TYPES = ("png", "jpg", "jpeg", "bmp")

#: What the name of a file may end in.
FORMATS = (*FILE_TYPES, "gif", "webp", "svg", "tif", "tiff")


class Image(FileMedia):
    """An image.

    Args:
        data_or_path: The path of a file, which is kept as it is; an open file; an image of Pillow; an array or tensor
            of NumPy, TensorFlow or JAX, height x width, with 1, 3 (RGB) or 4 (RGBA) channels behind or none; a tensor
            of PyTorch with the channels in front; a figure, axes or the ``pyplot`` of matplotlib; another ``Image``.
            Floats between 0 and 1 are taken as parts of 255; numbers that go below 0 are stretched to 0 to 255, and
            what is above 255 is 255.
        mode: Pillow's word for what the pixels are converted to, such as ``"L"`` or ``"RGB"``; needs Pillow. Not for
            files.
        caption: Text that is shown with it.
        grouping: How many images are shown beside each other.
        classes: Names for the numbers in masks and boxes: ``Classes``, or dicts with ``id`` and ``name``.
        boxes: Boxes by group: a dict with ``box_data``, a list of dicts, and ``class_labels``, names by number. A box
            has a ``position``, either ``minX``, ``maxX``, ``minY`` and ``maxY`` or ``middle``, ``width`` and
            ``height``, in fractions of the image or, with ``domain="pixel"``, in pixels; and, if you like, a
            ``class_id``, a ``box_caption`` and ``scores``, numbers by name.
        masks: Masks by group: a dict with ``mask_data``, height x width of ints from 0 to 255, or the ``path`` of a
            PNG; and ``class_labels``, names by number.
        file_type: What pixels are kept as: ``"png"``, ``"jpg"``, ``"jpeg"`` or ``"bmp"``. Not for files. All but PNG
            need Pillow. Default: PNG.

    Raises:
        FileNotFoundError: There is no such file.
        InvalidDataError: An argument is something else, or an array has another shape.
        Error: Pillow is needed and not installed.
    """

    __slots__ = ("_boxes", "_classes", "_grouping", "_masks", "_size")
    _type: ClassVar[str] = "image-file"
    _folder: ClassVar[str] = "images"
    _size: tuple[int, int] | None
    _grouping: int | None
    _classes: Classes | None
    _boxes: dict[str, BoundingBoxes2D]
    _masks: dict[str, ImageMask]

    def __init__(
        self,
        data_or_path: str | os.PathLike[str] | Image | Any,
        mode: str | None = None,
        caption: str | None = None,
        grouping: int | None = None,
        classes: Classes | Sequence[Mapping[str, Any]] | None = None,
        boxes: Mapping[str, Mapping[str, Any]] | None = None,
        masks: Mapping[str, Mapping[str, Any]] | None = None,
        file_type: str | None = None,
    ) -> None:
        content, size = _content(data_or_path, mode, file_type)
        super().__init__(content, caption)
        self._size, self._grouping = size, grouping
        self._boxes = {group: BoundingBoxes2D(group, value) for group, value in _groups("boxes", boxes)}
        self._masks = {group: ImageMask(group, value) for group, value in _groups("masks", masks)}
        self._classes = self._all_classes(classes)
        if isinstance(data_or_path, Image):
            self._take_over(data_or_path)

    @property
    def width(self) -> int | None:
        """In pixels; ``None`` where the head of the file does not say it."""
        return self._size[0] if self._size else None

    @property
    def height(self) -> int | None:
        """In pixels; ``None`` where the head of the file does not say it."""
        return self._size[1] if self._size else None

    @property
    def grouping(self) -> int | None:
        """How many images are shown beside each other."""
        return self._grouping

    @property
    def classes(self) -> Classes | None:
        """Names for the numbers in masks and boxes, all that were given together."""
        return self._classes

    @property
    def boxes(self) -> dict[str, BoundingBoxes2D]:
        """Boxes by group."""
        return dict(self._boxes)

    @property
    def masks(self) -> dict[str, ImageMask]:
        """Masks by group."""
        return dict(self._masks)

    @property
    def image(self) -> Any:
        """The image as one of Pillow.

        Raises:
            Error: Pillow is not installed.
        """
        return _pillow("to open an image").open(io.BytesIO(self.read()))

    def _take_over(self, other: Image) -> None:
        if self._caption is None:
            self._caption = other._caption
        if self._grouping is None:
            self._grouping = other._grouping
        self._boxes, self._masks = {**other._boxes, **self._boxes}, {**other._masks, **self._masks}
        if other._classes is not None:
            mine = self._classes.names if self._classes is not None else {}
            self._classes = Classes.from_names({**other._classes.names, **mine})

    def _all_classes(self, classes: Any) -> Classes | None:
        names: dict[int, str] = {}
        for boxes in self._boxes.values():
            names.update(boxes.class_labels)
        for mask in self._masks.values():
            names.update(mask.class_labels)
        if classes is not None:
            names.update((classes if isinstance(classes, Classes) else Classes(classes)).names)
        return Classes.from_names(names) if names else None

    def _details(self) -> dict[str, Any]:
        details: dict[str, Any] = {"format": self.format}
        if self._size is not None:
            details["width"], details["height"] = self._size
        return details if self._grouping is None else {**details, "grouping": self._grouping}

    def _to_json(self, sink: Sink) -> dict[str, Any]:
        said = super()._to_json(sink)
        if self._classes is not None:
            said["classes"] = self._classes._add_file(sink)
        if self._boxes:
            said["boxes"] = {group: boxes._to_json(sink) for group, boxes in self._boxes.items()}
        if self._masks:
            said["masks"] = {group: mask._to_json(sink) for group, mask in self._masks.items()}
        return said

    def _read_details(self, said: dict[str, Any], source: Source) -> None:
        width, height, grouping = said.get("width"), said.get("height"), said.get("grouping")
        self._size = (width, height) if isinstance(width, int) and isinstance(height, int) else None
        self._grouping = grouping if isinstance(grouping, int) else None
        self._classes = _read_classes(said.get("classes"), source)
        boxes, masks = _read_groups(said, "boxes"), _read_groups(said, "masks")
        self._boxes = {group: BoundingBoxes2D._from_json(value, source) for group, value in boxes.items()}
        self._masks = {group: ImageMask._from_json(value, source) for group, value in masks.items()}
        if self._classes is not None:
            for mask in self._masks.values():
                mask._class_labels = self._classes.names

    def _same_details(self, other: Image) -> bool:
        mine, theirs = self._classes, other._classes
        return self._boxes == other._boxes and self._masks == other._masks and mine == theirs


def _content(data: Any, mode: str | None, file_type: str | None) -> tuple[Content, tuple[int, int] | None]:
    if isinstance(data, Image):
        return data._content, data._size
    file = content_of(data, "Image", FORMATS, file_type)
    if file is not None:
        return file, image_size(file.read()[:HEAD_BYTES])
    word = checked_name(f".{file_type.lstrip('.')}", "file_type", FILE_TYPES) if file_type is not None else "png"
    if is_of(data, "PIL", "Image"):
        return _of_pillow(data, mode, word)
    if library_of(data) is None and _is_of_matplotlib(data):
        buffer = io.BytesIO()
        _figure(data).savefig(buffer, format="png")
        if word == "png" and mode is None:
            return Bytes(buffer.getvalue(), "png"), image_size(buffer.getvalue())
        return _of_pillow(_pillow("for other files than PNG").open(buffer), mode, word)
    pixels = _pixels(data)
    if word == "png" and mode is None:
        height, width, _ = pixels.shape
        return Bytes(png.of_array(pixels), "png"), (width, height)
    pillow = _pillow("for other files than PNG, and for mode")
    return _of_pillow(pillow.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels), mode, word)


def _of_pillow(image: Any, mode: str | None, word: str) -> tuple[Content, tuple[int, int] | None]:
    if mode is not None:
        image = image.convert(mode)
    if word in ("jpg", "jpeg") and image.mode not in ("1", "L", "RGB", "CMYK"):
        image = image.convert("RGB")
    buffer = io.BytesIO()
    try:
        image.save(buffer, format="JPEG" if word == "jpg" else word.upper())
    except (OSError, ValueError) as error:
        raise InvalidDataError(f"Image: Pillow cannot keep it as {word}: {error}") from None
    return Bytes(buffer.getvalue(), word), tuple(image.size)


def _pixels(data: Any) -> Any:
    """An array of NumPy, height x width x channels of ``uint8``."""
    array = to_numpy(data, "Image")
    if array is None:
        raise InvalidDataError(
            "Image takes a path, an open file, an array, or an image of Pillow or matplotlib, "
            f"not a {type(data).__name__}"
        )
    if library_of(data) == "torch" and array.ndim == 3:
        array = array.transpose(1, 2, 0)
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in png.COLORS or 0 in array.shape:
        raise InvalidDataError(
            f"Image: an array of the shape {tuple(data.shape)} is not height x width (x 1, 3 or 4); "
            "of a tensor of PyTorch the channels come first"
        )
    if array.dtype.kind not in "biuf":
        raise InvalidDataError(f"Image: an array of {array.dtype} has no brightness")
    return _to_bytes(array)


def _to_bytes(array: Any) -> Any:
    numpy = sys.modules["numpy"]
    if array.dtype == numpy.uint8:
        return numpy.ascontiguousarray(array)
    if array.dtype.kind == "b":
        return array.astype(numpy.uint8) * numpy.uint8(255)
    # Not a number is black, as in every other viewer.
    array = numpy.nan_to_num(array, nan=0.0, posinf=255.0, neginf=0.0) if array.dtype.kind == "f" else array
    lowest, highest = float(array.min()), float(array.max())
    if lowest < 0:
        array = (array.astype(numpy.float64) - lowest) / (highest - lowest or 1.0) * 255
    elif array.dtype.kind == "f" and highest <= 1:
        array = array.astype(numpy.float64) * 255
    return numpy.clip(array, 0, 255).astype(numpy.uint8)


def _is_of_matplotlib(data: Any) -> bool:
    is_pyplot = data is sys.modules.get("matplotlib.pyplot", None) and data is not None
    return is_pyplot or is_of(data, "matplotlib", "Figure", "Axes", "_AxesBase")


def _figure(data: Any) -> Any:
    if hasattr(data, "savefig") and not hasattr(data, "gcf"):
        return data
    return data.gcf() if hasattr(data, "gcf") else data.figure


def _pillow(what_for: str) -> Any:
    try:
        import PIL.Image
    except ImportError:
        raise Error(f"Pillow is needed {what_for}: pip install pillow") from None
    return PIL.Image


def _groups(argument: str, groups: Any) -> list[tuple[str, Any]]:
    if groups is None:
        return []
    if not isinstance(groups, Mapping):
        raise InvalidDataError(f"Image: {argument} is a {type(groups).__name__}, not a dict of groups")
    for group in groups:
        if not isinstance(group, str):
            raise InvalidDataError(f"Image: the group {group!r} of {argument} is a {type(group).__name__}, not a str")
    return list(groups.items())


def _read_groups(said: dict[str, Any], member: str) -> dict[str, dict[str, Any]]:
    groups = said.get(member, {})
    if not isinstance(groups, dict) or not all(isinstance(value, dict) for value in groups.values()):
        raise InvalidDataError(f"the artifact's image says of its {member} something that are no groups")
    return groups


def _read_classes(said: Any, source: Source) -> Classes | None:
    if not isinstance(said, dict) or not isinstance(said.get("path"), str):
        return None
    try:
        with open(source.local_file(said["path"]), "rb") as file:
            return Classes._from_json(dict(json.loads(file.read())), source)
    except (RecursionError, TypeError, ValueError) as error:
        raise InvalidDataError(f"the artifact's classes {said['path']!r} cannot be read: {error}") from None
