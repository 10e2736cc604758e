"""What the integrations have in common."""

from __future__ import annotations

import os
import shutil
from importlib import import_module
from pathlib import Path

import steplog
from steplog.errors import Error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from steplog import Run

#: Most features whose importance is kept, the most important first.
MOST_FEATURES = 500


def framework(integration: str, title: str, *modules: str, package: str | None = None) -> Any:
    """The first of these modules that is installed.

    Raises:
        ImportError: None is; the text says what to install.
    """
    for module in modules:
        try:
            return import_module(module)
        except ModuleNotFoundError as error:
            # What the framework itself lacks is not to be hidden.
            if error.name is None or error.name.partition(".")[0] != module.partition(".")[0]:
                raise
    name = package or modules[0].partition(".")[0]
    raise ImportError(
        f"steplog.integration.{integration} is for {title}, which is not installed: pip install {name}", name=name
    )


def open_run(who: str) -> Run:
    """The open run.

    Raises:
        Error: There is none.
    """
    if steplog.run is None:
        raise Error(f"You must call steplog.init() before {who}")
    return steplog.run


def variable(name: str, default: str | None = None) -> str | None:
    """An environment variable: ``STEPLOG_X``, else ``WANDB_X``."""
    return os.environ.get(f"STEPLOG_{name}") or os.environ.get(f"WANDB_{name}") or default


def keep(run: Run, source: str | os.PathLike[str], name: str) -> None:
    """Save a file, or all of a folder, under a name that stays with the run when the framework deletes its own.

    Args:
        run: The run.
        source: The file or folder.
        name: Path among the run's files.
    """
    if run.disabled:
        return
    source, target = Path(source), Path(run.dir, name)
    files = [file for file in source.rglob("*") if file.is_file()] if source.is_dir() else [source]
    for file in files:
        place = target / file.relative_to(source) if source.is_dir() else target
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        try:
            # The same bytes under a second name cost nothing, and outlive the first.
            os.link(file, place)
        except OSError:
            shutil.copyfile(file, place)
        run.save(place, base_path=run.dir, policy="now", glob=False)


def keep_importances(run: Run, importances: Mapping[str, Any]) -> None:
    """Set the summary's ``feature_importance`` by hand: a number for each feature, the most important ones."""
    ranked = sorted(((str(name), _number(value)) for name, value in importances.items()), key=lambda item: -item[1])
    if ranked:
        run.summary["feature_importance"] = dict(ranked[:MOST_FEATURES])


def _number(value: Any) -> float:
    # XGBoost has one number for each class of a linear model.
    return max(map(abs, value)) if isinstance(value, (list, tuple)) else float(value)
