"""What a script prints is recorded, and shown as without us: on a terminal, in a pipe, and when things go wrong."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from journal_reader import Journal, read_run
from rig.processes import Script, environment, processes_of
from rig.terminal import Terminal
from rig.waiting import wait_until

MODES = ["wrap", "redirect"]

#: What every script begins with; without a mode it is as if there were no steplog.
BEGIN = """
import os, sys, time
mode = sys.argv[1]
if mode != "none":
    import steplog
    run = steplog.init(project="p", id="r", settings={"console": mode})
"""


def scene(home: Path) -> dict[str, str]:
    """The environment of a script that runs without a server."""
    own = environment(home, STEPLOG_SILENT="1", STEPLOG_MODE="offline")
    own.pop("NO_COLOR", None)
    return own


def journal_of(home: Path) -> Journal:
    """The journal of the process that began the run."""
    return read_run(home / "steplog/p/r")[0]


def texts(home: Path, output: str | None = None) -> list[str]:
    """The lines that were recorded, in their order."""
    console = journal_of(home).console
    return [text for _, (of, text) in sorted(console.items()) if output in (None, of)]


def on_terminal(home: Path, code: str, mode: str, *keys: tuple[bytes, bytes]) -> bytes:
    """What a script shows on a terminal, when keys are pressed each after a text was shown."""
    terminal = Terminal([sys.executable, "-c", BEGIN + code, mode], home / mode, scene(home / mode))
    for shown, pressed in keys:
        terminal.read_until(shown)
        terminal.type(pressed)
    status, shown = terminal.end()
    assert status == 0, shown.decode()
    return shown


def shows_the_same(home: Path, code: str, mode: str, *keys: tuple[bytes, bytes]) -> bytes:
    """Checks that the terminal shows to the byte what it shows without us; answers that."""
    shown = on_terminal(home, code, mode, *keys)
    assert shown == on_terminal(home, code, "none", *keys)
    return shown


# Time stands still, or no two drawings would be the same.
STILL = """
import time
clock = iter(range(1_000_000))
time.time = time.monotonic = time.perf_counter = lambda: next(clock) * 0.05
"""

TQDM = (
    STILL
    + """
from tqdm import tqdm, trange
# Else a thread draws bars once more when the script takes ten seconds.
tqdm.monitor_interval = 0
for epoch in trange(2, desc="epoch", leave=True):
    for batch in tqdm(range(40), desc="batch", leave=False, position=1):
        if batch == 20:
            tqdm.write(f"half of {epoch}")
print("done")
"""
)

RICH = (
    STILL
    + """
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
console = Console()
progress = Progress(TextColumn("{task.description}"), BarColumn(), console=console, auto_refresh=False)
with progress:
    first, second = progress.add_task("first", total=10), progress.add_task("second", total=10)
    for step in range(10):
        progress.update(first, advance=1, refresh=True)
        progress.update(second, advance=0.5, refresh=True)
        if step == 5:
            progress.console.print("[bold red]half[/] of it")
table = Table("key", "value")
table.add_row("loss", "0.25")
console.print(table)
"""
)

LOGGING = """
import logging, warnings
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
for index in range(5):
    print("out", index)
    logging.info("info %d", index)
    sys.stderr.write("err")
    print("!", file=sys.stderr, flush=True)
print("size", os.get_terminal_size(1), sys.stdout.isatty(), sys.stderr.isatty(), sys.stdout.encoding)
"""

PDB = """
import pdb
def compute(value):
    pdb.set_trace()
    return value * 2
print("answer", compute(21))
name = input("name? ")
print("hello", name)
"""


@pytest.mark.parametrize("mode", MODES)
def test_bars_of_tqdm(home: Path, mode: str) -> None:
    shows_the_same(home, TQDM, mode)
    lines = [re.sub(r"\|.*", "", text) for text in texts(home / mode)]
    # Caught where Python prints, stdout has a cursor of its own: bars stand where they began. On the terminal they move
    # down with each line that is written over them.
    expected = {
        "wrap": ["epoch: 100%", "", "half of 0", "half of 1", "done"],
        "redirect": ["half of 0", "half of 1", "epoch: 100%", "done"],
    }
    assert lines == expected[mode]


@pytest.mark.parametrize("mode", MODES)
def test_progress_and_tables_of_rich(home: Path, mode: str) -> None:
    shows_the_same(home, RICH, mode)
    first, *rest = texts(home / mode)
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", text) for text in rest]
    assert first == "\x1b[1;31mhalf\x1b[0m of it"
    assert plain[0] == f"first  {'━' * 40}" and plain[1].startswith(f"second {'━' * 20}")
    assert plain[2:] == [
        "┏━━━━━━┳━━━━━━━┓",
        "┃ key  ┃ value ┃",
        "┡━━━━━━╇━━━━━━━┩",
        "│ loss │ 0.25  │",
        "└──────┴───────┘",
    ]


@pytest.mark.parametrize("mode", MODES)
def test_logging_between_prints(home: Path, mode: str) -> None:
    shown = shows_the_same(home, LOGGING, mode)
    assert texts(home / mode) == shown.decode().split("\r\n")[:-1]
    assert b"columns=80, lines=24) True True utf-8" in shown


@pytest.mark.parametrize("mode", MODES)
def test_pdb_and_input(home: Path, mode: str) -> None:
    keys = [(b"(Pdb) ", b"p value\n"), (b"21\r\n(Pdb) ", b"c\n"), (b"name? ", b"Ada\n")]
    shown = shows_the_same(home, PDB, mode, *keys)
    assert b"answer 42\r\n" in shown and shown.endswith(b"hello Ada\r\n")
    assert "answer 42" in texts(home / mode) and "hello Ada" in " ".join(texts(home / mode))


def test_a_redirected_terminal_follows_the_window(home: Path) -> None:
    code = "print('ready', flush=True); input()\n"
    code += "while os.get_terminal_size(1).columns != 100: time.sleep(0.01)\nprint('wide')"
    terminal = Terminal([sys.executable, "-c", BEGIN + code, "redirect"], home, scene(home))
    terminal.read_until(b"ready")
    terminal.resize(30, 100)
    terminal.type(b"\n")
    assert terminal.end()[0] == 0
    assert "wide" in texts(home)


@pytest.mark.parametrize("mode", ["none", *MODES])
def test_a_closed_stdout_is_closed(home: Path, mode: str) -> None:
    code = BEGIN + "assert sys.stdout is None\nprint('nowhere')\nprint('err', file=sys.stderr)"
    command = ["sh", "-c", 'exec "$0" -c "$1" "$2" >&-', sys.executable, code, mode]
    done = subprocess.run(command, cwd=home, env=scene(home), stderr=subprocess.PIPE, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "err\n")
    if mode != "none":
        assert texts(home) == ["err"]


ENDLESS = """
while True:
    print("line", flush=True)
"""


@pytest.mark.parametrize("mode", ["none", *MODES])
def test_a_reader_that_is_gone_ends_the_script_as_ever(home: Path, mode: str) -> None:
    done = subprocess.run(
        ["sh", "-c", '"$0" -c "$1" "$2" 2>errors | head -n 2', sys.executable, BEGIN + ENDLESS, mode],
        cwd=home,
        env=scene(home),
        capture_output=True,
        text=True,
        timeout=60,
    )
    errors = (home / "errors").read_text()
    assert done.stdout == "line\nline\n"
    assert "BrokenPipeError: [Errno 32] Broken pipe" in errors
    assert "steplog" not in errors.replace("import steplog", "")
    if mode != "none":
        assert journal_of(home).exits == [1]
        assert texts(home, "stdout")[:2] == ["line", "line"]


@pytest.mark.parametrize("mode", MODES)
def test_a_slow_reader_gets_everything(home: Path, mode: str) -> None:
    code = BEGIN + "for index in range(20_000):\n    print(f'{index:>60}')\n"
    with Script(code, mode, home=home, STEPLOG_SILENT="1", STEPLOG_MODE="offline") as script:
        # Nobody has read anything when the pipe, of 64 KiB, is as good as full.
        wait_until(lambda: script.unread_bytes() > 48 * 1024, "it has printed")
        status, out = script.end()
    expected = [f"{index:>60}" for index in range(20_000)]
    assert (status, out.splitlines()) == (0, expected)
    assert texts(home) == expected


COUNTING = """
step = 0
while True:
    print(f"step {step}", flush=True)
    step += 1
"""


def test_a_killed_script_keeps_the_lines_that_it_printed(home: Path) -> None:
    for attempt in range(10):
        work = home / str(attempt)
        with Script(BEGIN + COUNTING, "wrap", home=work, STEPLOG_SILENT="1", STEPLOG_MODE="offline") as script:
            for step in range(200):
                assert script.line() == f"step {step}\n"
            rest = script.kill()
        printed = 200 + len(rest)
        recorded = texts(work)
        # The last may have been killed between the print and the record.
        assert recorded[: printed - 1] == [f"step {step}" for step in range(printed - 1)]
        assert len(recorded) <= printed + 1


def test_what_a_killed_script_printed_last_is_shown_when_it_is_redirected(home: Path) -> None:
    code = BEGIN + (
        "for index in range(2000):\n    os.write(1, b'%d\\n' % index)\n"
        "os.write(2, b'fatal\\n')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    ends: list[bool] = []
    for attempt in range(10):
        work = home / str(attempt)
        work.mkdir()
        done = subprocess.run(
            [sys.executable, "-c", code, "redirect"], cwd=work, env=scene(work), capture_output=True, timeout=60
        )
        assert done.returncode == -signal.SIGKILL
        shown = [int(line) for line in done.stdout.split()]
        # What its own thread had taken and not yet passed on is gone: one piece at most.
        missing = sorted(set(range(2000)) - set(shown))
        assert shown == sorted(shown) and missing == list(range(missing[0], missing[-1] + 1) if missing else [])
        ends += [shown[-1:] == [1999], done.stderr == b"fatal\n"]
    assert ends.count(True) > len(ends) / 2, ends
    homes = [home / str(attempt) for attempt in range(10)]
    wait_until(lambda: not any(processes_of(each) for each in homes), "nobody is left")


OUTLIVING = """
import subprocess
subprocess.Popen(["sh", "-c", "read line; for i in 1 2 3; do echo child $i; done"], stdin=int(sys.argv[2]))
print("parent", flush=True)
sys.stdin.readline()
{}
"""


def outlived(home: Path, code: str) -> str:
    """What a redirected script and its children print, when these go on only after its end; nobody is left then."""
    reader, writer = os.pipe()
    script = subprocess.Popen(
        [sys.executable, "-c", BEGIN + code, "redirect", str(reader)],
        cwd=home,
        env=scene(home),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=[reader],
        text=True,
    )
    os.close(reader)
    assert script.stdin is not None and script.stdout is not None
    # It goes on when its own thread has passed this on: what that has in its hands at the end would be gone.
    printed = script.stdout.readline()
    script.stdin.close()
    script.wait(60)
    os.write(writer, b"go\n")
    os.close(writer)
    printed += script.stdout.read()
    script.stdout.close()
    wait_until(lambda: processes_of(home) == {}, "nobody is left")
    return printed


@pytest.mark.parametrize("end", ["run.finish()", "os._exit(0)", "os.kill(os.getpid(), 9)", "pass"])
def test_children_that_outlive_a_redirected_script_can_print(home: Path, end: str) -> None:
    assert outlived(home, OUTLIVING.format(end)) == "parent\nchild 1\nchild 2\nchild 3\n"


FORKED = """
if os.fork() == 0:
    os.read(int(sys.argv[2]), 1)
    for index in range(3):
        print("child", index, flush=True)
    os._exit(0)
print("parent", flush=True)
sys.stdin.readline()
os.kill(os.getpid(), 9)
"""


def test_forked_children_that_outlive_a_killed_script_can_print(home: Path) -> None:
    assert outlived(home, FORKED) == "parent\nchild 0\nchild 1\nchild 2\n"


NATIVE = """
import ctypes
libc = ctypes.CDLL(None)
print("python", flush=True)
libc.puts(b"from C")
libc.fflush(None)
os.system("echo from a shell; echo its errors >&2")
libc.puts(b"in a buffer")
"""


def test_redirection_records_c_code_and_shells(home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + NATIVE + "run.finish()\nprint('after')", "redirect"],
        cwd=home,
        env=scene(home),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "python\nfrom C\nfrom a shell\nin a buffer\nafter\n"
    assert (done.returncode, done.stderr) == (0, "its errors\n")
    assert texts(home, "stdout") == ["python", "from C", "from a shell", "in a buffer"]
    assert texts(home, "stderr") == ["its errors"]


def test_one_pipe_for_both_keeps_the_order(home: Path) -> None:
    code = BEGIN + "for index in range(3000):\n    os.write(1 + index % 2, b'%d\\n' % index)\n"
    done = subprocess.run(
        [sys.executable, "-c", code, "redirect"],
        cwd=home,
        env=scene(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    expected = [str(index) for index in range(3000)]
    assert (done.returncode, done.stdout.splitlines()) == (0, expected)
    assert texts(home) == expected


def test_waiting_for_all_children_ends(home: Path) -> None:
    code = BEGIN + "try:\n    print(os.wait())\nexcept ChildProcessError:\n    print('none')\n"
    # Git is asked by a process of its own, beside what is shown here.
    environment = {**scene(home), "STEPLOG_DISABLE_GIT": "true"}
    done = subprocess.run(
        [sys.executable, "-c", code, "redirect"], cwd=home, env=environment, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "none\n", "")


POOL = """
import multiprocessing
def work(index):
    sys.stdout.write(f"worker {index}\\n")
    return index
if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(work, range(20), chunksize=1) == list(range(20))
        pool.close()
        pool.join()
    print("parent")
"""


@pytest.mark.parametrize("mode", MODES)
def test_workers_of_a_pool(home: Path, mode: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + POOL, mode],
        cwd=home,
        env=scene(home),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    expected = sorted([*(f"worker {index}" for index in range(20)), "parent"])
    assert sorted(done.stdout.splitlines()) == expected
    journals = read_run(home / "steplog/p/r")
    assert sorted(text for journal in journals for _, text in journal.console.values()) == expected
    assert len(journals) == 1 if mode == "redirect" else len(journals) > 1


HOSTILE = """
out = sys.stdout.buffer if mode == "redirect" else None
def put(data):
    os.write(1, data) if out else sys.stdout.write(data.decode(errors="replace"))
piece = b"x" * (1 << 20)
def grow():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))
before = grow()
for index in range(100):
    put(piece)
    if mode != "redirect":
        sys.stdout.flush()
put(b"\\n\\xff\\xfe\\x1b]0;evil\\x07\\x1b[31mred\\n")
sys.stdout.flush()
run.finish()
print((grow() - before) // 1024, file=sys.stderr)
"""


@pytest.mark.parametrize("mode", MODES)
def test_a_line_of_a_hundred_megabytes_takes_little_memory(home: Path, mode: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + HOSTILE, mode],
        cwd=home,
        env=scene(home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stderr) < 48, f"{done.stderr} MiB more than before"
    lines = texts(home)
    assert {len(line) for line in lines[:-1]} == {8192} and len(lines) == (100 << 20) // 8192 + 1
    assert lines[-1] == "\ufffd\ufffd\x1b[31mred\x1b[0m"
    # Much to keep for nobody.
    shutil.rmtree(home / "steplog")
