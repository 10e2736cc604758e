"""Keeping the code that a run was made with."""

from __future__ import annotations

import os
import shutil
import sys

from steplog._notebook import notebook_path
from steplog.errors import InvalidDataError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from steplog._run import Run

#: Folders that hold no code of the user's.
SKIPPED = {"__pycache__", "node_modules", "site-packages", "steplog", "wandb"}


def log_code(
    run: Run,
    root: str | os.PathLike[str] | None,
    name: str | None,
    include_fn: Callable[..., bool] | None,
    exclude_fn: Callable[..., bool] | None,
) -> list[str]:
    """Copy the code below a folder into the run's folder and save it."""
    top = os.path.abspath(os.fspath(root) if root is not None else ".")
    if not os.path.isdir(top):
        raise InvalidDataError(f"log_code: there is no folder {top}")
    if name is not None and (not name or name in (".", "..") or "/" in name or "\\" in name):
        raise InvalidDataError(f"log_code: {name!r} is not the name of a folder")
    include = _asking(include_fn or is_python, top)
    exclude = _asking(exclude_fn, top) if exclude_fn else lambda _: False
    return keep(run, top, name or "", [path for path in _files(top) if include(path) and not exclude(path)])


def save_main_script(run: Run) -> list[str]:
    """Keep the script or notebook that is being run; of an interactive session there is none."""
    program = notebook_path() or getattr(sys.modules.get("__main__"), "__file__", None)
    if program is None or not os.path.isfile(program):
        return []
    path = os.path.abspath(program)
    return keep(run, os.path.dirname(path), "", [path])


def keep(run: Run, top: str, name: str, paths: list[str]) -> list[str]:
    """Copy files below ``top`` to ``code/`` in the run's folder, as they are now, and save them."""
    if run.finished and not run.disabled:
        raise UsageError("log_code: the run is finished; begin another with init()")
    if not paths or run.disabled:
        return []
    code = os.path.join(run.dir, "code", name) if name else os.path.join(run.dir, "code")
    for path in paths:
        copy = os.path.join(code, os.path.relpath(path, top))
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        shutil.copyfile(path, copy)
    import glob

    saved = run.save(os.path.join(glob.escape(code), "**", "*"), base_path=run.dir, policy="now")
    return [path for path in saved if os.path.isfile(path)] if isinstance(saved, list) else []


def is_python(path: str) -> bool:
    """Whether a file is code, as far as nobody says otherwise."""
    return path.endswith((".py", ".pyi", ".ipynb"))


def _asking(function: Callable[..., bool], top: str) -> Callable[[str], bool]:
    """A function of a path, or of a path and the folder, as one of a path."""
    import inspect

    parameters = inspect.signature(function).parameters.values()
    places = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    takes_folder = len(places) > 1 or any(one.kind == one.VAR_POSITIONAL for one in parameters)
    arguments: tuple[Any, ...] = (top,) if takes_folder else ()
    return lambda path: bool(function(path, *arguments))


def _files(top: str) -> Iterator[str]:
    for folder, folders, names in os.walk(top):
        folders[:] = sorted(name for name in folders if name not in SKIPPED and not name.startswith("."))
        yield from (os.path.join(folder, name) for name in sorted(names))
