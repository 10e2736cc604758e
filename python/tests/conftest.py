"""Every test runs in a folder of its own, without the environment of whoever runs it, and leaves no run behind."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import steplog

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "tests"))

from journal_reader import REMOVED, Journal, Row, read_run

__all__ = ["REMOVED", "Journal", "files", "history", "journals", "listed", "read_run", "rows", "run_folder"]

#: What steplog itself puts among the files of a run, some time after it has begun.
OWN_FILES = ("requirements.txt", "diff.patch")


@pytest.fixture(autouse=True)
def clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in list(os.environ):
        if name.startswith(("STEPLOG_", "WANDB_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("STEPLOG_SILENT", "true")
    monkeypatch.setenv("STEPLOG_MODE", "offline")
    # Should a test go online all the same, nobody is there.
    monkeypatch.setenv("STEPLOG_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.chdir(tmp_path)
    yield
    steplog.finish()


def run_folder(run: steplog.Run) -> Path:
    return Path(run.dir).parent


def journals(run: steplog.Run) -> list[Journal]:
    """What a run has on disk, by the reader that knows only the specification."""
    return read_run(run_folder(run))


def rows(run: steplog.Run) -> list[Row]:
    """The rows of the process that called ``init``, frame by frame."""
    return journals(run)[0].rows


def files(journal: Journal) -> list[dict[str, Any]]:
    """What a journal says of files that the script saved."""
    return [file for file in journal.files if file["path"] not in OWN_FILES]


def listed(run: steplog.Run) -> list[str]:
    """The names in the folder for the run's files, but for those that steplog itself puts there."""
    return sorted(name for name in os.listdir(run.dir) if name not in OWN_FILES and not name.startswith(".steplog-"))


def history(run: steplog.Run) -> dict[int, dict[str, object]]:
    """The rows of all processes by step, later writes over earlier ones."""
    merged: dict[int, dict[str, object]] = {}
    for journal in journals(run):
        for row in journal.rows:
            merged.setdefault(row.step, {}).update(row.values)
    return merged
