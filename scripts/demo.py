"""Starts a server over .demo/data, trains three small networks before the reader's eyes, and stays until Ctrl-C."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / ".demo"
BINARY = ROOT / "target/release/steplog"
PORT = 7837
RUNS = [("lr-0.01", 0.01), ("lr-0.05", 0.05), ("lr-0.3", 0.3)]


def say(text: str) -> None:
    """Prints a line at once, so that it stands in order with what other processes print."""
    print(text, flush=True)


def free_port() -> int:
    """The usual port, or the first free one above."""
    for port in range(PORT, PORT + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port != PORT:
            say(f"port {PORT} is taken, so the demo is at port {port}")
        return port
    sys.exit(f"error: all ports from {PORT} to {PORT + 99} are taken")


def get(port: int, path: str) -> bytes | None:
    """What the server answers; None when it does not."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.read() if answer.status == 200 else None
    except OSError:
        return None
    finally:
        connection.close()


@contextmanager
def serving(port: int) -> Iterator[subprocess.Popen[str]]:
    """The server, from its first answer until the end."""
    command = [str(BINARY), "serve", "--data", str(DEMO / "data"), "--port", str(port)]
    # In a session of its own: Ctrl-C is for the training, which still has something to send then.
    server = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True, text=True)
    try:
        assert server.stdout is not None
        # It prints its address as soon as it listens.
        if not re.search("http://", server.stdout.readline()) or get(port, "/healthz") != b"ok":
            server.wait()
            sys.exit("error: the server did not start")
        yield server
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def run_count(port: int) -> int:
    """How many runs the demo's project has."""
    answer = get(port, "/api/v1/projects")
    projects = json.loads(answer)["projects"] if answer else []
    return sum(project["run_count"] for project in projects if project["name"] == "digits")


def train(port: int) -> None:
    """Trains the networks side by side, and waits for them."""
    threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    environment = {
        **os.environ,
        **threads,
        "STEPLOG_BASE_URL": f"http://127.0.0.1:{port}",
        "STEPLOG_DIR": str(DEMO),
        "STEPLOG_QUIET": "true",
        # The demo lasts a minute: a chart of the machine should have more than six points.
        "STEPLOG_SYSTEM_INTERVAL": "2",
    }
    script = str(ROOT / "examples/digits.py")
    # What they print is on their pages; three progress bars would fight for this terminal.
    networks = [
        subprocess.Popen(
            [sys.executable, script, "--name", name, "--learning-rate", str(rate), "--epochs", "60"],
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        for name, rate in RUNS
    ]
    try:
        codes = [network.wait() for network in networks]
    except KeyboardInterrupt:
        # Ctrl-C reached them as well, and they are ending their runs.
        for network in networks:
            try:
                network.wait(5)
            except subprocess.TimeoutExpired:
                network.terminate()
                network.wait()
        raise
    if any(codes):
        say("error: training ended with an error; see above")


def main() -> None:
    """The demo."""
    # However it is ended, it takes the server along.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    DEMO.mkdir(exist_ok=True)
    port = free_port()
    with serving(port) as server:
        url = f"http://127.0.0.1:{port}/local/digits"
        say(f"\n    Watch it live: \033[1;36m{url}\033[0m\n")
        try:
            if count := run_count(port):
                say(f"{count} runs are there from before. To train another one:")
            else:
                say("Training three networks with different learning rates, for about a minute …")
                train(port)
                say("Training is done. To train another one:")
            say(
                f"    STEPLOG_BASE_URL=http://127.0.0.1:{port} STEPLOG_DIR=.demo "
                ".venv/bin/python examples/digits.py --width 64"
            )
            say("Ctrl-C ends the demo and keeps what is there.")
            server.wait()
            sys.exit("error: the server ended by itself")
        except KeyboardInterrupt:
            say("\nstopping; `make demo` shows it again")


main()
