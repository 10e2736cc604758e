"""Artifacts of live runs and of ``steplog.Api``, with a real server."""

from __future__ import annotations

import contextlib
import datetime
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import steplog
from rig.processes import Server
from steplog import errors
from steplog.api import ArtifactRun


@pytest.fixture(autouse=True)
def clean_environment(home: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in list(os.environ):
        if name.startswith(("STEPLOG_", "WANDB_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("STEPLOG_CACHE_DIR", str(home / "cache"))
    monkeypatch.setenv("STEPLOG_BASE_URL", server.url)
    monkeypatch.setenv("STEPLOG_SILENT", "true")
    monkeypatch.setenv("STEPLOG_PROJECT", "p")
    monkeypatch.chdir(home)
    yield
    steplog.finish()


def logged(run: steplog.Run, name: str = "data", aliases: str | None = None, **files: str) -> steplog.Artifact:
    artifact = steplog.Artifact(name, "dataset")
    for path, content in files.items():
        with artifact.new_file(path) as file:
            file.write(content)
    return run.log_artifact(artifact, aliases=aliases).wait(timeout=60)


def tree(folder: str | Path) -> dict[str, str]:
    files = (path for path in Path(folder).rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def test_versions_go_from_run_to_run_over_the_server(home: Path, server: Server) -> None:
    with steplog.init(id="maker", name="the maker") as run:
        run.log({"loss": 1})
        first = logged(run, aliases="best", **{"sub/f": "x"})
        assert (first.name, first.state, first.aliases) == ("data:v0", "COMMITTED", ["best", "latest"])
        assert first.url == f"{server.url}/local/p/artifacts/data/v0"
        assert (first.history_step, first.digest) == (1, first.manifest.digest())
        assert logged(run, **{"sub/f": "x"}).name == "data:v0"
        second = logged(run, **{"sub/f": "y"})
    # Nothing of it is on this disk for the next one.
    with steplog.init(id="user", dir=home / "elsewhere") as run:
        used = run.use_artifact("data:best", type="dataset")
        assert tree(used.download("files")) == {"sub/f": "x"}
        assert tree(used.download("own", skip_cache=True)) == {"sub/f": "x"}
        run.config["data"] = second
        assert run.use_artifact(second.digest).version == "v1"
        assert [artifact.name for artifact in run.logged_artifacts()] == []
    maker = used.logged_by()
    assert isinstance(maker, steplog.api.Run)
    assert (maker.id, maker.name) == ("maker", "the maker")
    [user] = used.used_by()
    assert user.id == "user"
    api = steplog.Api()
    assert sorted(artifact.name for artifact in api.run("p/user").used_artifacts()) == ["data:v0", "data:v1"]
    assert sorted(artifact.name for artifact in api.run("p/maker").logged_artifacts()) == ["data:v0", "data:v1"]
    assert api.run("p/user").config["data"]["version"] == "v1"
    api.run("p/maker").delete()
    gone = api.artifact("data:v0").logged_by()
    assert isinstance(gone, ArtifactRun) and gone.path == ["local", "p", "maker"]


def test_the_api_finds_and_lists(server: Server) -> None:
    with steplog.init() as run:
        for number in range(5):
            logged(run, f=str(number))
        logged(run, "other", f="x")
        (Path("m.pt")).write_text("weights")
        run.log_model("m.pt", name="model").wait(timeout=60)
        run.link_model("m.pt", "classifier", aliases=["production"])
    api = steplog.Api()
    assert api.artifact("p/data:v3").qualified_name == "local/p/data:v3"
    assert api.artifact("local/p/data").version == "v4"
    assert api.artifact(api.artifact("data:v1").digest).version == "v1"
    versions = api.artifacts("dataset", "p/data", per_page=2)
    assert [version.version for version in versions] == ["v4", "v3", "v2", "v1", "v0"]
    assert (len(versions), versions[0].aliases, versions[-1].version) == (5, ["latest"], "v0")
    assert len(api.artifact_versions("dataset", "data")) == 5
    assert [(kind.name, kind.collection_count) for kind in api.artifact_types("p")] == [("dataset", 2), ("model", 2)]
    assert [each.name for each in api.artifact_type("dataset").collections(per_page=1)] == ["data", "other"]
    assert [each.name for each in api.artifact_collections("local/p", "dataset", search="TH")] == ["other"]
    [registered] = api.artifact_collections("model-registry", registry=True)
    assert (registered.qualified_name, registered.aliases) == (
        "local/model-registry/classifier",
        {"latest": "v0", "production": "v0"},
    )
    assert [version.is_link for version in registered.artifacts()] == [True]
    assert [api.artifact_exists(name) for name in ("data:v4", "data:v5", "gone")] == [True, False, False]
    assert api.artifact_exists("data", type="dataset") and not api.artifact_exists("data", type="model")
    assert api.artifact_collection_exists("data") and not api.artifact_collection_exists("data", "model")
    collection = api.artifact("data").collection
    assert (collection.name, collection.type, collection.version_count) == ("data", "dataset", 5)
    assert (collection.is_registry, collection.description, collection.size) == (False, None, 5)
    for call in (
        lambda: api.artifact("data:v9"),
        lambda: api.artifact_collection("dataset", "gone"),
        lambda: api.artifact_type("nothing"),
    ):
        with pytest.raises(errors.NotFoundError):
            call()
    with pytest.raises(errors.InvalidDataError, match='has the type "dataset", not "model"'):
        api.artifacts("model", "data")


def test_what_is_said_of_versions_changes_on_the_server(server: Server) -> None:
    with steplog.init() as run:
        artifact = logged(run, aliases="best", f="1")
        logged(run, f="2")
    api = steplog.Api()
    artifact.description, artifact.ttl = "good", datetime.timedelta(days=1)
    artifact.metadata["n"] = 1
    artifact.tags.append("t")
    artifact.aliases.remove("best")
    artifact.aliases.append("better")
    artifact.save()
    found = api.artifact("data:better")
    assert (found.version, found.description, found.metadata) == ("v0", "good", {"n": 1})
    assert (found.tags, found.ttl) == (["t"], datetime.timedelta(days=1))
    collection = api.artifact_collection("dataset", "data")
    collection.protected_aliases = ["better"]
    with pytest.raises(errors.Error, match="better"):
        found.delete(delete_aliases=True)
    found.aliases.remove("better")
    with pytest.raises(errors.Error, match="better"):
        found.save()
    collection.protected_aliases, collection.description, collection.name = [], "all", "renamed"
    assert (collection.name, collection.description) == ("renamed", "all")
    linked = api.artifact("renamed:better").link("registry/all", aliases="first")
    assert (linked.is_link, linked.source_qualified_name) == (True, "local/p/renamed:v0")
    linked.unlink()
    with pytest.raises(errors.Error, match="better"):
        api.artifact("renamed:v0").delete()
    api.artifact("renamed:v0").delete(delete_aliases=True)
    assert [version.version for version in api.artifacts("dataset", "renamed")] == ["v1"]
    api.artifact_collection("dataset", "renamed").delete()
    assert not api.artifact_collection_exists("renamed")


def test_media_come_back_from_the_server(home: Path, server: Server) -> None:
    table = steplog.Table(columns=["id", "page"], data=[[1, steplog.Html("<b>x</b>")]])
    with steplog.init() as run:
        artifact = steplog.Artifact("media", "media")
        artifact.add(table, "table")
        run.log_artifact(artifact).wait(timeout=60)
    found = steplog.Api().artifact("media").get("table")
    assert found == table and isinstance(found, steplog.Table)
    assert "<b>x</b>" in found.data[0][1].html


def test_waiting_for_a_server_that_is_away(home: Path, server: Server) -> None:
    with steplog.init() as run:
        logged(run, f="1")
        server.kill()
        artifact = steplog.Artifact("data", "dataset")
        with artifact.new_file("f") as file:
            file.write("2")
        run.log_artifact(artifact)
        with pytest.raises(errors.WaitTimeoutError) as caught:
            artifact.wait(timeout=0.2)
        assert isinstance(caught.value, TimeoutError)
        assert artifact.is_draft() and not hasattr(artifact, "version")
        with pytest.raises(KeyboardInterrupt), interrupted():
            artifact.wait()
        server.start()
        assert artifact.wait(timeout=60).name == "data:v1"


@contextlib.contextmanager
def interrupted() -> Iterator[None]:
    """Somebody presses Ctrl-C while the block goes on."""
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        yield
    finally:
        timer.join()
