"""``finish_detached``: the training process ends at once, and a process in the background sends what is left."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rig.processes import Script, Server, processes_of, steplog
from rig.waiting import wait_until

TRAINING = """
import sys, steplog
run = steplog.init(project="p", id="a", settings={"finish_detached": True})
run.log({"x": 0})
print("began", flush=True)
sys.stdin.readline()
for step in range(1, 5000):
    run.log({"x": step})
run.finish()
print("finished", flush=True)
"""


#: The pause of a sender between two tries doubles up to a minute.
SENDER_SECONDS = 150


@pytest.fixture(autouse=True)
def no_sender_stays(home: Path) -> Iterator[None]:
    yield
    for process in senders(home):
        # It may end by itself in this moment.
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def senders(home: Path) -> list[int]:
    """The processes that send runs of this home in the background."""
    return [process for process, command in processes_of(home).items() if "steplog._send" in command]


def status(home: Path, url: str) -> Any:
    """What ``steplog status`` says of the only run."""
    done = steplog("status", ".", "--server", url, "--json", home=home)
    assert done.stderr == "" and done.returncode in (0, 1), done
    [run] = json.loads(done.stdout)
    return run


def finish_while_the_server_is_silent(home: Path, url: str, silence: Any) -> None:
    with Script(TRAINING, home=home, STEPLOG_BASE_URL=url, STEPLOG_SILENT="1") as script:
        assert script.line() == "began\n", script.said()
        silence()
        script.tell("finish")
        assert script.line() == "finished\n", script.said()
        code, _ = script.end()
        assert (code, script.said()) == (0, "")


def test_it_returns_while_the_server_does_not_answer(home: Path, server: Server) -> None:
    assert server.process is not None
    process = server.process.pid
    finish_while_the_server_is_silent(home, server.url, lambda: os.kill(process, signal.SIGSTOP))
    # Neither the process nor its `finish` waited for an answer: there was none yet.
    [sender] = wait_until(lambda: senders(home), "the sender runs")
    at_it = wait_until(lambda: (now := status(home, server.url))["sender"] and now, "it says that it sends")
    assert (at_it["sender"], at_it["writers"]) == (sender, 0) and at_it["unsent_bytes"] > 0
    os.kill(process, signal.SIGCONT)
    wait_until(lambda: not senders(home), "the sender is done", SENDER_SECONDS)
    assert server.api.history("local/p/a") == [{"_step": step, "x": step} for step in range(5000)]
    run = server.api.run("local/p/a")["run"]
    assert (run["state"], run["exit_code"], run["row_count"]) == ("finished", 0, 5000)
    done = status(home, server.url)
    assert (done["sender"], done["unsent_bytes"]) == (None, 0) and done["journal_bytes"] > 0


def test_a_server_that_comes_up_later_gets_everything(home: Path, server: Server) -> None:
    finish_while_the_server_is_silent(home, server.url, server.kill)
    sender = wait_until(lambda: status(home, server.url)["sender"], "the sender is at it")
    # Another one leaves the run to it: at once, without an error.
    code = "import sys\nfrom steplog._native import send_run\nsend_run('steplog/p/a', 1000.0)\n"
    with Script(code, home=home, STEPLOG_BASE_URL=server.url) as second:
        assert (second.end()[0], second.said()) == (0, "")
    assert senders(home) == [sender]
    server.start()
    wait_until(lambda: not senders(home), "the sender is done", SENDER_SECONDS)
    assert server.api.history("local/p/a") == [{"_step": step, "x": step} for step in range(5000)]


def test_a_sender_that_is_killed_is_no_loss(home: Path, server: Server) -> None:
    finish_while_the_server_is_silent(home, server.url, server.kill)
    [sender] = wait_until(lambda: senders(home), "the sender runs")
    os.kill(sender, signal.SIGKILL)
    wait_until(lambda: not senders(home), "the sender is dead")
    server.start()
    # The kernel lets go of what a dead process had locked a little after the process looks dead.
    wait_until(lambda: status(home, server.url)["sender"] is None, "nobody sends")
    synced = steplog("sync", home, "--server", server.url, home=home)
    assert synced.returncode == 0, synced.stderr
    assert server.api.history("local/p/a") == [{"_step": step, "x": step} for step in range(5000)]
