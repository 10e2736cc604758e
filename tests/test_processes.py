"""Threads, tasks, forks and pools beside a live online run: nothing hangs, nothing stays behind, no row is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rig.processes import Script, Server, processes_of
from rig.waiting import wait_until

# Threads of ours that live while no run does: the one that waits for SIGTERM.
THREADS = """
import os, time
def threads():
    names = []
    for task in os.listdir("/proc/self/task"):
        try:
            names.append(open(f"/proc/self/task/{task}/comm").read().strip())
        except OSError:
            pass  # It has just ended.
    return sorted(name for name in names if name.startswith("steplog"))

def threads_left(expected):
    # The system lists a thread for a moment after somebody has waited for its end.
    until = time.monotonic() + 60
    while threads() != expected and time.monotonic() < until:
        time.sleep(0.01)
    return threads()
"""

MIXED = (
    THREADS
    + """
import asyncio, json, subprocess, sys, threading, steplog
run = steplog.init(project="p", id="a")
start = threading.Barrier(4)

def thread(number):
    start.wait()
    for index in range(500):
        run.log({f"thread {number}": index})

async def task(number):
    for index in range(200):
        run.log({f"task {number}": index})
        await asyncio.sleep(0)

def program(number):
    for index in range(10):
        # A program that tracks nothing, and one that begins a run of its own.
        subprocess.run(["true"], check=True)
        run.log({f"program {number}": index})
    code = f"import steplog\\nwith steplog.init(project='p', id='program-{number}') as run: run.log({{'x': 1}})"
    subprocess.run([sys.executable, "-c", code], check=True)

async def tasks():
    await asyncio.gather(*(task(number) for number in range(5)), asyncio.to_thread(program, 0))

threads_of_mine = [threading.Thread(target=thread, args=(number,)) for number in range(3)]
for each in threads_of_mine:
    each.start()
start.wait()
asyncio.run(tasks())
for each in threads_of_mine:
    each.join()
print(run.step)
run.finish()
print(json.dumps([threads_left(["steplog-termina"]), [each.name for each in threading.enumerate()]]))
"""
)


def end(home: Path, server: Server, code: str | Path, *arguments: str) -> list[str]:
    """Runs a script against the server to its good end; the lines it printed. It leaves no process behind."""
    with Script(code, *arguments, home=home, STEPLOG_BASE_URL=server.url, STEPLOG_SILENT="1") as script:
        returned, out = script.end()
        assert (returned, script.said()) == (0, ""), script.said()
    # Helpers of `multiprocessing` notice a moment later that the script has ended.
    wait_until(
        lambda: [command for command in processes_of(home).values() if " serve " not in command] == [],
        "no process is left",
    )
    return out.splitlines()


def by_key(server: Server, path: str) -> tuple[list[int], dict[str, list[Any]]]:
    """The steps of a run's rows, and every key's values in their order."""
    steps, values = [], {}
    for row in server.api.history(path):
        steps.append(row.pop("_step"))
        for key, value in row.items():
            values.setdefault(key, []).append(value)
    return steps, values


def test_threads_tasks_and_programs(home: Path, server: Server) -> None:
    step, left = end(home, server, MIXED)
    steps, values = by_key(server, "local/p/a")
    count = 3 * 500 + 5 * 200 + 10
    assert (int(step), steps) == (count, list(range(count)))
    assert values == {
        **{f"thread {number}": list(range(500)) for number in range(3)},
        **{f"task {number}": list(range(200)) for number in range(5)},
        "program 0": list(range(10)),
    }
    assert json.loads(left) == [["steplog-termina"], ["MainThread"]]
    assert server.api.row_count("local/p/program-0") == 1


FORKS = (
    THREADS
    + """
import sys, threading, steplog
run = steplog.init(project="p", id="a", settings={"finish_timeout": 200})
stop = threading.Event()

def work():
    index = 0
    while not stop.is_set():
        run.log({"thread": index})
        index += 1
        stop.wait(0.0005)

thread = threading.Thread(target=work)
thread.start()
for fork in range(int(sys.argv[1])):
    child = os.fork()
    if child == 0:
        try:
            for index in range(fork % 3):
                run.log({"child": fork, "index": index})
            # A child has no thread of ours, and begins none.
            assert threads() == [], threads()
            if fork % 5 == 0:
                run.finish()
            os._exit(0)
        except BaseException as error:
            print(error, file=sys.stderr, flush=True)
            os._exit(1)
    assert os.waitpid(child, 0) == (child, 0)
stop.set()
thread.join()
print(run.step)
run.finish()
print(*threads_left(["steplog-termina"]))
"""
)


def test_a_thousand_forks_from_a_live_run(home: Path, server: Server) -> None:
    forks = 1000
    step, left = end(home, server, FORKS, str(forks))
    steps, values = by_key(server, "local/p/a")
    assert steps == list(range(int(step)))
    assert values["thread"] == list(range(len(values["thread"])))
    written = [(fork, index) for fork in range(forks) for index in range(fork % 3)]
    # Children do not run side by side, so their rows come in the order of their steps.
    assert list(zip(values["child"], values["index"], strict=True)) == written
    assert len(values["thread"]) + len(written) == int(step)
    assert left == "steplog-termina"
    run = server.api.run("local/p/a")
    assert run["run"]["state"] == "finished"
    # A child that logs nothing leaves nothing.
    assert len(run["streams"]) == 1 + len({fork for fork, _ in written})


POOLS = """
import multiprocessing, os, sys, steplog

def work(run, index):
    if run is not None:
        run.log({f"worker {os.getpid()}/index": index})
    else:
        assert steplog.run is None or sys.argv[1] == "fork"
    return index

if __name__ == "__main__":
    run = steplog.init(project="p", id="a")
    run.log({"main": 0})
    context = multiprocessing.get_context(sys.argv[1])
    with context.Pool(3, maxtasksperchild=4) as pool:
        assert pool.starmap(work, [(None, index) for index in range(20)], chunksize=1) == list(range(20))
        assert pool.starmap(work, [(run, index) for index in range(40)], chunksize=1) == list(range(40))
        pool.close()
        pool.join()
    run.log({"main": 1})
    run.finish()
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_pools_whose_workers_log_to_the_run_or_do_not(home: Path, server: Server, method: str) -> None:
    script = home / "script.py"
    script.write_text(POOLS)
    end(home, server, script, method)
    _, values = by_key(server, "local/p/a")
    assert values.pop("main") == [0, 1]
    assert sorted(index for each in values.values() for index in each) == list(range(40))
    run = server.api.run("local/p/a")
    assert (run["run"]["state"], run["run"]["exit_code"]) == ("finished", 0)
    assert len(run["streams"]) == 1 + len(values)
