"""``init(sync_tensorboard=True)``: what a script writes for TensorBoard is logged too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from conftest import read_run

WRITE = """
writer = SummaryWriter("events")
for step in (0, 5, 2):
    writer.add_scalar("train/loss", 1.0 / (step + 1), step, walltime=1000.0 + step)
    writer.add_scalar("lr", 0.5, step, walltime=1000.0 + step)
writer.add_text("note", "text", 7)
"""
BEGIN = "import steplog\nrun = steplog.init(project='p', id='a', sync_tensorboard=True)\n"
IMPORT = "from tensorboardX import SummaryWriter\n"
END = "run.finish()\nwriter.add_scalar('late', 1.0, 9)\nwriter.close()\n"


@pytest.mark.parametrize("script", [IMPORT + BEGIN + WRITE + END, BEGIN + IMPORT + WRITE + END])
def test_scalars_are_logged_at_their_steps(tmp_path: Path, script: str) -> None:
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    [journal] = read_run(tmp_path / "steplog/p/a")
    merged: dict[int, dict[str, object]] = {}
    for row in journal.rows:
        assert row.time == 1000.0 + row.step
        merged.setdefault(row.step, {}).update(row.values)
    assert merged == {
        step: {"train/loss": pytest.approx(1.0 / (step + 1)), "lr": 0.5, "global_step": step} for step in (0, 5, 2)
    }
    # The script's own events are written as ever.
    assert next((tmp_path / "events").iterdir()).stat().st_size > 100


def test_nothing_is_patched_unasked(tmp_path: Path) -> None:
    script = BEGIN.replace(", sync_tensorboard=True", "") + IMPORT + WRITE + "writer.close()\nrun.finish()\n"
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert read_run(tmp_path / "steplog/p/a")[0].rows == []
