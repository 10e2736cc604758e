"""Training on several machines: one run that all of them write, or one run for each of them in a group."""

from __future__ import annotations

import contextlib
from pathlib import Path

from rig.processes import Script, Server
from rig.waiting import wait_until

SHARED = """
import sys, steplog
label = sys.argv[1]
run = steplog.init(project="p", id="shared", mode="shared", config={"batch": 32} if label == "rank 0" else None,
                   settings={"x_label": label, "x_primary": label == "rank 0"})
for step in range(100):
    run.log({f"{label}/loss": 1 / (step + 1), "step": step})
print("logged", flush=True)
sys.stdin.readline()
run.finish(int(sys.argv[2]))
"""


def test_three_machines_write_one_run_and_the_last_one_ends_it(home: Path, server: Server) -> None:
    labels = ["rank 0", "rank 1", "rank 2"]
    with contextlib.ExitStack() as stack:
        # Machines share no disk.
        scripts = [
            stack.enter_context(
                Script(SHARED, label, "0", home=home / label, STEPLOG_BASE_URL=server.url, STEPLOG_SILENT="1")
            )
            for label in labels
        ]
        for script in scripts:
            assert script.line() == "logged\n", script.said()
        wait_until(
            lambda: (run := server.api.run("local/p/shared")) and len(run["streams"]) == len(labels),
            "the server knows them all",
        )
        # The one that speaks for the run is the first to end: the run goes on.
        for ended, script in enumerate(scripts, start=1):
            script.tell("end")
            assert script.end()[0] == 0, script.said()
            run = server.api.run("local/p/shared")
            assert run["run"]["state"] == ("finished" if ended == len(scripts) else "running")
            assert sum(stream["finished"] for stream in run["streams"]) == ended
    assert sorted(stream["label"] for stream in run["streams"]) == labels
    assert len({stream["process_id"] for stream in run["streams"]}) == 3
    assert run["config"] == {"batch": 32}
    assert run["environment"]["python"]
    assert {label: run["summary"][f"{label}/loss"] for label in labels} == dict.fromkeys(labels, 1 / 100)
    # Each counts its own steps: what they say of one step is one row.
    assert server.api.history("local/p/shared") == [
        {"_step": step, **{f"{label}/loss": 1 / (step + 1) for label in labels}, "step": step} for step in range(100)
    ]


def test_one_machine_that_fails_makes_it_a_failed_run(home: Path, server: Server) -> None:
    for label, code in (("rank 0", "0"), ("rank 1", "3")):
        with Script(SHARED, label, code, home=home / label, STEPLOG_BASE_URL=server.url, STEPLOG_SILENT="1") as script:
            assert script.line() == "logged\n", script.said()
            script.tell("end")
            assert script.end()[0] == 0, script.said()
            if label == "rank 0":
                first = server.api.run("local/p/shared")["run"]
                assert (first["state"], first["exit_code"]) == ("finished", 0)
    run = server.api.run("local/p/shared")["run"]
    assert (run["state"], run["exit_code"]) == ("failed", 3)


RANK = """
import os, steplog
rank = int(os.environ["RANK"])
# As the field writes it: what is the same for all ranks comes from the launcher's environment.
with steplog.init(project="p", group="ddp", job_type="train", name=f"rank {rank}", config={"rank": rank}) as run:
    for step in range(50):
        run.log({"loss": rank + 1 / (step + 1)})
"""


def test_a_run_for_each_rank_in_a_group(home: Path, server: Server) -> None:
    launcher = {"WORLD_SIZE": "3", "MASTER_ADDR": "127.0.0.1", "STEPLOG_BASE_URL": server.url, "STEPLOG_SILENT": "1"}
    # All ranks of one machine share its disk.
    with contextlib.ExitStack() as stack:
        scripts = [
            stack.enter_context(Script(RANK, home=home, RANK=str(rank), LOCAL_RANK=str(rank), **launcher))
            for rank in range(3)
        ]
        for script in scripts:
            assert script.end()[0] == 0, script.said()
    runs = server.api.runs("local/p", filter="group = 'ddp'")
    assert sorted((run["name"], run["group"], run["job_type"], run["state"], run["row_count"]) for run in runs) == [
        (f"rank {rank}", "ddp", "train", "finished", 50) for rank in range(3)
    ]
    [group] = server.api.post("/runs/query", {"project": "local/p", "group_by": "group"})["groups"]
    assert (group["value"], group["run_count"]) == ("ddp", 3)
    for run in runs:
        rank = int(run["name"][-1])
        assert server.api.history(f"local/p/{run['id']}") == [
            {"_step": step, "loss": rank + 1 / (step + 1)} for step in range(50)
        ]


ELASTIC = """
import sys, steplog
# A rank that died is started again with the same id: it goes on, and nobody has to say whether it is new.
run = steplog.init(project="p", id=f"job-{sys.argv[1]}", group="job", resume="allow")
print(run.step, flush=True)
for _ in range(10):
    run.log({"step": run.step})
print("logged", flush=True)
sys.stdin.readline()
"""


def test_ranks_that_are_started_again_go_on(home: Path, server: Server) -> None:
    where = {"STEPLOG_BASE_URL": server.url, "STEPLOG_SILENT": "1"}
    for start in range(3):
        for rank in ("0", "1"):
            with Script(ELASTIC, rank, home=home, **where) as script:
                assert (script.line(), script.line()) == (f"{start * 10}\n", "logged\n"), script.said()
                if start < 2:
                    script.kill()
                else:
                    # What the killed ones had not sent yet is sent by those that come after them, while they live.
                    path = f"local/p/job-{rank}"
                    wait_until(lambda path=path: server.api.row_count(path) == 30, f"{path} is complete")  # type: ignore[misc]
                    script.tell("end")
                    assert script.end()[0] == 0, script.said()
    for rank in ("0", "1"):
        path = f"local/p/job-{rank}"
        assert server.api.history(path) == [{"_step": step, "step": step} for step in range(30)]
        assert server.api.run(path)["run"]["state"] == "finished"
