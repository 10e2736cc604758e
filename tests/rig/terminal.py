"""A terminal as a program sees it, and what the program wrote to it, byte for byte."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from pathlib import Path

ROWS, COLUMNS = 24, 80


class Terminal:
    """A process that has a terminal of its own."""

    def __init__(self, command: list[str], home: Path, environment: dict[str, str]) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        home.mkdir(exist_ok=True)
        self.process = subprocess.Popen(
            command,
            cwd=home,
            env={**environment, "TERM": "xterm-256color"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self.shown = b""

    def read_until(self, text: bytes | None = None, seconds: float = 60) -> bytes:
        """Reads until the terminal shows a text, or until nobody has it any more; answers everything shown so far."""
        deadline = time.monotonic() + seconds
        while text is None or text not in self.shown:
            assert time.monotonic() < deadline, f"waited {seconds} s in vain for {text!r}; shown is {self.shown!r}"
            if not select.select([self.master], [], [], 0.2)[0]:
                continue
            try:
                read = os.read(self.master, 65536)
            except OSError:
                # Linux says so when the last program has let go of its terminal.
                read = b""
            if not read:
                assert text is None, f"{text!r} is not in {self.shown!r}"
                break
            self.shown += read
        return self.shown

    def type(self, keys: bytes) -> None:
        """Presses keys."""
        os.write(self.master, keys)

    def resize(self, rows: int, columns: int) -> None:
        """Makes the window another size."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def end(self) -> tuple[int, bytes]:
        """Waits for the end; exit code and everything that was shown."""
        shown = self.read_until()
        code = self.process.wait(60)
        os.close(self.master)
        return code, shown
