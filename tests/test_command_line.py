"""The command line, as somebody types it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from rig.api import Api
from rig.processes import Script, Server, environment, steplog
from rig.waiting import wait_until

THREE_RUNS = """
import steplog
for index in range(3):
    with steplog.init(project="p", id=f"run-{index}", config={"lr": index / 10}) as run:
        for step in range(5):
            run.log({"x": step * index, "text": f"a,\\"b\\"{step}"})
"""

GROWING = """
import sys, steplog
with steplog.init(project="p", id="growing") as run:
    run.log({"x": 0})
    print("began", flush=True)
    for line in sys.stdin:
        run.log({"x": int(line)})
"""


@pytest.fixture
def runs(home: Path) -> Path:
    """A folder with three finished runs."""
    with Script(THREE_RUNS, home=home, STEPLOG_MODE="offline") as script:
        assert script.end()[0] == 0, script.said()
    return home / "steplog"


@pytest.mark.parametrize("command", ["serve", "ui", "sync", "runs", "export", "verify", "alerts", "user", "login"])
def test_help_teaches_with_examples(home: Path, command: str) -> None:
    done = steplog(command, "--help", home=home)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"steplog {command}" in done.stdout and "Examples:" in done.stdout
    assert command in steplog("--help", home=home).stdout


def test_runs_of_a_folder_are_listed_filtered_and_sorted(home: Path, runs: Path) -> None:
    done = steplog("runs", "p", "--dir", ".", "--json", "--filter", "config.lr > 0", "--sort", "-config.lr", home=home)
    assert done.returncode == 0, done.stderr
    listed = json.loads(done.stdout)
    assert [(run["id"], run["row_count"], run["state"]) for run in listed] == [
        ("run-2", 5, "finished"),
        ("run-1", 5, "finished"),
    ]
    table = steplog("runs", "--dir", ".", home=home)
    assert all(f"local/p/run-{index}" in table.stdout for index in range(3))
    refused = steplog("runs", "p", "--dir", ".", "--filter", "config.lr >", home=home)
    assert refused.returncode != 0 and "error:" in refused.stderr


def test_csv_and_jsonl_exports(home: Path, runs: Path) -> None:
    jsonl = steplog("export", "steplog/p/run-2", "--format", "jsonl", "-o", "-", home=home)
    rows = [json.loads(line) for line in jsonl.stdout.splitlines()]
    assert [(row["_step"], row["x"], row["text"]) for row in rows] == [
        (step, step * 2, f'a,"b"{step}') for step in range(5)
    ]
    csv = steplog("export", "steplog/p/run-2", "--format", "csv", "--key", "text", home=home)
    assert csv.returncode == 0, csv.stderr
    lines = (home / "p-run-2.csv").read_text().splitlines()
    assert lines[0].split(",")[0] == "_step" and lines[1].endswith('"a,""b""0"')
    some = steplog(
        "export", "steplog/p/run-2", "--format", "jsonl", "-o", "-", "--from-step", "2", "--to-step", "3", home=home
    )
    assert [json.loads(line)["_step"] for line in some.stdout.splitlines()] == [2, 3]


def test_verify_says_what_is_damaged_and_where(home: Path, runs: Path) -> None:
    whole = steplog("verify", home=home)
    assert whole.returncode == 0, whole.stderr
    [journal] = (runs / "p/run-1/journal").iterdir()
    [segment] = journal.glob("*.segment")
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 0xFF
    segment.write_bytes(data)
    damaged = steplog("verify", home=home)
    assert damaged.returncode == 1
    said = damaged.stdout + damaged.stderr
    assert journal.name in said and "byte" in said and "run-0" not in said


def test_sync_sends_what_the_server_lacks_and_nothing_twice(home: Path, runs: Path) -> None:
    with Server(home) as server:
        assert steplog("sync", "--server", server.url, home=home).returncode == 0
        assert steplog("sync", runs / "p/run-1", "--server", server.url, home=home).returncode == 0
        assert {run["id"]: run["row_count"] for run in server.api.runs("local/p")} == {
            f"run-{index}": 5 for index in range(3)
        }
        from_server = steplog("export", "p/run-2", "--format", "csv", "-o", "-", "--server", server.url, home=home)
        from_folder = steplog("export", "steplog/p/run-2", "--format", "csv", "-o", "-", home=home)
        assert from_server.stdout == from_folder.stdout != ""
    gone = steplog("sync", "--server", server.url, home=home)
    assert gone.returncode == 1 and "error:" in gone.stderr and "hint:" in gone.stderr


def test_ui_shows_finished_and_growing_runs_of_a_folder_and_writes_nothing_there(home: Path, runs: Path) -> None:
    files = sorted(runs.rglob("*"))
    with Server(home, "--no-open", home, command="ui") as server:
        # The server answers before it has read the folder, and does not know the project until then.
        wait_until(
            lambda: [project["run_count"] for project in server.api.get("/projects")["projects"]] == [3],
            "the finished runs are there",
        )
        assert len(server.api.runs("local/p")) == 3
        assert sorted(runs.rglob("*")) == files
        assert server.api.get("/session")["source"] == "folder"
        with subprocess.Popen(
            [sys.executable, "-c", GROWING],
            cwd=home,
            env=environment(home, STEPLOG_MODE="offline", STEPLOG_SILENT="1"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as growing:
            assert growing.stdin is not None and growing.stdout is not None
            assert growing.stdout.readline() == "began\n"
            for value in range(1, 4):
                growing.stdin.write(f"{value}\n")
                growing.stdin.flush()
                wait_until(
                    lambda expected=value: server.api.row_count("local/p/growing") == expected + 1,  # type: ignore[misc]
                    "the new row is there",
                )
            assert server.api.run("local/p/growing")["run"]["state"] == "running"
            growing.stdin.close()
        wait_until(lambda: server.api.run("local/p/growing")["run"]["state"] == "finished", "the run has ended")
        assert [row["x"] for row in server.api.history("local/p/growing")] == [0, 1, 2, 3]
        assert server.stop() == 0


def test_serve_refuses_other_addresses_without_accounts(home: Path) -> None:
    done = steplog("serve", "--data", "data", "--address", "0.0.0.0", "--port", "0", home=home)
    assert done.returncode != 0
    assert "error:" in done.stderr and "accounts" in done.stderr and "steplog user add" in done.stderr


def test_accounts_login_and_keys(home: Path) -> None:
    made = steplog("user", "add", "ada", "--data", "data", home=home, stdin="a long password\n")
    assert made.returncode == 0, made.stderr
    assert "ada" in steplog("user", "list", "--data", "data", home=home).stdout
    with Server(home) as server:
        assert server.api.call("GET", "/api/v1/projects").status == 401
        assert server.api.call("GET", "/healthz").status == 200
        wrong = steplog("login", server.url, "--name", "ada", home=home, stdin="wrong password\n")
        assert wrong.returncode != 0 and "error:" in wrong.stderr
        right = steplog("login", server.url, "--name", "ada", home=home, stdin="a long password\n")
        assert right.returncode == 0, right.stderr
        credentials = home / "config/steplog/credentials.json"
        assert stat.S_IMODE(os.stat(credentials).st_mode) == 0o600
        stored = json.loads(credentials.read_text())
        key = stored["servers"][server.url]["api_key"]
        assert key.startswith("steplog-") and len(key) == 48
        assert key not in server.said() and key.encode() not in b"".join(
            path.read_bytes() for path in (home / "data").iterdir()
        )
        # A script finds server, key and entity there; without them it is told to log in, and goes on.
        code = "import steplog\nwith steplog.init(project='p', id='a') as run:\n    run.log({'x': 1})\n"
        with Script(code, home=home) as script:
            assert script.end()[0] == 0, script.said()
            assert "ada/p/runs/a" in script.said()
        api = Api(server.url, key)
        assert api.history("ada/p/a") == [{"_step": 0, "x": 1}]
        (home / "stranger").mkdir()
        with Script(code, home=home / "stranger", STEPLOG_BASE_URL=server.url) as script:
            assert script.end()[0] == 0, script.said()
            assert "steplog login" in script.said()
        assert steplog("runs", "p", home=home).returncode == 0
        out = steplog("logout", home=home)
        assert out.returncode == 0, out.stderr
        assert api.call("GET", "/api/v1/projects").status == 401


def test_serve_says_where_it_is_and_ends_cleanly(home: Path) -> None:
    with Server(home) as server:
        assert server.stop() == 0
        assert "ERROR" not in server.said() and "panicked" not in server.said()
    with Server(home) as first:
        second = steplog("serve", "--data", first.data, "--port", "0", home=home)
        assert second.returncode != 0 and "another steplog process" in second.stderr
        taken = steplog("serve", "--data", home / "other", "--port", str(first.port), home=home)
        assert taken.returncode != 0 and str(first.port) in taken.stderr
