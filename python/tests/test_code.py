"""``log_code`` and ``init(save_code=True)``: the code that a run was made with."""

from __future__ import annotations

import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

import steplog
from conftest import files, journals, listed


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for name in ("train.py", "lib/model.py", "lib/notes.txt", "lib/__pycache__/model.py", ".hidden/x.py", "big.ipynb"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


def names(run: steplog.Run, paths: list[str]) -> list[str]:
    assert all(Path(path).is_file() for path in paths)
    return [os.path.relpath(path, run.dir) for path in paths]


def test_python_files_are_kept_as_they_are_now(project: Path) -> None:
    run = steplog.init()
    kept = run.log_code(project)
    assert names(run, kept) == ["code/big.ipynb", "code/lib/model.py", "code/train.py"]
    (project / "train.py").write_text("changed")
    assert Path(run.dir, "code/train.py").read_text() == "train.py"
    kept_files = {file["path"]: file["policy"] for file in files(journals(run)[0])}
    assert kept_files == {"code/big.ipynb": "now", "code/lib/model.py": "now", "code/train.py": "now"}


def test_functions_choose(project: Path) -> None:
    run = steplog.init()
    kept = run.log_code(
        project,
        name="mine",
        include_fn=lambda path: path.endswith((".py", ".txt")),
        exclude_fn=lambda path, root: os.path.relpath(path, root).startswith("lib"),
    )
    assert names(run, kept) == ["code/mine/train.py"]


def test_the_working_directory_is_the_default_and_no_run_of_ours_is_kept(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    run = steplog.init()
    assert names(run, steplog.log_code()) == ["code/big.ipynb", "code/lib/model.py", "code/train.py"]
    assert len(steplog.log_code()) == 3


def test_what_is_wrong_is_refused_by_name(tmp_path: Path) -> None:
    run = steplog.init()
    with pytest.raises(ValueError, match=r"log_code: there is no folder \S+/nowhere"):
        run.log_code(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"log_code: '\.\.' is not the name of a folder"):
        run.log_code(tmp_path, name="..")
    run.finish()
    with pytest.raises(steplog.UsageError, match="log_code: the run is finished"):
        run.log_code(tmp_path)
    with pytest.raises(steplog.Error, match=r"You must call steplog.init\(\) before steplog.log_code\(\)"):
        steplog.log_code()


def test_nothing_to_keep_and_a_disabled_run(tmp_path: Path, project: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert steplog.init(reinit="create_new").log_code(tmp_path / "empty") == []
    assert steplog.init(mode="disabled").log_code(project) == []


@pytest.mark.parametrize(("argument", "variable"), [("save_code=True", ""), ("", "true")])
def test_the_main_script_is_kept_when_asked_for(tmp_path: Path, argument: str, variable: str) -> None:
    script = tmp_path / "main.py"
    script.write_text(f"import steplog\nsteplog.init(project='p', id='a', {argument}).finish()\n")
    environment = {**os.environ, "WANDB_SAVE_CODE": variable}
    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "steplog/p/a/files/code/main.py").read_text() == script.read_text()


@pytest.mark.parametrize("how", ["STEPLOG_NOTEBOOK_NAME", "WANDB_NOTEBOOK_NAME", "JPY_SESSION_NAME", "the editor"])
def test_a_notebook_is_kept_where_its_path_is_known(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "study.ipynb"
    path.write_text("{}")
    names = {"__vsc_ipynb_file__": str(path)} if how == "the editor" else {}
    if how != "the editor":
        monkeypatch.setenv(how, str(path))
    shell = types.SimpleNamespace(has_trait=lambda name: name == "kernel", user_ns=names)
    notebook = types.ModuleType("IPython")
    notebook.get_ipython = lambda: shell  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", notebook)
    run = steplog.init(save_code=True)
    assert journals(run)[0].start["environment"]["program"] == str(path)
    assert Path(run.dir, "code/study.ipynb").read_text() == "{}"


def test_nothing_is_kept_unasked(tmp_path: Path) -> None:
    run = steplog.init()
    assert listed(run) == []
