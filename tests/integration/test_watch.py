"""Watching models with the newest PyTorch; `tests/test_pytorch.py` has the same with that of Debian."""

from __future__ import annotations

import pytest

from rig import watched

from .conftest import Training


def test_every_so_many_batches(training: Training) -> None:
    training(watched.TRAINING)
    assert len(training.api.history("local/p/a")) == 7


@pytest.mark.parametrize("script", ["CHOICES", "NUMBERS", "COPIES", "GRAPH"])
def test_what_is_watched(training: Training, script: str) -> None:
    training(getattr(watched, script), STEPLOG_SILENT="1")
    assert training.run("local/p/a")


@pytest.mark.parametrize("backend", ["aot_eager", "inductor"])
def test_compiled_models(training: Training, backend: str) -> None:
    training(watched.COMPILED, backend)
    assert training.run("local/p/a")


def test_two_ranks(training: Training) -> None:
    (training.home / "ranks.py").write_text(watched.DDP)
    training("""
import subprocess, sys
launcher = ["torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
subprocess.run([sys.executable, "-m", *launcher, "ranks.py"], check=True)
""")
    histories = [training.api.history(f"local/p/rank-{rank}") for rank in range(2)]
    key = r"parameters/0\.weight"
    assert histories[0][1][key] == histories[1][1][key]
