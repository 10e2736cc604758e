"""tensorboardX writing event files, and TensorBoard reading them."""

from __future__ import annotations

import contextlib
import json
import math
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from adapters.http import free_port, get, wait_for

TITLE = "tensorboardX"
VENV = "tensorboardx"
REQUIREMENTS = ["tensorboardX==2.6.5", "tensorboard==2.21.0", "setuptools<81"]
IMPORT = "tensorboardX"
ENVIRONMENT: dict[str, str] = {}

_writer: Any


def start(folder: Path) -> Any:
    global _writer
    import tensorboardX

    _writer = writer = tensorboardX.SummaryWriter(str(folder / "events"))

    def log(row: dict[str, float], step: int) -> None:
        for key, value in row.items():
            writer.add_scalar(key, value, step)

    return log


def finish() -> None:
    _writer.close()


def count(folder: Path) -> int:
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    events = next((folder / "events").iterdir())
    return len({event.step for event in EventFileLoader(str(events)).Load() if event.summary.value})


def ingest(folder: Path, points: int, point: Callable[[int], float]) -> None:
    log = start(folder)
    for step in range(points):
        log({"train/loss": point(step)}, step)
    finish()


@contextlib.contextmanager
def server(folder: Path) -> Iterator[Callable[[int], list[float]]]:
    """Its default sampling: 1,000 scalars of a series. Asked when the server has read the whole event file."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "tensorboard.main",
        "--logdir",
        str(folder),
        "--port",
        str(port),
        "--load_fast=false",
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}/data/plugin/scalars"
    try:
        wait_for(f"{base}/tags")

        def ask(count: int) -> list[float]:
            answer = json.loads(get(f"{base}/scalars?run=events&tag=train%2Floss"))
            return [math.nan if isinstance(value, str) else value for _, _, value in answer]

        end = time.monotonic() + 300
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                answer = json.loads(get(f"{base}/scalars?run=events&tag=train%2Floss"))
                if answer and answer[-1][1] == 999_999:
                    break
            time.sleep(0.2)
        yield ask
    finally:
        process.kill()
        process.wait()
