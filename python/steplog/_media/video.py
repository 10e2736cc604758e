"""Moving pictures."""

from __future__ import annotations

import io
import math
from typing import Any, ClassVar

from steplog._media.array import to_numpy
from steplog._media.base import FileMedia, content_of
from steplog._media.content import Bytes, Content
from steplog.errors import Error, InvalidDataError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os

FORMATS = ("gif", "mp4", "webm", "ogg")


class Video(FileMedia):
    """Moving pictures.

    Args:
        data_or_path: The path of a GIF, MP4, WebM or Ogg file, which is kept as it is; an open file; or an array or
            tensor of ``uint8``, frames x channels x height x width, with 1 or 3 channels. Of an array with one more
            axis in front, the videos are shown beside each other. Arrays become a GIF, which needs Pillow; for
            anything better write a file with a library for videos, and give its path.
        caption: Text that is shown with it.
        fps: Frames in a second, of an array. Default: 4.
        format: What an open file without a name is.

    Raises:
        FileNotFoundError: There is no such file.
        InvalidDataError: An argument is something else, or an array has another shape.
        Error: Pillow is needed and not installed.
    """

    __slots__ = ()
    _type: ClassVar[str] = "video-file"
    _folder: ClassVar[str] = "videos"

    def __init__(
        self,
        data_or_path: str | os.PathLike[str] | Any,
        caption: str | None = None,
        fps: float | None = None,
        format: str | None = None,
    ) -> None:
        content = content_of(data_or_path, "Video", FORMATS, format)
        super().__init__(_of_frames(data_or_path, fps, format) if content is None else content, caption)


def _of_frames(data: Any, fps: float | None, format: str | None) -> Content:
    frames = to_numpy(data, "Video")
    if frames is None:
        raise InvalidDataError(f"Video takes a path, an open file or an array, not a {type(data).__name__}")
    if format not in (None, "gif"):
        raise InvalidDataError(f"Video: an array becomes a gif, not {format}; write a file and give its path for that")
    if frames.ndim == 5:
        frames = _beside_each_other(frames)
    if frames.ndim != 4 or frames.shape[1] not in (1, 3) or 0 in frames.shape:
        raise InvalidDataError(f"Video: an array of the shape {frames.shape} is not frames x 1 or 3 x height x width")
    if frames.dtype.name != "uint8":
        raise InvalidDataError(f"Video: an array is of uint8, 0 to 255, not of {frames.dtype}")
    rate = 4 if fps is None else fps
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 < rate <= 1000:
        raise InvalidDataError(f"Video: fps is {rate!r}, not a number of frames in a second")
    try:
        import PIL.Image
    except ImportError:
        raise Error("Pillow is needed to make a GIF of an array: pip install pillow") from None
    pictures = [PIL.Image.fromarray(frame[0] if len(frame) == 1 else frame.transpose(1, 2, 0)) for frame in frames]
    buffer = io.BytesIO()
    pictures[0].save(
        buffer, format="GIF", save_all=True, append_images=pictures[1:], duration=round(1000 / rate), loop=0
    )
    return Bytes(buffer.getvalue(), "gif")


def _beside_each_other(videos: Any) -> Any:
    """Videos in a grid that is as wide as it is high, or one wider; the places that are left are black."""
    count, frames, channels, height, width = videos.shape
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    grid = videos[:1].repeat(rows * columns, axis=0)
    grid[:count], grid[count:] = videos, 0
    grid = grid.reshape(rows, columns, frames, channels, height, width).transpose(2, 3, 0, 4, 1, 5)
    return grid.reshape(frames, channels, rows * height, columns * width)
