"""A steplog server over a folder of its own, and what a browser would ask it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import platform
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


class Server:
    """A running server."""

    def __init__(self, port: int, process: subprocess.Popen[bytes], data: Path) -> None:
        self.port, self.process, self.data = port, process, data
        self.url = f"http://127.0.0.1:{port}"
        self._local = threading.local()

    def request(self, method: str, path: str, body: bytes | None = None, kind: str = "application/json") -> bytes:
        """Body of the answer; a connection for each thread is kept open."""
        return self.timed(method, path, body, kind)[0]

    def timed(self, method: str, path: str, body: bytes | None, kind: str = "application/json") -> tuple[bytes, float]:
        """Body of the answer, and seconds until its first byte: the server's part, and a loopback's."""
        connection = getattr(self._local, "connection", None)
        if connection is None or time.monotonic() - self._local.used > 30:
            # The server closes a connection that was idle for long.
            connection = self._local.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
            connection.connect()
        begun = time.perf_counter()
        connection.request(method, path, body, {"content-type": kind})
        answer = connection.getresponse()
        seconds = time.perf_counter() - begun
        data = bytes(answer.read())
        self._local.used = time.monotonic()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {data[:300]!r}")
        return data, seconds

    def post(self, path: str, body: dict[str, Any]) -> bytes:
        return self.timed_post(path, body)[0]

    def timed_post(self, path: str, body: dict[str, Any]) -> tuple[bytes, float]:
        return self.timed("POST", f"/api/v1{path}", json.dumps(body).encode())

    def ingest(self, run: str, stream: str, data: bytes, piece: int = 8 << 20) -> None:
        """Sends a whole journal; returns when the server has it durably."""
        offset = 0
        while offset < len(data):
            path = f"/api/v1/ingest/{run}/{stream}?offset={offset}"
            body = data[offset : offset + piece]
            answer = json.loads(self.request("POST", path, body, "application/vnd.steplog.journal"))
            if answer["durable_offset"] <= offset:
                raise RuntimeError(f"the server does not go on at byte {offset} of {run}")
            offset = answer["durable_offset"]

    def status(self, name: str) -> int:
        """A size of `/proc/PID/status`, in bytes."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
        raise KeyError(name)

    def disk_bytes(self) -> int:
        """What its data folder takes on disk."""
        return sum(path.stat().st_blocks * 512 for path in self.data.rglob("*") if path.is_file())


@contextlib.contextmanager
def running(binary: Path, data: Path) -> Iterator[Server]:
    """Starts a server and stops it at the end."""
    port = free_port()
    data.mkdir(parents=True, exist_ok=True)
    command = [str(binary), "serve", "--data", str(data), "--port", str(port)]
    environment = {"PATH": os.environ["PATH"], "HOME": str(data)}
    with (data.parent / "server.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    server = Server(port, process, data)
    try:
        end = time.monotonic() + 60
        while True:
            try:
                server.request("GET", "/healthz")
                break
            except OSError:
                server._local.connection = None
                if time.monotonic() > end or process.poll() is not None:
                    raise RuntimeError(f"the server did not start; see {data.parent}/server.log") from None
                time.sleep(0.01)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def machine() -> str:
    """What the figures were measured on, and how busy it was."""
    busy = os.getloadavg()[0]
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, load {busy:.1f}"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def find_binary() -> Path | None:
    """The shipped build if there is one, else the one that the tests use."""
    for profile in ("dist", "release"):
        path = ROOT / "target" / profile / "steplog"
        if path.exists():
            return path
    return None
