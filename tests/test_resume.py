"""Going on with a run that a server knows: from another machine, after a kill, with a fork, and after a step back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rig.processes import Script, Server
from rig.waiting import wait_until

FIRST = """
import steplog
run = steplog.init(project="p", id="a", name="the name", config={"lr": 0.1, "net": {"depth": 3}}, tags=["t", "u"],
                   notes="n", group="g", job_type="train")
run.define_metric("loss", summary="last,min")
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
    assert isinstance(found["summary"].pop("_timestamp"), float)
    assert found == {
        "resumed": True,
        "starting_step": 3,
        "step": 3,
        "config": {"lr": 0.1, "net": {"depth": 3}, "width": 8},
        "summary": {"loss": {"min": 1.0, "last": 2.0}, "accuracy": 0.5, "best": 9, "_step": 2},
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
    assert run["summary"]["best"] == 9 and run["summary"]["loss"] == {"min": 0.5, "last": 0.5}
    assert len(run["streams"]) == 2 and all(stream["finished"] for stream in run["streams"])
    assert server.api.history("local/p/a") == [
        *({"_step": step, "loss": loss, "accuracy": 1 / loss} for step, loss in enumerate((3.0, 1.0, 2.0))),
        {"_step": 3, "loss": 0.5, "best": 1},
    ]


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
run = steplog.init(project="p", id="a", resume=sys.argv[1], config={sys.argv[2]: 1},
                   settings={"init_timeout": int(sys.argv[3])})
print(run.starting_step, " ".join(sorted(dict(run.config))), flush=True)
for line in sys.stdin:
    for _ in range(int(line)):
        run.log({"step": run.step})
    print(run.step, flush=True)
"""


#: How many seconds a run that goes on waits for a server that is there, and for one that is not.
PATIENT, IMPATIENT = "60", "5"


def began(script: Script) -> tuple[int, list[str]]:
    """Where a script began, and the keys of its config."""
    step, *keys = script.line().split()
    return int(step), keys


def log_rows(script: Script, rows: int) -> int:
    """Lets a script log so many rows; its step afterwards."""
    script.tell(str(rows))
    return int(script.line())


@pytest.mark.parametrize("server_is_back", [True, False], ids=["server is back", "server is down"])
def test_a_killed_run_goes_on_behind_rows_that_were_never_sent(
    home: Path, server: Server, server_is_back: bool
) -> None:
    where = {"STEPLOG_BASE_URL": server.url, "STEPLOG_SILENT": "1"}
    with Script(ROWS, "allow", "first", PATIENT, home=home, **where) as script:
        assert began(script) == (0, ["first"])
        assert log_rows(script, 100) == 100
        wait_until(lambda: server.api.row_count("local/p/a") == 100, "the server has the first rows")
        server.kill()
        assert log_rows(script, 50) == 150
        script.kill()
    if server_is_back:
        server.start()
    patience = PATIENT if server_is_back else IMPATIENT
    with Script(ROWS, "must", "second", patience, home=home, **where) as script:
        assert began(script) == (150, ["first", "second"])
        assert log_rows(script, 7) == 157
        if not server_is_back:
            server.start()
        # It sends its own rows, and what the killed one had left. At its end it would wait for that a few seconds only.
        wait_until(lambda: server.api.row_count("local/p/a") == 157, "the server has all rows", 90)
        assert script.end()[0] == 0, script.said()
    assert server.api.history("local/p/a") == [{"_step": step, "step": step} for step in range(157)]
    run = server.api.run("local/p/a")
    assert (run["config"], run["run"]["state"]) == ({"first": 1, "second": 1}, "finished")


def test_the_disk_and_the_server_together_know_the_run(home: Path, server: Server) -> None:
    where = {"STEPLOG_BASE_URL": server.url, "STEPLOG_SILENT": "1"}
    with Script(ROWS, "allow", "first", PATIENT, home=home / "one", **where) as script:
        assert began(script) == (0, ["first"]) and log_rows(script, 10) == 10
        assert script.end()[0] == 0, script.said()
    with Script(ROWS, "must", "second", PATIENT, home=home / "two", **where) as script:
        assert began(script) == (10, ["first", "second"])
        wait_until(lambda: len(server.api.run("local/p/a")["streams"]) == 2, "the server knows of the second process")
        server.kill()
        assert log_rows(script, 10) == 20
        script.kill()
    server.start()
    # This disk has the last rows, and only the server has the config of the first machine.
    with Script(ROWS, "must", "third", PATIENT, home=home / "two", **where) as script:
        assert began(script) == (20, ["first", "second", "third"])
        assert log_rows(script, 10) == 30
        wait_until(lambda: server.api.row_count("local/p/a") == 30, "the server has all rows", 90)
        assert script.end()[0] == 0, script.said()
    assert server.api.history("local/p/a") == [{"_step": step, "step": step} for step in range(30)]


def test_who_must_know_the_run_does_not_guess(home: Path, server: Server) -> None:
    server.kill()
    with Script(AGAIN, "must", home=home, STEPLOG_BASE_URL=server.url, STEPLOG_SILENT="1") as script:
        code, out = script.end()
        assert code == 3, script.said()
        kind, message = json.loads(out)
        assert kind == "CommError" and message.startswith("the server could not be asked for the run local/p/a")


FORK = """
import json, sys, steplog
run = steplog.init(project="p", **json.loads(sys.argv[1]))
print(json.dumps([run.id, run.resumed, run.starting_step, run.step, dict(run.config), run.summary.get("best")]))
for value in json.loads(sys.argv[2]):
    run.log({"loss": value})
run.finish()
"""


def go_on(home: Path, server: Server, values: list[float], **arguments: Any) -> list[Any]:
    """A process on another machine that begins as said and logs some rows; what it found."""
    found: list[Any] = run_once(FORK, json.dumps(arguments), json.dumps(values), home=home, url=server.url)
    return found


CONFIG = {"lr": 0.1, "net": {"depth": 3}}


def test_a_fork_begins_with_the_rows_of_a_run_that_is_on_the_server(home: Path, server: Server) -> None:
    run_once(FIRST, home=home / "one", url=server.url)
    found = go_on(home / "two", server, [0.7, 0.6], id="b", fork_from="a?_step=1", config={"lr": 0.5, "new": 1})
    assert found == ["b", False, 2, 2, {**CONFIG, "lr": 0.5, "new": 1}, 9]
    assert server.api.points("local/p/b", "loss") == [(0, 3.0), (1, 1.0), (2, 0.7), (3, 0.6)]
    assert server.api.points("local/p/b", "accuracy") == [(0, 1 / 3), (1, 1.0)]
    assert [row["_step"] for row in server.api.history("local/p/b")] == [0, 1, 2, 3]
    # The parent has its own rows only, and each knows of the other.
    assert server.api.points("local/p/a", "loss") == [(0, 3.0), (1, 1.0), (2, 2.0)]
    parent, fork = server.api.run("local/p/a"), server.api.run("local/p/b")
    assert (parent["forks"], fork["run"]["fork_from"]) == (["b"], {"run": "a", "step": 1})
    assert (fork["config"], fork["run"]["state"], fork["run"]["name"]) == (
        {**CONFIG, "lr": 0.5, "new": 1},
        "finished",
        fork["run"]["name"],
    )
    assert fork["run"]["tags"] == [] and fork["run"]["notes"] is None

    # A fork of the fork, on a third machine, has rows of all three.
    found = go_on(home / "three", server, [0.1], id="c", fork_from="b?_step=2")
    assert found[:4] == ["c", False, 3, 3] and found[4] == {**CONFIG, "lr": 0.5, "new": 1}
    assert server.api.points("local/p/c", "loss") == [(0, 3.0), (1, 1.0), (2, 0.7), (3, 0.1)]

    # A fork is resumed like any run.
    found = go_on(home / "four", server, [0.05], id="c", resume="must")
    assert found[:4] == ["c", True, 4, 4]
    assert server.api.points("local/p/c", "loss")[-2:] == [(3, 0.1), (4, 0.05)]


def test_a_step_back_is_a_step_back_for_everybody(home: Path, server: Server) -> None:
    run_once(FIRST, home=home / "one", url=server.url)
    found = go_on(home / "two", server, [0.7], resume_from="a?_step=0", config={"new": 1})
    assert found == ["a", True, 1, 1, {**CONFIG, "new": 1}, 9]
    assert server.api.points("local/p/a", "loss") == [(0, 3.0), (1, 0.7)]
    assert server.api.points("local/p/a", "accuracy") == [(0, 1 / 3)]
    assert [row["_step"] for row in server.api.history("local/p/a")] == [0, 1]
    run = server.api.run("local/p/a")
    assert (run["run"]["last_step"], run["run"]["state"], run["summary"]["loss"]) == (
        1,
        "finished",
        {"min": 0.7, "last": 0.7},
    )
    # The machine that has the first rows on its disk hears of the step back.
    found = go_on(home / "one", server, [0.6], id="a", resume="must")
    assert found[:4] == ["a", True, 2, 2]
    assert server.api.points("local/p/a", "loss") == [(0, 3.0), (1, 0.7), (2, 0.6)]


def test_what_is_not_there_cannot_be_forked(home: Path, server: Server) -> None:
    code = "import steplog\nsteplog.init(project='p', fork_from='nobody?_step=1')"
    with Script(code, home=home, STEPLOG_BASE_URL=server.url, STEPLOG_SILENT="1") as script:
        assert script.end()[0] == 1
        assert "UsageError: there is no run local/p/nobody to go on from" in script.said()
    assert server.api.get("/projects")["projects"] == []
