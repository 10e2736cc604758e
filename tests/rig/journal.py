"""A process that writes a journal and sends it: bytes as docs/journal-format.md says, from no client of ours."""

from __future__ import annotations

import json
import struct
from typing import Any

from journal_reader import ARTIFACT, CONSOLE, ENVIRONMENT, EXIT, HEADER_BYTES, RUN_START, SYSTEM, crc32c
from rig.api import Api

STDOUT, STDERR = 0, 1
#: Well within what a server takes at once.
REQUEST_BYTES = 2 << 20
START = 1_750_000_000.0


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def text(value: str) -> bytes:
    encoded = value.encode()
    return varint(len(encoded)) + encoded


class Process:
    """One process of the run ``entity/project/id``; what it does is sent by ``send``."""

    def __init__(self, api: Api, path: str, stream: str = "0" * 31 + "1", **start: Any) -> None:
        self.api, self.path, self.stream = api, path, stream
        _, project, run_id = path.split("/")
        header = b"STEPLOG\0" + struct.pack("<HHI", 1, HEADER_BYTES, 0) + bytes.fromhex(stream) + bytes(12)
        self.waiting = [header + struct.pack("<I", crc32c(header))]
        self.offset = 0
        self.lines = 0
        self._frame(
            RUN_START, json.dumps({"run_id": run_id, "project": project, "started_at": START, **start}).encode()
        )

    def _frame(self, kind: int, payload: bytes) -> None:
        body = bytes([kind]) + payload
        self.waiting.append(struct.pack("<II", len(body), crc32c(body)) + body)

    def print(self, *lines: str, output: int = STDOUT, number: int | None = None, seconds: float | None = None) -> None:
        """Prints lines ``seconds`` after the start; with a ``number``, in place of those from that one on."""
        first = self.lines if number is None else number
        time = START + (first if seconds is None else seconds)
        head = struct.pack("<dB", time, output) + varint(first) + varint(len(lines))
        self._frame(CONSOLE, head + b"".join(map(text, lines)))
        self.lines = max(self.lines, first + len(lines))

    def measure(self, seconds: float, **values: float) -> None:
        """Notes what the machine is busy with; ``__`` in a name stands for a dot."""
        named = [text(name.replace("__", ".")) + struct.pack("<d", value) for name, value in values.items()]
        self._frame(SYSTEM, struct.pack("<d", START + seconds) + varint(len(named)) + b"".join(named))

    def use(self, collection: str, version: str, digest: str) -> None:
        """Notes that the run read a version of its project."""
        event = {"event": "used", "time": START, "collection": collection, "version": version, "digest": digest}
        self._frame(ARTIFACT, json.dumps(event).encode())

    def surroundings(self, environment: dict[str, Any]) -> None:
        self._frame(ENVIRONMENT, json.dumps(environment).encode())

    def end(self) -> None:
        self._frame(EXIT, struct.pack("<d", START + self.lines) + varint(0))
        self.send()

    def send(self) -> None:
        """Returns when the server has all of it."""
        while self.waiting:
            body = b""
            while self.waiting and len(body) + len(self.waiting[0]) <= max(REQUEST_BYTES, len(self.waiting[0])):
                body += self.waiting.pop(0)
            answer = self.api.ingest(self.path, self.stream, self.offset, body)
            assert answer.status == 200, answer
            self.offset += len(body)
            assert answer.json()["durable_offset"] == self.offset, answer
