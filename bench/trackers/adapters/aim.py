"""Aim on its local repository."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from adapters.http import free_port, get, wait_for

TITLE = "aim"
VENV = "aim"
REQUIREMENTS = ["aim==3.29.1", "setuptools<81"]
IMPORT = "aim"
ENVIRONMENT = {"__AIM_ANALYTICS_ENABLED__": "0"}

_run: Any


def start(folder: Path) -> Any:
    global _run
    import aim

    _run = run = aim.Run(
        repo=str(folder),
        experiment="bench",
        system_tracking_interval=None,
        log_system_params=False,
        capture_terminal_logs=False,
    )

    def log(row: dict[str, float], step: int) -> None:
        run.track(row, step=step)

    return log


def finish() -> None:
    _run.close()


def count(folder: Path) -> int:
    import aim

    index(folder)
    repository = aim.Repo(str(folder))
    for run in repository.iter_runs():
        for metric in run.metrics():
            if metric.name.startswith("train/"):
                return len(metric.values.sparse_list()[0])
    return 0


def ingest(folder: Path, points: int, point: Callable[[int], float]) -> None:
    log = start(folder)
    for step in range(points):
        log({"train/loss": point(step)}, step)
    finish()
    index(folder)


def index(folder: Path) -> None:
    """Makes runs visible to queries, which else the web server does now and then in the background."""
    subprocess.run([aim_command(), "storage", "--repo", str(folder), "reindex", "--yes"], check=True)


def aim_command() -> str:
    return str(Path(sys.executable).with_name("aim"))


@contextlib.contextmanager
def server(folder: Path) -> Iterator[Callable[[int], list[float]]]:
    from aim.storage.treeutils import decode_tree

    port = free_port()
    command = [aim_command(), "up", "--repo", str(folder), "--host", "127.0.0.1", "--port", str(port)]
    output = subprocess.DEVNULL
    process = subprocess.Popen([*command, "--yes"], stdout=output, stderr=output, start_new_session=True)
    base = f"http://127.0.0.1:{port}/api"
    try:
        wait_for(f"{base}/projects/")

        def ask(count: int) -> list[float]:
            """The metrics explorer's own request."""
            query = "q=%28metric.name%20%3D%3D%20%22train%2Floss%22%29"
            answer = get(f"{base}/runs/search/metric/?{query}&p={count}&report_progress=false")
            return [value for trace in traces(decode_tree(pairs(answer))) for value in trace]

        yield ask
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def pairs(answer: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Its stream: length and bytes of a path, length and bytes of a value, and so on."""
    at = 0
    while at < len(answer):
        both = []
        for _ in range(2):
            length = int.from_bytes(answer[at : at + 4], "little")
            both.append(answer[at + 4 : at + 4 + length])
            at += 4 + length
        yield both[0], both[1]


def traces(tree: Any) -> Iterator[list[float]]:
    import numpy

    for run in tree.values():
        for trace in run["traces"]:
            values = trace["values"]
            yield list(numpy.frombuffer(values["blob"], dtype=values["dtype"]).astype(float))
