"""A network that misbehaves in every way: no row is lost, none comes twice, and training never waits."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import pytest

from rig.processes import Script, Server
from rig.proxy import Fault, Proxy
from rig.waiting import wait_until

TRAINING = """
import os, resource, sys, time, steplog

def now():
    return time.perf_counter(), time.thread_time(), resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw

slowest = step = 0
with steplog.init(project="faults", id="a", settings={"finish_timeout": 120}) as run:
    while not os.path.exists("stop"):
        for _ in range(50):
            before = now()
            run.log({"loss": 1 / (step + 1), "text": f"{step:01000}"})
            elapsed, busy, slept = (after - start for after, start in zip(now(), before))
            # Time in which others had the processor is none that log() took.
            slowest = max(slowest, elapsed if slept else busy)
            step += 1
        time.sleep(0.01)
print(step, slowest)
"""


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.NONE], ids=lambda fault: fault.name)
def test_one_fault_after_another(home: Path, server: Server, chance: random.Random, fault: Fault) -> None:
    script = itertools.chain([Fault.NONE], itertools.cycle([fault, fault, Fault.NONE]))
    faults_enough = 4
    with (
        Proxy(lambda: server.port, lambda: next(script) if chosen() else Fault.NONE, chance) as proxy,
        Script(TRAINING, home=home, STEPLOG_BASE_URL=proxy.url) as training,
    ):

        def chosen() -> bool:
            return proxy.seen[fault] < faults_enough

        # A connection that works is kept, so it is cut now and then to make room for the next fault.
        def enough() -> bool:
            proxy.cut(0.05)
            return proxy.seen[fault] >= faults_enough

        wait_until(enough, f"there were {faults_enough} connections of which {fault.value}", 120)
        # What is open may be a slow one.
        proxy.cut(1)
        taken = server.api.row_count("local/faults/a")
        wait_until(lambda: server.api.row_count("local/faults/a") > taken, "the server takes rows again", 90)
        (home / "stop").touch()
        code, out = training.end()
        assert code == 0, training.said()
        count, slowest = int(out.split()[0]), float(out.split()[1])
        assert training.said().count("warning") <= faults_enough + 1, training.said()
        assert slowest < 1, "log() waited"
        assert server.api.history("local/faults/a") == [
            {"_step": step, "loss": 1 / (step + 1), "text": f"{step:01000}"} for step in range(count)
        ]


def test_all_faults_in_any_order(home: Path, server: Server, chance: random.Random) -> None:
    # After two faults one connection works, or the pauses between tries grow to half a minute.
    faults = [fault for fault in Fault if fault is not Fault.NONE] * 3
    chance.shuffle(faults)
    script = (each for index, fault in enumerate(faults) for each in (fault, *[Fault.NONE] * (index % 2)))
    with (
        Proxy(lambda: server.port, lambda: next(script, Fault.NONE), chance) as proxy,
        Script(TRAINING, home=home, STEPLOG_BASE_URL=proxy.url) as training,
    ):

        def enough() -> bool:
            proxy.cut(0.05)
            return all(proxy.seen[fault] >= 3 for fault in faults)

        wait_until(enough, "there were three connections with every fault", 150)
        proxy.cut(1)
        taken = server.api.row_count("local/faults/a")
        wait_until(lambda: server.api.row_count("local/faults/a") > taken, "the server takes rows again", 90)
        (home / "stop").touch()
        code, out = training.end()
        assert code == 0, training.said()
        assert server.api.history("local/faults/a") == [
            {"_step": step, "loss": 1 / (step + 1), "text": f"{step:01000}"} for step in range(int(out.split()[0]))
        ]
