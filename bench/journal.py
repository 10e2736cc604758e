"""Journals in plain Python, from docs/journal-format.md: made by the thousand for benches, counted after a kill."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path

HEADER_BYTES = 48
MAGIC = b"STEPLOG\0"
RUN_START, ROW, CONFIG, EXIT = 1, 2, 3, 7


def _crc32c_table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


_TABLE = _crc32c_table()


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def zigzag(number: int) -> bytes:
    return varint(number << 1 if number >= 0 else (-number << 1) - 1)


def text(value: str) -> bytes:
    data = value.encode()
    return varint(len(data)) + data


def value(number: float | int | str) -> bytes:
    match number:
        case float():
            return b"\3" + struct.pack("<d", number)
        case int():
            return b"\4" + zigzag(number)
        case _:
            return b"\6" + text(number)


def frame(kind: int, payload: bytes) -> bytes:
    body = bytes([kind]) + payload
    return struct.pack("<II", len(body), crc32c(body)) + body


def header(stream: bytes, base: int = 0) -> bytes:
    front = MAGIC + struct.pack("<HHI", 1, HEADER_BYTES, 0) + stream + struct.pack("<QI", base, 0)
    return front + struct.pack("<I", crc32c(front))


def run_start(run: str, project: str, started_at: float, **known: object) -> bytes:
    start = {"run_id": run, "project": project, "started_at": started_at, **known}
    return frame(RUN_START, json.dumps(start).encode())


def config(entries: dict[str, float | int | str]) -> bytes:
    changes = b"".join(text(key) + b"\1" + value(number) for key, number in entries.items())
    return frame(CONFIG, varint(len(entries)) + changes)


def row(step: int, time: float, entries: dict[str, float | int | str]) -> bytes:
    """A complete row whose keys are all new to the segment."""
    pairs = b"".join(b"\0" + text(key) + value(number) for key, number in entries.items())
    return frame(ROW, b"\1" + zigzag(step) + struct.pack("<d", time) + varint(len(entries)) + pairs)


def exit(time: float, code: int = 0) -> bytes:
    return frame(EXIT, struct.pack("<d", time) + zigzag(code))


def frames(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and payload of the whole frames of a segment, header apart; checksums are looked at."""
    at = HEADER_BYTES
    while at + 8 <= len(data):
        length, crc = struct.unpack_from("<II", data, at)
        body = data[at + 8 : at + 8 + length]
        if length == 0 or len(body) < length or crc32c(body) != crc:
            return
        yield body[0], body[1:]
        at += 8 + length


def segments(journal: Path) -> list[Path]:
    """The segments of a stream in order."""
    return sorted(journal.glob("*.segment"))


def count_rows(journal: Path) -> int:
    """How many rows a stream holds."""
    return sum(kind == ROW for path in segments(journal) for kind, _ in frames(path.read_bytes()))


def stream_bytes(journal: Path) -> bytes:
    """The bytes of a journal that was closed: its segments are cut to their length."""
    return b"".join(path.read_bytes() for path in segments(journal))
