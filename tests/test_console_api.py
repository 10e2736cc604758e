"""What was printed and what machines were busy with is read through ``steplog.Api``."""

from __future__ import annotations

import json
import math
import os
import struct
import time
from pathlib import Path
from typing import Any

import pandas
import polars
import pytest

import steplog
from journal_reader import CONSOLE, ENVIRONMENT, EXIT, HEADER_BYTES, MAGIC, ROW, RUN_START, SYSTEM, crc32c
from rig.api import Api
from rig.processes import Server

STREAMS = ["00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100"]


@pytest.fixture(autouse=True)
def clean_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("STEPLOG_", "WANDB_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))


def varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def text(value: str) -> bytes:
    return varint(len(value.encode())) + value.encode()


def frame(kind: int, payload: bytes) -> bytes:
    body = bytes([kind]) + payload
    return struct.pack("<II", len(body), crc32c(body)) + body


class Journal:
    """The bytes of a process's journal, made by hand."""

    def __init__(self, stream: str, **start: Any) -> None:
        front = MAGIC + struct.pack("<HHI", 1, HEADER_BYTES, 0) + bytes.fromhex(stream) + struct.pack("<QI", 0, 0)
        self.stream, self.bytes = stream, front + struct.pack("<I", crc32c(front))
        self.add(RUN_START, json.dumps({"run_id": "r", "project": "p", "started_at": 1000.0, **start}).encode())

    def add(self, kind: int, payload: bytes) -> Journal:
        self.bytes += frame(kind, payload)
        return self

    def console(self, at: float, output: int, first: int, *lines: str) -> Journal:
        head = struct.pack("<dB", at, output) + varint(first) + varint(len(lines))
        return self.add(CONSOLE, head + b"".join(map(text, lines)))

    def sample(self, at: float, **values: float) -> Journal:
        pairs = b"".join(text(name) + struct.pack("<d", value) for name, value in values.items())
        return self.add(SYSTEM, struct.pack("<d", at) + varint(len(values)) + pairs)

    def row(self, step: int, at: float) -> Journal:
        value = b"\0" + text(f"loss{step}") + b"\3" + struct.pack("<d", 0.5)
        return self.add(ROW, b"\1" + varint(2 * step) + struct.pack("<d", at) + varint(1) + value)

    def send(self, server: Server) -> None:
        answer = Api(server.url).ingest("local/p/r", self.stream, 0, self.bytes)
        assert answer.status == 200, answer
        assert answer.json()["durable_offset"] == len(self.bytes)


def run_of(server: Server) -> steplog.api.Run:
    return steplog.Api(base_url=server.url).run("local/p/r")


def test_lines_are_read_filtered_and_searched(server: Server) -> None:
    lines = [f"epoch {number}" for number in range(2500)]
    one = Journal(STREAMS[0], label="rank 0").console(1001.0, 0, 0, *lines)
    one.console(1003.0, 1, 2500, "  0%").console(1004.0, 1, 2500, "\x1b[31m100%\x1b[0m").send(server)
    Journal(STREAMS[1], label="rank 1").console(1002.0, 0, 0, "hello", "").send(server)
    run = run_of(server)

    everything = list(run.console_lines())
    assert [line.text for line in everything] == [*lines, "hello", "", "\x1b[31m100%\x1b[0m"]
    assert everything[-1] == steplog.api.ConsoleLine(
        text="\x1b[31m100%\x1b[0m", output="stderr", time=1003.0, number=2500, stream=STREAMS[0], label="rank 0"
    )
    assert [line.number for line in run.console_lines(start=-3, page_size=1)] == [0, 1, 2500]
    assert [line.text for line in run.console_lines("stderr")] == ["\x1b[31m100%\x1b[0m"]
    assert [line.label for line in run.console_lines(stream=STREAMS[1])] == ["rank 1", "rank 1"]
    assert len(list(run.console_lines(search="EPOCH 24"))) == 111
    assert not list(run.console_lines(search="EPOCH", case_sensitive=True))
    found = run.console_lines(search=r"^epoch \d$|100", regex=True, page_size=3)
    assert [line.number for line in found] == [*range(10), 100, *range(1000, 1010), 1100, 2100, 2500]


def test_a_console_is_one_text(server: Server) -> None:
    Journal(STREAMS[0]).console(1.0, 0, 0, "\x1b[1mbold\x1b[0m", "ü").console(2.0, 1, 2, "warning").send(server)
    run = run_of(server)
    assert run.console() == "bold\nü\nwarning\n"
    assert run.console("stderr") == "warning\n"
    assert run.console("stdout", colours=True) == "\x1b[1mbold\x1b[0m\x1b[0m\nü\n"


def test_what_cannot_be_asked_for_is_refused(server: Server) -> None:
    Journal(STREAMS[0]).console(1.0, 0, 0, "x").send(server)
    run = run_of(server)
    for refused, message in [
        (lambda: run.console_lines("log"), 'output must be "stdout" or "stderr", not "log"'),
        (lambda: run.console_lines(page_size=0), "page_size must be 1 to 5000, not 0"),
        (lambda: list(run.console_lines(search="(", regex=True)), "search is not a regular expression"),
        (lambda: run.history(stream="gpu"), "stream must be 'default' or 'system', not 'gpu'"),
        (lambda: run.history(stream="system", x_axis="cpu"), "x_axis of system metrics must be one of _step"),
    ]:
        with pytest.raises(steplog.errors.InvalidDataError) as error:
            refused()
        assert str(error.value).startswith(message)
    with pytest.raises(steplog.errors.NotFoundError, match="the run has no process"):
        list(run.console_lines(stream=STREAMS[1]))
    run.delete()
    with pytest.raises(steplog.errors.NotFoundError):
        list(run.console_lines())


def test_samples_are_a_table(server: Server, home: Path) -> None:
    journal = Journal(STREAMS[0]).sample(1001.0, cpu=10.0, memory=0.5).row(4, 1001.5)
    for index in range(9):
        journal.sample(1002.0 + index, cpu=float(index))
    journal.sample(1011.0, cpu=math.nan).send(server)
    run = run_of(server)

    frame = run.history(stream="system")
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame.columns) == ["_step", "_timestamp", "_runtime", "cpu", "memory"]
    assert list(frame["_step"]) == [0] + [4] * 10
    assert list(frame["_runtime"]) == [1.0, *(2.0 + index for index in range(10))]
    assert list(frame["cpu"][:10]) == [10.0, *map(float, range(9))]
    assert frame["memory"].isna().sum() == 10
    some = run.history(stream="events", samples=3, keys=["cpu", "none"], x_axis="_runtime", pandas=False)
    assert [row["_runtime"] for row in some] == [1.0, 6.0, 11.0]
    assert some[0] == {"_runtime": 1.0, "cpu": 10.0, "none": None}
    assert list(run.history(stream="system", samples=2, keys=["none"])["_step"]) == [0, 4]

    table = run.system_table()
    assert isinstance(table.to_polars(), polars.DataFrame)
    assert table.to_polars()["cpu"].to_list()[:2] == [10.0, 0.0]
    table.write(home / "system.parquet")
    assert len(pandas.read_parquet(home / "system.parquet")) == 11
    # The history has none of it.
    assert [row["_step"] for row in run.scan_history()] == [4]
    assert run.row_count == 1


def test_surroundings_that_became_known_later_are_in_the_metadata(server: Server) -> None:
    journal = Journal(STREAMS[0], environment={"program": "train.py", "git": None})
    journal.add(ENVIRONMENT, json.dumps({"git": {"commit": "abc"}}).encode())
    journal.add(EXIT, struct.pack("<d", time.time()) + b"\0").send(server)
    assert run_of(server).metadata == {"program": "train.py", "git": {"commit": "abc"}}
