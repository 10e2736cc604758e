"""Sound."""

from __future__ import annotations

import io
import sys
import wave
from typing import Any, ClassVar

from steplog._media.array import to_numpy
from steplog._media.base import FileMedia, content_of
from steplog._media.content import Bytes, Content
from steplog.errors import InvalidDataError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os

FORMATS = ("wav", "mp3", "flac", "ogg", "oga", "opus", "m4a", "aac", "aif", "aiff", "webm")

#: The integers that a WAV file can hold as they are, by the name of their type, and their bytes.
INTEGERS = {"uint8": 1, "int16": 2, "int32": 4}


class Audio(FileMedia):
    """Sound.

    Args:
        data_or_path: The path of a file, which is kept as it is; an open file with a name; or an array or tensor of
            samples, or of samples x channels. Floats are taken as -1 to 1, what is beyond is cut off, and kept in 16
            bits; ``uint8``, ``int16`` and ``int32`` are kept as they are. Arrays are kept as WAV.
        sample_rate: Samples in a second, of an array.
        caption: Text that is shown with it.

    Raises:
        FileNotFoundError: There is no such file.
        InvalidDataError: An argument is something else, or an array comes without a sample rate.
    """

    __slots__ = ()
    _type: ClassVar[str] = "audio-file"
    _folder: ClassVar[str] = "audio"

    def __init__(
        self, data_or_path: str | os.PathLike[str] | Any, sample_rate: int | None = None, caption: str | None = None
    ) -> None:
        content = content_of(data_or_path, "Audio", FORMATS)
        super().__init__(_of_samples(data_or_path, sample_rate) if content is None else content, caption)


def _of_samples(data: Any, sample_rate: Any) -> Content:
    samples = to_numpy(data, "Audio")
    if samples is None:
        raise InvalidDataError(f"Audio takes a path, an open file or an array, not a {type(data).__name__}")
    if isinstance(sample_rate, bool) or not hasattr(sample_rate, "__index__") or sample_rate <= 0:
        raise InvalidDataError(f"Audio: sample_rate is {sample_rate!r}; an array needs its samples in a second, an int")
    if samples.ndim not in (1, 2) or 0 in samples.shape or (samples.ndim == 2 and samples.shape[1] > 255):
        raise InvalidDataError(f"Audio: an array of the shape {samples.shape} is not samples (x channels)")
    numpy = sys.modules["numpy"]
    if samples.dtype.kind == "f":
        scaled = numpy.clip(numpy.nan_to_num(samples.astype(numpy.float64)), -1, 1) * 32767
        samples = numpy.rint(scaled).astype(numpy.int16)
    width = INTEGERS.get(samples.dtype.name)
    if width is None:
        raise InvalidDataError(f"Audio: samples are floats, {', '.join(INTEGERS)}, not {samples.dtype}")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
        file.setsampwidth(width)
        file.setframerate(int(sample_rate))
        file.writeframes(samples.astype(samples.dtype.newbyteorder("<")).tobytes())
    return Bytes(buffer.getvalue(), "wav")
