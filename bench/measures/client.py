"""What the training process feels."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

import server
from options import Options
from result import Result


def measure(options: Options) -> Iterator[Result]:
    yield importing(options)
    with server.running(options.binary, options.work / "client" / "data") as own:
        yield from lifecycle(options, own)
        yield from log_calls(options, own)
        yield from soak(options, own)


def importing(options: Options) -> Result:
    environment = options.environment(options.work / "import", None)
    times: dict[str, list[float]] = {"pass": [], "import steplog": []}
    for _ in range(11 if options.quick else 41):
        for code, found in times.items():
            begun = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], env=environment, cwd=options.work, check=True)
            found.append((time.perf_counter() - begun) * 1_000)
    bare, imported = (statistics.median(found[1:]) for found in times.values())
    return Result("`import steplog` over bare Python", imported - bare, "ms", 15, note=f"bare Python {bare:.1f} ms")


def lifecycle(options: Options, own: server.Server) -> Iterator[Result]:
    found = [json.loads(options.probe("lifecycle", options.work / "life", own.url)) for _ in range(9)]
    yield Result("`init()`", statistics.median(one["init_ms"] for one in found), "ms", 10, note="first of the process")
    yield Result("`finish()`, empty backlog", statistics.median(one["finish_ms"] for one in found), "ms", 50)


def log_calls(options: Options, own: server.Server) -> Iterator[Result]:
    """The call by itself, offline; online flat out, where training, uploader and server want more than there is of two
    cores; and at a pace that keeps the uploader busy all the time."""
    for scalars, calls, budget in ((1, 200_000, 0.4), (10, 100_000, 0.9), (100, 20_000, 5.0)):
        found: dict[str | None, list[float]] = {None: [], own.url: []}
        for _ in range(5):
            for url, times in found.items():
                printed = options.probe("log", options.work / "log", url, options.scaled(calls), scalars)
                times.append(json.loads(printed)["p50_us"])
        alone, online = (statistics.median(times) for times in found.values())
        note = f"online, flat out: {online:.2g} µs"
        yield Result(f"`log` of {scalars} scalar{'s' * (scalars > 1)}, p50", alone, "µs", budget, note=note)
    rows = 5_000
    seconds = 5 if options.quick else 20
    paced = [json.loads(options.probe("pace", options.work / "log", own.url, seconds, rows)) for _ in range(3)]
    note = f"{rows:,} rows/s × 10; the slowest of {seconds * rows:,}: {paced[0]['slowest_us']:,.0f} µs"
    yield Result("`log` p99.9, uploader busy", statistics.median(one["p999_us"] for one in paced), "µs", 100, note=note)


def soak(options: Options, own: server.Server) -> Iterator[Result]:
    seconds = 15 if options.quick else options.seconds
    samples = json.loads(options.probe("soak", options.work / "soak", own.url, seconds, 1_000))
    later = [private for _, private in samples[len(samples) // 3 :]]
    slope = statistics.linear_regression(range(len(later)), later).slope * 3600
    peak = max(resident for resident, _ in samples)
    note = f"whole process, {seconds} s; of that {later[-1]:.1f} MiB private, growing {slope:.1f} MiB an hour"
    yield Result("memory at 1,000 rows/s × 10", peak, "MiB", 64, note=note)
