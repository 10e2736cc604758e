"""Downloads that are killed: what has its name is whole, and the next one goes on from there."""

from __future__ import annotations

import hashlib
import random
import signal
import time
from pathlib import Path

import pytest

from rig.processes import Server, begin, steplog

FILES = 300
LARGE_BYTES = 50_000_000


def write_version(folder: Path, chance: random.Random) -> dict[str, str]:
    """A folder with small files and a large one; what their hashes are."""
    hashes = {}
    for index in range(FILES):
        path = folder / f"{index % 7}/{index}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(chance.randbytes(chance.randrange(20_000)))
    (folder / "large.bin").write_bytes(chance.randbytes(LARGE_BYTES))
    for path in folder.rglob("*.bin"):
        hashes[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return hashes


def found(folder: Path) -> dict[str, str]:
    paths = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".steplog-")]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


@pytest.mark.parametrize("skip_cache", [False, True])
def test_a_killed_download_leaves_nothing_half(
    home: Path, server: Server, chance: random.Random, skip_cache: bool
) -> None:
    hashes = write_version(home / "files", chance)
    done = steplog("artifact", "put", "p/data", "files", "--server", server.url, home=home)
    assert done.returncode == 0, done.stderr
    assert steplog("cache", "clean", home=home).returncode == 0
    get = [
        "artifact",
        "get",
        "p/data",
        "--to",
        "got",
        "--server",
        server.url,
        *(["--skip-cache"] if skip_cache else []),
    ]
    for _ in range(25):
        process = begin(*get, home=home)
        # Where it is killed is left to chance: that is what the story is about.
        time.sleep(chance.uniform(0, 0.25))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        there = found(home / "got")
        assert {path: hashes[path] for path in there} == there
    done = steplog(*get, home=home)
    assert done.returncode == 0, done.stderr
    assert found(home / "got") == hashes
    assert not list((home / "got").rglob(".steplog-*"))
    assert steplog("artifact", "verify", "p/data", "got", "--server", server.url, home=home).returncode == 0
    assert steplog("cache", "verify", home=home).returncode == 0


def test_two_processes_that_share_a_cache_get_the_same_files(home: Path, server: Server, chance: random.Random) -> None:
    hashes = write_version(home / "files", chance)
    done = steplog("artifact", "put", "p/data", "files", "--server", server.url, home=home)
    assert done.returncode == 0, done.stderr
    assert steplog("cache", "clean", home=home).returncode == 0
    # Too small for the version: what one process fetches may be removed before another gets to it.
    get = ["artifact", "get", "p/data", "--server", server.url, "--to"]
    processes = [begin(*get, f"got-{index}", home=home, STEPLOG_CACHE_LIMIT="1MB") for index in range(3)]
    for index, process in enumerate(processes):
        said, _ = process.communicate(timeout=300)
        assert process.returncode == 0, said
        assert found(home / f"got-{index}") == hashes
