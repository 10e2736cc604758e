"""Integrations without their frameworks: what they say, and what they share. `make test-integrations` has the rest."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

import steplog
from steplog.integration import _framework

FRAMEWORKS = {
    "keras": ("Keras", "keras"),
    "lightgbm": ("LightGBM", "lightgbm"),
    "lightning": ("PyTorch Lightning", "lightning"),
    "optuna": ("Optuna", "optuna"),
    "sklearn": ("scikit-learn", "scikit-learn"),
    "transformers": ("Hugging Face Transformers", "transformers"),
    "xgboost": ("XGBoost", "xgboost"),
}


def test_every_integration_is_listed() -> None:
    folder = Path(_framework.__file__).parent
    assert sorted(file.stem for file in folder.glob("[a-z]*.py")) == sorted(FRAMEWORKS)


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_a_missing_framework_is_named_with_what_to_install(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    title, package = FRAMEWORKS[name]
    for module in (name, "pytorch_lightning"):
        for loaded in [loaded for loaded in sys.modules if loaded == module or loaded.startswith(f"{module}.")]:
            monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.delitem(sys.modules, f"steplog.integration.{name}", raising=False)

    class Hidden:
        """Nothing of the framework is installed."""

        @staticmethod
        def find_spec(fullname: str, path: Any = None, target: Any = None) -> None:
            if fullname.partition(".")[0] in (name, "pytorch_lightning"):
                raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)

    monkeypatch.setattr(sys, "meta_path", [Hidden, *sys.meta_path])
    with pytest.raises(ImportError) as refusal:
        importlib.import_module(f"steplog.integration.{name}")
    assert str(refusal.value) == (
        f"steplog.integration.{name} is for {title}, which is not installed: pip install {package}"
    )


def test_what_a_framework_itself_lacks_is_not_hidden(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "keras.py").write_text("import no_such_backend\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    with pytest.raises(ModuleNotFoundError, match="no_such_backend"):
        _framework.framework("keras", "Keras", "keras")


def test_steplog_itself_imports_no_framework() -> None:
    import subprocess

    code = "import sys, steplog, steplog.integration; print(sorted({'sklearn', 'torch', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_watch_without_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(steplog.Error, match=r"You must call steplog\.init\(\) before steplog\.watch\(\)"):
        steplog.watch(object())
    monkeypatch.setitem(sys.modules, "torch", None)
    run = steplog.init(project="p")
    for call in (lambda: run.watch(object()), lambda: steplog.unwatch(object())):
        with pytest.raises(steplog.Error, match="PyTorch, which is not there: pip install torch"):
            call()


def test_files_are_kept_when_the_framework_deletes_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint-1"
    (folder / "inner").mkdir(parents=True)
    (folder / "a.bin").write_bytes(b"one")
    (folder / "inner/b[1].bin").write_bytes(b"two")
    run = steplog.init(project="p")
    _framework.keep(run, folder, "checkpoint-1")
    _framework.keep(run, folder / "a.bin", "models/best.bin")
    (folder / "a.bin").unlink()
    kept = {str(path.relative_to(run.dir)): path.read_bytes() for path in Path(run.dir).rglob("*.bin")}
    assert kept == {"checkpoint-1/a.bin": b"one", "checkpoint-1/inner/b[1].bin": b"two", "models/best.bin": b"one"}


def test_importances_are_kept_up_to_a_number_of_features() -> None:
    run = steplog.init(project="p")
    _framework.keep_importances(run, {f"f{index}": index for index in range(_framework.MOST_FEATURES + 10)})
    kept = run.summary["feature_importance"].as_dict()
    assert len(kept) == _framework.MOST_FEATURES and min(kept.values()) == 10.0
    _framework.keep_importances(run, {"a": [0.5, -2.0], "b": 1})
    assert run.summary["feature_importance"].as_dict() == {"a": 2.0, "b": 1.0}
