"""Real processes: the binary, the server, and training scripts."""

from __future__ import annotations

import array
import contextlib
import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import termios
from pathlib import Path
from types import TracebackType
from typing import IO

from rig.api import Api
from rig.ports import keep_port
from rig.waiting import wait_until

BINARY = Path(__file__).resolve().parent.parent.parent / "target/release/steplog"


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a newcomer whose home is ``home``: nothing of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STEPLOG_", "WANDB_", "XDG_"))}
    own = {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "NO_COLOR": "1",
        "PYTHONUNBUFFERED": "1",
    }
    return kept | own | more


def written(log: IO[str]) -> str:
    """What a process has written to a file so far. Its place in the file is ours too, so nothing is read from there."""
    return os.pread(log.fileno(), os.fstat(log.fileno()).st_size, 0).decode(errors="replace")


def steplog(
    *arguments: str | Path, home: Path, stdin: str | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    """Runs a command of the binary to its end."""
    return subprocess.run(
        [BINARY, *map(str, arguments)],
        cwd=home,
        env=environment(home, **more),
        input=stdin if stdin is not None else "",
        capture_output=True,
        text=True,
        timeout=300,
    )


def begin(*arguments: str | Path, home: Path, **more: str) -> subprocess.Popen[str]:
    """Begins a command of the binary; its errors stand where its output does."""
    return subprocess.Popen(
        [BINARY, *map(str, arguments)],
        cwd=home,
        env=environment(home, **more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


class Server:
    """``steplog serve`` or ``steplog ui``; may be killed and started again at the same address."""

    def __init__(self, home: Path, *arguments: str | Path, command: str = "serve", port: int = 0, **more: str) -> None:
        self.home, self.command, self.port = home, command, port
        self.data = home / "data"
        self.arguments = [str(argument) for argument in arguments]
        if command == "serve" and "--data" not in self.arguments:
            self.arguments += ["--data", str(self.data)]
        self.environment = environment(home, **more)
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115  # Lives as long as the server.
        self.process: subprocess.Popen[str] | None = None
        self.url = ""
        #: Keeps the port from others while the server is down.
        self.keeper: socket.socket | None = None

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None:
            self.kill()
        self._give_up_port()
        if error is not None:
            print(f"--- the server said:\n{self.said()}")
        self.log.close()

    @property
    def api(self) -> Api:
        return Api(self.url)

    def start(self) -> Server:
        """Starts it, and waits until it answers."""
        command = [str(BINARY), self.command, *self.arguments, "--port", str(self.port)]
        self.process = subprocess.Popen(
            command, cwd=self.home, env=self.environment, stdout=subprocess.PIPE, stderr=self.log, text=True
        )
        assert self.process.stdout is not None
        line = ""
        while not (found := re.search(r"http://[0-9a-z.\[\]:]+", line)):
            line = self.process.stdout.readline()
            assert line, f"the server ended with {self.process.wait()}: {self.said()}"
        self.url = found.group()
        self.port = int(self.url.rsplit(":", 1)[1])
        self._give_up_port()
        wait_until(self.answers, f"{self.url} answers")
        return self

    def answers(self) -> bool:
        try:
            return self.api.call("GET", "/healthz", seconds=20).body == b"ok"
        except OSError:
            return False

    def kill(self) -> None:
        """Ends it as a power cut would."""
        assert self.process is not None and self.process.stdout is not None
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self._keep_port()

    def stop(self) -> int:
        """Ends it as Ctrl-C does; answers the exit code."""
        assert self.process is not None and self.process.stdout is not None
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(120)
        self.process.stdout.close()
        self._keep_port()
        return code

    def said(self) -> str:
        return written(self.log)

    def _keep_port(self) -> None:
        # Whoever was quicker is told of by the next start.
        with contextlib.suppress(OSError):
            self.keeper = self.keeper or keep_port(self.port)

    def _give_up_port(self) -> None:
        if self.keeper is not None:
            self.keeper.close()
            self.keeper = None


class Script:
    """A Python process with a script, given as text or as a file, that says how far it is and can be told to go on."""

    def __init__(
        self, code: str | Path, *arguments: str, home: Path, python: str = sys.executable, **more: str
    ) -> None:
        home.mkdir(exist_ok=True)
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  # Lives as long as the process.
        what = [str(code)] if isinstance(code, Path) else ["-c", code]
        self.process = subprocess.Popen(
            [python, *what, *arguments],
            cwd=home,
            env=environment(home, **more),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )

    def __enter__(self) -> Script:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None and not pipe.closed:
                pipe.close()
        if error is not None:
            print(f"--- the script said:\n{self.said()}")
        self.errors.close()

    def line(self) -> str:
        """The next line that it prints; empty when it ended."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def unread_bytes(self) -> int:
        """How much it has printed that is still in the pipe."""
        assert self.process.stdout is not None
        count = array.array("i", [0])
        fcntl.ioctl(self.process.stdout, termios.FIONREAD, count)
        return count[0]

    def tell(self, line: str) -> None:
        """Writes a line to its standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def kill(self) -> list[str]:
        """Kills it; answers the whole lines that it had printed and nobody had read."""
        self.process.kill()
        assert self.process.stdout is not None
        rest = self.process.stdout.read()
        self.process.wait()
        return rest.split("\n")[:-1]

    def end(self, seconds: float = 300) -> tuple[int, str]:
        """Waits for its end; its exit code and what it printed."""
        out, _ = self.process.communicate(timeout=seconds)
        return self.process.returncode, out

    def said(self) -> str:
        return written(self.errors)


def processes_of(home: Path) -> dict[int, str]:
    """The living processes whose home is ``home``: process id and command."""
    found = {}
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and f"HOME={home}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                # A process that ended and was not waited for has no command.
                if command:
                    found[int(folder.name)] = command
        except OSError:
            continue  # It ended meanwhile, or belongs to somebody else.
    return found
