"""Does one task with one tracker, in that tracker's own environment, and writes what it measured to `result.json`.

`python worker.py ADAPTER TASK FOLDER CALLS SCALARS`, with the tasks

    call    log CALLS rows of SCALARS numbers and time each call
    fill    log CALLS rows of SCALARS numbers (none: an empty run) and finish
    kill    log CALLS rows and die by SIGKILL when the last call has returned
    count   say how many rows another process finds in FOLDER
    ingest  log a million points of one key, with a spike in one of them, until they can be asked for
    chart   ask the tracker's own server for a chart of them
"""

from __future__ import annotations

import importlib
import itertools
import json
import math
import os
import random
import signal
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

POINTS = 1_000_000
CHART_POINTS = 1_000
SPIKE_AT = 387_123
SPIKE = 1_000.0

Log = Callable[[dict[str, float], int], None]


def rows(count: int, scalars: int) -> Iterator[dict[str, float]]:
    """Rows such as a training script makes them: a new dict each, of the same keys, with noisy falling numbers."""
    noise = random.Random(7)
    keys = [f"train/metric_{index}" for index in range(scalars)]
    for step in range(count):
        falling = math.exp(-step / count)
        yield {key: falling + noise.gauss(0, 0.02) for key in keys}


def point(step: int) -> float:
    """The value of the million's point at a step, with one spike."""
    return SPIKE if step == SPIKE_AT else math.exp(-3 * step / POINTS) + 0.05 * math.sin(step * 12.9898)


def time_calls(log: Log, count: int, scalars: int, limit_seconds: float) -> dict[str, float]:
    """Time of each call in µs, less what reading the clock costs."""
    clock = time.perf_counter_ns
    empty = []
    for _ in range(2_000):
        begun = clock()
        empty.append(clock() - begun)
    clock_cost = statistics.median(empty)
    warm_up = max(1, count // 20)
    times = []
    end = time.perf_counter() + limit_seconds
    made = rows(count + warm_up, scalars)
    step = 0
    # Rows are made some at a time: making one between two calls would push the tracker's code out of the caches.
    while some := list(itertools.islice(made, 200)):
        for row in some:
            begun = clock()
            log(row, step)
            times.append(clock() - begun)
            step += 1
            if times[-1] > 1_000_000 and len(times) > warm_up + 20 and time.perf_counter() > end:
                break
        if len(times) > warm_up + 20 and time.perf_counter() > end:
            break
    times = sorted(times[warm_up:])
    micros = [max(0.0, nanos - clock_cost) / 1_000 for nanos in times]
    return {
        "calls": len(micros),
        "p50_us": micros[len(micros) // 2],
        "p99_us": micros[int(len(micros) * 0.99)],
        "p999_us": micros[int(len(micros) * 0.999)],
    }


def chart(adapter: Any, folder: Path) -> dict[str, Any]:
    """Time of a warm chart request in ms, the first one apart, and whether the spike is among the answer's numbers."""
    with adapter.server(folder) as ask:
        times = []
        values: list[float] = []
        for _ in range(8):
            begun = time.perf_counter()
            values = ask(CHART_POINTS)
            times.append((time.perf_counter() - begun) * 1_000)
            if sum(times) > 60_000:
                break
    warm = times[1:] or times
    return {
        "first_ms": times[0],
        "chart_ms": statistics.median(warm),
        "points": len(values),
        "spike": any(value == SPIKE for value in values),
    }


def main() -> None:
    name, task, folder, calls, scalars = sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])
    adapter = importlib.import_module(f"adapters.{name}")
    result: dict[str, Any] = {}
    if task == "count":
        result["rows"] = adapter.count(folder)
    elif task == "chart":
        result = chart(adapter, folder)
    elif task == "ingest":
        begun = time.perf_counter()
        adapter.ingest(folder, POINTS, point)
        result["points_per_second"] = POINTS / (time.perf_counter() - begun)
    else:
        log: Log = adapter.start(folder)
        if task == "call":
            result = time_calls(log, calls, scalars, limit_seconds=6)
        else:
            made = time.process_time()
            for _ in rows(calls, scalars):
                pass
            result["making_rows_cpu_seconds"] = time.process_time() - made
            for step, row in enumerate(rows(calls, scalars)):
                log(row, step)
            if task == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
        adapter.finish()
    (folder / "result.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main()
