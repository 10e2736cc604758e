"""Real PyTorch: Debian's build for its own interpreter, with the steplog package of the tests beside it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import steplog
from rig.ports import keep_port
from rig.processes import Script

#: The interpreter that has PyTorch. The extension module fits every Python from 3.10 on.
PYTHON = "/usr/bin/python3"


class Pytorch:
    """Runs scripts that may ``import torch`` and ``import steplog``."""

    def __init__(self, home: Path, url: str) -> None:
        self.home = home
        packages = home / "packages"
        packages.mkdir()
        # Only this package: the others of the tests' environment are for another interpreter.
        (packages / "steplog").symlink_to(Path(steplog.__file__).parent)
        self.environment = {
            "PYTHONPATH": str(packages),
            # Two cores are not to be fought over by the threads of two ranks.
            "OMP_NUM_THREADS": "1",
            "STEPLOG_BASE_URL": url,
            "STEPLOG_SILENT": "1",
        }

    def script(self, code: str, *arguments: str, home: Path | None = None, **more: str) -> Script:
        """A process with a script, which is a file, so that processes that it spawns find it too."""
        file = self.home / "training.py"
        file.write_text(code)
        return Script(file, *arguments, home=home or self.home, python=PYTHON, **(self.environment | more))

    @contextlib.contextmanager
    def ranks(self, code: str, count: int, *arguments: str, homes: bool = False) -> Iterator[list[Script]]:
        """A process for each rank, told who it is as ``torchrun`` does; each in a folder of its own if ``homes``."""
        with contextlib.ExitStack() as stack:
            port = stack.enter_context(keep_port()).getsockname()[1]
            yield [
                stack.enter_context(
                    self.script(
                        code,
                        *arguments,
                        home=self.home / f"machine {rank}" if homes else None,
                        MASTER_ADDR="127.0.0.1",
                        MASTER_PORT=str(port),
                        WORLD_SIZE=str(count),
                        LOCAL_WORLD_SIZE=str(1 if homes else count),
                        RANK=str(rank),
                        LOCAL_RANK=str(0 if homes else rank),
                        TORCHELASTIC_RUN_ID="none",
                    )
                )
                for rank in range(count)
            ]
