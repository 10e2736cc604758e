"""steplog in offline mode."""

from __future__ import annotations

from pathlib import Path
from typing import Any

TITLE = "steplog (offline)"
VENV = "steplog"
REQUIREMENTS = ["steplog", "pyarrow"]
IMPORT = "steplog"
ENVIRONMENT = {"STEPLOG_MODE": "offline", "STEPLOG_QUIET": "1"}

_run: Any


def start(folder: Path) -> Any:
    global _run
    import steplog

    _run = run = steplog.init(project="bench", dir=str(folder))

    def log(row: dict[str, float], step: int) -> None:
        run.log(row)

    return log


def finish() -> None:
    _run.finish()


def count(folder: Path) -> int:
    """Rows in the journal, which is what `steplog sync` sends."""
    import sys

    sys.path.insert(0, str(Path(__file__).parents[2]))
    from journal import count_rows

    return sum(count_rows(stream) for stream in (folder / "steplog").glob("*/*/journal/*"))
