"""Drafts of artifacts: what goes into them, what is refused, and the digests that the field gives the same content."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import signal
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import steplog
from steplog import errors

#: The digest of a manifest without entries, and of one with a file `f.txt` that holds `x`.
EMPTY, ONE_FILE = "64e7c61456b10382e2f3b571ac24b659", "b5bb294db471aca958bc8035648c5a99"


def md5(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content).digest()).decode()


def entries(artifact: steplog.Artifact) -> dict[str, int | None]:
    """Sizes by path."""
    return {path: entry.size for path, entry in artifact.manifest.entries.items()}


@pytest.fixture
def draft() -> steplog.Artifact:
    return steplog.Artifact("data", "dataset")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with files."""
    folder = tmp_path / "folder"
    (folder / "sub/deep").mkdir(parents=True)
    (folder / "a.txt").write_text("a")
    (folder / ".hidden").write_text("hidden")
    (folder / "sub/deep/ä ö.bin").write_bytes(bytes(1000))
    (folder / "empty").mkdir()
    return folder


IN_FOLDER = {".hidden": 6, "a.txt": 1, "sub/deep/ä ö.bin": 1000}


def test_a_draft_says_what_it_is() -> None:
    draft = steplog.Artifact("my-data_1.0", "raw dataset", "what", {"rows": np.int64(3), "nested": {"a": (1, None)}})
    assert (draft.name, draft.type, draft.description) == ("my-data_1.0", "raw dataset", "what")
    assert draft.metadata == {"rows": 3, "nested": {"a": [1, None]}}
    assert (draft.id, draft.state, draft.is_draft(), draft.tags, draft.ttl) == (None, "PENDING", True, [], None)
    assert (draft.digest, draft.size, draft.file_count, draft.incremental) == (EMPTY, 0, 0, False)
    assert steplog.Artifact("a", "b", incremental=True).incremental
    assert repr(draft) == "<steplog.Artifact raw dataset my-data_1.0>"
    draft.description, draft.metadata, draft.tags = None, {"b": 2}, ["one", "two", "one"]
    draft.metadata["c"] = 3
    assert (draft.description, draft.metadata, draft.tags) == (None, {"b": 2, "c": 3}, ["one", "two"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "a b"}, "artifact name \"a b\" has the character ' '"),
        ({"name": "a/b"}, "has the character '/'"),
        ({"name": ""}, "is empty"),
        ({"name": ".."}, "is a folder's name"),
        ({"name": "a" * 129}, "has 129 characters, more than 128"),
        ({"name": 5}, "name is a int, not a str"),
        ({"type": "job"}, 'artifact type "job" is reserved'),
        ({"type": "wandb-history"}, "is reserved"),
        ({"type": ""}, "is empty"),
        ({"type": None}, "type is a NoneType, not a str"),
        ({"description": 5}, "description is a int, not a str"),
        ({"metadata": [1]}, "metadata is a list, not a dict"),
        ({"metadata": {str(number): 1 for number in range(101)}}, "metadata with 101 keys has more than 100"),
    ],
)
def test_names_and_metadata_have_their_rules(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        steplog.Artifact(**{"name": "a", "type": "b", **arguments})
    assert isinstance(caught.value, steplog.InvalidDataError)
    assert message in caught.value.message


def test_digests_are_those_of_the_field(draft: steplog.Artifact, tmp_path: Path) -> None:
    (tmp_path / "f.txt").write_text("x")
    entry = draft.add_file("f.txt")
    assert (entry.path, entry.name, entry.size, entry.digest, entry.ref) == ("f.txt", "f.txt", 1, md5(b"x"), None)
    assert entry.sha256 == hashlib.sha256(b"x").hexdigest()
    assert draft.digest == draft.manifest.digest() == ONE_FILE
    # Neither name, type and metadata count, nor where the content comes from.
    other = steplog.Artifact("other", "model", metadata={"a": 1})
    with other.new_file("f.txt") as file:
        file.write("x")
    assert other.digest == ONE_FILE
    (tmp_path / "z").write_text("z")
    (tmp_path / "A").write_text("A")
    for artifact, names in ((draft, "zA"), (other, "Az")):
        for name in names:
            artifact.add_file(name, f"sub/{name}")
    lines = [f"{path}:{md5(path[-1:].encode())}\n" for path in ("sub/A", "sub/z")]
    by_hand = hashlib.md5(("wandb-artifact-manifest-v1\nf.txt:" + md5(b"x") + "\n" + "".join(lines)).encode())
    assert draft.digest == other.digest == by_hand.hexdigest()
    assert (draft.size, draft.file_count, len(draft.manifest)) == (3, 3, 3)
    assert draft.manifest.to_manifest_json() == {
        "version": 1,
        "storagePolicy": "wandb-storage-policy-v1",
        "storagePolicyConfig": {"storageLayout": "V2"},
        "contents": {
            "f.txt": {"digest": md5(b"x"), "size": 1},
            "sub/A": {"digest": md5(b"A"), "size": 1},
            "sub/z": {"digest": md5(b"z"), "size": 1},
        },
    }


@pytest.mark.parametrize("policy", ["mutable", "immutable"])
def test_a_path_has_one_content(draft: steplog.Artifact, tmp_path: Path, policy: str) -> None:
    file = tmp_path / "f.txt"
    file.write_text("x")
    draft.add_file(file, policy=policy)
    draft.add_file("f.txt", name="f.txt", policy=policy)
    draft.add_file("f.txt", name="again", policy=policy)
    file.write_text("yy")
    with pytest.raises(ValueError, match=r'"f\.txt" is in the artifact already, with other content'):
        draft.add_file("f.txt", policy=policy)
    assert entries(draft) == {"again": 1, "f.txt": 1}
    draft.add_file("f.txt", overwrite=True, policy=policy)
    assert entries(draft) == {"again": 1, "f.txt": 2}
    with pytest.raises(ValueError, match="a path is a file or a folder"):
        draft.add_file("f.txt", "f.txt/below", policy=policy)


def test_a_name_can_be_made_of_the_content(draft: steplog.Artifact, tmp_path: Path) -> None:
    (tmp_path / "f.tar.gz").write_text("x")
    digits = hashlib.md5(b"x").hexdigest()[:20]
    assert draft.add_file("f.tar.gz", is_tmp=True).path == f"{digits}.tar.gz"
    assert draft.add_file("f.tar.gz", "sub/image.png", is_tmp=True).path == f"sub/{digits}.png"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda draft: draft.add_file("gone"), "there is no file gone"),
        (lambda draft: draft.add_file("folder"), "folder is not a file; folders go with add_dir"),
        (lambda draft: draft.add_file("folder/a.txt", is_tmp=True, name=5), "name is a int, not a str"),
        (lambda draft: draft.add_file("gone", is_tmp=True), "there is no file gone"),
        (lambda draft: draft.add_file(5), "local_path is a int, not a path"),
        (lambda draft: draft.add_file(b"folder/a.txt"), "local_path is a bytes, not a path"),
        (lambda draft: draft.add_file("folder/a.txt\0"), "has a NUL, which no path can have"),
        (lambda draft: draft.add_file("folder/a.txt", policy="live"), "policy 'live' is none of"),
        (lambda draft: draft.add_dir("gone"), "there is no folder gone"),
        (lambda draft: draft.add_dir("folder/a.txt"), "is not a folder; files go with add_file"),
        (lambda draft: draft.add_reference("no-scheme"), "no-scheme"),
        (lambda draft: draft.add_reference("x://a/b"), "x://a/b"),
        (lambda draft: draft.add_reference("file:///gone/away"), "/gone/away"),
        (lambda draft: draft.add_reference(5), "uri is a int, not a str"),
        (lambda draft: draft.add_reference("file:///etc", max_objects=0), "max_objects is 0, not an int above 0"),
        (lambda draft: draft.add("folder/a.txt", "a"), "add takes media objects, not a str; files go with add_file"),
        (lambda draft: draft.new_file("a", mode="r").__enter__(), "mode 'r' is none of x, w, xb, wb"),
    ],
)
def test_what_cannot_be_added_is_said(draft: steplog.Artifact, folder: Path, call: Any, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        call(draft)
    assert isinstance(caught.value, steplog.InvalidDataError)
    assert message in caught.value.message
    assert entries(draft) == {}


HOSTILE = {
    "..": "leads elsewhere",
    "../a": "leads elsewhere",
    "a/../../b": "leads elsewhere",
    "/etc/passwd": "is empty, or has an empty part",
    "a//b": "is empty, or has an empty part",
    "a/": "is empty, or has an empty part",
    "./a": "leads elsewhere",
    "a\0b": "forbidden character",
    "a\nb": "forbidden character",
    "a\\b": "forbidden character",
    "x" * 256: "a part of more than 255 bytes",
    "x/" * 2000 + "x": "bytes long, more than",
}


@pytest.mark.parametrize("name", HOSTILE, ids=[repr(name)[:12] for name in HOSTILE])
def test_no_name_leads_out_of_the_artifact(draft: steplog.Artifact, folder: Path, name: str) -> None:
    def new_file() -> None:
        with draft.new_file(name) as file:
            file.write("x")

    calls: list[Any] = [
        lambda: draft.add_file("folder/a.txt", name),
        lambda: draft.add_dir("folder", name.rstrip("/") if name.endswith("/") else name),
        lambda: draft.add(steplog.Html("x"), name),
        new_file,
    ]
    # At the end of a folder's name a slash is usual, and a name of media gets an ending.
    skipped = {"a/": (1, 2), "..": (2,)}.get(name, ())
    for number, call in enumerate(calls):
        if number in skipped:
            continue
        with pytest.raises(steplog.InvalidDataError, match=HOSTILE[name]):
            call()
    assert entries(draft) == {}


def test_a_folder_is_added_with_all_that_is_in_it(draft: steplog.Artifact, folder: Path) -> None:
    draft.add_dir("folder")
    assert entries(draft) == IN_FOLDER
    below = steplog.Artifact("below", "dataset")
    below.add_dir(str(folder), name="train")
    below.add_dir(folder, name="train/")
    assert entries(below) == {f"train/{path}": size for path, size in IN_FOLDER.items()}
    (folder / "a.txt").write_text("changed")
    with pytest.raises(ValueError, match="with other content"):
        draft.add_dir("folder", merge=False)
    assert entries(draft) == IN_FOLDER
    (folder / "new").write_text("n")
    (folder / ".hidden").unlink()
    draft.add_dir("folder", policy="immutable")
    assert entries(draft) == {**IN_FOLDER, "a.txt": 7, "new": 1}


def test_links_are_followed_and_loops_are_refused(draft: steplog.Artifact, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/b.txt").write_text("bb")
    (folder / "link").symlink_to("../elsewhere")
    (folder / "file-link").symlink_to("a.txt")
    draft.add_dir("folder")
    assert entries(draft) == {**IN_FOLDER, "file-link": 1, "link/b.txt": 2}
    for target, message in (("..", "leads back to"), ("gone", "loop")):
        (folder / "sub/loop").symlink_to(target)
        with pytest.raises(errors.Error, match=message):
            steplog.Artifact("loop", "dataset").add_dir("folder")
        (folder / "sub/loop").unlink()
    os.mkfifo(folder / "pipe")
    with pytest.raises(errors.Error, match="pipe"):
        steplog.Artifact("pipe", "dataset").add_dir("folder")


def test_a_file_is_written_right_into_the_artifact(draft: steplog.Artifact) -> None:
    with draft.new_file("text.txt") as file:
        file.write("ä\n")
    with draft.new_file("latin.txt", encoding="latin-1", mode="w") as file:
        file.write("ä\n")
    with draft.new_file("sub/bytes", mode="xb") as file:
        file.write(b"\0\1")
        with pytest.raises(ValueError, match="is being written already"), draft.new_file("sub/bytes"):
            pass
    assert entries(draft) == {"latin.txt": 2, "sub/bytes": 2, "text.txt": 3}
    with pytest.raises(ValueError, match="is in the artifact already"), draft.new_file("text.txt"):
        pass
    with pytest.raises(ZeroDivisionError), draft.new_file("broken") as file:
        file.write("half")
        raise ZeroDivisionError
    assert entries(draft) == {"latin.txt": 2, "sub/bytes": 2, "text.txt": 3}
    with draft.new_file("broken", "w+") as file:
        file.write("whole")
        file.seek(0)
        assert file.read() == "whole"
    assert entries(draft)["broken"] == 5


def test_entries_are_removed(draft: steplog.Artifact, folder: Path) -> None:
    draft.add_dir("folder")
    draft.remove("sub")
    draft.remove(draft.manifest.entries["a.txt"])
    assert entries(draft) == {".hidden": 6}
    for gone in ("a.txt", "sub", "sub/deep", Path("nothing")):
        with pytest.raises(FileNotFoundError, match="the artifact has no"):
            draft.remove(gone)


def test_a_finalized_draft_stays_as_it_is(draft: steplog.Artifact, folder: Path) -> None:
    draft.add_file("folder/a.txt")
    draft.finalize()

    def new_file() -> None:
        with draft.new_file("b"):
            pass

    calls: dict[str, Any] = {
        "add_file": lambda: draft.add_file("folder/a.txt", "b"),
        "add_dir": lambda: draft.add_dir("folder"),
        "add_reference": lambda: draft.add_reference("file:///etc/hostname"),
        "add": lambda: draft.add(steplog.Html("x"), "b"),
        "new_file": new_file,
        "remove": lambda: draft.remove("a.txt"),
    }
    for name, call in calls.items():
        with pytest.raises(errors.ArtifactFinalizedError, match=f"^{name}: the artifact is finalized") as caught:
            call()
        assert isinstance(caught.value, ValueError)
    assert entries(draft) == {"a.txt": 1}


def test_a_draft_is_no_version(draft: steplog.Artifact) -> None:
    calls: list[Any] = [
        lambda: draft.version,
        lambda: draft.aliases,
        lambda: setattr(draft, "aliases", ["a"]),
        lambda: draft.entity,
        lambda: draft.project,
        lambda: draft.qualified_name,
        lambda: draft.collection,
        lambda: draft.source_name,
        lambda: draft.created_at,
        lambda: draft.url,
        lambda: draft.download(),
        lambda: draft.checkout(),
        lambda: draft.verify(),
        lambda: draft.get("a"),
        lambda: draft.get_entry("a"),
        lambda: draft.get_path("a"),
        lambda: draft.file(),
        lambda: draft.files(),
        lambda: draft.wait(),
        lambda: draft.link("a"),
        lambda: draft.unlink(),
        lambda: draft.delete(),
        lambda: draft.new_draft(),
        lambda: draft.logged_by(),
        lambda: draft.used_by(),
        lambda: draft.json_encode(),
    ]
    for call in calls:
        with pytest.raises(errors.ArtifactNotLoggedError, match="the artifact data was not logged yet") as caught:
            call()
        assert isinstance(caught.value, ValueError)
    assert not hasattr(draft, "version")


def test_a_file_that_is_written_while_it_is_read(draft: steplog.Artifact, tmp_path: Path) -> None:
    file = tmp_path / "growing"
    file.write_bytes(bytes(64 << 20))
    stop = threading.Event()

    def write() -> None:
        with file.open("ab", buffering=0) as opened:
            while not stop.is_set():
                opened.write(b"more")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while file.stat().st_size == 64 << 20:
            pass
        with pytest.raises(errors.Error, match="growing changes while it is read; add it when nobody writes to it"):
            draft.add_file(file)
    finally:
        stop.set()
        writer.join()
    assert entries(draft) == {}
    assert draft.add_file(file).size == file.stat().st_size


def test_what_has_no_end_is_said_at_once(draft: steplog.Artifact) -> None:
    with pytest.raises(steplog.InvalidDataError, match="ttl is a int, not a timedelta or None"):
        draft.ttl = 5  # type: ignore[assignment]


def test_media_stand_beside_their_files(draft: steplog.Artifact) -> None:
    image = steplog.Image(np.zeros((2, 3), np.uint8))
    table = steplog.Table(columns=["picture"], data=[[image], [image]])
    assert draft.add(table, "sub/eval").path == "sub/eval.table.json"
    draft["same"] = image
    draft.add(image, "same.image-file.json")
    assert list(entries(draft)) == [
        f"media/images/{image.sha256[:20]}.png",
        "same.image-file.json",
        "sub/eval.table.json",
    ]
    table.add_data(None)
    with pytest.raises(ValueError, match="with other content"):
        draft.add(table, "sub/eval")
    draft.add(table, "sub/eval", overwrite=True)
    # The same objects in another process, or another day: the same digest.
    again = steplog.Artifact("again", "dataset")
    again.add(image, "same")
    again.add(steplog.Table(columns=["picture"], data=[[image], [image], [None]]), "sub/eval")
    assert again.digest == draft.digest


def test_ctrl_c_ends_reading_and_nothing_was_added(draft: steplog.Artifact, tmp_path: Path) -> None:
    (tmp_path / "large").mkdir()
    for name in ("a", "b"):
        with (tmp_path / "large" / name).open("wb") as file:
            file.truncate(64 << 30)

    def is_reading() -> bool:
        for descriptor in os.listdir("/proc/self/fd"):
            with contextlib.suppress(OSError):  # It was closed meanwhile.
                if Path(os.readlink(f"/proc/self/fd/{descriptor}")).parent == tmp_path / "large":
                    return True
        return False

    def press() -> None:
        # Not before: nothing but the call would take it.
        while not stop.wait(0.02):
            if is_reading():
                return os.kill(os.getpid(), signal.SIGINT)

    for call in (lambda: draft.add_file("large/a"), lambda: draft.add_dir("large", policy="immutable")):
        stop = threading.Event()
        keyboard = threading.Thread(target=press)
        keyboard.start()
        try:
            with pytest.raises(KeyboardInterrupt):
                call()
        finally:
            stop.set()
            keyboard.join()
        assert entries(draft) == {}
