"""From `log()` in a training script to what a browser then has in hand."""

from __future__ import annotations

import http.client
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

import server
from options import BENCH, Options
from result import Result

TRAINING = """
import steplog, sys, time
run = steplog.init(id="live")
for line in sys.stdin:
    print(time.time(), flush=True)
    run.log({"loss": 1.0})
run.finish()
"""


def measure(options: Options) -> Iterator[Result]:
    folder = options.work / "live"
    with server.running(options.binary, folder / "server" / "data") as own:
        environment = options.environment(folder, own.url)
        command = [sys.executable, "-c", TRAINING]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, env=environment, cwd=BENCH, stdin=pipe, stdout=pipe, text=True) as training:
            times = list(one_by_one(own, training, 10 if options.quick else 40))
            assert training.stdin
            training.stdin.close()
    note = (
        f"slowest of {len(times)}: {max(times):.2f} s; to the event and the chart's bytes, without a browser's drawing"
    )
    yield Result("`log()` to what the browser draws", statistics.median(times), "s", 1, note=note)


def one_by_one(own: server.Server, training: subprocess.Popen[str], count: int) -> Iterator[float]:
    """Seconds from just before each `log()` until the event came and the chart was fetched."""
    assert training.stdin and training.stdout
    connection = http.client.HTTPConnection("127.0.0.1", own.port, timeout=30)
    connection.request("GET", "/api/v1/events?project=local/bench")
    events = connection.getresponse()
    body = {"runs": ["local/bench/live"], "keys": ["loss"], "buckets": 1_000}
    for step in range(count):
        time.sleep(0.3 + 0.037 * (step % 7))
        training.stdin.write("\n")
        training.stdin.flush()
        begun = float(training.stdout.readline())
        while not has_step(events, step):
            pass
        own.post("/series", body)
        yield time.time() - begun
    connection.close()


def has_step(events: http.client.HTTPResponse, step: int) -> bool:
    """Reads one line of the stream; whether it is an event that tells of the step."""
    line = events.readline()
    if not line:
        raise RuntimeError("the server ended the stream of events")
    if not line.startswith(b"data:"):
        return False
    runs = json.loads(line[5:]).get("runs", [])
    return any(run["rows"] and run["last_step"] is not None and run["last_step"] >= step for run in runs)
