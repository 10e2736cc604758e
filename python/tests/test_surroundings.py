"""What is recorded unasked: what was run and where, and what the machine is busy with."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import steplog
from conftest import files, journals, listed

#: As far as the system keeps the names.
SAMPLER, GATHERER = "steplog-system", "steplog-surroun"

SIGN = "# written by steplog; secrets are replaced by [redacted]\n"

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")


def wait_until(holds: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)


def surroundings(run: steplog.Run) -> dict[str, Any]:
    """What the journals say of the surroundings, later records over earlier."""
    merged: dict[str, Any] = {}
    for journal in journals(run):
        for members in (journal.start.get("environment", {}), *journal.environments):
            merged.update(members)
    return merged


def threads() -> list[str]:
    """Which of the threads are there that look around; one has its name a moment after it began."""
    names = []
    for path in Path("/proc/self/task").glob("*/comm"):
        with contextlib.suppress(OSError):  # It has just ended.
            names.append(path.read_text().strip())
    return sorted({SAMPLER, GATHERER} & set(names))


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@b", "-c", "commit.gpgSign=false"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "train.py").write_text("one\n")
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", "train.py")
    git(tmp_path, "commit", "-q", "-m", "First")
    return tmp_path


def run_script(folder: Path, *command: str, **variables: str) -> None:
    environment = {**os.environ, **variables}
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, timeout=100
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


# Waits until what is gathered has come: only packages that can be imported are sure to be there.
SCRIPT = """
import sys, time, steplog
from pathlib import Path
sys.path.append({tests!r})
from journal_reader import read_run
def gathered(run):
    return any({wanted!r} in members for members in read_run(Path(run.dir).parent)[0].environments)
run = steplog.init(project="p", id="a", save_code=True)
deadline = time.monotonic() + 60
while not gathered(run):
    assert time.monotonic() < deadline
    time.sleep(0.01)
run.finish()
"""
TESTS = str(Path(__file__).resolve().parent.parent.parent / "tests")


def gathering(wanted: str) -> str:
    return SCRIPT.format(tests=TESTS, wanted=wanted)


def recorded(folder: Path) -> Any:
    from conftest import read_run

    (journal,) = read_run(folder / "steplog/p/a")
    return journal


def test_samples_come_at_the_interval_and_stop_at_the_end() -> None:
    run = steplog.init(settings={"system_interval": 0.1})
    wait_until(lambda: len(journals(run)[0].samples) >= 3, "samples")
    run.finish()
    (journal,) = journals(run)
    assert journal.exits == [0]
    always = {
        "cpu.percent",
        "cpu.process.percent",
        "memory.percent",
        "memory.bytes",
        "memory.process.bytes",
        "process.threads",
        "disk.percent",
        "disk.bytes",
    }
    for sample in journal.samples:
        assert always <= sample.keys()
        assert all(value >= 0 for value in sample.values())
        assert 0 < sample["memory.percent"] <= 100
        assert sample["process.threads"] >= 2
    wait_until(lambda: threads() == [], "the end of the threads")


@pytest.mark.parametrize(
    ("settings", "variables"),
    [
        ({"system_metrics": False}, {}),
        ({"x_disable_stats": True}, {}),
        ({}, {"STEPLOG_SYSTEM_METRICS": "false"}),
        ({}, {"WANDB_X_DISABLE_STATS": "true"}),
    ],
)
def test_samples_can_be_turned_off(
    settings: dict[str, Any], variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    wait_until(lambda: threads() == [], "the end of the threads of earlier runs")
    run = steplog.init(settings={**settings, "system_interval": 0.1})
    wait_until(lambda: "packages" in surroundings(run), "what is found out after the sampler has begun")
    assert SAMPLER not in threads()
    run.finish()
    assert journals(run)[0].samples == []


def test_they_are_on_by_default_and_settings_beat_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    run = steplog.init(reinit="create_new")
    wait_until(lambda: SAMPLER in threads(), "the sampler")
    run.finish()
    monkeypatch.setenv("STEPLOG_SYSTEM_METRICS", "false")
    run = steplog.init(reinit="create_new", settings={"x_disable_stats": False})
    wait_until(lambda: SAMPLER in threads(), "the sampler")
    run.finish()


@pytest.mark.parametrize("variable", ["STEPLOG_SYSTEM_INTERVAL", "WANDB_X_STATS_SAMPLING_INTERVAL"])
def test_the_environment_says_how_often(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "0.1")
    run = steplog.init()
    wait_until(lambda: len(journals(run)[0].samples) >= 2, "samples")


def test_settings_are_checked() -> None:
    settings = steplog.Settings(x_stats_sampling_interval=5, save_git=False, x_disable_stats=True)
    assert dict(settings) == {"system_interval": 5, "disable_git": True, "system_metrics": False}
    assert (settings.x_disable_stats, settings["save_git"], settings.x_stats_sampling_interval) == (True, False, 5)
    with pytest.raises(ValueError, match="the setting system_metrics is a str, not a bool"):
        steplog.Settings(x_disable_stats="yes")
    for interval in (0, 0.0):
        with pytest.raises(ValueError, match="system_interval is 0, not a time between two samples"):
            steplog.init(settings={"system_interval": interval})
    with pytest.raises(ValueError, match="system_interval -1"):
        steplog.init(settings={"system_interval": -1})


def test_a_disabled_run_looks_at_nothing() -> None:
    wait_until(lambda: threads() == [], "the end of the threads of earlier runs")
    run = steplog.init(mode="disabled")
    assert (threads(), run.keeps_code) == ([], True)
    run.finish()


def test_a_forked_child_does_not_sample() -> None:
    run = steplog.init(settings={"system_interval": 0.1})
    wait_until(lambda: journals(run)[0].samples, "a sample")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            run.log({"child": 1})
            code = 0 if threads() == [] else 2
            run.finish()
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    run.finish()
    assert [bool(journal.samples) for journal in journals(run)] == [True, False]


def test_children_count_for_the_process() -> None:
    run = steplog.init(settings={"system_interval": 0.1})

    def most_memory() -> float:
        return max((sample["memory.process.bytes"] for sample in journals(run)[0].samples), default=0)

    wait_until(most_memory, "a sample")
    alone = most_memory()
    code = "held = bytearray(b'x') * (200 << 20); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        wait_until(lambda: most_memory() > alone + (190 << 20), "the memory of a child")
        child.communicate(b"\n")


def test_what_was_run_is_known_at_once() -> None:
    run = steplog.init()
    start = journals(run)[0].start["environment"]
    assert start["command"] == sys.orig_argv
    assert start["executable"] == sys.executable
    assert start["working_directory"] == os.getcwd()
    assert start["python"] == ".".join(map(str, sys.version_info[:3]))


def test_packages_are_those_that_can_be_imported() -> None:
    run = steplog.init()
    wait_until(lambda: "packages" in surroundings(run), "packages")
    run.finish()
    packages = surroundings(run)["packages"]
    assert packages["steplog"] == importlib.metadata.version("steplog")
    assert packages["pytest"] == importlib.metadata.version("pytest")
    text = Path(run.dir, "requirements.txt").read_text()
    assert text == SIGN + "".join(f"{name}=={version}\n" for name, version in packages.items())
    (own,) = (file for file in journals(run)[0].files if file["path"] == "requirements.txt")
    assert own["policy"] == "now"


@pytest.mark.parametrize("how", ["save_requirements", "x_save_requirements", "STEPLOG_SAVE_REQUIREMENTS"])
def test_requirements_can_be_left_out(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if how.isupper():
        monkeypatch.setenv(how, "false")
    run = steplog.init(settings={} if how.isupper() else {how: False})
    wait_until(lambda: "packages" in surroundings(run), "packages")
    run.finish()
    assert os.listdir(run.dir) == []


def test_machine_and_user_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER", "ada")
    monkeypatch.setenv("SLURM_JOB_ID", "812")
    monkeypatch.setenv("SLURM_PROCID", "3")
    run = steplog.init()
    wait_until(lambda: "user" in surroundings(run), "the host")
    found = surroundings(run)
    assert (found["user"], found["job"]) == ("ada", {"scheduler": "slurm", "id": "812", "rank": 3})
    assert found["memory_bytes"] > 1 << 20
    assert found["cpu_count"] >= 1


def test_git_is_asked_for_commit_and_changes(repository: Path) -> None:
    git(repository, "remote", "add", "origin", "https://ada:hunter2@host/x.git")
    (repository / "train.py").write_text("two\n")
    run = steplog.init()
    wait_until(lambda: "git" in surroundings(run), "git")
    run.finish()
    expected = {
        "commit": git(repository, "rev-parse", "HEAD"),
        "branch": "main",
        "remote": "https://host/x.git",
        "root": str(repository.resolve()),
        "dirty": True,
        "message": "First",
    }
    assert surroundings(run)["git"] == expected
    patch = Path(run.dir, "diff.patch").read_text()
    assert patch.startswith(f"{SIGN}# git diff {expected['commit']}\ndiff --git a/train.py b/train.py\n")
    assert patch.endswith("-one\n+two\n")
    # As git itself reads it.
    git(repository, "checkout", "-q", "train.py")
    git(repository, "apply", str(Path(run.dir, "diff.patch")))
    assert (repository / "train.py").read_text() == "two\n"


@pytest.mark.parametrize("how", ["disable_git", "save_git", "STEPLOG_DISABLE_GIT", "WANDB_DISABLE_GIT"])
def test_git_can_be_left_out(how: str, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "train.py").write_text("two\n")
    if how.isupper():
        monkeypatch.setenv(how, "true")
    run = steplog.init(settings={} if how.isupper() else {how: how == "disable_git"})
    wait_until(lambda: "packages" in surroundings(run) and GATHERER not in threads(), "the end of the thread")
    run.finish()
    assert "git" not in surroundings(run)
    assert not Path(run.dir, "diff.patch").exists()


@pytest.mark.parametrize("how", ["setting", "STEPLOG_DISABLE_CODE", "WANDB_DISABLE_CODE"])
def test_without_code_no_changes_are_kept(how: str, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "train.py").write_text("two\n")
    if how != "setting":
        monkeypatch.setenv(how, "1")
    run = steplog.init(settings={"disable_code": True} if how == "setting" else None)
    wait_until(lambda: "git" in surroundings(run), "git")
    run.finish()
    assert surroundings(run)["git"]["dirty"] is True
    assert not Path(run.dir, "diff.patch").exists()


def test_without_code_the_main_script_is_not_kept_either(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(gathering("packages"))
    run_script(tmp_path, "main.py", STEPLOG_DISABLE_CODE="true")
    assert files(recorded(tmp_path)) == []
    assert not (tmp_path / "steplog/p/a/files/code").exists()


def test_a_module_is_told_and_kept(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(gathering("packages"))
    run_script(tmp_path, "-m", "package", "--lr", "0.1", "--token", "abcdef")
    journal = recorded(tmp_path)
    told = journal.start["environment"]
    assert (told["module"], told["program"]) == ("package", str(package / "__main__.py"))
    assert told["command"] == [sys.executable, "-m", "package", "--lr", "0.1", "--token", "[redacted]"]
    assert [file["path"] for file in files(journal)] == ["code/__main__.py"]


def test_a_resumed_run_tells_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def users(run: steplog.Run) -> list[str]:
        return sorted(journal.environments[0]["user"] for journal in journals(run) if journal.environments)

    monkeypatch.setenv("USER", "ada")
    run = steplog.init(project="p", id="a")
    wait_until(lambda: users(run) == ["ada"], "ada")
    run.finish()
    monkeypatch.setenv("USER", "bob")
    resumed = steplog.init(project="p", id="a", resume="must")
    wait_until(lambda: users(resumed) == ["ada", "bob"], "bob")


def test_a_secondary_process_says_nothing() -> None:
    wait_until(lambda: threads() == [], "the end of the threads of earlier runs")
    run = steplog.init(mode="shared", settings={"primary": False, "label": "rank 1", "system_interval": 0.1})
    wait_until(lambda: journals(run)[0].samples, "a sample")
    assert threads() == [SAMPLER]
    run.finish()
    (journal,) = journals(run)
    assert ("environment" in journal.start, journal.environments, listed(run)) == (False, [], [])


def test_what_the_script_saves_under_such_a_name_stays(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("mine")
    run = steplog.init()
    run.save("requirements.txt")
    wait_until(lambda: "packages" in surroundings(run) and GATHERER not in threads(), "the end of the thread")
    run.finish()
    assert Path(run.dir, "requirements.txt").read_text() == "mine"
