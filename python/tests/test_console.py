"""What a script prints is recorded as a terminal shows it, and printed as ever."""

from __future__ import annotations

import contextlib
import io
import logging
import multiprocessing
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import steplog
from conftest import Journal, journals, read_run, run_folder


def lines_of(journal: Journal) -> list[tuple[str, str]]:
    """Output and text of the lines, in the order of their numbers, of which none is missing."""
    assert sorted(journal.console) == list(range(len(journal.console)))
    return [journal.console[number] for number in range(len(journal.console))]


def run_script(code: str, *arguments: str, **environment: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a script in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        timeout=60,
    )
    # Decoded here: as text, carriage returns would become line breaks.
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def recorded(tmp_path: Path) -> list[tuple[str, str]]:
    """What the one process of the run ``p/r`` printed."""
    [journal] = read_run(tmp_path / "steplog/p/r")
    return lines_of(journal)


class Stream(io.StringIO):
    """A stream with attributes of its own, as those of notebooks are."""


def own_streams(monkeypatch: pytest.MonkeyPatch) -> tuple[Stream, Stream]:
    """Puts streams that no other run has in the place of pytest's; not as a fixture, whose streams pytest changes."""
    streams = Stream(), Stream()
    monkeypatch.setattr(sys, "stdout", streams[0])
    monkeypatch.setattr(sys, "stderr", streams[1])
    return streams


PRINTING = """
import subprocess, sys, steplog
print("before")
run = steplog.init(project="p", id="r")
print("Grüße", 1, None)
print("\\x1b[31mred\\x1b[0m", "to stderr", file=sys.stderr)
for percent in (0, 50, 100):
    print(f"\\r{percent} %", end="", flush=True)
print()
subprocess.run(["sh", "-c", "echo of a child"])
sys.stdout.write("no line break")
run.finish()
print("after")
"""


@pytest.mark.parametrize("mode", ["", "auto", "wrap", "wrap_raw", "wrap_emu"])
def test_lines_are_recorded_as_a_terminal_shows_them(tmp_path: Path, mode: str) -> None:
    printed = run_script(PRINTING, STEPLOG_CONSOLE=mode, PYTHONUNBUFFERED="1")
    out = "before\nGrüße 1 None\n\r0 %\r50 %\r100 %\nof a child\nno line breakafter\n"
    assert printed == (0, out, "\x1b[31mred\x1b[0m to stderr\n")
    lines = [
        ("stdout", "Grüße 1 None"),
        ("stderr", "\x1b[31mred\x1b[0m to stderr"),
        ("stdout", "100 %"),
        ("stdout", "no line break"),
    ]
    assert recorded(tmp_path) == lines
    log = (tmp_path / "steplog/p/r/files/output.log").read_text()
    assert log == "".join(f"{text}\n" for _, text in lines)


def test_redirection_records_child_processes_too(tmp_path: Path) -> None:
    printed = run_script(PRINTING, WANDB_CONSOLE="redirect")
    out = "before\nGrüße 1 None\n\r0 %\r50 %\r100 %\nof a child\nno line breakafter\n"
    assert printed == (0, out, "\x1b[31mred\x1b[0m to stderr\n")
    # Two pipes: which of them is read first is chance.
    assert sorted(recorded(tmp_path)) == [
        ("stderr", "\x1b[31mred\x1b[0m to stderr"),
        ("stdout", "100 %"),
        ("stdout", "Grüße 1 None"),
        ("stdout", "no line break"),
        ("stdout", "of a child"),
    ]


def test_with_off_nothing_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    streams = own_streams(monkeypatch)
    for settings, mode in ({"console": "off"}, "offline"), ({}, "disabled"):
        run = steplog.init(project="p", settings=settings, mode=mode)
        print("not recorded")
        assert (sys.stdout, sys.stderr) == streams
        assert "write" not in vars(sys.stdout) and "write" not in vars(sys.stderr)
        run.finish()
        if mode == "offline":
            assert journals(run)[0].console == {} and not (run_folder(run) / "files/output.log").exists()


def test_the_mode_can_be_set_and_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(steplog.InvalidDataError) as raised:
        steplog.init(settings={"console": "iowrap"})
    assert str(raised.value) == 'console "iowrap" is none of "auto", "wrap", "redirect", "off"'
    with pytest.raises(steplog.InvalidDataError, match="the setting console is a bool, not a str"):
        steplog.init(settings={"console": False})
    monkeypatch.setenv("STEPLOG_CONSOLE", "off")
    run = steplog.init(settings={"console": "wrap"})
    print("by the settings")
    run.finish()
    assert lines_of(journals(run)[0]) == [("stdout", "by the settings")]


def test_streams_stay_the_objects_they_are_and_are_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    streams = own_streams(monkeypatch)
    writes = [type(stream).write for stream in streams]
    run = steplog.init()
    assert (sys.stdout, sys.stderr) == streams
    assert all("write" in vars(stream) for stream in streams)
    assert sys.stdout.write("abc") == 3 and sys.stdout.write.__name__ == "write"  # type: ignore[attr-defined]
    assert sys.stdout.writelines(["d\n", "e\n"]) is None  # type: ignore[func-returns-value]
    run.finish()
    assert (sys.stdout, sys.stderr) == streams
    assert not any("write" in vars(stream) for stream in streams)
    assert [type(stream).write for stream in streams] == writes
    assert lines_of(journals(run)[0]) == [("stdout", "abcd"), ("stdout", "e")]


def test_what_a_stream_refuses_is_refused_as_ever_and_not_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    stdout: Any = io.TextIOWrapper(io.BytesIO(), "utf-8")
    monkeypatch.setattr(sys, "stdout", stdout)
    with pytest.raises(TypeError) as before:
        stdout.write(1)
    run = steplog.init()
    with pytest.raises(TypeError) as during:
        stdout.write(1)
    assert str(during.value) == str(before.value)
    with pytest.raises(UnicodeEncodeError):
        stdout.write("\ud800")
    run.finish()
    assert journals(run)[0].console == {}


def test_handlers_of_logging_that_have_the_stream_are_recorded() -> None:
    handler = logging.StreamHandler(sys.stderr)
    logger = logging.getLogger("test_console")
    logger.addHandler(handler)
    try:
        run = steplog.init()
        logger.warning("epoch %d", 3)
        run.finish()
        logger.warning("later")
    finally:
        logger.removeHandler(handler)
    assert lines_of(journals(run)[0]) == [("stderr", "epoch 3")]


def test_runs_that_are_open_at_once_each_get_what_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    streams = own_streams(monkeypatch)
    first = steplog.init(id="first")
    print("to the first")
    second = steplog.init(id="second", reinit="create_new")
    print("to both")
    first.finish()
    assert "write" in vars(sys.stdout)
    print("to the second")
    second.finish()
    assert "write" not in vars(sys.stdout)
    assert streams[0].getvalue() == "to the first\nto both\nto the second\n"
    assert lines_of(journals(first)[0]) == [("stdout", "to the first"), ("stdout", "to both")]
    assert lines_of(journals(second)[0]) == [("stdout", "to both"), ("stdout", "to the second")]


def test_what_somebody_put_over_the_stream_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    stream, _ = own_streams(monkeypatch)
    run = steplog.init()
    ours = stream.write
    stream.write = lambda text: ours(text.upper())  # type: ignore[method-assign,assignment]
    print("over")
    run.finish()
    print("later")
    assert stream.getvalue() == "OVER\nLATER\n"
    assert lines_of(journals(run)[0]) == [("stdout", "OVER")]
    again = steplog.init()
    print("again")
    again.finish()
    assert lines_of(journals(again)[0]) == [("stdout", "again")]
    assert stream.getvalue() == "OVER\nLATER\nAGAIN\n"


class Slotted:
    """A stream whose ``write`` cannot be set."""

    __slots__ = ("text",)

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        """Nothing waits."""


def test_a_stream_that_cannot_be_changed_is_stood_for(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Slotted()
    monkeypatch.setattr(sys, "stdout", stream)
    run = steplog.init()
    print("printed", flush=True)
    sys.stdout.writelines(["a\n", "b\n"])
    assert sys.stdout.text == "printed\na\nb\n"  # type: ignore[attr-defined]
    run.finish()
    assert sys.stdout is stream
    assert lines_of(journals(run)[0]) == [("stdout", "printed"), ("stdout", "a"), ("stdout", "b")]


def test_streams_that_are_missing_or_closed_are_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = Stream()
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed)
    monkeypatch.setattr(sys, "stderr", None)
    run = steplog.init()
    with pytest.raises(ValueError, match="I/O operation on closed file"):
        print("nowhere")
    run.finish()
    assert journals(run)[0].console == {}


def test_what_goes_elsewhere_is_not_recorded() -> None:
    run = steplog.init()
    with contextlib.redirect_stdout(io.StringIO()) as elsewhere:
        print("elsewhere")
    run.finish()
    assert (elsewhere.getvalue(), journals(run)[0].console) == ("elsewhere\n", {})


FAILING = """
import sys, steplog
if sys.argv[1] != "none":
    run = steplog.init(project="p", id="r", settings={"console": sys.argv[1]})

class Loud:
    def __del__(self):
        print("gone", file=sys.stderr)

def fail(loud):
    raise RuntimeError("out of luck")

try:
    sys.stdout.write(1)
except TypeError:
    import traceback
    traceback.print_exc()
fail(Loud())
"""


@pytest.mark.parametrize("mode", ["wrap", "redirect"])
def test_an_uncaught_traceback_is_recorded_and_the_same_as_ever(tmp_path: Path, mode: str) -> None:
    shown = run_script(FAILING, mode)
    assert shown == run_script(FAILING, "none")
    assert shown[0] == 1 and shown[2].splitlines()[-2:] == ["RuntimeError: out of luck", "gone"]
    # The object goes when the interpreter lets go of the traceback, which is after the run's end.
    assert recorded(tmp_path)[: len(shown[2].splitlines()) - 1] == [
        ("stderr", line) for line in shown[2].splitlines()[:-1]
    ]
    [journal] = read_run(tmp_path / "steplog/p/r")
    assert journal.exits == [1]


def print_in_child(run: steplog.Run | None, text: str) -> None:
    print(text)
    print("no line break", end="", flush=True)
    os._exit(0)


def test_a_forked_child_records_what_it_prints_in_a_journal_of_its_own() -> None:
    run = steplog.init()
    print("parent")
    child = multiprocessing.get_context("fork").Process(target=print_in_child, args=(None, "child"))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    print("parent again")
    run.finish()
    first, second = journals(run)
    assert lines_of(first) == [("stdout", "parent"), ("stdout", "parent again")]
    assert second.start["parent_stream"] == first.stream
    assert lines_of(second) == [("stdout", "child"), ("stdout", "no line break")]


SPAWNED = """
import multiprocessing, sys, steplog

def work(run):
    print("worker of", run.id)
    run.finish()

if __name__ == "__main__":
    run = steplog.init(project="p", id="r", settings={"console": sys.argv[1]})
    child = multiprocessing.get_context("spawn").Process(target=work, args=(run,))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    print("parent")
"""


@pytest.mark.parametrize("mode", ["wrap", "redirect", "off"])
def test_a_run_in_another_process_records_there_what_is_recorded_here(tmp_path: Path, mode: str) -> None:
    (tmp_path / "script.py").write_text(SPAWNED)
    done = subprocess.run([sys.executable, "script.py", mode], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "worker of r\nparent\n", "")
    first, second = read_run(tmp_path / "steplog/p/r")
    worker, parent = ("stdout", "worker of r"), ("stdout", "parent")
    expected: dict[str, tuple[list[tuple[str, str]], list[tuple[str, str]]]] = {
        "wrap": ([parent], [worker]),
        # One pipe: it is recorded once, where it is redirected.
        "redirect": ([worker, parent], []),
        "off": ([], []),
    }
    assert (lines_of(first), lines_of(second)) == expected[mode]


def test_threads_lose_nothing() -> None:
    run = steplog.init()

    def work(thread: int) -> None:
        for index in range(500):
            sys.stdout.write(f"{thread}-{index}\n")
            run.log({f"thread{thread}": index})

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run.finish()
    [journal] = journals(run)
    texts = [text for _, text in lines_of(journal)]
    assert len(journal.rows) == 2000
    for number in range(4):
        own = [text for text in texts if text.startswith(f"{number}-")]
        assert own == [f"{number}-{index}" for index in range(500)]


BUSY = """
import gc, os, signal, sys, threading, steplog
run = steplog.init(project="p", id="r", settings={"console": sys.argv[1]})
signal.signal(signal.SIGALRM, lambda *_: print("signal"))
signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)

class Loud:
    def __init__(self):
        self.itself = self
    def __del__(self):
        print("gone")

stop = threading.Event()
def work():
    while not stop.is_set():
        print("thread")
thread = threading.Thread(target=work)
thread.start()
gc.set_threshold(1)
for index in range(2000):
    Loud()
    run.log({"index": index})
    print(index)
    if index % 100 == 0:
        child = os.fork()
        if child == 0:
            signal.setitimer(signal.ITIMER_REAL, 0)
            print("child")
            run.log({"child": index})
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
stop.set()
thread.join()
signal.setitimer(signal.ITIMER_REAL, 0)
run.finish()
"""


@pytest.mark.parametrize("mode", ["wrap", "redirect"])
def test_signals_finalizers_threads_and_forks_at_once_do_not_deadlock(tmp_path: Path, mode: str) -> None:
    code, _, errors = run_script(BUSY, mode)
    # Where a handler prints while its own print is being written, Python itself refuses that.
    assert code == 0 or "reentrant call" in errors, errors
    journal = next(journal for journal in read_run(tmp_path / "steplog/p/r") if "parent_stream" not in journal.start)
    assert len(journal.console) > 2000 or code != 0
