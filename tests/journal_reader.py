"""A second reader of journals, written from docs/journal-format.md alone and sharing no code with the first."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MAGIC = b"STEPLOG\0"
HEADER_BYTES = 48
LONGEST_FRAME = 16 << 20

RUN_START, ROW, CONFIG, SUMMARY, RUN_UPDATE, HEARTBEAT, EXIT = 1, 2, 3, 4, 5, 6, 7
METRIC, CONSOLE, SYSTEM, FILE, ARTIFACT, ALERT, LOSS, PREEMPTING, ENVIRONMENT = 8, 9, 10, 11, 12, 13, 14, 15, 16


class Damaged(Exception):
    """A journal that is neither whole nor merely cut short."""


@dataclass
class Row:
    step: int
    time: float
    committed: bool
    values: dict[str, Any]


@dataclass
class Journal:
    """One stream, decoded."""

    stream: str
    start: dict[str, Any] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    config: list[tuple[str, Any]] = field(default_factory=list)
    summary: list[tuple[str, Any]] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)
    heartbeats: list[float] = field(default_factory=list)
    exits: list[int] = field(default_factory=list)
    metrics: list[dict[str, Any]] = field(default_factory=list)
    alerts: list[dict[str, Any]] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)
    artifacts: list[dict[str, Any]] = field(default_factory=list)
    preempting: list[float] = field(default_factory=list)
    #: Of every line number the output and the latest text.
    console: dict[int, tuple[str, str]] = field(default_factory=dict)
    samples: list[dict[str, float]] = field(default_factory=list)
    environments: list[dict[str, Any]] = field(default_factory=list)
    lost_rows: int = 0
    #: Stream offset behind the last valid frame.
    end: int = 0


#: Stands for "removed" in a change.
REMOVED = object()


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


_TABLE = _crc_table()


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


class _Payload:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        if count < 0 or self.at + count > len(self.data):
            raise Damaged(f"a payload of {len(self.data)} bytes ends at {self.at} + {count}")
        self.at += count
        return self.data[self.at - count : self.at]

    def varint(self) -> int:
        number = shift = 0
        while True:
            byte = self.take(1)[0]
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
            shift += 7
            if shift > 63:
                raise Damaged("a varint of more than 10 bytes")

    def zigzag(self) -> int:
        number = self.varint()
        return number >> 1 ^ -(number & 1)

    def text(self) -> str:
        return self.take(self.varint()).decode()

    def double(self) -> float:
        number: float = struct.unpack("<d", self.take(8))[0]
        return number

    def value(self) -> Any:
        tag = self.take(1)[0]
        if tag <= 2:
            return (None, False, True)[tag]
        if tag == 3:
            return self.double()
        if tag == 4:
            return self.zigzag()
        if tag == 5:
            return int(self.text())
        if tag == 6:
            return self.text()
        if tag == 7:
            return [self.value() for _ in range(self.varint())]
        if tag == 8:
            return {self.text(): self.value() for _ in range(self.varint())}
        raise Damaged(f"value tag {tag}")

    def changes(self) -> list[tuple[str, Any]]:
        changes = []
        for _ in range(self.varint()):
            key = self.text()
            changes.append((key, self.value() if self.take(1)[0] == 1 else REMOVED))
        return changes

    def end(self) -> None:
        if self.at != len(self.data):
            raise Damaged(f"{len(self.data) - self.at} bytes behind a record")


def _segment_header(data: bytes, stream: str, base: int) -> None:
    if data[:8] != MAGIC:
        raise Damaged("no segment header")
    version, size = struct.unpack_from("<HH", data, 8)
    (crc,) = struct.unpack_from("<I", data, 44)
    (own_base,) = struct.unpack_from("<Q", data, 32)
    if (version, size, crc) != (1, HEADER_BYTES, crc32c(data[:44])):
        raise Damaged(f"header of version {version}, {size} bytes, crc {crc:08x}")
    if data[16:32].hex() != stream or own_base != base:
        raise Damaged("the header of another stream or place")


def _apply(journal: Journal, kind: int, payload: _Payload, keys: list[str]) -> None:
    if kind == RUN_START:
        journal.start = json.loads(payload.data)
        return
    lists = {
        RUN_UPDATE: journal.updates,
        METRIC: journal.metrics,
        ALERT: journal.alerts,
        FILE: journal.files,
        ARTIFACT: journal.artifacts,
        ENVIRONMENT: journal.environments,
    }
    if kind in lists:
        lists[kind].append(json.loads(payload.data))
        return
    if kind == ROW:
        flags, step, time = payload.take(1)[0], payload.zigzag(), payload.double()
        values: dict[str, Any] = {}
        for _ in range(payload.varint()):
            number = payload.varint()
            if number == 0:
                keys.append(payload.text())
            values[keys[number - 1]] = payload.value()  # A new key has the last number, which is index -1.
        journal.rows.append(Row(step, time, bool(flags & 1), values))
    elif kind == CONFIG:
        journal.config += payload.changes()
    elif kind == SUMMARY:
        journal.summary += payload.changes()
    elif kind == HEARTBEAT:
        journal.heartbeats.append(payload.double())
    elif kind == PREEMPTING:
        journal.preempting.append(payload.double())
    elif kind == CONSOLE:
        payload.double()
        output = ("stdout", "stderr")[payload.take(1)[0]]
        first = payload.varint()
        count = payload.varint()
        for number in range(first, first + count):
            journal.console[number] = (output, payload.text())
    elif kind == SYSTEM:
        payload.double()
        journal.samples.append({payload.text(): payload.double() for _ in range(payload.varint())})
    elif kind == EXIT:
        payload.double()
        journal.exits.append(payload.zigzag())
    elif kind == LOSS:
        journal.lost_rows += payload.varint()
        payload.double()
    else:
        return
    payload.end()


def read_journal(folder: Path) -> Journal:
    """Reads one stream from its folder, up to its torn tail."""
    journal = Journal(stream=folder.name)
    segments = sorted(folder.glob("*.segment"))
    for index, path in enumerate(segments):
        base = int(path.stem)
        limit = int(segments[index + 1].stem) - base if index + 1 < len(segments) else None
        data = path.read_bytes()[:limit]
        if limit is None and not any(data[:HEADER_BYTES]):
            break  # Preallocated, and killed before the header.
        _segment_header(data, journal.stream, base)
        at, keys = HEADER_BYTES, list[str]()
        while at + 8 <= len(data):
            length, crc = struct.unpack_from("<II", data, at)
            frame = data[at + 8 : at + 8 + length]
            if not 1 <= length <= LONGEST_FRAME or len(frame) < length or crc32c(frame) != crc:
                break
            _apply(journal, frame[0], _Payload(frame[1:]), keys)
            at += 8 + length
        if limit is not None and at != limit:
            raise Damaged(f"{path}: the frames end at {at}, the next segment begins at {limit}")
        journal.end = base + at
    return journal


def read_run(folder: Path) -> list[Journal]:
    """Reads all journals of a run folder, the one that ``init`` began first."""
    journals = [read_journal(path) for path in (folder / "journal").iterdir()]
    return sorted(journals, key=lambda journal: ("parent_stream" in journal.start, journal.stream))
