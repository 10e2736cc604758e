"""Runs a command with everything it starts, and says what all of it used."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Use:
    """What a command and its descendants used."""

    #: Exit code of the command, negative for a signal.
    code: int
    #: From start to exit of the command.
    seconds: float
    #: Of all processes, also those that outlived the command.
    cpu_seconds: float
    #: Highest sum of resident memory.
    peak_bytes: int


def adopt_orphans() -> None:
    """Makes helpers that outlive their parent ours, so that their CPU time is counted."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def run(command: list[str], environment: dict[str, str], folder: Path, linger: float = 20.0) -> Use:
    """Runs a command to its end, and waits `linger` seconds for what it left behind; then that is killed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak = [0]
    stop = threading.Event()
    known = set(children(os.getpid()))

    def watch() -> None:
        while not stop.wait(0.01):
            peak[0] = max(peak[0], sum(map(resident_bytes, descendants(known))))

    with (folder / "output.txt").open("wb") as output:
        begun = time.perf_counter()
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=output, stderr=output)
        watcher = threading.Thread(target=watch)
        watcher.start()
        _, status, _ = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
    reap(known, linger)
    stop.set()
    watcher.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Use(process.returncode, seconds, cpu, peak[0])


def reap(known: set[int], linger: float) -> None:
    """Waits for orphans, and kills those that stay."""
    end = time.monotonic() + linger
    while left := [child for child in children(os.getpid()) if child not in known]:
        for child in left:
            if time.monotonic() > end:
                os.kill(child, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child, os.WNOHANG)
        time.sleep(0.01)


def children(process: int) -> list[int]:
    found: list[int] = []
    try:
        for task in Path(f"/proc/{process}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    except OSError:
        pass
    return found


def descendants(known: set[int]) -> list[int]:
    """All below this process, but for those in `known`."""
    found = [child for child in children(os.getpid()) if child not in known]
    for process in found:
        found += children(process)
    return found


def resident_bytes(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError):
        return 0
