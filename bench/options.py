"""What the user of the benches chose."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

BENCH = Path(__file__).resolve().parent


@dataclass
class Options:
    """Passed to every measure."""

    #: The `steplog` binary.
    binary: Path
    #: A folder for everything, removed at the end.
    work: Path
    #: A tenth of the work, for a first look.
    quick: bool
    #: Length of the memory soak.
    seconds: int

    def scaled(self, count: int) -> int:
        """A count of things to do, less of them when it has to be quick."""
        return count // 10 if self.quick else count

    def environment(self, folder: Path, base_url: str | None) -> dict[str, str]:
        """What a training script gets: nothing of the user's own settings. Offline without a server."""
        folder.mkdir(parents=True, exist_ok=True)
        where = {"STEPLOG_BASE_URL": base_url} if base_url else {"STEPLOG_MODE": "offline"}
        home = {"HOME": str(folder), "STEPLOG_DIR": str(folder), "PATH": os.environ["PATH"]}
        return {**home, "STEPLOG_QUIET": "1", "STEPLOG_FINISH_TIMEOUT": "900", "STEPLOG_PROJECT": "bench", **where}

    def probe(self, task: str, folder: Path, base_url: str | None, *arguments: object, **variables: str) -> str:
        """What `probe.py` prints about a task, done in a process of its own with these variables beside the usual."""
        command = [sys.executable, str(BENCH / "probe.py"), task, *map(str, arguments)]
        environment = {**self.environment(folder, base_url), **variables}
        return subprocess.run(
            command, env=environment, cwd=folder, check=True, stdout=subprocess.PIPE, text=True
        ).stdout
