"""Arrays as PNG: equal pixels give equal bytes, with Pillow or without."""

from __future__ import annotations

import struct
import sys
import zlib
from typing import Any

SIGNATURE = b"\x89PNG\r\n\x1a\n"

#: The kind of color by the number of channels.
COLORS = {1: 0, 3: 2, 4: 6}

#: What stands before a row: its bytes as they are, or less those of the row above.
PLAIN, ABOVE = 0, 2


def of_array(pixels: Any) -> bytes:
    """An array of NumPy, height x width x channels of ``uint8``; 1, 3 or 4 channels."""
    height, width, channels = pixels.shape
    numpy: Any = sys.modules["numpy"]
    rows = pixels.reshape(height, width * channels)
    # Differences to the row above are small numbers, which take less room.
    lines = numpy.empty((height, width * channels + 1), numpy.uint8)
    lines[:, 0] = ABOVE
    lines[:1, 1:] = rows[:1]
    numpy.subtract(rows[1:], rows[:-1], out=lines[1:, 1:])
    return _file(width, height, channels, lines.tobytes())


def of_rows(rows: list[bytes]) -> bytes:
    """Rows of one channel, each of as many bytes as the others."""
    return _file(len(rows[0]), len(rows), 1, b"".join(bytes([PLAIN]) + row for row in rows))


def _file(width: int, height: int, channels: int, lines: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, COLORS[channels], 0, 0, 0)
    return SIGNATURE + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(lines)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
