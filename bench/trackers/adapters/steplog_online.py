"""steplog online, against its server; and that server's charts."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from adapters import steplog
from adapters.steplog import count, finish, start

__all__ = ["count", "finish", "start"]

TITLE = "steplog (online)"
VENV = steplog.VENV
REQUIREMENTS = steplog.REQUIREMENTS
IMPORT = steplog.IMPORT
SERVER = "steplog"
ENVIRONMENT = {
    "STEPLOG_MODE": "online",
    "STEPLOG_QUIET": "1",
    "STEPLOG_BASE_URL": "{server}",
    "STEPLOG_FINISH_TIMEOUT": "300",
    "STEPLOG_RUN_ID": "{run}",
}


def ingest(folder: Path, points: int, point: Callable[[int], float]) -> None:
    log = start(folder)
    for step in range(points):
        log({"train/loss": point(step)}, step)
    finish()


@contextlib.contextmanager
def server(folder: Path) -> Iterator[Callable[[int], list[float]]]:
    """The server outlives the run: the bench started it."""
    import pyarrow.ipc

    host = os.environ["STEPLOG_BASE_URL"].removeprefix("http://")
    run = f"local/bench/{os.environ['STEPLOG_RUN_ID']}"

    def ask(count: int) -> list[float]:
        """The request of its charts; every bucket has its extremes."""
        connection = http.client.HTTPConnection(host, timeout=300)
        body = json.dumps({"runs": [run], "keys": ["train/loss"], "buckets": count})
        connection.request("POST", "/api/v1/series", body, {"content-type": "application/json"})
        answer: Any = connection.getresponse()
        table = pyarrow.ipc.open_stream(io.BytesIO(answer.read())).read_all()
        connection.close()
        return [value for column in ("min", "max") for value in table.column(column).to_pylist()]

    yield ask
