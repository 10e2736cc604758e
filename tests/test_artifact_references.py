"""References to objects of a real store: they stay where they are, and a change is noticed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rig.object_store import KEYS, ObjectStore
from rig.processes import Server, steplog

LARGE = bytes(range(256)) * 40_000


@pytest.fixture
def objects(home: Path) -> Iterator[ObjectStore]:
    with ObjectStore(home) as objects:
        yield objects


def bucket(objects: ObjectStore, versioned: bool = False) -> Any:
    client = objects.client()
    client.create_bucket(Bucket="data", CreateBucketConfiguration={"LocationConstraint": KEYS["AWS_REGION"]})
    if versioned:
        client.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
    for key, body in [("one.bin", LARGE), ("set/a b+c.txt", b"first"), ("set/sub/ü.txt", b"second"), ("set/", b"")]:
        client.put_object(Bucket="data", Key=key, Body=body)
    return client


def entries(home: Path, name: str) -> dict[str, dict[str, Any]]:
    listed = steplog("artifact", "ls", name, "--dir", ".", "--json", home=home)
    assert listed.returncode == 0, listed.stderr
    return {entry["path"]: entry for entry in json.loads(listed.stdout)}


def put(home: Path, objects: ObjectStore, name: str, *uris: str, **variables: str) -> None:
    done = steplog("artifact", "put", name, *uris, "--dir", ".", home=home, **{**objects.variables, **variables})
    assert done.returncode == 0, done.stderr


def get(home: Path, objects: ObjectStore, name: str, folder: str, *more: str) -> tuple[int, str]:
    arguments = ["artifact", "get", name, "--to", folder, "--dir", ".", *more]
    done = steplog(*arguments, home=home, **objects.variables)
    return done.returncode, done.stderr


def test_objects_and_prefixes_are_referenced_and_fetched(home: Path, objects: ObjectStore) -> None:
    client = bucket(objects)
    put(home, objects, "p/refs", "s3://data/one.bin", "s3://data/set")
    found = entries(home, "p/refs:v0")
    tag = client.head_object(Bucket="data", Key="one.bin")["ETag"].strip('"')
    assert found["one.bin"] == {
        "path": "one.bin",
        "size_bytes": len(LARGE),
        "digest": tag,
        "sha256": None,
        "reference": "s3://data/one.bin",
    }
    assert set(found) == {"one.bin", "a b+c.txt", "sub/ü.txt"}
    # No copy was made.
    assert not [
        path for path in (home / "steplog/.artifacts").rglob("*") if path.is_file() and path.stat().st_size > 10_000
    ]
    assert get(home, objects, "p/refs:v0", "got") == (0, "")
    assert (home / "got/one.bin").read_bytes() == LARGE
    assert (home / "got/a b+c.txt").read_text() == "first"
    assert (home / "got/sub/ü.txt").read_text() == "second"

    client.put_object(Bucket="data", Key="set/sub/ü.txt", Body=b"other")
    code, said = get(home, objects, "p/refs:v0", "again")
    assert code == 1 and "s3://data/set/sub/ü.txt has changed since it was referenced: its entity tag is" in said
    client.delete_object(Bucket="data", Key="set/sub/ü.txt")
    code, said = get(home, objects, "p/refs:v0", "again")
    assert code == 1 and "there is nothing at s3://data/set/sub/ü.txt" in said
    assert get(home, objects, "p/refs:v0", "again", "--allow-missing-references")[0] == 0
    assert not (home / "again/sub/ü.txt").exists()


def test_where_versions_are_kept_the_one_that_was_referenced_is_fetched(home: Path, objects: ObjectStore) -> None:
    client = bucket(objects, versioned=True)
    old = client.head_object(Bucket="data", Key="one.bin")["VersionId"]
    put(home, objects, "p/refs", "s3://data/one.bin", "s3://data/set")
    for key in ["one.bin", "set/sub/ü.txt"]:
        client.put_object(Bucket="data", Key=key, Body=b"newer")
    assert get(home, objects, "p/refs:v0", "got") == (0, "")
    assert (home / "got/one.bin").read_bytes() == LARGE
    assert (home / "got/sub/ü.txt").read_text() == "second"

    put(home, objects, "p/old", f"s3://data/one.bin?versionId={old}")
    tag = client.head_object(Bucket="data", Key="one.bin", VersionId=old)["ETag"].strip('"')
    assert [entry["digest"] for entry in entries(home, "p/old:v0").values()] == [tag]
    client.delete_object(Bucket="data", Key="one.bin", VersionId=old)
    code, said = get(home, objects, "p/refs:v0", "again")
    assert code == 1 and "s3://data/one.bin" in said and KEYS["AWS_SECRET_ACCESS_KEY"] not in said


def test_long_lists_come_in_pages_up_to_a_bound(home: Path, objects: ObjectStore) -> None:
    client = bucket(objects)
    for index in range(1100):
        client.put_object(Bucket="data", Key=f"many/{index:04}", Body=b"x")
    put(home, objects, "p/many", "s3://data/many/")
    assert sorted(entries(home, "p/many:v0")) == [f"{index:04}" for index in range(1100)]


def test_a_profile_has_keys_and_a_server_keeps_references(home: Path, objects: ObjectStore, server: Server) -> None:
    bucket(objects)
    (home / ".aws").mkdir()
    (home / ".aws/credentials").write_text(
        f"[story]\naws_access_key_id = {KEYS['AWS_ACCESS_KEY_ID']}\naws_secret_access_key = x\n"
    )
    variables = {"AWS_PROFILE": "story", "AWS_ENDPOINT_URL": objects.url}
    done = steplog("artifact", "put", "p/refs", "s3://data/set", "--server", server.url, home=home, **variables)
    assert done.returncode == 0, done.stderr
    done = steplog("artifact", "get", "p/refs", "--server", server.url, home=home, **variables)
    assert done.returncode == 0, done.stderr
    assert (home / "artifacts/refs:v0/a b+c.txt").read_text() == "first"
