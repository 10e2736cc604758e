"""Real frameworks in processes of their own, beside a real server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rig.processes import Script, Server


class Training:
    """Runs training scripts, and reads what of them is on the server."""

    def __init__(self, home: Path, server: Server) -> None:
        self.home, self.server = home, server
        self.api = server.api

    def environment(self, more: dict[str, str]) -> dict[str, str]:
        return {
            "STEPLOG_BASE_URL": self.server.url,
            # Tests name the files of a run, and what is installed is not of their doing.
            "STEPLOG_SAVE_REQUIREMENTS": "false",
            "STEPLOG_QUIET": "1",
            "KERAS_BACKEND": "torch",
            # Two cores are not to be fought over.
            "OMP_NUM_THREADS": "1",
            "TOKENIZERS_PARALLELISM": "false",
            "HF_HUB_OFFLINE": "1",
            "TORCHINDUCTOR_CACHE_DIR": str(self.home / "inductor"),
            **more,
        }

    def __call__(self, code: str | Path, *arguments: str, **more: str) -> Any:
        """Runs a script to its good end; answers what its last line says in JSON, if it says something."""
        file = code
        if isinstance(code, str):
            file = self.home / "training.py"
            file.write_text(code)
        with Script(file, *arguments, home=self.home, **self.environment(more)) as script:
            status, out = script.end(600)
            assert status == 0, f"{out}\n{script.said()}"
            assert "steplog: " not in script.said(), script.said()
        lines = out.splitlines()
        try:
            return json.loads(lines[-1])
        except (IndexError, ValueError):
            return None

    def run(self, path: str) -> Any:
        """A run that ended well, as the server has it."""
        run = self.api.run(path)
        assert run is not None and run["run"]["state"] == "finished", run
        return run

    def only_run(self, project: str) -> str:
        """The path of the one run of a project."""
        [run] = self.api.runs(project)
        return f"{project}/{run['id']}"

    def files(self, path: str) -> dict[str, int]:
        """Sizes of the run's files."""
        return {file["path"]: file["size_bytes"] for file in self.api.get(f"/runs/{path}/files")["files"]}


@pytest.fixture
def training(home: Path, server: Server) -> Training:
    return Training(home, server)


def own(summary: dict[str, Any]) -> dict[str, Any]:
    """A summary without what every run has."""
    return {key: value for key, value in summary.items() if key not in ("_runtime", "_step", "_timestamp")}
