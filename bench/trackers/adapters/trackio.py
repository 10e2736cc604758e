"""trackio on its local SQLite storage."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from adapters.http import free_port, get, wait_for

TITLE = "trackio"
VENV = "trackio"
REQUIREMENTS = ["trackio==0.43.0"]
IMPORT = "trackio"
ENVIRONMENT = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}

_run: Any


def start(folder: Path) -> Any:
    global _run
    import os

    os.environ["TRACKIO_DIR"] = str(folder / "trackio")
    import trackio

    _run = trackio.init(project="bench", name="run", auto_log_gpu=False, embed=False)
    return _run.log


def finish() -> None:
    _run.finish()


def count(folder: Path) -> int:
    found = list((folder / "trackio").glob("*.db"))
    if not found:
        return 0
    with sqlite3.connect(found[0]) as connection:
        return int(connection.execute("SELECT count(DISTINCT step) FROM metrics").fetchone()[0])


def ingest(folder: Path, points: int, point: Callable[[int], float]) -> None:
    log = start(folder)
    for step in range(points):
        log({"train/loss": point(step)}, step)
    finish()


@contextlib.contextmanager
def server(folder: Path) -> Iterator[Callable[[int], list[float]]]:
    import os

    port = free_port()
    show = f"import trackio; trackio.show(open_browser=False, block_thread=True, host='127.0.0.1', server_port={port})"
    environment = {**os.environ, "TRACKIO_DIR": str(folder / "trackio")}
    output = subprocess.DEVNULL
    process = subprocess.Popen([sys.executable, "-c", show], env=environment, stdout=output, stderr=output)
    base = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{base}/api/get_all_projects")

        def ask(count: int) -> list[float]:
            """What its dashboard asks, with as many points as the other trackers answer."""
            body = {"project": "bench", "runs": [{"run": "run"}], "max_points": count, "scalar_only": True}
            url = f"{base}/api/get_logs_batch"
            answer = json.loads(get(url, json.dumps(body).encode(), {"content-type": "application/json"}))
            return [row["train/loss"] for row in find_rows(answer)]

        yield ask
    finally:
        process.kill()
        process.wait()


def find_rows(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [value] if "train/loss" in value else [row for item in value.values() for row in find_rows(item)]
    return [row for item in value for row in find_rows(item)] if isinstance(value, list) else []
