"""Bytes from nobody's journal: each is refused by name, and nothing beside it is lost."""

from __future__ import annotations

import gzip
import socket
import struct
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow
import pytest

from journal_reader import HEADER_BYTES, crc32c
from rig.processes import Script, Server

RECORDING = """
import steplog
with steplog.init(project="p", id="a", mode="offline") as run:
    for step in range(100):
        run.log({"x": step})
"""

STREAM = "00112233445566778899aabbccddeeff"


@pytest.fixture
def journal(home: Path) -> tuple[str, bytes]:
    """A stream id and its bytes."""
    with Script(RECORDING, home=home, STEPLOG_SILENT="1") as script:
        assert script.end()[0] == 0, script.said()
    [folder] = (home / "steplog/p/a/journal").iterdir()
    [segment] = folder.glob("*.segment")
    return folder.name, segment.read_bytes()


def frame_ends(data: bytes) -> list[int]:
    ends, at = [HEADER_BYTES], HEADER_BYTES
    while at < len(data):
        at += 8 + struct.unpack_from("<I", data, at)[0]
        ends.append(at)
    return ends


def zstd(data: bytes) -> bytes:
    compressed: bytes = pyarrow.Codec("zstd").compress(data, asbytes=True)
    return compressed


def test_bytes_may_come_twice_overlapping_and_cut_anywhere(server: Server, journal: tuple[str, bytes]) -> None:
    stream, data = journal
    edges = frame_ends(data)
    durable = 0
    for end in [10, 60, 700, 701, 300, 1500, 1500, len(data), len(data)]:
        # Anywhere at or below what is durable already.
        answer = server.api.ingest("local/p/a", stream, start := max(0, durable - 37), data[start:end])
        assert answer.status == 200, answer
        whole = max([edge for edge in edges if edge <= end], default=0)
        # A header alone, with no record behind it, is no run yet.
        durable = max(durable, whole if whole > edges[0] else 0)
        assert answer.json()["durable_offset"] == durable
    assert durable == len(data)
    assert server.api.history("local/p/a") == [{"_step": step, "x": step} for step in range(100)]


def test_an_offset_from_the_future_is_a_conflict_that_says_how_far_the_stream_is(
    server: Server, journal: tuple[str, bytes]
) -> None:
    stream, data = journal
    ends = frame_ends(data)
    assert server.api.ingest("local/p/a", stream, 0, data[: ends[10]]).json()["durable_offset"] == ends[10]
    for offset in (ends[20], 2**40, 2**63 - 1, 2**64 - 1):
        answer = server.api.ingest("local/p/a", stream, offset, data[ends[20] :])
        assert (answer.status, answer.json()["durable_offset"]) == (409, ends[10]), offset
    assert server.api.ingest("local/p/a", stream, ends[10], data[ends[10] :]).json()["durable_offset"] == len(data)


def test_damage_is_refused_and_what_came_before_it_stays(server: Server, journal: tuple[str, bytes]) -> None:
    stream, data = journal
    ends = frame_ends(data)
    damaged = bytearray(data)
    damaged[ends[50] + 12] ^= 0xFF
    answer = server.api.ingest("local/p/a", stream, 0, bytes(damaged))
    known = server.api.get(f"/ingest/local/p/a/{stream}")["durable_offset"]
    if answer.status == 200:
        assert answer.json()["durable_offset"] == known == ends[50]
    else:
        assert answer.status in (400, 422), answer
        assert known in (0, ends[50])
    again = server.api.ingest("local/p/a", stream, known, data[known:])
    assert (again.status, again.json()["durable_offset"]) == (200, len(data))
    assert server.api.history("local/p/a") == [{"_step": step, "x": step} for step in range(100)]


def foreign(data: bytes, name: str) -> bytes:
    """The journal with a header that is not its own."""
    changed = bytearray(data)
    if name == "another magic":
        changed[:8] = b"SQLite f"
    elif name == "another version":
        changed[8] = 99
    elif name == "another stream":
        changed[16:32] = bytes(range(16))
    elif name == "another base":
        changed[32] = 1
    elif name == "no header":
        return data[HEADER_BYTES:]
    elif name == "text":
        return b"<html>hello</html>" * 100
    elif name == "huge frame":
        return data[:HEADER_BYTES] + struct.pack("<II", (16 << 20) + 1, 0) + b"x" * 100
    elif name == "unreadable record":
        frame = b"\x02" + b"\xff" * 40
        return data[: frame_ends(data)[1]] + struct.pack("<II", len(frame), crc32c(frame)) + frame
    struct.pack_into("<I", changed, 44, crc32c(bytes(changed[:44])))
    return bytes(changed)


@pytest.mark.parametrize(
    "name",
    [
        "another magic",
        "another version",
        "another stream",
        "another base",
        "no header",
        "text",
        "huge frame",
        "unreadable record",
    ],
)
def test_a_foreign_journal_is_refused_by_name(server: Server, journal: tuple[str, bytes], name: str) -> None:
    stream, data = journal
    answer = server.api.ingest("local/p/a", stream, 0, foreign(data, name))
    assert answer.status in (400, 409, 422), answer
    assert len(answer.error) > 10, answer.error
    good = server.api.ingest("local/p/a", stream, 0, data)
    assert (good.status, good.json()["durable_offset"]) == (200, len(data)), good
    assert server.api.history("local/p/a") == [{"_step": step, "x": step} for step in range(100)]


def test_a_journal_of_another_run_is_refused(server: Server, journal: tuple[str, bytes]) -> None:
    stream, data = journal
    answer = server.api.ingest("local/p/other", stream, 0, data)
    assert answer.status in (400, 409, 422), answer
    assert server.api.run("local/p/other") is None or server.api.row_count("local/p/other") == 0


def test_a_zip_bomb_is_refused_and_costs_no_memory(server: Server) -> None:
    bomb = zstd(bytes(1 << 30))
    assert len(bomb) < 1 << 20
    before = memory(server)
    for _ in range(3):
        answer = server.api.ingest("local/p/a", STREAM, 0, bomb, content_encoding="zstd")
        assert answer.status in (400, 413, 422), answer
        assert answer.error
    assert memory(server) - before < 300 << 20
    assert server.answers()


def memory(server: Server) -> int:
    assert server.process is not None
    peak = Path(f"/proc/{server.process.pid}/status").read_text().split("VmHWM:")[1]
    return int(peak.split()[0]) << 10


@pytest.mark.parametrize(
    ("body", "encoding", "statuses"),
    [
        (bytes((16 << 20) + 1), "identity", {413}),
        (zstd(bytes(100))[:-4], "zstd", {400, 422}),
        (b"no zstd at all", "zstd", {400, 422}),
        (gzip.compress(bytes(100)), "gzip", {415, 400}),
        (bytes(100), "br", {415, 400}),
    ],
    ids=["too large", "cut zstd", "no zstd", "gzip", "brotli"],
)
def test_a_bad_body_is_refused_by_name(server: Server, body: bytes, encoding: str, statuses: set[int]) -> None:
    try:
        answer = server.api.ingest("local/p/a", STREAM, 0, body, content_encoding=encoding)
    except (BrokenPipeError, ConnectionResetError):
        assert 413 in statuses  # Refused before all of it was sent.
    else:
        assert answer.status in statuses, answer
        assert answer.error
    assert server.answers()
    assert server.api.run("local/p/a") is None


@pytest.mark.parametrize(
    "path",
    [
        "local/p/..",
        "local/%2e%2e/a",
        "local/p%2Fq/a",
        "local/p/%00",
        "local/p/%ff",
        "local/p/" + "x" * 500,
        "local/p/a%3Ab",
    ],
)
def test_a_hostile_name_is_refused(server: Server, home: Path, path: str) -> None:
    answer = server.api.ingest(path, STREAM, 0, b"")
    assert 400 <= answer.status < 500, answer
    assert answer.error
    assert sorted(each.name for each in home.iterdir()) == ["data"] or not (home.parent / "a").exists()


def test_a_request_that_never_ends_does_not_hold_the_others(server: Server, journal: tuple[str, bytes]) -> None:
    stream, data = journal
    parts = urlsplit(server.url)
    slow = []
    for _ in range(50):
        connection = socket.create_connection((parts.hostname, parts.port))
        connection.sendall(
            b"POST /api/v1/ingest/local/p/slow/%s?offset=0 HTTP/1.1\r\n" % STREAM.encode()
            + b"host: 127.0.0.1:%d\r\ncontent-length: 1000\r\n\r\nx" % (parts.port or 0)
        )
        slow.append(connection)
    assert server.api.ingest("local/p/a", stream, 0, data).status == 200
    assert len(server.api.history("local/p/a")) == 100
    for connection in slow:
        connection.close()
