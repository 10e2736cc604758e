"""MLflow on a local SQLite tracking store, its default."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from adapters.http import free_port, get, wait_for

TITLE = "mlflow"
VENV = "mlflow"
REQUIREMENTS = ["mlflow>=3.10,<3.18"]
IMPORT = "mlflow"
ENVIRONMENT = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
CALLS = 2_000


def store(folder: Path) -> str:
    return f"sqlite:///{folder}/mlflow.db"


def start(folder: Path) -> Any:
    import mlflow

    mlflow.set_tracking_uri(store(folder))
    mlflow.set_experiment("bench")
    mlflow.start_run(run_name="run")
    return mlflow.log_metrics


def finish() -> None:
    import mlflow

    mlflow.end_run()


def count(folder: Path) -> int:
    import sqlite3

    with sqlite3.connect(folder / "mlflow.db") as connection:
        return int(connection.execute("SELECT count(DISTINCT step) FROM metrics").fetchone()[0])


def ingest(folder: Path, points: int, point: Callable[[int], float]) -> None:
    """In batches of 1,000, the most that it takes: one by one it would take an hour."""
    import mlflow
    from mlflow.entities import Metric

    start(folder)
    run = mlflow.active_run()
    assert run is not None
    client = mlflow.MlflowClient()
    now = int(time.time() * 1_000)
    for begin in range(0, points, 1_000):
        metrics = [Metric("train/loss", point(step), now, step) for step in range(begin, begin + 1_000)]
        client.log_batch(run.info.run_id, metrics=metrics)
    (folder / "run_id").write_text(run.info.run_id)
    finish()


@contextlib.contextmanager
def server(folder: Path) -> Iterator[Callable[[int], list[float]]]:
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", store(folder), "--port", str(port)]
    command += ["--workers", "1"]
    output = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
    base = f"http://127.0.0.1:{port}"
    run = (folder / "run_id").read_text()
    try:
        wait_for(f"{base}/health")

        def ask(count: int) -> list[float]:
            """The request of its charts."""
            query = f"run_ids={run}&metric_key=train%2Floss&max_results={count}"
            answer = json.loads(get(f"{base}/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?{query}"))
            return [metric["value"] for metric in answer["metrics"]]

        yield ask
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
