"""What a training process does, as a process of its own: `probe.py TASK ARGUMENTS`; prints JSON."""

from __future__ import annotations

import json
import math
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

from trackers.worker import time_calls


def log(calls: int, scalars: int, console: str = "auto") -> object:
    """Time of each call of `log`, while the uploader works."""
    import steplog

    run = steplog.init(settings={"console": console})
    result = time_calls(lambda row, step: run.log(row), calls, scalars, limit_seconds=60)
    run.finish()
    return result


def pace(seconds: int, rows_per_second: int) -> object:
    """Time of each call while rows of 10 scalars come at an even pace, some at a time."""
    import steplog

    run = steplog.init()
    keys = [f"train/metric_{index}" for index in range(10)]
    at_once = 10
    times = []
    begun = time.perf_counter()
    for turn in range(seconds * rows_per_second // at_once):
        for row in range(at_once):
            data = {key: turn + row * 0.1 for key in keys}
            before = time.perf_counter_ns()
            run.log(data)
            times.append((time.perf_counter_ns() - before) / 1_000)
        due = begun + (turn + 1) * at_once / rows_per_second
        time.sleep(max(0.0, due - time.perf_counter()))
    run.finish()
    times.sort()
    return {"p999_us": times[int(len(times) * 0.999)], "slowest_us": times[-1]}


def lifecycle(console: str = "auto") -> object:
    """Time of `init()`, and of `finish()` when the server has everything that was logged, in ms."""
    import steplog

    begun = time.perf_counter()
    run = steplog.init(settings={"console": console})
    started = time.perf_counter()
    run.log({"loss": 1.0})
    time.sleep(0.7)
    finishing = time.perf_counter()
    run.finish()
    return {"init_ms": (started - begun) * 1e3, "finish_ms": (time.perf_counter() - finishing) * 1e3}


def sample(seconds: int) -> object:
    """CPU time of the thread that samples, for each sample, in ms; the first, which looks for GPUs, is left out."""
    import steplog

    run = steplog.init()
    (name,) = (path.parent for path in wait_for("/proc/self/task", "steplog-system"))
    journal = Path(run.sync_dir) / "journal"
    while not samples(journal):
        time.sleep(0.01)
    before, cpu_before = len(samples(journal)), cpu_seconds(name)
    time.sleep(seconds)
    taken, cpu = samples(journal), cpu_seconds(name) - cpu_before
    run.finish()
    return {"cpu_ms": cpu * 1e3 / (len(taken) - before), "samples": len(taken) - before, "values": len(taken[-1])}


def wait_for(tasks: str, thread: str) -> list[Path]:
    while not (found := [path for path in Path(tasks).glob("*/comm") if path.read_text().strip() == thread]):
        time.sleep(0.01)
    return found


def cpu_seconds(task: Path) -> float:
    return int((task / "schedstat").read_text().split()[0]) / 1e9


def samples(journal: Path) -> list[dict[str, float]]:
    sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))
    from journal_reader import read_journal

    (stream,) = journal.iterdir()
    return read_journal(stream).samples


def soak(seconds: int, rows_per_second: int, run_id: str | None = None) -> object:
    """Resident memory of the process while it logs at an even pace: all of it, and without mapped files, in MiB."""
    import steplog

    run = steplog.init(id=run_id)
    keys = [f"train/metric_{index}" for index in range(10)]
    samples = []
    begun = time.perf_counter()
    for row in range(seconds * rows_per_second):
        run.log({key: row * 0.1 for key in keys})
        due = begun + (row + 1) / rows_per_second
        if row % rows_per_second == rows_per_second - 1:
            samples.append((memory("VmRSS"), memory("RssAnon")))
        while (left := due - time.perf_counter()) > 0.001:
            time.sleep(left)
    run.finish()
    return samples


def print_lines(console: str, target: str, lines: int) -> object:
    """Time of `print` of a line of a training script, in µs."""
    import subprocess

    import steplog

    told = os.dup(1)
    reader = None
    if target == "pipe":
        reader = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        assert reader.stdin is not None
        os.dup2(reader.stdin.fileno(), 1)
        reader.stdin.close()
    else:
        os.dup2(os.open(target, os.O_WRONLY), 1)
    line = "epoch 12 step 3400 loss 0.34521 accuracy 0.91234 lr 0.000125 throughput 1234.5 img/s"
    run = steplog.init(settings={"console": console})
    begun = time.perf_counter()
    for _ in range(lines):
        print(line)
    micros = (time.perf_counter() - begun) / lines * 1e6
    run.finish()
    sys.stdout.flush()
    os.dup2(told, 1)
    if reader is not None:
        reader.wait()
    return micros


def memory(name: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    raise KeyError(name)


def fill(run_id: str, rows: int, scalars: int, single_precision: int) -> object:
    """Logs noisy falling curves and waits until the server has them, or offline until they are in the journal."""
    import steplog

    noise = random.Random(run_id)
    shorten: Callable[[float], float] = to_single if single_precision else float
    keys = [f"train/metric_{index}" for index in range(scalars)]
    begun = time.perf_counter()
    run = steplog.init(id=run_id)
    for step in range(rows):
        falling = math.exp(-3 * step / rows)
        run.log({key: shorten(falling + noise.gauss(0, 0.02)) for key in keys})
    run.finish()
    return time.perf_counter() - begun


def to_single(number: float) -> float:
    """What `loss.item()` of a 32-bit tensor answers."""
    import struct

    return float(struct.unpack("f", struct.pack("f", number))[0])


def many(runs: int, rows: int) -> object:
    """Logs many short runs of one key, one after the other."""
    import steplog

    for index in range(runs):
        run = steplog.init(id=f"many-{index}")
        for step in range(rows):
            run.log({"loss": math.exp(-step / rows) + index})
        run.finish()
    return runs


TASKS: dict[str, Callable[..., object]] = {
    "log": log,
    "pace": pace,
    "lifecycle": lifecycle,
    "sample": sample,
    "print_lines": print_lines,
    "soak": soak,
    "fill": fill,
    "many": many,
}

if __name__ == "__main__":
    arguments = [int(word) if word.isdigit() else word for word in sys.argv[2:]]
    print(json.dumps(TASKS[sys.argv[1]](*arguments)))
