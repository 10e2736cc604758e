"""Secrets that stand around a training are nowhere in what is stored of it."""

from __future__ import annotations

import contextlib
import io
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pyarrow

from rig.processes import Script, Server, steplog
from rig.waiting import wait_until

#: What is planted, by the place where it stands.
SECRETS = {
    "variable": "v4r1able-s3cret-of-the-environment",
    "named by its shape": "ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
    "remote": "r3mote-pa55word",
    "option": "0ption-value-123",
    "argument": "argum3nt-of-a-variable",
    "header": "h3ader-abcdefgh12345678",
    "URL": "url-pa55word",
    "netrc": "n3trc-pa55word",
    "untracked": "untr4cked-file",
    "code": "c0de-abcdefgh12345678",
    "message": "hf_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
    "key file": "MIIEpAIBAAKCAQEAs3cretkey",
}

TRAINING = """
import time, steplog
run = steplog.init(project="secrets", id="r1", save_code=True, settings={"system_interval": 0.1}, config={"lr": 0.1})
for step in range(200):
    run.log({"loss": 1 / (step + 1)})
print("logged", flush=True)
input()
assert run.finish() is None
"""

ZSTANDARD = b"\x28\xb5\x2f\xfd"


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=A", "-c", "user.email=a@b", "-c", "commit.gpgSign=false"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def plant(home: Path) -> None:
    """A repository whose remote, changes and message have secrets, beside files that nobody may read."""
    (home / ".netrc").write_text(f"machine host login ada password {SECRETS['netrc']}\n")
    (home / ".gitignore").write_text("data\nsteplog\nconfig\ncache\n")
    (home / "train.py").write_text(TRAINING)
    (home / "settings.py").write_text("NAME = 'x'\n")
    git(home, "init", "-q", "-b", "main")
    git(home, "add", "train.py", "settings.py", ".gitignore")
    git(home, "commit", "-q", "-m", f"Use {SECRETS['message']} for now")
    git(home, "remote", "add", "origin", f"https://ada:{SECRETS['remote']}@host/x.git?access_token={SECRETS['option']}")
    (home / "settings.py").write_text(
        f"NAME = 'y'\nAPI_KEY = '{SECRETS['code']}'\nOTHER = '{SECRETS['named by its shape']}'\n"
        f"AGAIN = '{SECRETS['variable']}'\nKEY = '''-----BEGIN RSA PRIVATE KEY-----\n{SECRETS['key file']}\n"
        "-----END RSA PRIVATE KEY-----'''\n"
    )
    (home / "untracked.env").write_text(f"WORD={SECRETS['untracked']}\n")


def unpacked(data: bytes) -> Iterator[bytes]:
    """The data, and what is compressed in it."""
    yield data
    at = data.find(ZSTANDARD)
    while at >= 0:
        # These four bytes may be of something else, or of a part.
        with contextlib.suppress(OSError):
            yield pyarrow.CompressedInputStream(io.BytesIO(data[at:]), "zstd").read()
        at = data.find(ZSTANDARD, at + 1)


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            yield str(path), path.read_bytes()


def cells(database: Path) -> Iterator[tuple[str, bytes]]:
    """Every value in a database: a page of it may hold the parts of one in another order."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        connection.text_factory = bytes
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            for row in connection.execute(f'SELECT * FROM "{table.decode()}"'):
                for value in row:
                    if isinstance(value, bytes):
                        yield f"{database} {table.decode()}", value


def answers(server: Server) -> Iterator[tuple[str, bytes]]:
    """What the server tells of the run."""
    run = "/api/v1/runs/local/secrets/r1"
    paths = [run, f"{run}/files", f"{run}/alerts", "/api/v1/projects"]
    paths += [f"{run}/files/{file['path']}" for file in server.api.get("/runs/local/secrets/r1/files")["files"]]
    for path in paths:
        answer = server.api.call("GET", path)
        if answer.status == 200:
            yield path, answer.body


def test_no_planted_secret_is_stored(home: Path, server: Server) -> None:
    plant(home)
    variables = {
        "MY_SERVICE_TOKEN": SECRETS["variable"],
        "DATABASE_PASSWORD": SECRETS["argument"],
        "STEPLOG_BASE_URL": server.url,
    }
    arguments = [
        f"--api-key={SECRETS['option']}",
        "--note",
        f"with {SECRETS['argument']} inside",
        f"Authorization: Bearer {SECRETS['header']}",
        f"https://ada:{SECRETS['URL']}@host/data",
        SECRETS["named by its shape"],
        "--lr",
        "0.1",
    ]
    with Script(home / "train.py", *arguments, home=home, **variables) as script:
        assert script.line() == "logged\n"
        journal = home / "steplog/secrets/r1/journal"

        def recorded() -> bytes:
            return b"".join(data for _, data in files(journal))

        wait_until(lambda: b'"git"' in recorded() and b"disk.read" in recorded(), "everything is recorded", 60)
        script.tell("")
        assert script.end()[0] == 0, script.said()
    kept = {path.name for path in (home / "steplog/secrets/r1/files").rglob("*") if path.is_file()}
    assert {"requirements.txt", "diff.patch", "train.py"} <= kept
    assert {"requirements.txt", "diff.patch", "code/train.py"} <= {
        file["path"] for file in server.api.get("/runs/local/secrets/r1/files")["files"]
    }
    everything = [*files(home / "steplog"), *answers(server)]
    exported = steplog("export", "local/secrets/r1", home=home, STEPLOG_BASE_URL=server.url)
    everything.append(("export", exported.stdout.encode()))
    assert server.stop() == 0
    everything += files(home / "data")
    for database in (home / "data").rglob("*"):
        if database.is_file() and database.read_bytes()[:15] == b"SQLite format 3":
            everything += cells(database)
    # It is really looked at what was stored: what is no secret is found, on this disk and on the server's.
    own, data = str(home / "steplog"), str(home / "data")
    for harmless, places in {
        b"https://host/x.git": [own, data, "/api/v1/runs/"],
        b"--api-key=[redacted]": [own, data, "/api/v1/runs/"],
        b"+NAME = 'y'": [own, data, "/api/v1/runs/"],
    }.items():
        names = [name for name, data in everything for whole in unpacked(data) if harmless in whole]
        for place in places:
            assert any(name.startswith(place) for name in names), (harmless, place, names)
    found = [
        f"{secret!r} in {name}"
        for name, data in everything
        for whole in unpacked(data)
        for secret, text in SECRETS.items()
        if text.encode() in whole
    ]
    assert found == []
    patch = (home / "steplog/secrets/r1/files/diff.patch").read_text()
    assert "+NAME = 'y'" in patch
    assert "+API_KEY = '[redacted]'" in patch
