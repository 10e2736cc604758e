#!/usr/bin/env python3
"""Logs at an even pace for a long time against a real server: memory must stay flat, and every row must arrive.

Prints the memory of the training process over time. Exits with 1 when its private memory grows by more than the bound
in the second half of the time, or when a row is missing or differs.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import server
from options import BENCH, Options
from server import find_binary, machine

#: What private memory may grow by in the second half of the time, in MiB. At 1,000 rows/s for half an hour that is a
#: bit more than one byte for each row.
MOST_GROWTH = 1.0
ROWS_PER_SECOND = 1_000
SCALARS = 10
RUN = "local/bench/soak"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=1800, help="length; at least 60")
    parser.add_argument("--binary", type=Path, default=find_binary(), help="the steplog binary")
    chosen = parser.parse_args()
    if chosen.binary is None:
        parser.error("there is no steplog binary: cargo build --release")
    if chosen.seconds < 60:
        parser.error("in less than 60 seconds memory says nothing")
    (BENCH / ".work").mkdir(exist_ok=True)
    print(f"{machine()}; {ROWS_PER_SECOND:,} rows/s of {SCALARS} scalars for {chosen.seconds:,} s", flush=True)
    with tempfile.TemporaryDirectory(dir=BENCH / ".work") as work:
        options = Options(chosen.binary.resolve(), Path(work), quick=False, seconds=chosen.seconds)
        with server.running(options.binary, options.work / "data") as own:
            stop = threading.Event()
            watcher = threading.Thread(target=watch_server, args=(own, stop, chosen.seconds / 30), daemon=True)
            watcher.start()
            samples = json.loads(
                options.probe("soak", options.work / "soak", own.url, chosen.seconds, ROWS_PER_SECOND, "soak")
            )
            stop.set()
            watcher.join()
            grown = report(samples)
            problems = missing(own, chosen.seconds * ROWS_PER_SECOND)
    if grown > MOST_GROWTH:
        problems.append(f"private memory grew by {grown:.2f} MiB, more than {MOST_GROWTH} MiB")
    print(
        "\n".join(problems)
        if problems
        else f"memory is flat, and all {chosen.seconds * ROWS_PER_SECOND:,} rows are there"
    )
    return int(bool(problems))


def watch_server(own: server.Server, stop: threading.Event, pause: float) -> None:
    """Says now and then how far the server is, so that somebody who waits sees life."""
    begun = time.monotonic()
    while not stop.wait(max(pause, 5)):
        try:
            rows = json.loads(own.request("GET", f"/api/v1/runs/{RUN}"))["run"]["row_count"]
        except RuntimeError:
            continue  # The run's first bytes are on their way.
        minutes, seconds = divmod(int(time.monotonic() - begun), 60)
        memory = own.status("VmRSS") / 2**20
        print(f"{minutes:3}:{seconds:02}  the server has {rows:>9,} rows and takes {memory:.0f} MiB", flush=True)


def report(samples: list[tuple[float, float]]) -> float:
    """Prints the memory of the training process over time; what its private part grew by in the second half, in MiB."""
    parts = 20
    print("\nmemory of the training process, in MiB\n  time  all of it  private")
    for part in range(parts + 1):
        second = min(part * len(samples) // parts, len(samples) - 1)
        resident, private = samples[second]
        print(f"{second // 60:3}:{second % 60:02} {resident:10.1f} {private:8.2f}")
    privates = [private for _, private in samples]
    tenth = max(len(privates) // 10, 5)
    middle = statistics.median(privates[len(privates) // 2 : len(privates) // 2 + tenth])
    grown = statistics.median(privates[-tenth:]) - middle
    print(f"private memory grew by {grown:.2f} MiB in the second half; the bound is {MOST_GROWTH} MiB", flush=True)
    return grown


def missing(own: server.Server, rows: int) -> list[str]:
    """Reads every row back: what is not as it was logged."""
    run = json.loads(own.request("GET", f"/api/v1/runs/{RUN}"))["run"]
    problems = []
    if (run["state"], run["row_count"]) != ("finished", rows):
        problems.append(f"the run is {run['state']} with {run['row_count']:,} rows, and should have {rows:,}")
    for key in (f"train/metric_{index}" for index in range(SCALARS)):
        body = own.request("GET", f"/api/v1/runs/{RUN}/history?format=jsonl&keys={key.replace('/', '%2F')}")
        step = 0
        for step, line in enumerate(body.splitlines(), start=1):
            row = json.loads(line)
            if (row["_step"], row[key]) != (step - 1, (step - 1) * 0.1):
                problems.append(f"row {step - 1} of {key} is {row}")
                break
        else:
            if step != rows:
                problems.append(f"{key} has {step:,} of {rows:,} rows")
    return problems


if __name__ == "__main__":
    sys.exit(main())
