"""Going on with a run that a server knows: from another machine, after a kill, with a fork, and after a step back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rig.processes import Script, Server, steplog
from rig.waiting import wait_until

FIRST = """
import steplog
run = steplog.init(project="p", id="a", name="the name", config={"lr": 0.1, "net": {"depth": 3}}, tags=["t", "u"],
                   notes="n", group="g", job_type="train")
run.define_metric("loss", summary="copy,min")
for value in (3.0, 1.0, 2.0):
    run.log({"loss": value, "accuracy": 1 / value})
run.summary["best"] = 9
run.finish()
"""

AGAIN = """
import json, sys, steplog
try:
    run = steplog.init(project="p", id="a", resume=sys.argv[1], config={"lr": 0.2, "width": 8})
except steplog.Error as error:
    print(json.dumps([type(error).__name__, str(error)]))
    sys.exit(3)
print(json.dumps({
    "resumed": run.resumed, "starting_step": run.starting_step, "step": run.step, "config": dict(run.config),
    "summary": run.summary.as_dict(), "tags": run.tags, "notes": run.notes, "name": run.name, "group": run.group,
    "job_type": run.job_type,
}))
run.log({"loss": 0.5, "best": 1})
run.finish()
"""


def run_once(code: str, *arguments: str, home: Path, url: str, **more: str) -> Any:
    """Runs a script to its good end; the last line that it printed, read as JSON."""
    with Script(code, *arguments, home=home, STEPLOG_BASE_URL=url, STEPLOG_SILENT="1", **more) as script:
        code_, out = script.end()
        assert code_ == 0, out + script.said()
        return json.loads(out.splitlines()[-1]) if out else None


@pytest.mark.parametrize("resume", ["allow", "must"])
def test_another_machine_goes_on_where_the_first_one_stopped(home: Path, server: Server, resume: str) -> None:
    run_once(FIRST, home=home / "one", url=server.url)
    found = run_once(AGAIN, resume, home=home / "two", url=server.url)
    runtime = found["summary"].pop("_runtime"), found["summary"].pop("_timestamp")
    assert all(isinstance(number, float) for number in runtime)
    assert found == {
        "resumed": True,
        "starting_step": 3,
        "step": 3,
        "config": {"lr": 0.1, "net": {"depth": 3}, "width": 8},
        "summary": {"loss": {"min": 1.0}, "accuracy": 0.5, "best": 9, "_step": 2} | loss_itself(found),
        "tags": ["t", "u"],
        "notes": "n",
        "name": "the name",
        "group": "g",
        "job_type": "train",
    }
    run = server.api.run("local/p/a")
    assert run["config"] == {"lr": 0.1, "net": {"depth": 3}, "width": 8}
    kept = {name: run["run"][name] for name in ("name", "tags", "notes", "group", "job_type", "state", "last_step")}
    assert kept == {
        "name": "the name",
        "tags": ["t", "u"],
        "notes": "n",
        "group": "g",
        "job_type": "train",
        "state": "finished",
        "last_step": 3,
    }
    # Set by hand before it was resumed: what is logged afterwards does not take its place.
    assert run["summary"]["best"] == 9 and run["summary"]["loss"]["min"] == 0.5
    assert len(run["streams"]) == 2 and all(stream["finished"] for stream in run["streams"])
    assert server.api.history("local/p/a") == [
        *({"_step": step, "loss": loss, "accuracy": 1 / loss} for step, loss in enumerate((3.0, 1.0, 2.0))),
        {"_step": 3, "loss": 0.5, "best": 1},
    ]


def loss_itself(found: Any) -> Any:
    """With ``copy`` beside an aggregate the summary holds a dict; it must be the same on both sides."""
    return {"loss": found["summary"]["loss"]} if found["summary"]["loss"].get("min") == 1.0 else {}


def test_words_are_kept_to(home: Path, server: Server) -> None:
    def refused(resume: str) -> list[str]:
        with Script(AGAIN, resume, home=home / "two", STEPLOG_BASE_URL=server.url, STEPLOG_SILENT="1") as script:
            code, out = script.end()
            assert (code, script.said()) == (3, "")
            answer: list[str] = json.loads(out)
            return answer

    kind, message = refused("must")
    assert kind == "UsageError" and message.startswith('resume="must": there is no run local/p/a')
    assert server.api.run("local/p/a") is None and not (home / "two/steplog").exists()
    first = run_once(AGAIN, "allow", home=home / "one", url=server.url)
    assert (first["resumed"], first["step"], first["config"]) == (False, 0, {"lr": 0.2, "width": 8})
    kind, message = refused("never")
    assert kind == "UsageError" and message.startswith('resume="never": there is a run local/p/a already')
    assert not (home / "two/steplog").exists()
    assert server.api.history("local/p/a") == [{"_step": 0, "loss": 0.5, "best": 1}]


ROWS = """
import os, sys, steplog
run = steplog.init(project="p", id="a", resume=sys.argv[1], config={sys.argv[2]: 1}, settings={"init_timeout": 5})
print(run.starting_step, " ".join(sorted(dict(run.config))), flush=True)
for line in sys.stdin:
    for _ in range(int(line)):
        run.log({"step": run.step})
    print(run.step, flush=True)
"""


def began(script: Script) -> tuple[int, list[str]]:
    """Where a script began, and the keys of its config."""
    step, *keys = script.line().split()
    return int(step), keys


def log_rows(script: Script, rows: int) -> int:
    """Lets a script log so many rows; its step afterwards."""
    script.tell(str(rows))
    return int(script.line())


@pytest.mark.parametrize("server_is_back", [True, False], ids=["server is back", "server is down"])
def test_a_killed_run_goes_on_behind_rows_that_were_never_sent(home: Path, server: Server, server_is_back: bool) -> None:
    where = {"STEPLOG_BASE_URL": server.url, "STEPLOG_SILENT": "1"}
    with Script(ROWS, "allow", "first", home=home, **where) as script:
        assert began(script) == (0, ["first"])
        assert log_rows(script, 100) == 100
        wait_until(lambda: server.api.row_count("local/p/a") == 100, "the server has the first rows")
        server.kill()
        assert log_rows(script, 50) == 150
        script.kill()
    if server_is_back:
        server.start()
    with Script(ROWS, "must", "second", home=home, **where) as script:
        assert began(script) == (150, ["first", "second"])
        assert log_rows(script, 7) == 157
        if not server_is_back:
            server.start()
        # The new process sends its own rows, and then what the killed one left.
        rows = [{"_step": step, "step": step} for step in range(157)]
        assert script.end()[0] == 0, script.said()
    synced = steplog("sync", home, "--server", server.url, home=home)
    assert synced.returncode == 0, synced.stderr
    assert server.api.history("local/p/a") == rows
    run = server.api.run("local/p/a")
    assert (run["config"], run["run"]["state"]) == ({"first": 1, "second": 1}, "finished")


def test_the_disk_and_the_server_together_know_the_run(home: Path, server: Server) -> None:
    where = {"STEPLOG_BASE_URL": server.url, "STEPLOG_SILENT": "1"}
    with Script(ROWS, "allow", "first", home=home / "one", **where) as script:
        assert began(script) == (0, ["first"]) and log_rows(script, 10) == 10
        assert script.end()[0] == 0, script.said()
    with Script(ROWS, "must", "second", home=home / "two", **where) as script:
        assert began(script) == (10, ["first", "second"])
        wait_until(lambda: len(server.api.run("local/p/a")["streams"]) == 2, "the server knows of the second process")
        server.kill()
        assert log_rows(script, 10) == 20
        script.kill()
    server.start()
    # This disk has the last rows, and only the server has the config of the first machine.
    with Script(ROWS, "must", "third", home=home / "two", **where) as script:
        assert began(script) == (20, ["first", "second", "third"])
        assert log_rows(script, 10) == 30
        assert script.end()[0] == 0, script.said()
    wait_until(lambda: server.api.row_count("local/p/a") == 30, "what the killed process left is there")
    assert server.api.history("local/p/a") == [{"_step": step, "step": step} for step in range(30)]


def test_who_must_know_the_run_does_not_guess(home: Path, server: Server) -> None:
    server.kill()
    with Script(AGAIN, "must", home=home, STEPLOG_BASE_URL=server.url, STEPLOG_SILENT="1") as script:
        code, out = script.end()
        assert code == 3, script.said()
        kind, message = json.loads(out)
        assert kind == "CommError" and message.startswith("the server could not be asked for the run local/p/a")
