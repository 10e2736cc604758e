"""How fast the server answers what the UI asks."""

from __future__ import annotations

import json
import secrets
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import journal
import server
from options import Options
from result import Result

from measures.ingest import wait_until_sealed


def measure(options: Options) -> Iterator[Result]:
    folder = options.work / "query"
    with server.running(options.binary, folder / "server" / "data") as own:
        yield long_run(options, own)
        yield many_runs(options, own)
        yield runs_table(options, own)
        private = own.status("RssAnon") / (1 << 20)
        note = f"of that {private:.0f} MiB its own, the rest pages of files that the system may take back"
        yield Result("server memory after these", own.status("VmRSS") / (1 << 20), "MiB", note=note)


def timed(own: server.Server, path: str, body: dict[str, Any], times: int = 21) -> tuple[float, str]:
    """Median ms to the first byte of the answer, the first time apart; and what there is to say about the answer."""
    first_byte, whole = [], []
    for _ in range(times):
        begun = time.perf_counter()
        answer, seconds = own.timed_post(path, body)
        whole.append((time.perf_counter() - begun) * 1_000)
        first_byte.append(seconds * 1_000)
    note = f"warm, to the first byte; {statistics.median(whole[1:]):.1f} ms to the last of {len(answer):,}"
    return statistics.median(first_byte[1:]), note


def long_run(options: Options, own: server.Server) -> Result:
    rows = options.scaled(10_000_000)
    seconds = json.loads(options.probe("fill", options.work / "long", own.url, "long", rows, 1, 0))
    wait_until_sealed(own, "local/bench/long", 600)
    body = {"runs": ["local/bench/long"], "keys": ["train/metric_0"], "buckets": 1_000}
    millis, note = timed(own, "/series", body)
    zoom_millis, _ = timed(own, "/series", {**body, "range": [rows * 0.37, rows * 0.43]})
    note += f"; zoomed into 6 %: {zoom_millis:.1f} ms; logged and durable in {seconds:.0f} s"
    return Result(f"chart of 1 run × {rows:,} points", millis, "ms", 20, note=note)


def many_runs(options: Options, own: server.Server) -> Result:
    runs = 200
    options.probe("many", options.work / "many", own.url, runs, 1_000)
    paths = [f"local/bench/many-{index}" for index in range(runs)]
    for path in (paths[0], paths[-1]):
        wait_until_sealed(own, path)
    millis, note = timed(own, "/series", {"runs": paths, "keys": ["loss"], "buckets": 1_000})
    return Result(f"chart of {runs} runs × 1,000 points", millis, "ms", 50, note=note)


def runs_table(options: Options, own: server.Server) -> Result:
    count = options.scaled(100_000)
    begun = time.time() - 3_600

    def make(index: int) -> None:
        run, stream = f"run-{index}", secrets.token_bytes(16)
        known = {"name": f"name-{index}", "tags": ["even" if index % 2 == 0 else "odd"], "group": f"g{index % 50}"}
        data = journal.header(stream) + journal.run_start(run, "table", begun + index / 100, **known)
        data += journal.config({"lr": 10.0 ** -(index % 7), "depth": index % 40, "optimizer": "adam"})
        data += journal.row(0, begun + index / 100, {"loss": (index * 7_919 % count) / count, "acc": 0.5})
        data += journal.exit(begun + index / 100 + 60)
        own.ingest(f"local/table/{run}", stream.hex(), data)

    with ThreadPoolExecutor(16) as pool:
        made = time.perf_counter()
        list(pool.map(make, range(count), chunksize=100))
        made = time.perf_counter() - made
    columns = ["config.lr", "config.optimizer", "summary.loss", "summary.acc"]
    body = {
        "project": "local/table",
        "filter": 'config.lr <= 0.001 and config.depth < 20 and state = "finished"',
        "sort": [{"field": "summary.loss"}],
        "columns": columns,
        "limit": 100,
    }
    millis, note = timed(own, "/runs/query", body)
    total = json.loads(own.post("/runs/query", body))["total"]
    if total == 0:
        raise RuntimeError("the runs table's filter finds nothing")
    plain, _ = timed(own, "/runs/query", {"project": "local/table", "columns": columns, "limit": 100})
    note += f"; {total:,} match; unfiltered, newest first: {plain:.1f} ms; made at {count / made:,.0f} runs/s"
    return Result(f"runs table of {count:,}: filter, sort, first page", millis, "ms", 50, note=note)
