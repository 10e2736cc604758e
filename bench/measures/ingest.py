"""How fast journals become durable, and how small they get."""

from __future__ import annotations

import json
import sqlite3
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import journal
import server
from options import Options
from result import Result

RUNS = 4


def measure(options: Options) -> Iterator[Result]:
    for scalars, rows in ((10, 100_000), (100, 10_000)):
        yield throughput(options, options.scaled(rows), scalars)
    yield bytes_per_scalar(options, False)
    yield bytes_per_scalar(options, True)


def throughput(options: Options, rows: int, scalars: int) -> Result:
    """Journals made beforehand, posted over HTTP on a connection each, uncompressed."""
    folder = options.work / f"ingest-{scalars}"
    journals = []
    for index in range(RUNS):
        options.probe("fill", folder, None, f"run-{index}", rows, scalars, 0)
        stream = next(folder.glob(f"steplog/bench/run-{index}/journal/*"))
        journals.append((f"local/bench/run-{index}", stream.name, journal.stream_bytes(stream)))
    rates = []
    for turn in range(1 if options.quick else 3):
        with (
            server.running(options.binary, folder / f"server-{turn}" / "data") as own,
            ThreadPoolExecutor(RUNS) as pool,
        ):
            begun = time.perf_counter()
            list(pool.map(lambda one: own.ingest(*one), journals))
            rates.append(RUNS * rows * scalars / (time.perf_counter() - begun))
    note = f"{RUNS} runs of {rows:,} rows × {scalars}, sender on the same cores"
    return Result(f"ingest, rows of {scalars}", statistics.median(rates), "scalars/s", 1_000_000, True, note)


def bytes_per_scalar(options: Options, single_precision: bool) -> Result:
    """One key, as a loss is logged: the steps and times are its own."""
    rows = options.scaled(500_000)
    folder = options.work / f"bytes-{single_precision}"
    with server.running(options.binary, folder / "empty" / "data") as own:
        pass
    empty = used_bytes(own.data)
    with server.running(options.binary, folder / "server" / "data") as own:
        options.probe("fill", folder, own.url, "run", rows, 1, int(single_precision))
        wait_until_sealed(own, "local/bench/run")
    files = sum(path.stat().st_size for path in own.data.rglob("*") if path.is_file())
    kind = "32-bit noise" if single_precision else "64-bit noise"
    note = f"{rows:,} points; the files take {files / rows:.1f}, free pages and an empty database apart"
    return Result(f"bytes per scalar on disk, {kind}", (used_bytes(own.data) - empty) / rows, "B", 8, note=note)


def wait_until_sealed(own: server.Server, run: str, seconds: float = 120) -> None:
    """Returns when everything of a run is in compressed columns."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        detail = json.loads(own.request("GET", f"/api/v1/runs/{run}"))
        if all(stream["sealed_offset"] == stream["durable_offset"] for stream in detail["streams"]):
            return
        time.sleep(0.2)
    raise TimeoutError(f"{run} was not sealed in {seconds:.0f} s")


def used_bytes(data: Path) -> int:
    """Bytes of the pages in use of the databases of a server that was stopped."""
    used = 0
    for path in data.rglob("*"):
        if path.is_file() and path.read_bytes()[:15] == b"SQLite format 3":
            with sqlite3.connect(path) as connection:
                pages, free, size = (
                    connection.execute(f"PRAGMA {name}").fetchone()[0]
                    for name in ("page_count", "freelist_count", "page_size")
                )
            used += (pages - free) * size
    return used
