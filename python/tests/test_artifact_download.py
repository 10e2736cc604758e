"""Reading versions without a server: files, folders, references and media come back as they were."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import steplog
from steplog import errors
from test_artifact_log import draft, logged


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STEPLOG_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def run() -> steplog.Run:
    return steplog.init(project="p", id="r")


def tree(folder: str | Path) -> dict[str, str]:
    """The files in a folder."""
    files = (path for path in Path(folder).rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def test_a_version_is_downloaded(run: steplog.Run, tmp_path: Path) -> None:
    (tmp_path / "data/sub").mkdir(parents=True)
    (tmp_path / "data/sub/ä.txt").write_text("before")
    artifact = steplog.Artifact("data", "dataset")
    artifact.add_dir("data")
    # What becomes of the files afterwards does not matter.
    (tmp_path / "data/sub/ä.txt").write_text("after")
    with artifact.new_file("b.txt") as file:
        file.write("b")
    run.log_artifact(artifact).wait()
    whole = {"sub/ä.txt": "before", "b.txt": "b"}
    assert artifact.download() == str(tmp_path / "artifacts/data:v0")
    assert tree("artifacts/data:v0") == whole
    assert artifact.download("there") == "there" and artifact.download(root=tmp_path / "here") == str(tmp_path / "here")
    assert tree("there") == tree("here") == whole
    # What is there stays, and what is not the version's is put right.
    (tmp_path / "here/own.txt").write_text("own")
    os.chmod(tmp_path / "here/b.txt", 0o600)
    (tmp_path / "here/b.txt").unlink()
    (tmp_path / "here/b.txt").write_text("changed")
    artifact.download("here")
    assert tree("here") == {**whole, "own.txt": "own"}
    assert artifact.checkout("here") == "here"
    assert tree("here") == whole
    assert artifact.checkout() == str(tmp_path / "artifacts/data")
    assert artifact.download("part", path_prefix="sub/") == "part"
    assert tree("part") == {"sub/ä.txt": "before"}
    run.finish()
    assert artifact.download("later") == "later"


def test_a_file_of_ones_own_can_be_written_to(run: steplog.Run) -> None:
    artifact = logged(run, f="x")
    folder = artifact.download("own", skip_cache=True)
    Path(folder, "f").write_text("mine")
    assert tree(artifact.download("other")) == {"f": "x"}
    assert artifact.get_entry("f").download("own", skip_cache=True) == os.path.join("own", "f")
    assert tree("own") == {"f": "x"}


def test_single_files(run: steplog.Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STEPLOG_ARTIFACT_DIR", str(tmp_path / "elsewhere"))
    one, two = logged(run, "one", **{"sub/f": "x"}), logged(run, "two", f="x", g="y")
    assert one.file() == str(tmp_path / "elsewhere/one:v0/sub/f")
    assert one.file("root") == os.path.join("root", "sub", "f")
    assert tree("root") == {"sub/f": "x"}
    with pytest.raises(ValueError, match="the artifact two:v0 has 2 files, not one"):
        two.file()
    assert two.get_path("g") == two.get_entry(Path("g")) == two.files(["g"])[0] == two.manifest.entries["g"]
    assert [file.name for file in two.files()] == ["f", "g"] and two.files(names="f")[0].size == 1
    for name in ("gone", "../f", "", "f/", "sub"):
        with pytest.raises(KeyError, match="the artifact two:v0 has no"):
            two.get_entry(name)
    with pytest.raises(ValueError, match="names is empty"):
        two.files([])


def test_a_model_is_used(run: steplog.Run, tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_text("weights")
    run.log_model("model.pt", "single", aliases="best").wait()
    (tmp_path / "parts").mkdir()
    for name in "ab":
        (tmp_path / "parts" / name).write_text(name)
    run.log_model("parts", "several").wait()
    assert run.use_model("single:best") == str(tmp_path / "artifacts/single:v0/model.pt")
    assert run.use_model("several:latest") == str(tmp_path / "artifacts/several:v0")
    assert [used.name for used in run.used_artifacts()] == ["single:v0", "several:v0"]


def test_a_folder_is_compared_with_a_version(run: steplog.Run) -> None:
    artifact = logged(run, f="x", g="y")
    folder = Path(artifact.download(skip_cache=True))
    artifact.verify()
    (folder / "more").write_text("m")
    with pytest.raises(errors.IntegrityError, match=r"'more' is only in .*/artifacts/data:v0"):
        artifact.verify()
    (folder / "more").unlink()
    (folder / "f").write_text("changed")
    with pytest.raises(ValueError, match=r"data:v0: 'f' has another content in .*/artifacts/data:v0"):
        artifact.verify()
    (folder / "f").unlink()
    (folder / "g").unlink()
    with pytest.raises(ValueError, match="'f', and 1 more is not in"):
        artifact.verify(folder)
    with pytest.raises(errors.Error, match="gone"):
        artifact.verify("gone")


def test_links_in_the_folder_lead_nowhere(run: steplog.Run, tmp_path: Path) -> None:
    artifact = logged(run, **{"sub/f": "x", "g": "y"})
    (tmp_path / "outside").mkdir()
    (tmp_path / "there").mkdir()
    (tmp_path / "there/sub").symlink_to(tmp_path / "outside")
    (tmp_path / "there/g").symlink_to(tmp_path / "outside/g")
    try:
        artifact.download("there")
    except errors.Error as error:
        assert "sub" in error.message or "g" in error.message
    assert list((tmp_path / "outside").iterdir()) == []


def test_references_are_fetched_and_their_changes_noticed(run: steplog.Run, tmp_path: Path) -> None:
    place = tmp_path / "far away"
    place.mkdir()
    for name in ("a.txt", "b.txt"):
        (place / name).write_text(name)
    artifact = steplog.Artifact("pointer", "dataset")
    entries = artifact.add_reference(place.as_uri(), name="far")
    assert [(entry.path, entry.size, entry.sha256) for entry in entries] == [
        ("far/a.txt", 5, None),
        ("far/b.txt", 5, None),
    ]
    unchecked = artifact.add_reference("custom://host/thing", name="thing", checksum=False)
    assert [(entry.path, entry.digest, entry.size) for entry in unchecked] == [("thing", "custom://host/thing", None)]
    artifact.remove("thing")
    run.log_artifact(artifact).wait()
    assert tree(artifact.download()) == {"far/a.txt": "a.txt", "far/b.txt": "b.txt"}
    artifact.verify()
    (place / "a.txt").write_text("other")
    with pytest.raises(errors.Error, match=r"a\.txt"):
        artifact.download("changed")
    (place / "a.txt").unlink()
    with pytest.raises(errors.Error, match=r"a\.txt"):
        artifact.download("gone")
    assert tree(artifact.download("allowed", allow_missing_references=True)) == {"far/b.txt": "b.txt"}
    # The manifest says it as the field does.
    said = artifact.manifest.to_manifest_json()["contents"]["far/b.txt"]
    assert (said["ref"], said["size"]) == (f"file://{place}/b.txt", 5)


def test_entries_of_one_artifact_go_into_another(run: steplog.Run, tmp_path: Path) -> None:
    (tmp_path / "far.txt").write_text("far")
    first = draft("first", f="x")
    first.add_reference((tmp_path / "far.txt").as_uri())
    run.log_artifact(first).wait()
    second = steplog.Artifact("second", "dataset")
    for entry in first.files():
        second.add_reference(entry, name=f"from-first/{entry.path}")
    run.log_artifact(second).wait()
    assert tree(second.download()) == {"from-first/f": "x", "from-first/far.txt": "far"}
    assert second.get_entry("from-first/far.txt").ref == (tmp_path / "far.txt").as_uri()


def test_a_draft_of_a_version_has_its_files(run: steplog.Run) -> None:
    first = logged(run, f="x", g="y")
    changed = first.new_draft()
    changed.remove("f")
    with changed.new_file("h") as file:
        file.write("z")
    assert tree(run.log_artifact(changed).wait().download()) == {"g": "y", "h": "z"}


def test_media_come_back(run: steplog.Run, tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"film")
    image = steplog.Image(
        np.arange(12, dtype=np.uint8).reshape(3, 4),
        caption="c",
        masks={"m": {"mask_data": np.eye(3, 4, dtype=int), "class_labels": {1: "one"}}},
        boxes={"b": {"box_data": [{"position": {"minX": 0, "maxX": 1, "minY": 0, "maxY": 1}, "class_id": 1}]}},
    )
    table = steplog.Table(columns=["id", "image"], data=[[1, image], [2, None]])
    objects: dict[str, Any] = {
        "audio": steplog.Audio(np.zeros(10), sample_rate=100, caption="silence"),
        "classes": steplog.Classes([{"id": 1, "name": "one"}]),
        "image": image,
        "joined": steplog.JoinedTable(table, steplog.Table(columns=["id", "x"], data=[[1, 2.5]]), "id"),
        "page": steplog.Html("<p>"),
        "points": steplog.Object3D(np.ones((2, 3))),
        "sub/table": table,
        "video": steplog.Video("clip.mp4"),
    }
    artifact = steplog.Artifact("media", "media")
    for name, media in objects.items():
        artifact.add(media, name)
    run.log_artifact(artifact).wait()
    found = run.use_artifact("media:latest")
    for name, media in objects.items():
        assert found.get(name) == media, name
        assert found[name] == media
    assert found.get("sub/table.table.json") == table
    assert found.get("gone") is None and found.get("sub") is None
    assert found.get_entry("sub/table").path == "sub/table.table.json"
    again = found.get("image")
    assert isinstance(again, steplog.Image)
    assert np.array_equal(np.asarray(again.image), np.arange(12).reshape(3, 4))
    assert np.array_equal(np.asarray(again.masks["m"].read()[:4]), np.asarray(b"\x89PNG"))
    assert again.masks["m"].class_labels == {1: "one"}
    assert again.boxes["b"].boxes[0]["class_id"] == 1
    # Only what was looked at was fetched.
    fetched = tree_names("artifacts/media:v0")
    assert not any(name.startswith("media/videos/") for name in fetched)
    # From one artifact into another.
    copy = steplog.Artifact("copy", "media")
    for name in objects:
        media_again = found.get(name)
        assert media_again is not None
        copy.add(media_again, name)
    assert copy.digest == artifact.digest


def tree_names(folder: str) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file()]


def test_what_is_no_media_object_is_said(run: steplog.Run) -> None:
    artifact = logged(run, **{"a.table.json": "no json", "b.table.json": "[1]", "c.image-file.json": "{}"})
    for name, message in (("a", "is no JSON"), ("b", "is no object"), ("c", "does not say path")):
        with pytest.raises(errors.InvalidDataError, match=message):
            artifact.get(name)


def test_many_threads_read_and_write(run: steplog.Run) -> None:
    failed: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for again in range(5):
                artifact = logged(run, f"data-{number}", f=f"{number} {again}")
                assert tree(artifact.download(f"out-{number}")) == {"f": f"{number} {again}"}
                assert run.use_artifact(f"data-{number}").version == f"v{again}"
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
