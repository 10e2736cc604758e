"""Saving files: every row of section 8 of the semantics, as seen in the run's folder and its journal."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import steplog
from conftest import files, journals, listed


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Some files below the working directory."""
    for path in ("a.txt", "b.txt", "d/e/g.txt", "d/f/h.txt", "d/.hidden.txt", "x[1].txt", "x1.txt"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(path)
    return tmp_path


def names(run: steplog.Run, saved: bool | list[str]) -> list[str]:
    """What was answered, as paths in the run's folder."""
    assert isinstance(saved, list)
    assert saved == sorted(saved)
    return [os.path.relpath(path, run.dir) for path in saved]


def records(run: steplog.Run) -> list[tuple[str, str, str | None]]:
    """What the journals say: path, policy, where the link leads."""
    return [(file["path"], file["policy"], file.get("source")) for journal in journals(run) for file in files(journal)]


def test_a_policy_is_one_of_three(tree: Path) -> None:
    run = steplog.init()
    for wrong in ("Live", "", None, 3):
        with pytest.raises(ValueError, match=r'is none of "live", "now", "end"'):
            run.save("a.txt", policy=wrong)  # type: ignore[arg-type]
    assert records(run) == []
    for policy in ("live", "now", "end"):
        run.save("a.txt", policy=policy)
    run.save("a.txt")
    source = str(tree / "a.txt")
    assert records(run) == [("a.txt", policy, source) for policy in ("live", "now", "end", "live")]


def test_the_answer_is_absolute_and_sorted(tree: Path) -> None:
    run = steplog.init()
    saved = run.save("*.txt")
    assert saved == [str(Path(run.dir) / name) for name in ("a.txt", "b.txt", "x1.txt", "x[1].txt")]
    for path in saved:
        assert Path(path).is_symlink()
        assert Path(path).read_text() == Path(path).name


def test_nothing_matched_is_no_error(tree: Path) -> None:
    run = steplog.init()
    assert run.save("missing.txt") == []
    assert run.save("nowhere/*.txt") == []
    assert records(run) == []


def test_without_a_pattern_nothing_is_done(tree: Path) -> None:
    run = steplog.init()
    assert run.save() is True
    assert run.save(None, policy="end") is True
    assert records(run) == []


@pytest.mark.parametrize(
    ("pattern", "base", "expected"),
    [
        ("d/*/*.txt", None, ["d/e/g.txt", "d/f/h.txt"]),
        ("d/*/*.txt", "d", ["e/g.txt", "f/h.txt"]),
        ("d/*/*.txt", "d/*", ["g.txt", "h.txt"]),
        ("d/**/*.txt", None, ["d/e/g.txt", "d/f/h.txt"]),
        ("./d/../a.txt", None, ["a.txt"]),
        ("d/.hidden.txt", None, ["d/.hidden.txt"]),
        ("d/e/g.txt", "d/e", ["g.txt"]),
    ],
)
def test_folders_are_kept_below_the_base(tree: Path, pattern: str, base: str | None, expected: list[str]) -> None:
    run = steplog.init()
    assert names(run, run.save(pattern, base)) == expected


def test_an_absolute_path_keeps_its_last_folder_and_warns_once(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("STEPLOG_SILENT")
    run = steplog.init()
    assert names(run, run.save(str(tree / "d" / "e" / "g.txt"))) == ["e/g.txt"]
    assert names(run, run.save(str(tree / "d" / "f" / "*.txt"))) == ["f/h.txt"]
    assert names(run, run.save(str(tree / "d" / "f" / "*.txt"), str(tree))) == ["d/f/h.txt"]
    assert names(run, run.save(str(tree / "a.txt"), base_path=tree)) == ["a.txt"]
    # Once in a process: another test may have been first.
    assert capfd.readouterr().err.count("only the last is kept") <= 1


def test_the_warning_about_folders(tree: Path) -> None:
    import subprocess
    import sys

    script = f"""
import steplog
run = steplog.init(mode="offline")
for path in ("g.txt", "g.txt"):
    run.save({str(tree)!r} + "/d/e/" + path)
"""
    environment = {**os.environ, "STEPLOG_SILENT": "false"}
    ended = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert ended.stderr.count("of the folders above") == 1


@pytest.mark.parametrize(
    ("pattern", "base"),
    [
        ("../x.txt", None),
        ("d/../../x.txt", None),
        ("d/e/g.txt", "other"),
        ("a.txt", "a.txt"),
        ("/x/y", "/z"),
        ("", None),
    ],
)
def test_what_is_above_its_base_is_refused(tree: Path, pattern: str, base: str | None) -> None:
    run = steplog.init()
    with pytest.raises(ValueError):
        run.save(pattern, base)
    assert records(run) == []
    assert listed(run) == []


def test_places_elsewhere_are_told_and_not_saved(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("STEPLOG_SILENT")
    run = steplog.init()
    for url in ("s3://bucket/x.txt", "gs://bucket/x.txt"):
        assert run.save(url) == []
        assert f"{url} is not on this machine" in capfd.readouterr().err
    assert records(run) == []


def test_paths_come_as_text_bytes_or_path(tree: Path) -> None:
    run = steplog.init()
    for path in ("a.txt", b"a.txt", Path("a.txt")):
        assert names(run, run.save(path)) == ["a.txt"]
    assert names(run, run.save(b"d/e/*.txt", base_path=Path("d"))) == ["e/g.txt"]
    for wrong in (1, 1.5, ["a.txt"], object()):
        with pytest.raises(TypeError, match="not a str, bytes or path"):
            run.save(wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="base_path is a int"):
        run.save("a.txt", base_path=3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not UTF-8"):
        run.save(b"a\xff.txt")


def test_a_saved_file_follows_its_source(tree: Path) -> None:
    run = steplog.init()
    [saved] = run.save("a.txt")  # type: ignore[misc]
    Path("a.txt").write_text("changed")
    assert Path(saved).read_text() == "changed"
    Path("new").write_text("replaced")
    os.replace("new", "a.txt")
    assert Path(saved).read_text() == "replaced"


def test_without_links_a_copy_is_made_and_live_becomes_now(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPLOG_SYMLINK", "false")
    run = steplog.init()
    [saved] = run.save("a.txt")  # type: ignore[misc]
    run.save("b.txt", policy="end")
    Path("a.txt").write_text("changed")
    assert not Path(saved).is_symlink()
    assert Path(saved).read_text() == "a.txt"
    assert records(run) == [("a.txt", "now", None), ("b.txt", "end", None)]


def test_copies_can_be_asked_for_in_settings(tree: Path) -> None:
    run = steplog.init(settings={"symlink": False})
    [saved] = run.save("a.txt")  # type: ignore[misc]
    assert not Path(saved).is_symlink()


def test_a_link_to_another_place_is_replaced(tree: Path) -> None:
    run = steplog.init()
    run.save("d/e/g.txt", base_path="d/e")
    Path("other").mkdir()
    Path("other/g.txt").write_text("other")
    [saved] = run.save("other/g.txt", base_path="other")  # type: ignore[misc]
    assert os.readlink(saved) == str(tree / "other/g.txt")
    assert Path(saved).read_text() == "other"
    assert listed(run) == ["g.txt"]


def test_a_file_in_the_run_folder_is_left_alone(tree: Path) -> None:
    run = steplog.init()
    own = Path(run.dir) / "model.pt"
    own.write_text("weights")
    (Path(run.dir) / "sub").mkdir()
    (Path(run.dir) / "sub" / "x.pt").write_text("x")
    # By its path, by its name as scripts for other clients do, and by a pattern.
    assert names(run, run.save(str(own))) == ["model.pt"]
    assert names(run, run.save("model.pt")) == ["model.pt"]
    assert names(run, run.save("*.pt")) == ["model.pt"]
    assert names(run, run.save(os.path.join(run.dir, "sub", "*.pt"))) == ["sub/x.pt"]
    assert own.read_text() == "weights"
    assert not own.is_symlink()
    assert records(run) == [("model.pt", "live", None)] * 3 + [("sub/x.pt", "live", None)]


def test_a_folder_is_a_link_to_all_that_is_in_it(tree: Path) -> None:
    run = steplog.init()
    assert names(run, run.save("d")) == ["d"]
    assert os.readlink(Path(run.dir) / "d") == str(tree / "d")
    assert names(run, run.save("d/e/g.txt")) == ["d/e/g.txt"]
    assert Path("d/e/g.txt").read_text() == "d/e/g.txt"


def test_a_folder_that_is_there_already_is_in_the_way(tree: Path) -> None:
    run = steplog.init()
    run.save("d/e/g.txt")
    with pytest.raises(IsADirectoryError):
        run.save("d")
    assert Path(run.dir, "d/e/g.txt").read_text() == "d/e/g.txt"


def test_a_wildcard_means_files_and_never_the_run_itself(tree: Path) -> None:
    run = steplog.init()
    assert names(run, run.save("*")) == ["a.txt", "b.txt", "x1.txt", "x[1].txt"]
    everything = names(run, run.save("**/*"))
    assert everything == ["a.txt", "b.txt", "d/e/g.txt", "d/f/h.txt", "x1.txt", "x[1].txt"]


def test_brackets_are_a_class_unless_glob_is_off(tree: Path) -> None:
    run = steplog.init()
    assert names(run, run.save("x[1].txt")) == ["x1.txt"]
    Path(run.dir, "x1.txt").unlink()
    assert names(run, run.save("x[1].txt", glob=False)) == ["x[1].txt"]
    assert run.save("*.txt", glob=False) == []
    # What is no pattern stands for itself.
    Path("y[.txt").write_text("y")
    assert names(run, run.save("y[.txt")) == ["y[.txt"]


def test_a_finished_run_saves_no_more(tree: Path) -> None:
    run = steplog.init()
    run.finish()
    with pytest.raises(steplog.UsageError, match="save: the run is finished"):
        run.save("a.txt")
    assert listed(run) == []


def test_a_disabled_run_saves_nothing(tree: Path) -> None:
    run = steplog.init(mode="disabled")
    assert run.save("a.txt") == []
    with pytest.raises(ValueError):
        run.save("a.txt", policy="never")


def test_a_forked_child_saves_into_its_own_journal(tree: Path) -> None:
    run = steplog.init()
    run.save("a.txt")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if names(run, run.save("b.txt")) == ["b.txt"] else 2
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    first, second = journals(run)
    saved: list[list[Any]] = [[file["path"] for file in files(journal)] for journal in (first, second)]
    assert saved == [["a.txt"], ["b.txt"]]
    assert listed(run) == ["a.txt", "b.txt"]
