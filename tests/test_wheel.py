"""``pip install .`` in a new environment gives a package that works anywhere and needs nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from rig.processes import environment

ROOT = Path(__file__).resolve().parent.parent

SCRIPT = """
import importlib.metadata, sys, steplog
assert importlib.metadata.requires("steplog") in (None, []), importlib.metadata.requires("steplog")
with steplog.init(project="p", id="a", mode="offline") as run:
    run.log({"x": 1})
print(steplog.__file__)
steplog.Histogram([1, 2])
print(sorted({"numpy", "torch"} & set(sys.modules)))
"""

AS_WANDB = """
import subprocess, sys, wandb
with wandb.init(project="p", id="b", mode="offline") as run:
    wandb.log({"x": 1})
child = "import importlib.metadata, wandb; assert importlib.metadata.version('wandb') == wandb.__version__"
subprocess.run([sys.executable, "-c", child], check=True)
"""

UNSET = """
import importlib.util, sys
print(importlib.util.find_spec("wandb") is not None, any(name.startswith("steplog") for name in sys.modules))
"""


def test_the_wheel_works_without_the_repository(home: Path) -> None:
    python = home / "venv/bin/python"
    outer = Path(sys.executable).parent
    # Built by the environment of the tests, whose compiler cache is warm.
    path = {"PATH": f"{outer}:{environment(home)['PATH']}", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-build-isolation", "--no-deps", "-w", "wheels"]
    subprocess.run(
        [*command, "-C", "build-args=--profile=release", str(ROOT)], cwd=home, check=True, env=os.environ | path
    )
    [wheel] = (home / "wheels").iterdir()
    assert "abi3" in wheel.name
    subprocess.run([sys.executable, "-m", "venv", home / "venv"], check=True, env=environment(home))
    subprocess.run(
        [python, "-m", "pip", "install", "-q", "--no-index", wheel], cwd=home, check=True, env=environment(home) | path
    )
    done = subprocess.run([python, "-c", SCRIPT], cwd=home, env=environment(home), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    place, heavy = done.stdout.splitlines()
    assert Path(place).is_relative_to(home / "venv") and heavy == "[]"
    # The variable alone lets `import wandb` give steplog, in other processes too; without it nothing is imported.
    on = environment(home, STEPLOG_AS_WANDB="1", STEPLOG_SILENT="1")
    subprocess.run([python, "-c", AS_WANDB], cwd=home, env=on, check=True)
    said = subprocess.run([python, "-c", UNSET], cwd=home, env=environment(home), capture_output=True, text=True)
    assert said.stdout == "False False\n", said.stderr
    assert len(list((home / "steplog/p/a/journal").iterdir())) == 1
