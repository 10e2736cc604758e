"""How a process ends is how its run ends, whatever the script did about it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import read_run

BEGIN = "import os, signal, sys, steplog\nrun = steplog.init(project='p', id='a')\nrun.log({'x': 1})\n"

UNTOLD = pytest.mark.xfail(strict=True, reason="Python tells no hook of a SystemExit that sys.exit() did not raise")


def end_of(tmp_path: Path, code: str) -> tuple[int, list[int], str]:
    """Runs a script; its exit code, the exit codes that its run recorded, and its stderr."""
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + code], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    [journal] = read_run(tmp_path / "steplog/p/a")
    assert [row.values for row in journal.rows][:1] == [{"x": 1}]
    return done.returncode, journal.exits, done.stderr


@pytest.mark.parametrize(
    ("code", "process_code", "run_codes", "stderr"),
    [
        ("", 0, [0], ""),
        ("raise ValueError('boom')", 1, [1], "ValueError: boom"),
        ("sys.exit(3)", 3, [3], ""),
        ("sys.exit('message')", 1, [1], "message"),
        ("sys.exit()", 0, [0], ""),
        ("sys.exit(300)", 44, [300], ""),
        ("sys.exit(2**31 + 5)", 5, [5], ""),
        ("sys.exit(2**64)", 255, [255], ""),
        pytest.param("raise SystemExit(4)", 4, [4], "", marks=UNTOLD),
        ("exit(5)", 5, [5], ""),
        ("quit('message')", 1, [1], "message"),
        ("run.finish(7)", 0, [7], ""),
        ("run.finish()\nraise ValueError('later')", 1, [0], "ValueError: later"),
        pytest.param("try:\n    sys.exit(3)\nexcept SystemExit:\n    pass", 0, [0], "", marks=UNTOLD),
        ("steplog.finish()\nsys.exit(9)", 9, [0], ""),
        ("import atexit\natexit.register(run.finish)\nraise ValueError('boom')", 1, [1], "ValueError: boom"),
        ("import atexit\natexit.register(run.finish, 0)\nraise ValueError('boom')", 1, [0], "ValueError: boom"),
        ("run.finish(7)\nos.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, [7], ""),
        ("with run:\n    raise ValueError('boom')", 1, [1], "ValueError: boom"),
    ],
)
def test_exit_codes(tmp_path: Path, code: str, process_code: int, run_codes: list[int], stderr: str) -> None:
    returned, recorded, text = end_of(tmp_path, code)
    assert (returned, recorded) == (process_code, run_codes)
    assert stderr in text and (stderr or text == "")


def test_ctrl_c_is_255(tmp_path: Path) -> None:
    returned, recorded, text = end_of(tmp_path, "signal.raise_signal(signal.SIGINT)")
    assert (returned, recorded) == (-signal.SIGINT, [255])
    assert text.count("KeyboardInterrupt") == 1


def test_a_killed_process_leaves_its_rows_and_no_exit(tmp_path: Path) -> None:
    returned, recorded, _ = end_of(tmp_path, "os.kill(os.getpid(), signal.SIGKILL)")
    assert (returned, recorded) == (-signal.SIGKILL, [])


@pytest.mark.parametrize("rest", ["", "while True: pass", "import time; time.sleep(1e6)"])
def test_a_process_that_is_asked_to_end_says_so(tmp_path: Path, rest: str) -> None:
    returned, recorded, text = end_of(tmp_path, f"run.log({{'y': 2}}, commit=False)\nos.kill(os.getpid(), 15)\n{rest}")
    assert (returned, recorded, text) == (-signal.SIGTERM, [143], "")


def test_a_handler_of_the_script_is_left_alone(tmp_path: Path) -> None:
    code = (
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\nos.kill(os.getpid(), 15)\nimport time; time.sleep(1e6)"
    )
    assert end_of(tmp_path, code)[:2] == (7, [7])


def test_without_an_open_run_the_signal_does_what_it_does(tmp_path: Path) -> None:
    returned, recorded, _ = end_of(tmp_path, "run.finish()\nos.kill(os.getpid(), 15)\nwhile True: pass")
    assert (returned, recorded) == (-signal.SIGTERM, [0])


def test_a_forked_child_ends_at_once(tmp_path: Path) -> None:
    code = (
        "child = os.fork()\nif child == 0:\n    while True: pass\n"
        "os.kill(child, 15)\nassert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -15"
    )
    assert end_of(tmp_path, code) == (0, [0], "")


def test_a_finished_run_is_complete_on_disk_when_finish_returns(tmp_path: Path) -> None:
    code = "run.log({'open': 2}, commit=False)\nrun.finish(5)\nos.kill(os.getpid(), signal.SIGKILL)"
    assert end_of(tmp_path, code)[:2] == (-signal.SIGKILL, [5])
    [journal] = read_run(tmp_path / "steplog/p/a")
    assert [(row.step, row.values) for row in journal.rows] == [(0, {"x": 1}), (1, {"open": 2})]


def test_os_exit_leaves_rows_and_no_exit(tmp_path: Path) -> None:
    assert end_of(tmp_path, "os._exit(6)") == (6, [], "")


def test_an_aborted_process_leaves_its_rows(tmp_path: Path) -> None:
    returned, recorded, _ = end_of(tmp_path, "import resource; resource.setrlimit(4, (0, 0)); os.abort()")
    assert (returned, recorded) == (-signal.SIGABRT, [])


def test_a_hook_of_the_users_still_runs(tmp_path: Path) -> None:
    code = "sys.excepthook = lambda *error: print('mine', file=sys.stderr)\nraise ValueError"
    returned, recorded, text = end_of(tmp_path, code)
    assert (returned, text) == (1, "mine\n")
    assert recorded in ([0], [1])  # The user's own hook hides the exception from everybody who came before.


def test_a_run_in_a_finished_interpreter_is_silent_about_it(tmp_path: Path) -> None:
    code = "import atexit\natexit.register(lambda: run.log({'late': 1}))"
    returned, recorded, text = end_of(tmp_path, code)
    assert (returned, recorded, text) == (0, [0], "")


def test_the_environment_of_this_test_is_clean() -> None:
    assert "STEPLOG_PROJECT" not in os.environ
