"""Files saved with a run reach the server whole, whatever changes, ends or is killed meanwhile."""

from __future__ import annotations

import hashlib
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from rig.api import Answer, Api
from rig.processes import Script, Server, steplog
from rig.waiting import wait_until

MEBIBYTE = 1 << 20
RUN = "local/files/r1"


def content(api: Api, path: str, run: str = RUN) -> bytes | None:
    answer = api.call("GET", f"/api/v1/runs/{run}/files/{path}")
    return answer.body if answer.status == 200 else None


def paths(api: Api, run: str = RUN) -> list[str]:
    """What the script saved: what steplog itself keeps comes when it comes."""
    listed = [file["path"] for file in api.get(f"/runs/{run}/files")["files"]]
    return [path for path in listed if path not in ("requirements.txt", "diff.patch")]


def received(api: Api, sha256: str) -> dict[str, Any]:
    status: dict[str, Any] = api.get(f"/blobs/local/{sha256}")
    return status


POLICIES = """
import os, steplog
run = steplog.init(project="files", id="r1")
for policy in ("live", "now", "end"):
    open(policy + ".txt", "w").write("first")
    run.save(policy + ".txt", policy=policy)
os.makedirs("folder/sub")
open("folder/sub/x.txt", "w").write("x")
run.save("folder")
print("saved", flush=True)
input()
for policy in ("live", "now", "end"):
    open(policy + ".txt", "w").write("second " + policy)
print("changed", flush=True)
input()
child = os.fork()
if child == 0:
    open("child.txt", "w").write("of a child")
    run.save("child.txt")
    os._exit(0)
os.waitpid(child, 0)
print("forked", flush=True)
input()
open("live.txt", "w").write("last")
run.finish()
"""


def test_status_counts_files_that_a_server_lacks(home: Path, server: Server) -> None:
    code = """
import steplog
with steplog.init(project="files", id="r1", mode="offline") as run:
    open("a.txt", "w").write("12345")
    run.save("a.txt", policy="now")
"""

    def unsent() -> tuple[int, bool, int, int]:
        done = steplog("status", "--server", server.url, "--json", home=home)
        [run] = json.loads(done.stdout)
        return done.returncode, run["unsent_bytes"] > 0, run["unsent_files"], run["unsent_file_bytes"]

    with Script(code, home=home, STEPLOG_SILENT="1", STEPLOG_SAVE_REQUIREMENTS="false") as script:
        assert script.end() == (0, ""), script.said()
    before = unsent()
    assert before == (1, True, 1, 5)
    assert steplog("sync", "--server", server.url, home=home).returncode == 0
    assert unsent() == (0, False, 0, 0)


def test_each_policy_uploads_at_its_time(home: Path, server: Server) -> None:
    api = server.api
    with Script(POLICIES, home=home, STEPLOG_SILENT="1", STEPLOG_BASE_URL=server.url) as script:
        assert script.line() == "saved\n", script.said()
        wait_until(lambda: content(api, "live.txt") == b"first", "the live file is there")
        wait_until(lambda: content(api, "now.txt") == b"first", "the file of now is there")
        wait_until(lambda: content(api, "folder/sub/x.txt") == b"x", "the folder's file is there")
        script.tell("")
        assert script.line() == "changed\n", script.said()
        wait_until(lambda: content(api, "live.txt") == b"second live", "the live file followed")
        assert content(api, "end.txt") is None
        script.tell("")
        assert script.line() == "forked\n", script.said()
        wait_until(lambda: content(api, "child.txt") == b"of a child", "the child's file is there")
        script.tell("")
        assert script.end()[0] == 0, script.said()
    assert paths(api) == ["child.txt", "end.txt", "folder/sub/x.txt", "live.txt", "now.txt"]
    expected = {"live.txt": b"last", "now.txt": b"first", "end.txt": b"second end"}
    assert {path: content(api, path) for path in expected} == expected
    again = steplog("sync", home, "--server", server.url, home=home)
    assert (again.returncode, "has everything" in again.stdout) == (0, True), again.stdout + again.stderr


# Every version is one letter, a megabyte of it, written over the last one in place and in two halves.
RESTLESS = """
import os, steplog
run = steplog.init(project="files", id="r1")
size = 1 << 20
def write(letter):
    with open("weights", "r+b" if os.path.exists("weights") else "wb", buffering=0) as file:
        file.write(letter * (size // 2))
        file.write(letter * (size // 2))
write(b"a")
run.save("weights")
for version in range(400):
    write(b"abcdefghijklmnopqrstuvwxyz"[version % 26 :][:1])
    if version % 100 == 50:
        print(version, flush=True)
        input()
write(b"!")
run.finish()
"""


def test_half_a_write_is_never_the_file(home: Path, server: Server) -> None:
    api = server.api
    seen = set()

    def look() -> bytes:
        found = content(api, "weights") or b""
        assert len(set(found)) <= 1, "a file of two versions"
        assert len(found) in (0, MEBIBYTE)
        seen.add(found[:1])
        return found[:1]

    with Script(RESTLESS, home=home, STEPLOG_SILENT="1", STEPLOG_BASE_URL=server.url) as script:
        for version in (50, 150, 250, 350):
            assert script.line() == f"{version}\n", script.said()
            letter = b"abcdefghijklmnopqrstuvwxyz"[version % 26 :][:1]
            # While it rests, what is there comes to be what the server has.
            wait_until(lambda letter=letter: look() == letter, f"version {version} is there")
            script.tell("")
            look()
        assert script.end()[0] == 0, script.said()
    assert look() == b"!"
    assert len(seen) >= 4


LARGE = """
import os, sys, steplog
run = steplog.init(project="files", id="r1")
run.log({"loss": 1.0})
run.save("large.bin", policy="now")
print("saved", flush=True)
run.finish()
"""


@pytest.fixture
def large(home: Path) -> tuple[bytes, str]:
    """A file of 256 MiB that does not compress, so that its upload takes a moment; and its SHA-256."""
    whole = os.urandom(MEBIBYTE) * 256
    (home / "large.bin").write_bytes(whole)
    # Known before the upload begins: to find it out takes as long as the upload.
    return whole, hashlib.sha256(whole).hexdigest()


def test_a_killed_client_is_completed_by_a_sync(home: Path, server: Server, large: tuple[bytes, str]) -> None:
    api = server.api
    whole, sha256 = large
    with Script(LARGE, home=home, STEPLOG_SILENT="1", STEPLOG_BASE_URL=server.url) as script:
        assert script.line() == "saved\n", script.said()
        wait_until(lambda: received(api, sha256)["received_bytes"] > 0, "a part is there")
        script.process.send_signal(signal.SIGKILL)
        script.process.wait()
    begun = received(api, sha256)
    assert not begun["complete"], "the upload was over before the kill"
    assert content(api, "large.bin") is None
    synced = steplog("sync", home, "--server", server.url, home=home)
    assert synced.returncode == 0, synced.stderr
    assert content(api, "large.bin") == whole
    again = steplog("sync", home, "--server", server.url, home=home)
    assert (again.returncode, "has everything" in again.stdout) == (0, True), again.stdout + again.stderr


def test_a_killed_server_goes_on_where_it_was(home: Path, server: Server, large: tuple[bytes, str]) -> None:
    whole, sha256 = large
    with Script(LARGE, home=home, STEPLOG_SILENT="1", STEPLOG_BASE_URL=server.url) as script:
        assert script.line() == "saved\n", script.said()
        wait_until(lambda: received(server.api, sha256)["received_bytes"] > 0, "a part is there")
        server.kill()
        server.start()
        begun = received(server.api, sha256)
        assert begun["received_bytes"] > 0
        assert script.end()[0] == 0, script.said()
    synced = steplog("sync", home, "--server", server.url, home=home)
    assert synced.returncode == 0, synced.stderr
    assert content(server.api, "large.bin") == whole


SPARSE = """
import resource, steplog
run = steplog.init(project="files", id="r1", settings={"finish_timeout": 280})
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with open("sparse.bin", "wb") as file:
    file.truncate(1 << 30)
    file.seek((1 << 30) - 1)
    file.write(b"!")
run.save("sparse.bin")
run.finish()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, flush=True)
"""


def test_a_gibibyte_goes_through_in_bounded_memory(home: Path, server: Server) -> None:
    with Script(SPARSE, home=home, STEPLOG_SILENT="1", STEPLOG_BASE_URL=server.url) as script:
        code, out = script.end()
        assert code == 0, script.said()
    assert int(out) < 64 * 1024, f"the client took {out} KiB more"
    answer: Answer = server.api.call(
        "GET", f"/api/v1/runs/{RUN}/files/sparse.bin", headers={"range": "bytes=1073741820-"}
    )
    assert (answer.status, answer.headers["content-range"], answer.body) == (
        206,
        "bytes 1073741820-1073741823/1073741824",
        b"\0\0\0!",
    )
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    assert peak < 512 * 1024, f"the server took {peak} KiB"


OFFLINE = """
import os, sys, steplog
run = steplog.init(project="files", id=sys.argv[1])
open("model.pt", "w").write("weights")
run.save("model.pt", policy="end")
print("saved", flush=True)
if sys.argv[2] == "killed":
    os.kill(os.getpid(), 9)
if sys.argv[2] == "goes on":
    input()
run.finish()
"""


def test_offline_runs_are_shown_from_their_folder_and_synced(home: Path) -> None:
    with Script(OFFLINE, "r1", "ends", home=home, STEPLOG_SILENT="1", STEPLOG_MODE="offline") as script:
        assert script.end()[0] == 0, script.said()
    with Server(home, home, "--no-open", command="ui") as ui:
        wait_until(lambda: ui.api.run(RUN), "the folder is read")
        # What the script printed lies in the folder too; a server has it from the journal, and no file.
        wait_until(lambda: paths(ui.api) == ["model.pt", "output.log"], "both files are shown")
        assert content(ui.api, "model.pt") == b"weights"
        assert content(ui.api, "output.log") == b"saved\n"
    with Server(home) as server:
        synced = steplog("sync", home, "--server", server.url, home=home)
        assert synced.returncode == 0, synced.stderr
        assert (paths(server.api), content(server.api, "model.pt")) == (["model.pt"], b"weights")


def test_the_next_run_completes_what_a_killed_one_left(home: Path, server: Server) -> None:
    killed = {"STEPLOG_SILENT": "1", "STEPLOG_BASE_URL": server.url}
    with Script(OFFLINE, "r1", "killed", home=home, **killed) as script:
        assert script.end()[0] == -signal.SIGKILL
    assert content(server.api, "model.pt") is None
    with Script(OFFLINE, "r2", "goes on", home=home, **killed) as script:
        # At its own end it would wait for that a few seconds only.
        wait_until(lambda: content(server.api, "model.pt") == b"weights", "the killed run's file is there")
        script.tell("")
        assert script.end()[0] == 0, script.said()
    assert content(server.api, "model.pt", "local/files/r2") == b"weights"
