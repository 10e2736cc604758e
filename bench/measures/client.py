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

#: Nothing is looked at unasked: no samples of the machine, no git.
ALONE = {"STEPLOG_SYSTEM_METRICS": "false", "STEPLOG_DISABLE_GIT": "true", "STEPLOG_DISABLE_CODE": "true"}


def measure(options: Options) -> Iterator[Result]:
    yield importing(options)
    yield sampling(options)
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
    def median(found: list[dict[str, float]], name: str) -> float:
        return statistics.median(one[name] for one in found)

    found: list[dict[str, float]] = []
    alone: list[dict[str, float]] = []
    for _ in range(9):
        found.append(json.loads(options.probe("lifecycle", options.work / "life", own.url)))
        alone.append(json.loads(options.probe("lifecycle", options.work / "life", own.url, **ALONE)))
    note = f"first of the process; without system metrics and git: {median(alone, 'init_ms'):.3g} ms"
    yield Result("`init()`", median(found, "init_ms"), "ms", 10, note=note)
    note = f"without: {median(alone, 'finish_ms'):.3g} ms"
    yield Result("`finish()`, empty backlog", median(found, "finish_ms"), "ms", 50, note=note)


def sampling(options: Options) -> Result:
    """What one look at the machine costs its thread; ten a second, where the default is one in ten seconds."""
    seconds = 3 if options.quick else 10
    printed = options.probe("sample", options.work / "sample", None, seconds, STEPLOG_SYSTEM_INTERVAL="0.1")
    found = json.loads(printed)
    note = f"CPU time of the thread, {found['samples']} samples of {found['values']} values"
    return Result("a sample of the machine", found["cpu_ms"], "ms", note=note)


def log_calls(options: Options, own: server.Server) -> Iterator[Result]:
    """The call by itself, offline; online flat out, where training, uploader and server want more than there is of two
    cores; and at a pace that keeps the uploader busy all the time."""
    for scalars, calls, budget in ((1, 200_000, 0.4), (10, 100_000, 0.9), (100, 20_000, 5.0)):
        ways: list[tuple[str | None, dict[str, str], list[float]]] = [
            (None, {}, []),
            (own.url, {}, []),
            (None, ALONE, []),
        ]
        for _ in range(5):
            for url, variables, times in ways:
                printed = options.probe("log", options.work / "log", url, options.scaled(calls), scalars, **variables)
                times.append(json.loads(printed)["p50_us"])
        offline, online, alone = (statistics.median(times) for _, _, times in ways)
        note = f"online, flat out: {online:.2g} µs; without system metrics and git: {alone:.2g} µs"
        yield Result(f"`log` of {scalars} scalar{'s' * (scalars > 1)}, p50", offline, "µs", budget, note=note)
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
