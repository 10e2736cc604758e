"""goodseed, on its local SQLite storage."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from adapters.http import free_port, get, wait_for

TITLE = "goodseed"
VENV = "goodseed"
REQUIREMENTS = ["goodseed==0.4.0"]
IMPORT = "goodseed"
ENVIRONMENT = {"GOODSEED_STORAGE": "local"}

_run: Any


def start(folder: Path) -> Any:
    global _run
    import goodseed

    _run = goodseed.Run(project="bench", run_id="run", goodseed_home=folder, storage="local", git_ref=False)
    return _run.log_metrics


def finish() -> None:
    _run.close()


def count(folder: Path) -> int:
    database = next(folder.rglob("*.sqlite"))
    with sqlite3.connect(database) as connection:
        query = "SELECT count(DISTINCT p.step) FROM metric_points p JOIN metric_series s ON s.id = p.series_id"
        return int(connection.execute(f"{query} WHERE s.path LIKE 'train/%'").fetchone()[0])


def ingest(folder: Path, points: int, point: Callable[[int], float]) -> None:
    log = start(folder)
    for step in range(points):
        log({"train/loss": point(step)}, step)
    finish()


@contextlib.contextmanager
def server(folder: Path) -> Iterator[Callable[[int], list[float]]]:
    from goodseed.server import run_server

    port = free_port()
    threading.Thread(target=run_server, args=(folder / "projects", port), daemon=True).start()
    base = f"http://127.0.0.1:{port}/api"
    wait_for(f"{base}/projects")
    path = urllib.parse.quote("train/loss", safe="")

    def ask(count: int) -> list[float]:
        answer = json.loads(get(f"{base}/runs/bench/run/metrics?path={path}&pointCount={count}"))
        return numbers(answer)

    yield ask


def numbers(value: Any) -> list[float]:
    """Every number of an answer: each bucket has several."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [number for item in value for number in numbers(item)]
    return [float(value)] if isinstance(value, (int, float)) else []
