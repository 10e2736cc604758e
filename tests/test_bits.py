"""Every number comes back bit for bit, and no row is lost for its step."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import pyarrow.ipc
import pyarrow.parquet
import pytest

from rig.processes import Script, Server, steplog

#: A quiet NaN, its negative, NaNs with payloads, infinities, zeros, the smallest and largest subnormals and normals.
BITS = [
    0x7FF8000000000000,
    0xFFF8000000000000,
    0x7FF8DEADBEEF0001,
    0xFFFFFFFFFFFFFFFF,
    0x7FF0000000000000,
    0xFFF0000000000000,
    0x0000000000000000,
    0x8000000000000000,
    0x0000000000000001,
    0x800FFFFFFFFFFFFF,
    0x0010000000000000,
    0x7FEFFFFFFFFFFFFF,
    0x3FF0000000000001,
    0x3FD5555555555555,
]

LOGGING = f"""
import struct, steplog
with steplog.init(project="bits", id="a") as run:
    for bits in {BITS!r}:
        (value,) = struct.unpack("<d", struct.pack("<Q", bits))
        run.log({{"value": value, "whole": 2**63 - 1, "big": 2**80, "text": "\\u00e4\\0", "flag": True}})
with steplog.init(project="bits", id="steps") as run:
    for step in (7, 3, -5, 2**62, 3, 7, 0):
        run.log({{"x": step, "n": {{"a.b": 1}}}}, step=step)
    run.log({{"x": "late"}}, step=7)
"""


def bits_of(column: Any) -> list[int]:
    return [struct.unpack("<Q", struct.pack("<d", value.as_py()))[0] for value in column]


def table(body: bytes, file_format: str) -> Any:
    if file_format == "parquet":
        return pyarrow.parquet.read_table(io.BytesIO(body))
    return pyarrow.ipc.open_stream(body).read_all()


@pytest.fixture
def logged(home: Path, server: Server) -> Server:
    with Script(LOGGING, home=home, STEPLOG_BASE_URL=server.url) as script:
        assert script.end()[0] == 0, script.said()
    return server


@pytest.mark.parametrize("file_format", ["parquet", "arrow"])
def test_floats_come_back_bit_for_bit(logged: Server, home: Path, file_format: str) -> None:
    columns = table(logged.api.export("local/bits/a", file_format), file_format)
    assert bits_of(columns["value"]) == BITS
    assert columns["whole"].to_pylist() == [2**63 - 1] * len(BITS)
    assert columns["_step"].to_pylist() == list(range(len(BITS)))
    assert columns["text"].to_pylist() == ["ä\0"] * len(BITS)
    # Once more after the server was killed, and from the folder without any server.
    logged.kill()
    logged.start()
    assert bits_of(table(logged.api.export("local/bits/a", file_format), file_format)["value"]) == BITS
    done = steplog("export", "steplog/bits/a", "--format", file_format, "-o", "local", home=home)
    assert done.returncode == 0, done.stderr
    assert bits_of(table((home / "local").read_bytes(), file_format)["value"]) == BITS


def test_json_says_what_it_can_and_names_the_rest(logged: Server) -> None:
    values = [row["value"] for row in logged.api.history("local/bits/a")]
    assert values[:6] == ["NaN"] * 4 + ["Infinity", "-Infinity"]
    assert [struct.unpack("<Q", struct.pack("<d", value))[0] for value in values[6:]] == BITS[6:]
    assert logged.api.history("local/bits/a")[0]["big"] in (2**80, str(2**80))


def test_steps_in_any_order_are_all_there_and_the_later_write_wins(logged: Server) -> None:
    history = logged.api.history("local/bits/steps")
    assert history == [
        {"_step": step, "x": "late" if step == 7 else step, r"n.a\.b": 1} for step in (-5, 0, 3, 7, 2**62)
    ]


def test_a_chart_tells_non_finite_points(logged: Server) -> None:
    rows = logged.api.series("local/bits/a", "value", buckets=1)
    total = {name: sum(row[name] for row in rows) for name in rows[0] if name.endswith("count")}
    assert total == {"count": 14, "nan_count": 4, "positive_infinity_count": 1, "negative_infinity_count": 1}
    assert min(row["min"] for row in rows) == -2.225073858507201e-308
    assert max(row["max"] for row in rows) == 1.7976931348623157e308
