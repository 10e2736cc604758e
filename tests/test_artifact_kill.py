"""``kill -9`` of either side at random moments of keeping, fetching and removing artifacts."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from rig.processes import Script, Server, begin, steplog
from rig.proxy import Fault, Proxy
from rig.waiting import wait_until

#: A hundred in all.
KILLED_UPLOADS, KILLED_DOWNLOADS, KILLED_REMOVALS, KILLED_SCRIPTS = 40, 25, 20, 15

MIB = 1 << 20


def write_files(folder: Path, chance: random.Random, small: int = 120, large_mib: int = 20) -> int:
    """Many small files and a large one, of random bytes; answers how many bytes."""
    for index in range(small):
        path = folder / f"{index % 7}" / f"{index}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(chance.randbytes(chance.randrange(40_000)))
    folder.mkdir(exist_ok=True)
    (folder / "empty").touch()
    (folder / "large.bin").write_bytes(chance.randbytes(large_mib * MIB + 17))
    return sum(len(content) for content in contents(folder).values())


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def versions(server: Server, name: str = "files") -> list[str]:
    answer = server.api.call("GET", f"/api/v1/artifacts/local/p/{name}/versions?limit=1000")
    return [] if answer.status == 404 else [one["version"] for one in answer.json()["artifacts"]][::-1]


def verified(server: Server, version: str, name: str = "files") -> dict[str, object]:
    found: dict[str, object] = server.api.post(f"/artifacts/local/p/{name}/versions/{version}/verify", {})
    return found


#: Makes names that are used once.
NUMBERS = itertools.count()


def put(source: Path, home: Path, url: str) -> subprocess.Popen[str]:
    """Begins to put files, in a folder of its own: else the next command would send what a killed one had logged."""
    folder = str(home / f"work{next(NUMBERS)}")
    command = ["artifact", "put", "p/files", str(source), "--type", "dataset"]
    return begin(*command, home=home, STEPLOG_BASE_URL=url, STEPLOG_DIR=folder)


def ended(process: subprocess.Popen[str]) -> None:
    """Waits for the end of a command, which must be a good one."""
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0, out


def ended_at_last(process: subprocess.Popen[str], again: Callable[[], subprocess.Popen[str]]) -> None:
    """As :func:`ended`, of a command that may have met no server as it began: that is an error, and it tries again."""
    process.communicate(timeout=300)
    if process.returncode != 0:
        ended(again())


def usual_seconds(process: subprocess.Popen[str]) -> float:
    """How long a command takes that nobody kills."""
    begun = time.monotonic()
    ended(process)
    return time.monotonic() - begun


def survives(process: subprocess.Popen[str], seconds: float) -> bool:
    """Whether the process is still at work after so long."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return True
    return False


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def fetched(home: Path, server: Server, version: str) -> dict[str, bytes]:
    """What a version consists of when it is got."""
    get: list[str | Path] = ["artifact", "get", f"p/files:{version}", "--to", home / version]
    got = steplog(*get, home=home, STEPLOG_BASE_URL=server.url)
    assert got.returncode == 0, got.stderr
    return contents(home / version)


def test_an_upload_that_is_killed_leaves_a_whole_version_or_none(home: Path, chance: random.Random) -> None:
    with Server(home) as server:
        write_files(home / "source", chance)
        usual = usual_seconds(put(home / "source", home, server.url))
        kept, kills = {"v0": contents(home / "source")}, 0
        while kills < KILLED_UPLOADS:
            shutil.rmtree(home / "source")
            write_files(home / "source", chance)
            begun, disturbed = time.monotonic(), False
            process = put(home / "source", home, server.url)
            while survives(process, chance.random() * usual):
                kills += 1
                disturbed = True
                if chance.random() < 0.5:
                    server.kill()
                    server.start()
                    # The client goes on by itself.
                    continue
                kill(process)
                assert set(versions(server)) <= {*kept, f"v{len(kept)}"}
                process = put(home / "source", home, server.url)
            # The machine is busy with other things now and then: what was usual need not be any more.
            usual = usual if disturbed else time.monotonic() - begun
            ended_at_last(process, lambda: put(home / "source", home, server.url))
            kept[f"v{len(kept)}"] = contents(home / "source")
            assert versions(server) == list(kept)
        for version, expected in kept.items():
            found = verified(server, version)
            assert found == {"good_count": len(expected), "damaged": [], "reference_count": 0}
            assert fetched(home, server, version) == expected
        assert server.stop() == 0
    checked = steplog("verify", server.data, home=home)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("small", [0, 2000])
def test_an_upload_that_is_tried_again_sends_only_what_is_missing(
    home: Path, chance: random.Random, small: int
) -> None:
    with Server(home) as server, Proxy(lambda: server.port, lambda: Fault.NONE, chance) as network:
        size = write_files(home / "source", chance, small, 120 if small == 0 else 60)
        process = put(home / "source", home, network.url)
        wait_until(lambda: network.sent_bytes > size * 3 // 4, "most of it is sent")
        kill(process)
        server.kill()
        server.start()
        ended(put(home / "source", home, network.url))
        # What was on its way, four parts at most, and names and hashes besides.
        assert size <= network.sent_bytes < size + 36 * MIB
        assert verified(server, "v0")["damaged"] == []


def test_a_download_that_is_killed_leaves_whole_files_and_goes_on(home: Path, chance: random.Random) -> None:
    with Server(home) as server:
        write_files(home / "source", chance)
        ended(put(home / "source", home, server.url))
        expected, kills = contents(home / "source"), 0

        def get(root: Path, cache: str) -> subprocess.Popen[str]:
            arguments = ["artifact", "get", "p/files", "--to", str(root)]
            return begin(*arguments, home=home, STEPLOG_BASE_URL=server.url, STEPLOG_CACHE_DIR=str(home / cache))

        usual = usual_seconds(get(home / "first", "first-cache"))
        attempt = 0
        while kills < KILLED_DOWNLOADS:
            attempt += 1
            root, cache = home / f"root{attempt}", f"cache{attempt}"
            begun, disturbed = time.monotonic(), False
            process = get(root, cache)
            while survives(process, chance.random() * usual):
                kills += 1
                disturbed = True
                if chance.random() < 0.3:
                    server.kill()
                    server.start()
                    continue
                kill(process)
                there = contents(root) if root.exists() else {}
                assert {path: there[path] for path in there.keys() & expected} == {
                    path: expected[path] for path in there.keys() & expected
                }
                process = get(root, cache)
            usual = usual if disturbed else time.monotonic() - begun
            ended_at_last(process, partial(get, root, cache))
            assert contents(root) == expected
            shutil.rmtree(root)
            shutil.rmtree(home / cache)


def test_removing_that_is_killed_takes_nothing_that_is_alive(home: Path, chance: random.Random) -> None:
    shared = chance.randbytes(3 * MIB)
    with Server(home) as server:
        kept: dict[str, dict[str, bytes]] = {}
        kills = 0
        while kills < KILLED_REMOVALS:
            for _ in range(3):
                source = home / "source"
                shutil.rmtree(source, ignore_errors=True)
                write_files(source, chance, 40, 2)
                (source / "shared.bin").write_bytes(shared)
                ended(put(source, home, server.url))
                kept[versions(server)[-1]] = contents(source)
            for version in chance.sample(sorted(kept), 2):
                # A version that is there only in part would be found below.
                answer = server.api.call(
                    "DELETE", f"/api/v1/artifacts/local/p/files/versions/{version}?delete_aliases=true"
                )
                assert answer.status == 204, answer
                del kept[version]
            with keeping(home, shared, server):
                for _ in range(4):
                    # Unused bytes are removed as the server starts.
                    server.kill()
                    server.start()
                    kills += 1
                    threading.Event().wait(chance.random() / 10)
            assert versions(server) == sorted(kept, key=lambda version: int(version[1:]))
            for version, expected in kept.items():
                assert verified(server, version)["good_count"] == len(expected)
        alive = {content for version in kept.values() for content in version.values()} | {shared, b"one more"}
        blobs = server.data / "blobs"
        server.kill()
        server.start()
        wait_until(
            lambda: not list((server.data / "uploads").glob("*.trash")) and held(blobs) <= alive,
            "nothing is left that is not needed",
        )


def held(blobs: Path) -> set[bytes]:
    """What the blobs hold, of which some may go while they are read; but for manifests as sent: they go a day later."""
    found = set()
    for folder, _, names in os.walk(blobs):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                found.add((Path(folder) / name).read_bytes())
    return {content for content in found if not content.startswith(b'{"format":"steplog-manifest"')}


@contextlib.contextmanager
def keeping(home: Path, shared: bytes, server: Server) -> Iterator[None]:
    """Somebody puts a version of another collection with bytes that others give up, meanwhile and until it is there."""
    source = home / "other"
    source.mkdir(exist_ok=True)
    (source / "shared.bin").write_bytes(shared)
    (source / "one more").write_bytes(b"one more")
    put = ["artifact", "put", "p/other", str(source), "--type", "dataset"]
    process = begin(*put, home=home, STEPLOG_BASE_URL=server.url)
    yield
    process.communicate(timeout=300)
    # A server that is not there as it begins is an error.
    ended(begin(*put, home=home, STEPLOG_BASE_URL=server.url))
    assert verified(server, "v0", "other")["good_count"] == 2


LOGGING = """
import sys, steplog
with steplog.init(project="p", settings={"finish_timeout": 120}) as run:
    artifact = steplog.Artifact("files", "dataset", metadata={"round": int(sys.argv[2])})
    artifact.add_dir(sys.argv[1])
    run.log_artifact(artifact)
    print("logged", flush=True)
"""


def test_a_script_that_is_killed_loses_nothing_that_it_logged(home: Path, chance: random.Random) -> None:
    with Server(home) as server:
        kept: dict[str, dict[str, bytes]] = {}
        for attempt in range(KILLED_SCRIPTS):
            source = home / "source"
            shutil.rmtree(source, ignore_errors=True)
            write_files(source, chance, 60, 6)
            with Script(
                LOGGING, str(source), str(attempt), home=home, STEPLOG_BASE_URL=server.url, STEPLOG_SILENT="1"
            ) as script:
                assert script.line() == "logged\n", script.said()
                threading.Event().wait(chance.random() / 5)
                script.kill()
            # The script's own files are its own to change.
            expected = contents(source)
            shutil.rmtree(source)
            synced = steplog("sync", home=home, STEPLOG_BASE_URL=server.url)
            assert synced.returncode == 0, synced.stdout + synced.stderr
            kept[f"v{attempt}"] = expected
            assert versions(server) == list(kept)
        for version, expected in kept.items():
            assert fetched(home, server, version) == expected
            assert server.api.get(f"/artifacts/local/p/files/versions/{version}")["metadata"] == {
                "round": int(version[1:])
            }
