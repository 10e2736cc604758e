"""What runs do with artifacts, without a server: versions, aliases, uses and links on this disk."""

from __future__ import annotations

import copy
import datetime
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import steplog
from conftest import journals
from steplog import errors


def draft(name: str = "data", type: str = "dataset", **files: str) -> steplog.Artifact:
    """A draft with these files."""
    artifact = steplog.Artifact(name, type)
    for path, content in files.items():
        with artifact.new_file(path) as file:
            file.write(content)
    return artifact


def logged(run: steplog.Run, name: str = "data", aliases: Any = None, **files: str) -> steplog.Artifact:
    """A version with these files."""
    return run.log_artifact(draft(name, **files), aliases=aliases).wait()


def records(run: steplog.Run) -> list[dict[str, Any]]:
    """What the run's journal says about artifacts."""
    return journals(run)[0].artifacts


@pytest.fixture
def run() -> steplog.Run:
    return steplog.init(project="p", id="r")


def test_a_draft_becomes_a_version(run: steplog.Run) -> None:
    run.log({"loss": 1})
    artifact = draft(f="x")
    artifact.description, artifact.tags, artifact.ttl = "what", ["one"], datetime.timedelta(days=2)
    artifact.metadata["rows"] = 3
    assert run.log_artifact(artifact, aliases=["best", "latest"], tags="two") is artifact
    assert artifact.wait() is artifact and artifact.wait(timeout=0) is artifact
    assert (artifact.state, artifact.is_draft(), artifact.name, artifact.version) == (
        "COMMITTED",
        False,
        "data:v0",
        "v0",
    )
    assert artifact.qualified_name == artifact.source_qualified_name == "local/p/data:v0"
    assert (artifact.entity, artifact.project, artifact.source_name) == ("local", "p", "data:v0")
    assert (artifact.source_entity, artifact.source_project, artifact.source_version) == ("local", "p", "v0")
    assert (artifact.aliases, artifact.tags, artifact.metadata) == (["best", "latest"], ["one", "two"], {"rows": 3})
    assert (artifact.description, artifact.ttl) == ("what", datetime.timedelta(days=2))
    assert (artifact.size, artifact.file_count, artifact.history_step, artifact.is_link) == (1, 1, 1, False)
    assert artifact.id is not None and len(artifact.id) == 32
    assert artifact.created_at == artifact.updated_at
    assert repr(artifact) == "<steplog.Artifact dataset data:v0>"
    [record] = records(run)
    assert (record["event"], record["collection"], record["digest"]) == ("logged", "data", artifact.digest)
    assert record["aliases"] == ["latest", "best"] or record["aliases"] == ["best", "latest"]


def test_versions_are_numbered_and_aliases_move(run: steplog.Run) -> None:
    first = logged(run, aliases="best", f="1")
    second = logged(run, aliases=["best"], f="2")
    assert [artifact.version for artifact in (first, second)] == ["v0", "v1"]
    assert run.use_artifact("data:v0").aliases == []
    assert run.use_artifact("data").aliases == ["best", "latest"]
    assert {run.use_artifact(name).version for name in ("data", "data:latest", "data:best", "p/data:v1")} == {"v1"}
    assert run.use_artifact(first.digest).version == "v0"
    assert run.use_artifact(f"local/p/{second.digest}").version == "v1"
    # The content of an older version is a new one; that of the newest is not.
    again = logged(run, aliases="third", f="2")
    assert (again.version, again.aliases) == ("v1", ["best", "latest", "third"])
    assert logged(run, f="1").version == "v2"
    # Logged once more, it gets the aliases.
    run.log_artifact(second, aliases="fourth")
    assert run.use_artifact("data:fourth").version == "v1"
    assert logged(run, "other", f="1").version == "v0"


def test_another_run_uses_what_one_has_logged(run: steplog.Run) -> None:
    logged(run, f="x")
    run.finish()
    other = steplog.init(project="q", id="other")
    used = other.use_artifact("p/data:latest", type="dataset")
    assert (used.qualified_name, used.manifest.entries["f"].size) == ("local/p/data:v0", 1)
    assert other.use_artifact(used) is used
    assert [artifact.qualified_name for artifact in other.used_artifacts()] == ["local/p/data:v0"]
    assert other.logged_artifacts() == []
    uses = [(said["event"], said.get("project"), said["collection"], said["version"]) for said in records(other)]
    assert uses == [("used", "p", "data", "v0")] * 2
    with pytest.raises(errors.NotFoundError, match="there is no artifact local/q/data"):
        other.use_artifact("data")


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda run: run.use_artifact("gone"), ValueError, "there is no artifact local/p/gone"),
        (lambda run: run.use_artifact("data:v7"), ValueError, "v7"),
        (lambda run: run.use_artifact("data:gone"), ValueError, "gone"),
        (lambda run: run.use_artifact("a b"), ValueError, "has the character ' '"),
        (lambda run: run.use_artifact("data", type="model"), ValueError, 'has the type "dataset", not "model"'),
        (lambda run: run.use_artifact(5), ValueError, "takes a name or an Artifact, not a int"),
        (lambda run: run.use_artifact(draft(), type="model"), ValueError, 'has the type "dataset", not "model"'),
        (lambda run: run.log_artifact("gone"), ValueError, "log_artifact: there is no file or folder 'gone'"),
        (lambda run: run.log_artifact(5), TypeError, "takes a path, a URI or an Artifact, not a int"),
        (lambda run: run.log_artifact(draft(), aliases="a/b"), ValueError, "forbidden character '/'"),
        (lambda run: run.log_artifact(draft(), aliases=["a:b"]), ValueError, "forbidden character ':'"),
        (lambda run: run.log_artifact(draft(), aliases=["v3"]), ValueError, "is how a version is called"),
        (lambda run: run.log_artifact(draft(), aliases=[5]), TypeError, "the alias 5 is a int, not a str"),
        (lambda run: run.log_artifact(draft(), aliases=5), TypeError, "aliases is a int, not a list of str"),
        (lambda run: run.log_artifact(draft(), name="other"), ValueError, "the artifact has the name 'data'"),
        (lambda run: run.log_artifact(draft(type="model")), ValueError, "dataset"),
        (lambda run: run.log_model("gone"), ValueError, "log_model: there is no file or folder 'gone'"),
        (lambda run: run.link_artifact("data", "r/c"), TypeError, "takes an Artifact, not a str"),
        (lambda run: run.link_artifact(draft(), "a/b/c/d"), ValueError, "a/b/c/d"),
        (lambda run: run.link_model("gone", "a/b"), ValueError, "'a/b' is no name of a registered model"),
        (lambda run: run.use_model("data:v0"), ValueError, 'has the type "dataset", which is no model\'s'),
    ],
)
def test_a_refused_call_says_what_is_wrong(run: steplog.Run, call: Any, kind: type[Exception], message: str) -> None:
    logged(run, f="x")
    with pytest.raises(kind) as caught:
        call(run)
    assert isinstance(caught.value, errors.Error)
    assert message in caught.value.message
    assert [artifact.name for artifact in run.logged_artifacts()] == ["data:v0"]


def test_paths_are_logged_by_themselves(run: steplog.Run, tmp_path: Path) -> None:
    (tmp_path / "my data").mkdir()
    (tmp_path / "my data/a.txt").write_text("a")
    (tmp_path / "b.txt").write_text("b")
    folder = run.log_artifact("my data/").wait()
    assert (folder.name, folder.type) == ("run-r-my_data:v0", "unspecified")
    assert list(folder.manifest.entries) == ["a.txt"]
    file = run.log_artifact(Path("b.txt"), name="b", type="text", aliases="x").wait()
    assert (file.name, file.type, file.aliases) == ("b:v0", "text", ["latest", "x"])
    model = run.log_model("b.txt", aliases=["best"]).wait()
    assert (model.name, model.type) == ("run-r-b.txt:v0", "model")
    (tmp_path / "c.txt").write_text("c")
    reference = run.log_artifact((tmp_path / "c.txt").as_uri()).wait()
    [entry] = reference.files()
    assert (reference.name, reference.type) == ("run-r-c.txt:v0", "unspecified")
    assert (entry.path, entry.ref, entry.size) == ("c.txt", (tmp_path / "c.txt").as_uri(), 1)
    assert entry.ref_target() == entry.ref_url() == entry.ref
    [file_entry] = file.files(["b.txt", "other"])
    assert file_entry.ref_url() == f"steplog-artifact://{file.id}/b.txt"
    with pytest.raises(ValueError, match="is a file of the artifact, and no reference"):
        file_entry.ref_target()


def test_changes_of_a_version_are_saved(run: steplog.Run) -> None:
    artifact = logged(run, aliases=["a", "b"], f="x")
    artifact.aliases.remove("a")
    artifact.aliases.append("c")
    artifact.tags += ["t"]
    artifact.metadata["n"] = 1
    artifact.description, artifact.ttl = "new", datetime.timedelta(hours=1)
    assert run.use_artifact("data").aliases == ["a", "b", "latest"]
    artifact.save()
    for found in (artifact, run.use_artifact("data")):
        assert (found.aliases, found.tags, found.metadata) == (["b", "c", "latest"], ["t"], {"n": 1})
        assert (found.description, found.ttl) == ("new", datetime.timedelta(hours=1))
    # Another's change in between stays.
    found.aliases.append("d")
    found.save()
    artifact.description = "newer"
    artifact.save()
    assert run.use_artifact("data").aliases == ["b", "c", "d", "latest"]
    # A draft is logged.
    unsaved = draft("unsaved")
    unsaved.save()
    assert unsaved.wait().name == "unsaved:v0"


def test_a_version_cannot_be_changed_and_its_draft_can(run: steplog.Run) -> None:
    first = logged(run, f="x", g="y")
    with pytest.raises(errors.ArtifactFinalizedError, match="was logged and cannot be changed; new_draft"):
        first.remove("f")
    with pytest.raises(errors.ArtifactFinalizedError):
        first.add(steplog.Html("x"), "page")
    changed = first.new_draft()
    assert (changed.name, changed.is_draft(), changed.digest) == ("data", True, first.digest)
    changed.remove("f")
    with changed.new_file("h") as file:
        file.write("z")
    second = run.log_artifact(changed).wait()
    assert (second.version, list(second.manifest.entries)) == ("v1", ["g", "h"])
    assert list(run.use_artifact("data:v0").manifest.entries) == ["f", "g"]


def test_an_incremental_one_adds_to_the_newest(run: steplog.Run) -> None:
    logged(run, f="x", g="y")
    more = steplog.Artifact("data", "dataset", incremental=True)
    with more.new_file("g") as file:
        file.write("new")
    run.log_artifact(more).wait()
    assert more.version == "v1"
    assert {path: entry.size for path, entry in run.use_artifact("data").manifest.entries.items()} == {"f": 1, "g": 3}


def test_versions_are_deleted(run: steplog.Run) -> None:
    first, second = logged(run, aliases="best", f="1"), logged(run, f="2")
    with pytest.raises(errors.InvalidDataError, match="best"):
        first.delete()
    first.delete(delete_aliases=True)
    assert first.state == "DELETED"
    with pytest.raises(errors.InvalidDataError, match="latest"):
        second.delete()
    second.delete(delete_aliases=True)
    for name in ("data:v0", "data:v1", "data:best", "data"):
        with pytest.raises(errors.NotFoundError):
            run.use_artifact(name)
    # A number is never used again.
    assert logged(run, f="2").version == "v2"


def test_versions_are_linked_into_registries(run: steplog.Run) -> None:
    logged(run, f="0")
    artifact = logged(run, f="1")
    linked = artifact.link("registry/models", aliases=["production"])
    assert (linked.qualified_name, linked.source_qualified_name) == ("local/registry/models:v0", "local/p/data:v1")
    assert (linked.is_link, linked.aliases, linked.digest) == (True, ["latest", "production"], artifact.digest)
    run.link_artifact(draft("data", f="2"), "registry/models", aliases="staging")
    assert run.use_artifact("registry/models:staging").source_name == "data:v2"
    assert run.use_artifact("registry/models:production").version == "v0"
    linked.unlink()
    assert linked.state == "DELETED"
    with pytest.raises(errors.NotFoundError):
        run.use_artifact("registry/models:production")
    assert run.use_artifact("data:v1").is_link is False
    with pytest.raises(errors.UsageError, match="is no link"):
        artifact.unlink()


def test_a_model_is_linked(run: steplog.Run, tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_text("weights")
    model = run.link_model("model.pt", "classifier", aliases=["production"])
    assert (model.name, model.type) == ("run-r-model.pt:v0", "model")
    assert run.use_artifact("model-registry/classifier:production").source_name == "run-r-model.pt:v0"


def test_the_functions_of_the_module_are_those_of_the_open_run(run: steplog.Run, tmp_path: Path) -> None:
    artifact = steplog.log_artifact(draft(f="x"))
    assert steplog.use_artifact("data").id == artifact.wait().id
    run.finish()
    for name in ("log_artifact", "use_artifact", "link_artifact", "log_model", "use_model", "link_model"):
        with pytest.raises(errors.Error, match=rf"You must call steplog\.init\(\) before steplog\.{name}\(\)"):
            getattr(steplog, name)("x")
    with pytest.raises(errors.UsageError, match="the run is finished"):
        run.log_artifact(draft(f="x"))
    with pytest.raises(errors.UsageError, match="the run is finished"):
        run.use_artifact("data")
    # What a finished run logged can still be read.
    assert (artifact.version, list(artifact.manifest.entries)) == ("v0", ["f"])


def test_a_disabled_run_keeps_nothing(tmp_path: Path) -> None:
    run = steplog.init(mode="disabled")
    artifact = run.log_artifact(draft(f="x")).wait()
    assert (artifact.name, artifact.file_count) == ("data:v0", 1)
    run.link_artifact(artifact, "r/c")
    run.finish()
    run.log_artifact(draft(f="x"))


def test_a_config_keeps_which_version_was_used(run: steplog.Run) -> None:
    artifact = logged(run, f="x")
    run.config["data"] = artifact
    said = {
        "_type": "artifactVersion",
        "_version": "v0",
        "id": artifact.id,
        "version": "v0",
        "sequenceName": "data",
    }
    assert artifact.json_encode() == said
    assert run.config["data"] == {**said, "usedAs": "data"}
    assert [record["event"] for record in records(run)] == ["logged", "used"]
    run.config.update({"again": artifact})
    assert run.config.again == {**said, "usedAs": "again"}
    unlogged = draft("later", f="y")
    run.config["later"] = unlogged
    assert run.config["later"]["sequenceName"] == "later" and unlogged.version == "v0"
    run.finish()
    other = steplog.init(project="p", config={"data": artifact, "lr": 1})
    assert other.config.as_dict() == {"data": {**said, "usedAs": "data"}, "lr": 1}
    assert [record["event"] for record in records(other)] == ["used"]


def test_rows_and_configs_say_where_artifacts_and_media_belong(run: steplog.Run) -> None:
    for value, hint in (
        (steplog.Html("x"), "an artifact can hold it: artifact.add("),
        (steplog.Table(columns=["a"]), "an artifact can hold it: artifact.add("),
        (logged(run, f="x"), "log_artifact() makes it a version"),
    ):
        with pytest.raises(TypeError) as caught:
            run.log({"key": value})
        assert hint in str(caught.value)
        with pytest.raises(TypeError):
            run.summary["key"] = value
    with pytest.raises(TypeError, match="an artifact can hold it"):
        run.config["key"] = steplog.Html("x")


def test_copies_are_the_same_artifact(run: steplog.Run) -> None:
    artifact = logged(run, f="x")
    assert copy.copy(artifact) is artifact and copy.deepcopy({"a": artifact})["a"] is artifact
    with pytest.raises(TypeError, match="an artifact cannot be pickled; another process finds it by its name"):
        pickle.dumps(artifact)


def in_child(name: str, queue: Any) -> None:
    run = steplog.run
    assert run is not None
    queue.put((logged(run, name, f=name).qualified_name, run.use_artifact("data").version))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_children_log_artifacts_of_the_run(run: steplog.Run) -> None:
    logged(run, f="parent")
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    children = [context.Process(target=in_child, args=(f"child-{number}", queue)) for number in range(2)]
    for child in children:
        child.start()
    said = sorted(queue.get(timeout=60) for _ in children)
    for child in children:
        child.join()
    assert said == [("local/p/child-0:v0", "v0"), ("local/p/child-1:v0", "v0")]
    assert run.use_artifact("child-1").file_count == 1


def in_worker(run: steplog.Run) -> str:
    return logged(run, "pickled", f="x").qualified_name


def test_a_pickled_run_logs_artifacts_of_the_run(run: steplog.Run) -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(in_worker, (run,)) == "local/p/pickled:v0"
    assert run.use_artifact("pickled").name == "pickled:v0"


def test_what_was_logged_survives_a_kill(tmp_path: Path) -> None:
    code = """
import os, signal, steplog
run = steplog.init(project="p", id="killed")
artifact = steplog.Artifact("data", "dataset")
with artifact.new_file("f") as file:
    file.write("x")
run.log_artifact(artifact)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == -signal.SIGKILL
    run = steplog.init(project="p")
    assert run.use_artifact("data:v0").manifest.entries["f"].size == 1
