"""What it takes to keep and to fetch a version of files, beside the field's usual client and plain copying.

Every round gives each its turn over the same files, which are in the page cache: `cp -r` and then `md5sum`, the least
that must be done; the client offline, which copies and hashes, and sends nothing; steplog offline, which does the same;
and steplog with a server on the same two cores, which hashes and sends all of it, and returns when the server has it
durably.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import peers
import server
from options import Options
from result import Result
from trackers.adapters import wandb as client

#: At most so much slower than copying and hashing.
LIMIT_RATIO = 1.3

#: At least so much faster than the client.
CLIENT_RATIO = 3

ROUNDS = 3

#: Logs a folder as an artifact with the field's client and waits for its end.
CLIENT = """
import sys, wandb
with wandb.init(project="bench", dir=sys.argv[2]) as run:
    artifact = wandb.Artifact("files", "dataset")
    artifact.add_dir(sys.argv[1])
    run.log_artifact(artifact)
"""

#: The same with steplog, which waits until it is a version: where there is a server, until that has it.
FACE = """
import sys, steplog
with steplog.init(project="bench", dir=sys.argv[2]) as run:
    artifact = steplog.Artifact("files", "dataset")
    artifact.add_dir(sys.argv[1])
    run.log_artifact(artifact).wait()
"""


@dataclass
class Files:
    """Files of one size."""

    what: str
    count: int
    size_bytes: int

    def write(self, folder: Path) -> None:
        for index in range(self.count):
            path = folder / f"{index // 1000:03}" / f"{index:06}.bin"
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                left = self.size_bytes
                while left:
                    file.write(os.urandom(min(left, 1 << 24)))
                    left -= min(left, 1 << 24)


def measure(options: Options) -> Iterator[Result]:
    peers.install({"wandb": client}, None)
    for files in (
        Files("10,000 × 100 kB", options.scaled(10_000), 100_000),
        Files("1 × 4 GB", 1, options.scaled(4 << 30)),
    ):
        yield from keep_and_fetch(options, files)


def keep_and_fetch(options: Options, files: Files) -> Iterator[Result]:
    work = options.work / "artifacts"
    source = work / "source"
    files.write(source)
    seconds: dict[str, list[float]] = {name: [] for name in ("copy", "client", "offline", "put", "face", "get")}
    for number in range(ROUNDS):
        place = work / str(number)
        place.mkdir()

        def clear(place: Path = place) -> None:
            # A file system is slow for a while after many files were removed: those are kept until the end.
            if files.count == 1:
                shutil.rmtree(place)
                place.mkdir()

        seconds["copy"].append(copy(source, place / "copy"))
        clear()
        seconds["client"].append(keep_with_client(source, place / "client"))
        clear()
        seconds["offline"].append(keep_offline(options, source, place / "offline"))
        clear()
        put, get = put_and_get(options, source, place / "command")
        seconds["put"].append(put)
        seconds["get"].append(get)
        clear()
        seconds["face"].append(keep_with_face(options, source, place / "face"))
        clear()
    shutil.rmtree(work)
    copied, kept, offline, put, face, got = (statistics.median(seconds[name]) for name in seconds)
    note = f"`cp -r` and `md5sum` {copied:.2f} s, steplog {put:.2f} s"
    yield Result(f"{files.what}: `steplog artifact put`, over copying", put / copied, "×", LIMIT_RATIO, note=note)
    version = client.REQUIREMENTS[0].split("==")[1]
    note = f"both keep a copy and send nothing: wandb {version} {kept:.2f} s, steplog {offline:.2f} s"
    what = f"{files.what}: `log_artifact()` offline, speed over the client's"
    yield Result(what, kept / offline, "×", CLIENT_RATIO, more_is_better=True, note=note)
    note = f"wandb {version} offline, which sends nothing: {kept:.2f} s"
    yield Result(
        f"{files.what}: `steplog artifact put`, speed over the client's",
        kept / put,
        "×",
        CLIENT_RATIO,
        more_is_better=True,
        note=note,
    )
    note = f"{face:.2f} s; keeps a copy of each file first, since a script may write it again"
    yield Result(f"{files.what}: `log_artifact()`, speed over the client's", kept / face, "×", CLIENT_RATIO, True, note)
    note = f"`cp -r` and `md5sum` {copied:.2f} s, steplog {got:.2f} s, nothing cached"
    yield Result(f"{files.what}: `steplog artifact get`, over copying", got / copied, "×", LIMIT_RATIO, note=note)


def copy(source: Path, target: Path) -> float:
    def work() -> None:
        subprocess.run(["cp", "-r", source, target], check=True)
        subprocess.run(
            "find . -type f -print0 | xargs -0 md5sum", shell=True, cwd=target, check=True, stdout=subprocess.DEVNULL
        )

    return timed(work)


def keep_with_client(source: Path, folder: Path) -> float:
    folder.mkdir()
    own = {f"WANDB_{name}_DIR": str(folder / name.lower()) for name in ("CACHE", "CONFIG", "DATA", "ARTIFACT")}
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **client.ENVIRONMENT, **own}
    command = [peers.PEERS / client.VENV / "bin/python", "-c", CLIENT, source, folder]
    return timed(lambda: run(command, environment, folder))


def put_and_get(options: Options, source: Path, folder: Path) -> tuple[float, float]:
    with server.running(options.binary, folder / "server" / "data") as own:
        environment = options.environment(folder / "work", own.url)
        put = [options.binary, "artifact", "put", "bench/files", source, "--no-copy"]
        put_seconds = timed(lambda: run(put, environment, folder / "work"))
        get = [options.binary, "artifact", "get", "bench/files:latest", "--to", folder / "got"]
        environment["STEPLOG_CACHE_DIR"] = str(folder / "empty")
        get_seconds = timed(lambda: run(get, environment, folder / "work"))
        subprocess.run(["diff", "-r", source, folder / "got"], check=True)
    return put_seconds, get_seconds


def keep_offline(options: Options, source: Path, folder: Path) -> float:
    environment = options.environment(folder, None)
    return timed(lambda: run([sys.executable, "-c", FACE, source, folder], environment, folder))


def keep_with_face(options: Options, source: Path, folder: Path) -> float:
    with server.running(options.binary, folder / "server" / "data") as own:
        environment = options.environment(folder / "work", own.url)
        return timed(lambda: run([sys.executable, "-c", FACE, source, folder / "work"], environment, folder / "work"))


def run(command: list[object], environment: dict[str, str], folder: Path) -> None:
    subprocess.run([str(part) for part in command], env=environment, cwd=folder, check=True, capture_output=True)


def timed(work: Callable[[], None]) -> float:
    """Seconds that it takes, begun when nothing else is waiting to be written."""
    os.sync()
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
