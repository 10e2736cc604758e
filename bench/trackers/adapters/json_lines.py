"""What people write by themselves: a JSON line for each row, flushed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO, Any

TITLE = "json.dumps + write"
VENV = "json_lines"
REQUIREMENTS: list[str] = []
IMPORT = "json"
ENVIRONMENT: dict[str, str] = {}

_file: IO[str]


def start(folder: Path) -> Any:
    global _file
    _file = (folder / "rows.jsonl").open("w")

    def log(row: dict[str, float], step: int) -> None:
        _file.write(json.dumps({"_step": step, **row}) + "\n")
        _file.flush()

    return log


def finish() -> None:
    _file.close()


def count(folder: Path) -> int:
    return (folder / "rows.jsonl").read_bytes().count(b"\n")
