"""neptune-scale in offline mode. There is no local server, and the service is closed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

TITLE = "neptune-scale (offline)"
VENV = "neptune_scale"
REQUIREMENTS = ["neptune-scale==0.30.0"]
IMPORT = "neptune_scale"
ENVIRONMENT = {"NEPTUNE_MODE": "offline", "NEPTUNE_PROJECT": "bench/bench"}

_run: Any


def start(folder: Path) -> Any:
    global _run
    from neptune_scale import Run

    _run = Run(
        project="bench/bench",
        run_id="run",
        mode="offline",
        log_directory=str(folder / "neptune"),
        source_tracking_config=None,
    )
    return _run.log_metrics


def finish() -> None:
    _run.close()


def count(folder: Path) -> int:
    import sqlite3

    from neptune_api.proto.neptune_pb.ingest.v1.common_pb2 import UpdateRunSnapshot

    steps = set()
    for database in (folder / "neptune").rglob("*.sqlite3"):
        with sqlite3.connect(database) as connection:
            for (operation,) in connection.execute("SELECT operation FROM run_operations WHERE operation_type = 0"):
                snapshot = UpdateRunSnapshot.FromString(operation)
                if snapshot.append:
                    steps.add((snapshot.step.whole, snapshot.step.micro))
    return len(steps)
