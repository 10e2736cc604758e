"""A training process that is asked to end, as batch systems do before they take a machine away: SIGTERM."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from journal_reader import read_run
from rig.processes import Script, Server, processes_of
from rig.waiting import wait_until

TRAINING = """
import os, sys, threading, time, steplog
run = steplog.init(project="p", id="a", resume="allow")
run.log({"x": run.step})
run.log({"open": 1}, commit=False)
run.mark_preempting()
"""

BEGAN = "print('began', flush=True)\n"

#: What the main thread is at when the signal comes.
WORK = {
    "in Python": "step = 0\nwhile True: step += 1",
    "asleep": "time.sleep(1e6)",
    "in a long call of C that holds the interpreter": "sum(range(10 ** 15))",
    "waiting for a thread": "thread = threading.Thread(target=time.sleep, args=(1e6,))\nthread.start()\nthread.join()",
    "reading": "sys.stdin.read()",
}

RESUMED = """
import sys, steplog
with steplog.init(project="p", id="a", resume="must") as run:
    run.log({"x": run.step})
    print(run.starting_step, flush=True)
    sys.stdin.readline()
"""


@pytest.mark.parametrize("work", WORK.values(), ids=WORK.keys())
def test_the_server_knows_at_once_that_it_was_preempted(home: Path, server: Server, work: str) -> None:
    where = {"STEPLOG_BASE_URL": server.url, "STEPLOG_SILENT": "1"}
    with Script(TRAINING + BEGAN + work, home=home, **where) as script:
        assert script.line() == "began\n", script.said()
        script.process.terminate()
        assert (script.process.wait(60), script.said()) == (-signal.SIGTERM, "")
        run = server.api.run("local/p/a")["run"]
        assert (run["state"], run["exit_code"], run["preempting"]) == ("failed", 128 + signal.SIGTERM, True)
        assert server.api.history("local/p/a") == [{"_step": 0, "x": 0}, {"_step": 1, "open": 1}]
    with Script(RESUMED, home=home, **where) as script:
        assert script.line() == "2\n", script.said()
        assert script.process.poll() is None
        script.tell("end")
        assert script.end()[0] == 0, script.said()
    run = server.api.run("local/p/a")["run"]
    assert (run["state"], run["exit_code"], run["preempting"]) == ("finished", 0, False)
    assert len(server.api.history("local/p/a")) == 3


@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_without_an_answer_it_ends_all_the_same(home: Path, server: Server, how: str) -> None:
    two = "other = steplog.init(project='p', id='b', reinit='create_new')\nother.log({'x': 0})\n"
    with Script(
        TRAINING + two + BEGAN + WORK["asleep"], home=home, STEPLOG_BASE_URL=server.url, STEPLOG_SILENT="1"
    ) as script:
        assert script.line() == "began\n", script.said()
        assert server.process is not None
        if how == "killed":
            server.kill()
        else:
            os.kill(server.process.pid, signal.SIGSTOP)
        script.process.terminate()
        # Batch systems kill after half a minute.
        assert script.process.wait(25) == -signal.SIGTERM
        if how == "stopped":
            os.kill(server.process.pid, signal.SIGCONT)
        for name in ("a", "b"):
            [journal] = read_run(home / "steplog/p" / name)
            assert journal.exits == [128 + signal.SIGTERM]


CHILDREN = """
import multiprocessing, os, sys, time, steplog

def work(run, queue):
    run.log({f"child {os.getpid()}": 1})
    queue.put(os.getpid())
    time.sleep(1e6)

if __name__ == "__main__":
    run = steplog.init(project="p", id="a")
    run.log({"x": 0})
    context = multiprocessing.get_context(sys.argv[1])
    queue = context.Queue()
    children = [context.Process(target=work, args=(run, queue)) for _ in range(3)]
    for child in children:
        child.start()
    pids = [queue.get() for _ in children]
    for child in children:
        child.terminate()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [-15] * 3, [child.exitcode for child in children]
    print(*pids, flush=True)
    run.finish()
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_that_are_ended_leave_their_rows_and_do_not_end_the_run(
    home: Path, server: Server, method: str
) -> None:
    script_file = home / "script.py"
    script_file.write_text(CHILDREN)
    with Script(script_file, method, home=home, STEPLOG_BASE_URL=server.url, STEPLOG_SILENT="1") as script:
        code, out = script.end()
        assert (code, script.said()) == (0, "")
    run = server.api.run("local/p/a")
    assert (run["run"]["state"], run["run"]["exit_code"]) == ("finished", 0)
    rows = server.api.history("local/p/a")
    keys = {key for row in rows for key in row}
    assert keys == {"_step", "x", *(f"child {pid}" for pid in out.split())}
    # Helpers of `multiprocessing` notice a moment later that the script has ended.
    wait_until(
        lambda: [command for command in processes_of(home).values() if " serve " not in command] == [],
        "no process is left",
    )
