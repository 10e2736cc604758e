"""A full disk, of the training process or of the server: training goes on, says so once, and nothing is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rig.disk import SmallDisk
from rig.processes import Script, Server, steplog
from rig.waiting import wait_until

#: Text that compresses badly, so that disks really fill.
TRAINING = """
import os, random, resource, sys, time, steplog

def now():
    return time.perf_counter(), time.thread_time(), resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw

text = random.Random(0)
slowest = step = 0
with steplog.init(project="full", id="a", settings={"finish_timeout": 250}) as run:
    while not os.path.exists("stop"):
        for _ in range(20):
            row = {"step": step, "text": text.randbytes(1000).hex()}
            before = now()
            run.log(row)
            elapsed, busy, slept = (after - start for after, start in zip(now(), before))
            # Time in which others had the processor is none that log() took.
            slowest = max(slowest, elapsed if slept else busy)
            step += 1
        time.sleep(0.01)
print(step, slowest)
"""


def rows(count: int) -> list[dict[str, Any]]:
    import random

    text = random.Random(0)
    return [{"_step": step, "step": step, "text": text.randbytes(1000).hex()} for step in range(count)]


def end(script: Script, home: Path) -> int:
    (home / "stop").touch()
    code, out = script.end()
    assert code == 0, script.said()
    assert float(out.split()[1]) < 2, "log() waited"
    return int(out.split()[0])


def test_a_full_disk_of_the_training_process(home: Path, server: Server) -> None:
    with SmallDisk(home / "small", 11) as disk:
        folder = {"STEPLOG_DIR": str(disk.folder), "STEPLOG_BASE_URL": server.url}
        with Script(TRAINING, home=home, **folder) as script:
            wait_until(lambda: "takes no more data" in script.said(), "the script says that the disk is full")
            # What does not fit on the disk goes to the server from memory.
            count = server.api.row_count("local/full/a")
            wait_until(lambda: server.api.row_count("local/full/a") > count + 500, "the server gets more rows")
            disk.grow(1000)
            wait_until(lambda: "takes data again" in script.said(), "the script says that the disk is usable again")
            total = end(script, home)
            assert "nothing was lost" in script.said()
            assert script.said().count("takes no more data") == 1
        assert server.api.history("local/full/a") == rows(total)


def test_a_disk_that_stays_full_until_the_end_with_a_server(home: Path, server: Server) -> None:
    with SmallDisk(home / "small", 9) as disk:
        folder = {"STEPLOG_DIR": str(disk.folder), "STEPLOG_BASE_URL": server.url}
        with Script(TRAINING, home=home, **folder) as script:
            wait_until(lambda: "takes no more data" in script.said(), "the script says that the disk is full")
            total = end(script, home)
        assert server.api.history("local/full/a") == rows(total)


def test_a_full_disk_of_the_server(home: Path) -> None:
    with SmallDisk(home / "data", 10) as disk, Server(home) as server:
        with Script(TRAINING, home=home, STEPLOG_BASE_URL=server.url) as script:

            def whole_warning() -> str:
                whole_lines = script.said().rpartition("\n")[0]
                return whole_lines if "warning" in whole_lines else ""

            warned = wait_until(whole_warning, "the script warns", 60)
            # It still serves what it has.
            before = server.api.row_count("local/full/a")
            assert server.answers()
            disk.grow(1000)
            wait_until(lambda: server.api.row_count("local/full/a") > before + 500, "the server takes rows again", 90)
            total = end(script, home)
            assert warned.count("warning") == 1, warned
            assert any(word in warned for word in ("space", "full", "disk")), warned
        assert server.api.history("local/full/a") == rows(total)
        assert server.stop() == 0
        verified = steplog("verify", server.data, home=home)
        assert verified.returncode == 0, verified.stdout + verified.stderr
