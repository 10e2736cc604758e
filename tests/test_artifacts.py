"""Artifacts as people use them: made by one script, read by the next, with and without a server, large and hostile."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from rig.api import Api
from rig.processes import Script, Server, begin, steplog
from rig.waiting import wait_until

MIB = 1 << 20
GIB = 1 << 30

#: How large the sparse file is: `SPARSE_GIB=3` where there is little time.
SPARSE_BYTES = int(os.environ.get("SPARSE_GIB", "20")) * GIB

#: Two contents of 128 bytes with one MD5, found by Wang and Yu in 2004.
PREFIX = "d131dd02c5e6eec4693d9a0698aff95c2fcab5"
COLLISION = [
    bytes.fromhex(PREFIX + one)
    for one in (
        "8712467eab4004583eb8fb7f8955ad340609f4b30283e488832571415a085125e8f7cdc99fd91dbdf280373c5bd8823e3156348f5bae6d"
        "acd436c919c6dd53e2b487da03fd02396306d248cda0e99f33420f577ee8ce54b67080a80d1ec69821bcb6a8839396f9652b6ff72a70",
        "0712467eab4004583eb8fb7f8955ad340609f4b30283e4888325f1415a085125e8f7cdc99fd91dbd7280373c5bd8823e3156348f5bae6d"
        "acd436c919c6dd53e23487da03fd02396306d248cda0e99f33420f577ee8ce54b67080280d1ec69821bcb6a8839396f965ab6ff72a70",
    )
]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def ran(code: str, home: Path, *arguments: str, **more: str) -> str:
    """What a script printed that ended well."""
    with Script(code, *arguments, home=home, STEPLOG_SILENT="1", **more) as script:
        status, out = script.end()
        assert status == 0, script.said()
    return out


def done(*arguments: str | Path, home: Path, **more: str) -> str:
    """What a command printed that ended well."""
    ended = steplog(*arguments, home=home, **more)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


MAKING = """
import pathlib, steplog
folder = pathlib.Path("raw")
folder.mkdir()
(folder / "train.csv").write_text("x,y\\n1,2\\n")
(folder / "test.csv").write_text("x,y\\n3,4\\n")
with steplog.init(project="p", id="prepare", job_type="prepare") as run:
    artifact = steplog.Artifact("data", "dataset", description="two *small* files", metadata={"rows": 2})
    artifact.add_dir("raw")
    logged = run.log_artifact(artifact, aliases=["clean"])
    assert logged is artifact
    artifact.wait()
    print(artifact.name, artifact.version, artifact.digest, sorted(artifact.aliases))
"""

TRAINING = """
import pathlib, steplog
with steplog.init(project="p", id="train", job_type="train") as run:
    data = run.use_artifact("data:clean", type="dataset")
    folder = pathlib.Path(data.download())
    rows = (folder / "train.csv").read_text()
    pathlib.Path("model.bin").write_bytes(rows.encode() * 1000)
    model = run.log_artifact("model.bin", name="net", type="model", aliases=["best"])
    model.wait()
    run.link_artifact(model, "registry/classifier", aliases=["staging"])
    print(folder, model.name)
"""

SERVING = """
import pathlib, steplog
with steplog.init(project="serving", id="serve") as run:
    model = run.use_artifact("registry/classifier:staging")
    print(model.type, len(pathlib.Path(model.file()).read_bytes()))
"""


def test_what_one_script_makes_the_next_one_reads(home: Path, server: Server) -> None:
    url = {"STEPLOG_BASE_URL": server.url}
    digest = manifest_digest({"train.csv": b"x,y\n1,2\n", "test.csv": b"x,y\n3,4\n"})
    assert ran(MAKING, home, **url) == f"data:v0 v0 {digest} ['clean', 'latest']\n"
    assert ran(TRAINING, home, **url) == f"{home}/artifacts/data:v0 net:v0\n"
    assert ran(SERVING, home, **url) == "model 8000\n"
    model = server.api.get("/artifacts/local/p/net/versions/best")
    assert model["logged_by"]["run_id"] == "train"
    assert (model["use_count"], model["aliases"], model["file_count"]) == (1, ["best", "latest"], 1)
    linked = server.api.get("/artifacts/local/registry/classifier/versions/staging")
    source = {"entity": "local", "project": "p", "collection": "net", "version": "v0"}
    assert (linked["source"], linked["version"], linked["type"]) == (source, "v0", "model")
    lineage = server.api.get("/artifacts/local/p/net/versions/v0/lineage")
    edges = {
        (lineage["runs"][edge["run"]]["run_id"], edge["relation"], lineage["artifacts"][edge["artifact"]]["collection"])
        for edge in lineage["edges"]
    }
    assert edges == {
        ("prepare", "logged", "data"),
        ("train", "used", "data"),
        ("train", "logged", "net"),
        ("serve", "used", "net"),
    }
    found = server.api.get("/runs/local/p/train/artifacts")
    assert [one["collection"] for one in found["logged"]] == ["net"]
    assert [one["collection"] for one in found["used"]] == ["data"]


def test_what_a_run_only_takes_as_an_input_was_made_by_nobody(home: Path, server: Server) -> None:
    code = """
import steplog
for name in ("first", "second"):
    with steplog.init(project="p", id=name) as run:
        data = steplog.Artifact("given", "dataset")
        with data.new_file("x.txt") as file:
            file.write("x")
        print(run.use_artifact(data).name)
"""
    assert ran(code, home, STEPLOG_BASE_URL=server.url) == "given:v0\ngiven:v0\n"
    assert server.api.get("/artifacts/local/p/given/versions/v0")["logged_by"] is None
    lineage = server.api.get("/artifacts/local/p/given/versions/v0/lineage")
    relations = {(lineage["runs"][edge["run"]]["run_id"], edge["relation"]) for edge in lineage["edges"]}
    assert relations == {("first", "used"), ("second", "used")}


def manifest_digest(files: dict[str, bytes]) -> str:
    """As the document of the format says it."""
    digest = hashlib.md5(b"wandb-artifact-manifest-v1\n")
    for path, content in sorted(files.items()):
        digest.update(f"{path}:{base64_md5(content)}\n".encode())
    return digest.hexdigest()


def base64_md5(content: bytes) -> str:
    import base64

    return base64.b64encode(hashlib.md5(content).digest()).decode()


def test_without_a_server_all_of_it_works_and_reaches_one_later(home: Path) -> None:
    offline = {"STEPLOG_MODE": "offline"}
    code = TRAINING.replace('    run.link_artifact(model, "registry/classifier", aliases=["staging"])\n', "")
    assert ran(MAKING, home, **offline).startswith("data:v0 v0 ")
    assert ran(code, home, **offline) == f"{home}/artifacts/data:v0 net:v0\n"
    # The page shows the folder.
    with Server(home, home / "steplog", command="ui") as page:
        expected = [("data", "dataset", "v0"), ("net", "model", "v0")]

        def listed() -> list[tuple[str, str, str]]:
            found = page.api.get("/artifacts/local/p")["collections"]
            return [(one["name"], one["type"], one["latest_version"]) for one in found]

        wait_until(lambda: listed() == expected, "the folder is read")
        content = page.api.call("GET", "/api/v1/artifacts/local/p/data/versions/clean/files/train.csv")
        assert (content.status, content.body) == (200, b"x,y\n1,2\n")
        lineage = "/artifacts/local/p/data/versions/v0/lineage"
        wait_until(lambda: {run["run_id"] for run in page.api.get(lineage)["runs"]} == {"prepare", "train"}, "journals")
    shutil.rmtree(home / "artifacts")
    with Server(home) as server:
        done("sync", home=home, STEPLOG_BASE_URL=server.url)
        model = server.api.get("/artifacts/local/p/net/versions/best")
        assert (model["version"], model["logged_by"]["run_id"]) == ("v0", "train")
        assert model["size_bytes"] == 8000
        [used] = server.api.get("/runs/local/p/train/artifacts")["used"]
        assert (used["collection"], used["version"]) == ("data", "v0")
        # Once more changes nothing.
        done("sync", home=home, STEPLOG_BASE_URL=server.url)
        assert [one["version"] for one in server.api.get("/artifacts/local/p/net/versions")["artifacts"]] == ["v0"]


def test_contents_with_one_md5_are_never_confused(home: Path, server: Server) -> None:
    first, second = COLLISION
    assert first != second and hashlib.md5(first).digest() == hashlib.md5(second).digest()
    url = {"STEPLOG_BASE_URL": server.url}
    for content in (first, second):
        (home / "block.bin").write_bytes(content)
        done("artifact", "put", "p/block", home / "block.bin", "--type", "dataset", home=home, **url)
    artifacts = server.api.get("/artifacts/local/p/block/versions")["artifacts"]
    assert [one["version"] for one in artifacts] == ["v1", "v0"]
    assert artifacts[0]["digest"] == artifacts[1]["digest"]
    for version, content in (("v0", first), ("v1", second)):
        done("artifact", "get", f"p/block:{version}", "--to", home / version, home=home, **url)
        assert contents(home / version) == {"block.bin": content}


def test_a_damaged_blob_is_found_and_never_served(home: Path, server: Server) -> None:
    url = {"STEPLOG_BASE_URL": server.url}
    source = home / "source"
    source.mkdir()
    (source / "good.bin").write_bytes(b"good" * 1000)
    (source / "bad.bin").write_bytes(b"bad" * 1000)
    put: list[str | Path] = ["artifact", "put", "p/files", source, "--type", "dataset"]
    done(*put, home=home, **url)
    done("artifact", "verify", "p/files", home=home, **url)
    sha256 = hashlib.sha256(b"bad" * 1000).hexdigest()
    blob = server.data / "blobs" / sha256[:2] / sha256
    damaged = bytearray(blob.read_bytes())
    damaged[1500] ^= 1
    os.chmod(blob, 0o644)
    blob.write_bytes(damaged)
    refused = steplog(
        "artifact", "get", "p/files", "--to", home / "got", home=home, **url, STEPLOG_CACHE_DIR=str(home / "c")
    )
    assert refused.returncode != 0 and "bad.bin" in refused.stderr, refused.stderr
    assert not (home / "got/bad.bin").exists()
    found = steplog("artifact", "verify", "p/files", home=home, **url)
    assert found.returncode != 0 and "bad.bin" in found.stdout + found.stderr
    assert server.api.call("GET", "/api/v1/artifacts/local/p/files/versions/v0/files/bad.bin").status != 200
    # Sent again, it is whole again.
    done(*put, home=home, **url)
    done("artifact", "verify", "p/files", home=home, **url)
    done("artifact", "get", "p/files", "--to", home / "got", home=home, **url)
    assert contents(home / "got") == contents(source)


def test_a_damaged_copy_on_this_disk_is_not_handed_out_either(home: Path) -> None:
    offline = {"STEPLOG_MODE": "offline"}
    ran(MAKING, home, **offline)
    content = b"x,y\n1,2\n"
    sha256 = hashlib.sha256(content).hexdigest()
    blob = home / "steplog/.artifacts/blobs" / sha256[:2] / sha256
    os.chmod(blob, 0o644)
    blob.write_bytes(content.replace(b"2", b"3"))
    with Script(TRAINING, home=home, STEPLOG_SILENT="1", **offline) as script:
        assert script.end()[0] != 0
        assert "the bytes of train.csv were damaged on this disk" in script.said()
    assert not (home / "artifacts/data:v0/train.csv").exists()


def most_memory_bytes(process_id: int) -> int:
    """The most memory that a process has had at once; 0 when it has ended."""
    try:
        status = Path(f"/proc/{process_id}/status").read_text()
    except FileNotFoundError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found.group(1)) * 1024 if found else 0


EARLY = """
import sys, steplog
run = steplog.init(project="p", id="train")
artifact = steplog.Artifact("data", "dataset")
run.send_early(artifact._native)  # As log_artifact() of a path does.
artifact.add_dir("raw")
print("added", flush=True)
sys.stdin.readline()
run.log_artifact(artifact).wait()
run.finish()
"""


LOGGING_A_PATH = """
import steplog
with steplog.init(project="p", id="next") as run:
    run.log_artifact("raw", name="data", type="dataset").wait()
"""


def test_what_one_call_reads_and_logs_is_sent_while_it_reads(home: Path, server: Server) -> None:
    (home / "raw").mkdir()
    expected = {"small.bin": b"few bytes", "large.bin": bytes(range(256)) * 80_000}
    for name, content in expected.items():
        (home / "raw" / name).write_bytes(content)
    sha256 = [hashlib.sha256(content).hexdigest() for content in expected.values()]
    places = [server.data / "blobs" / name[:2] / name for name in sha256]
    with Script(EARLY, home=home, STEPLOG_BASE_URL=server.url, STEPLOG_SILENT="1") as script:
        assert script.line() == "added\n"
        wait_until(lambda: all(place.exists() for place in places), "the server has the bytes")
        wait_until(lambda: server.api.run("local/p/train"), "the server has the run")
        assert server.api.get("/artifacts/local/p")["collections"] == []
        came = [(place.stat().st_ino, place.stat().st_mtime_ns) for place in places]
        script.tell("log")
        assert script.end()[0] == 0, script.said()
    # They did not come twice.
    assert [(place.stat().st_ino, place.stat().st_mtime_ns) for place in places] == came
    done("artifact", "get", "p/data:v0", "--to", home / "got", home=home, STEPLOG_BASE_URL=server.url)
    assert contents(home / "got") == expected
    # The usual call, in one go.
    ran(LOGGING_A_PATH, home, STEPLOG_BASE_URL=server.url)
    assert [one["version"] for one in server.api.get("/artifacts/local/p/data/versions")["artifacts"]] == ["v0"]


def in_bounded_memory(server: Server, home: Path, *arguments: str | Path, limit: int = 256 * MIB) -> None:
    """Runs a command whose memory, and the server's, stays below a limit."""
    assert server.process is not None
    process = begin(*arguments, home=home, STEPLOG_BASE_URL=server.url)
    most = 0

    def has_ended() -> bool:
        nonlocal most
        most = max(most, most_memory_bytes(process.pid))
        return process.poll() is not None

    wait_until(has_ended, "it is done", 300)
    ended = process.communicate()[0]
    assert process.returncode == 0, ended
    assert 0 < most < limit, f"the command took {most / MIB:.0f} MiB"
    held = most_memory_bytes(server.process.pid)
    assert 0 < held < limit, f"the server took {held / MIB:.0f} MiB"


def test_a_hundred_thousand_small_files(home: Path, server: Server) -> None:
    for index in range(100_000):
        folder = home / "source" / f"{index // 1000:03}"
        if index % 1000 == 0:
            folder.mkdir(parents=True)
        (folder / f"{index:06}.txt").write_text(f"file {index}\n")
    put: list[str | Path] = ["artifact", "put", "p/many", home / "source", "--type", "dataset"]
    in_bounded_memory(server, home, *put)
    version = server.api.get("/artifacts/local/p/many/versions/v0")
    assert version["file_count"] == 100_000
    folder = server.api.get("/artifacts/local/p/many/versions/v0/entries?folder=042&limit=2")
    assert [entry["path"] for entry in folder["entries"]] == ["042/042000.txt", "042/042001.txt"]
    in_bounded_memory(server, home, "artifact", "get", "p/many", "--to", home / "got")
    assert contents(home / "got") == contents(home / "source")


def test_a_large_sparse_file(home: Path, server: Server) -> None:
    with (home / "large.bin").open("wb") as file:
        file.truncate(SPARSE_BYTES)
        file.seek(SPARSE_BYTES // 2)
        file.write(b"in the middle")
    put: list[str | Path] = ["artifact", "put", "p/large", home / "large.bin", "--type", "dataset"]
    in_bounded_memory(server, home, *put)
    [blob] = [path for path in (server.data / "blobs").rglob("*") if path.is_file() and path.stat().st_size > GIB]
    (home / "large.bin").unlink()
    in_bounded_memory(server, home, "artifact", "get", "p/large", "--to", home / "got")
    got = home / "got/large.bin"
    for there in (blob, got):
        found = there.stat()
        assert found.st_size == SPARSE_BYTES
        # What is zeros takes no room, neither on the server nor here.
        assert found.st_blocks * 512 <= 16 << 20
    with got.open("rb") as file:
        file.seek(SPARSE_BYTES // 2)
        assert file.read(14) == b"in the middle\0"


CHANGING = """
import os, sys, threading, steplog
def write():
    with open("changing.bin", "r+b", buffering=0) as file:
        while not done.is_set():
            file.seek(0)
            file.write(os.urandom(4096))
            begun.set()
begun, done = threading.Event(), threading.Event()
with open("changing.bin", "wb") as file:
    file.truncate(64 << 20)
threading.Thread(target=write, daemon=True).start()
begun.wait()
artifact = steplog.Artifact("a", "dataset")
try:
    artifact.add_file("changing.bin")
except Exception as error:
    print(type(error).__name__, error)
else:
    print("taken")
finally:
    done.set()
"""


def test_a_file_that_changes_all_the_time_is_refused_by_name(home: Path) -> None:
    said = ran(CHANGING, home, STEPLOG_MODE="offline")
    assert "changing.bin" in said and "chang" in said.replace("changing.bin", ""), said


@pytest.mark.parametrize(
    "name", ["../out.txt", "/out.txt", "a/../../out.txt", "a//b", "nul\0", "a" * 4000, "b/" * 2000]
)
def test_names_that_lead_elsewhere_are_refused(home: Path, name: str) -> None:
    code = """
import json, sys, steplog
open("x.txt", "w").write("x")
artifact = steplog.Artifact("a", "dataset")
name = json.loads(sys.argv[1])
for add in (lambda: artifact.add_file("x.txt", name=name), lambda: artifact.new_file(name).__enter__()):
    try:
        add()
    except ValueError as error:
        print(str(error)[:20000])
    else:
        print("taken")
"""
    lines = ran(code, home, json.dumps(name), STEPLOG_MODE="offline").splitlines()
    assert len(lines) == 2 and all("path" in line for line in lines), lines


def test_links_in_the_target_lead_nowhere(home: Path, server: Server) -> None:
    url = {"STEPLOG_BASE_URL": server.url}
    source = home / "source"
    (source / "folder").mkdir(parents=True)
    (source / "folder/a.txt").write_text("a")
    (source / "b.txt").write_text("b")
    done("artifact", "put", "p/files", source, "--type", "dataset", home=home, **url)
    outside = home / "outside"
    outside.mkdir()
    (outside / "b.txt").write_text("mine")
    got = home / "got"
    got.mkdir()
    (got / "folder").symlink_to(outside)
    (got / "b.txt").symlink_to(outside / "b.txt")
    steplog("artifact", "get", "p/files", "--to", got, home=home, **url)
    assert contents(outside) == {"b.txt": b"mine"}


def test_accounts_learn_nothing_of_blobs_that_are_not_theirs(home: Path) -> None:
    secret = b"the secret weights" * 100
    sha256 = hashlib.sha256(secret).hexdigest()
    for user in ("ann", "bob"):
        made = steplog("user", "add", user, "--data", "data", home=home, stdin="a long password\n")
        assert made.returncode == 0, made.stderr
    with Server(home) as server:
        keys = {}
        for user in ("ann", "bob"):
            entered = steplog("login", server.url, "--name", user, home=home, stdin="a long password\n")
            assert entered.returncode == 0, entered.stderr
            [stored] = (home / "config").rglob("*.json")
            keys[user] = json.loads(stored.read_text())["servers"][server.url]["api_key"]
        (home / "weights.bin").write_bytes(secret)
        url = {"STEPLOG_BASE_URL": server.url, "STEPLOG_API_KEY": keys["ann"]}
        done("artifact", "put", "ann/p/weights", home / "weights.bin", "--type", "model", home=home, **url)
        bob = Api(server.url, keys["bob"])
        asked: Any = bob.post("/blobs/bob/missing", {"sha256": [sha256]})
        assert asked == {"missing": [{"sha256": sha256, "received_bytes": 0}]}
        named = {"sha256": sha256, "size_bytes": len(secret)}
        body, kind = json.dumps(named).encode(), {"content-type": "application/json"}
        assert bob.call("PUT", "/api/v1/runs/bob/p/r/files/x.bin", body, kind).status in (404, 409)
        assert bob.get(f"/blobs/bob/{sha256}") == {"received_bytes": 0, "complete": False}
