"""A small disk that can be full, and grow."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import TracebackType

import pytest


class SmallDisk:
    """A tmpfs of so many megabytes at ``folder``."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder, self.megabytes = folder, megabytes

    def __enter__(self) -> SmallDisk:
        if os.geteuid() != 0:
            pytest.skip("only root can mount a small disk")
        self.folder.mkdir()
        done = self._mount(f"size={self.megabytes}m")
        if done.returncode != 0:
            pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        subprocess.run(["umount", "--lazy", self.folder], check=True)

    def grow(self, megabytes: int) -> None:
        """Makes it larger while it is in use."""
        done = self._mount(f"remount,size={megabytes}m")
        assert done.returncode == 0, done.stderr

    def _mount(self, options: str) -> subprocess.CompletedProcess[str]:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.folder)]
        return subprocess.run(command, capture_output=True, text=True)
