"""SwanLab in offline mode. Its local dashboard is no longer a part of the package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

TITLE = "swanlab (offline)"
VENV = "swanlab"
REQUIREMENTS = ["swanlab==0.10.3"]
IMPORT = "swanlab"
ENVIRONMENT = {"SWANLAB_MODE": "offline"}

_run: Any


def start(folder: Path) -> Any:
    global _run
    import swanlab

    _run = swanlab.init(project="bench", name="run", mode="offline", log_dir=str(folder / "swanlog"))
    return _run.log


def finish() -> None:
    import swanlab

    swanlab.finish()


def count(folder: Path) -> int:
    from swanlab.proto.swanlab.record.v1.record_pb2 import Record
    from swanlab.sdk.internal.core_python.store import DataStoreReader

    steps = set()
    for path in (folder / "swanlog").rglob("*.swanlab"):
        reader = DataStoreReader()
        reader.open(path)
        try:
            for raw in reader:
                record = Record.FromString(raw)
                if record.HasField("scalar") and record.scalar.key.startswith("train/"):
                    steps.add(record.scalar.step)
        except Exception as error:  # a torn tail: what came before it counts
            print(error)
    return len(steps)
