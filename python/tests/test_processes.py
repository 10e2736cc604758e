"""Threads and forked children may log to the same run, and never deadlock."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import steplog
from conftest import history, journals, read_run, rows


def test_four_threads_of_a_hundred_rows_make_steps_0_to_399() -> None:
    run = steplog.init()
    start = threading.Barrier(4)

    def work(thread: int) -> None:
        start.wait()
        for index in range(100):
            run.log({"thread": thread, "index": index, f"own/{thread}": index})

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert run.step == 400
    run.finish()
    written = rows(run)
    assert [row.step for row in written] == list(range(400))
    for thread in range(4):
        assert [row.values["index"] for row in written if row.values["thread"] == thread] == list(range(100))


def log_in_child(run: steplog.Run, rank: int) -> None:
    for index in range(50):
        run.log({f"rank{rank}": index})


def test_forked_children_write_journals_of_their_own() -> None:
    run = steplog.init(config={"lr": 1})
    run.log({"parent": 0})
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=log_in_child, args=(run, rank)) for rank in range(3)]
    for child in children:
        child.start()
    run.log({"parent": 1})
    for child in children:
        child.join(60)
        assert child.exitcode == 0
    run.finish()
    first, *others = journals(run)
    assert [row.values for row in first.rows] == [{"parent": 0}, {"parent": 1}]
    assert len(others) == 3
    for journal in others:
        assert journal.start["parent_stream"] == first.stream
        assert journal.start["first_step"] == journal.rows[0].step
        steps = [row.step for row in journal.rows]
        assert (len(steps), steps) == (50, sorted(steps))
    assert sorted(next(iter(journal.rows[0].values)) for journal in others) == ["rank0", "rank1", "rank2"]
    # One counter for all of them: every step is one row.
    assert sorted(history(run)) == list(range(152)) and run.step == 152


def test_parent_and_child_count_steps_together() -> None:
    run = steplog.init()
    run.log({"parent": 0})
    child = multiprocessing.get_context("fork").Process(target=run.log, args=({"child": 1},))
    child.start()
    child.join(60)
    assert (child.exitcode, run.step) == (0, 2)
    run.log({"parent": 2})
    assert run.step == 3
    run.finish()
    assert history(run) == {0: {"parent": 0}, 1: {"child": 1}, 2: {"parent": 2}}


def test_a_child_that_does_not_log_leaves_nothing() -> None:
    run = steplog.init()
    context = multiprocessing.get_context("fork")
    child = context.Process(target=len, args=([],))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    run.log({"a": 1})
    assert len(journals(run)) == 1
    assert history(run) == {0: {"a": 1}}


SPAWNED = """
import multiprocessing, sys, steplog

def work(rank):
    assert steplog.run is None
    with steplog.init(project="p", id=f"child{rank}", group="ranks") as run:
        run.log({"rank": rank})

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    with steplog.init(project="p", id="parent", group="ranks") as run:
        run.log({"rank": -1})
        children = [context.Process(target=work, args=(rank,)) for rank in range(2)]
        for child in children:
            child.start()
        for child in children:
            child.join(60)
            assert child.exitcode == 0, child.exitcode
"""


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_other_start_methods_make_runs_of_their_own(tmp_path: Path, method: str) -> None:
    (tmp_path / "script.py").write_text(SPAWNED)
    done = subprocess.run([sys.executable, "script.py", method], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    for name, rank in (("parent", -1), ("child0", 0), ("child1", 1)):
        [journal] = read_run(tmp_path / "steplog/p" / name)
        assert ([row.values for row in journal.rows], journal.exits) == ([{"rank": rank}], [0])


FORKING = """
import os, sys, threading, steplog
run = steplog.init(project="p", id="a", mode=sys.argv[1])
stop = threading.Event()

def work(thread):
    index = 0
    while not stop.is_set():
        run.log({f"thread{thread}": index, "text": "x" * (index % 50)})
        run.summary["last"] = index
        index += 1
        stop.wait(0.001)

threads = [threading.Thread(target=work, args=(thread,), daemon=True) for thread in range(3)]
for thread in threads:
    thread.start()
for fork in range(200):
    child = os.fork()
    if child == 0:
        for index in range(fork % 3):
            run.log({"child": fork, "index": index})
        run.config.update({f"child{fork}": 1})
        run.summary.get("last")
        if fork % 2:
            run.finish()
        os._exit(0)
    pid, status = os.waitpid(child, 0)
    assert status == 0, status
stop.set()
for thread in threads:
    thread.join(30)
run.finish()
print(run.step)
"""


@pytest.mark.parametrize("mode", ["offline", "online"])
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_two_hundred_forks_under_logging_threads_do_not_deadlock(tmp_path: Path, mode: str) -> None:
    environment = {**os.environ, "STEPLOG_FINISH_TIMEOUT": "0"}
    done = subprocess.run(
        [sys.executable, "-c", FORKING, mode], capture_output=True, text=True, timeout=120, env=environment
    )
    assert (done.returncode, done.stderr) == (0, "")
    first, *children = read_run(tmp_path / "steplog/p/a")
    steps = [row.step for journal in (first, *children) for row in journal.rows]
    assert sorted(steps) == list(range(int(done.stdout)))
    written = sorted((row.values["child"], row.values["index"]) for journal in children for row in journal.rows)
    assert written == [(fork, index) for fork in range(200) for index in range(fork % 3)]


def test_a_child_that_ends_like_a_script_does_not_end_the_parents_run(tmp_path: Path) -> None:
    code = (
        "import os, sys, steplog\n"
        "run = steplog.init(project='p', id='a')\n"
        "run.log({'a': 1})\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    run.log({'child': 1})\n"
        "    sys.exit(4)\n"
        "assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 4\n"
        "run.log({'a': 2})\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    parent, child = read_run(tmp_path / "steplog/p/a")
    assert ([row.values for row in parent.rows], parent.exits) == ([{"a": 1}, {"a": 2}], [0])
    assert ([row.values for row in child.rows], child.start["parent_stream"]) == ([{"child": 1}], parent.stream)


def test_pickling_a_run_imports_nothing(tmp_path: Path) -> None:
    # Pools pickle in one thread and fork in another: a child forked during an import can never import that module.
    code = (
        "import pickle, sys, steplog\nrun = steplog.init(project='p', id='a')\nbefore = set(sys.modules)\n"
        "pickle.loads(pickle.dumps(run)).log({'a': 1})\nprint(sorted(set(sys.modules) - before))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")
