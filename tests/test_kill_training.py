"""``kill -9`` of a training process: whatever ``log`` returned from is in the journal, and reaches the server later."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from journal_reader import read_run
from rig.processes import Script, Server, steplog
from rig.waiting import wait_until

# It prints a row's number right after `log` returned, past every buffer of Python's.
TRAINING = """
import os, sys, steplog
run = steplog.init(project="killed", id=sys.argv[1], config={"lr": 0.1})
size = int(sys.argv[2])
step = 0
while True:
    run.log({"loss": 1 / (step + 1), "n": {"step": step}, "text": "x" * (step % size)})
    os.write(1, b"%d\\n" % step)
    step += 1
"""


def row(step: int, size: int) -> dict[str, Any]:
    return {"loss": 1 / (step + 1), "n.step": step, "text": "x" * (step % size)}


def kill_after(home: Path, name: str, rows: int, size: int, **environment: str) -> int:
    """Kills a training script some time after it had logged so many rows; how many rows ``log`` returned from."""
    with Script(TRAINING, name, str(size), home=home, STEPLOG_SILENT="1", **environment) as script:
        for step in range(rows):
            assert script.line() == f"{step}\n", script.said()
        rest = script.kill()
        return int(rest[-1]) + 1 if rest else rows


def journal_holds(home: Path, name: str, returned: int, size: int) -> int:
    """Checks a killed run's journal; how many rows it has."""
    [journal] = read_run(home / "steplog/killed" / name)
    rows = [(each.step, each.values) for each in journal.rows]
    assert rows == [(step, row(step, size)) for step in range(len(rows))]
    # The process may have been killed after the row was written and before it was reported.
    assert returned <= len(rows) <= returned + 1
    assert (journal.config, journal.exits, journal.lost_rows) == ([("lr", 0.1)], [], 0)
    return len(rows)


@pytest.mark.parametrize(
    ("kills", "rows", "size"), [(30, 1500, 40), (2, 3000, 3000)], ids=["small rows", "new segments"]
)
def test_every_returned_row_is_in_the_journal_and_on_the_server_after_a_sync(
    home: Path, chance: random.Random, kills: int, rows: int, size: int
) -> None:
    counts = {}
    for kill in range(kills):
        name = f"kill-{kill}"
        returned = kill_after(home, name, chance.randrange(1, rows), size, STEPLOG_MODE="offline")
        counts[name] = journal_holds(home, name, returned, size)
    with Server(home) as server:
        synced = steplog("sync", home, "--server", server.url, home=home)
        assert synced.returncode == 0, synced.stderr
        for name, count in counts.items():
            assert server.api.history(f"local/killed/{name}") == [
                {"_step": step, **row(step, size)} for step in range(count)
            ]
        again = steplog("sync", home, "--server", server.url, home=home)
        assert again.returncode == 0, again.stderr
        assert {run["id"]: run["row_count"] for run in server.api.runs("local/killed")} == counts


def test_the_next_init_sends_what_killed_runs_left(home: Path, chance: random.Random) -> None:
    counts = {}
    with Server(home) as server:
        url = server.url
        # The first ones reach the server in part, the last ones not at all.
        for kill in range(6):
            if kill == 3:
                server.kill()
            name = f"kill-{kill}"
            returned = kill_after(home, name, chance.randrange(1, 3000), 40, STEPLOG_BASE_URL=url)
            counts[name] = journal_holds(home, name, returned, 40)
        server.start()
        code = "import steplog\nwith steplog.init(project='other') as run:\n    run.log({'x': 1})\n    input()\n"
        with Script(code, home=home, STEPLOG_BASE_URL=url) as script:
            # At its own end it would wait for that a few seconds only.
            wait_until(lambda: "earlier run" in script.said(), "it says that it sent what others left", 90)
            script.tell("")
            assert script.end() == (0, ""), script.said()
        for name, count in counts.items():
            assert server.api.history(f"local/killed/{name}") == [
                {"_step": step, **row(step, 40)} for step in range(count)
            ], name
