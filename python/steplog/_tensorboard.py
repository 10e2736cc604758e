"""Scalars that a script writes for TensorBoard, logged to the run too.

tensorboardX and PyTorch (through the package tensorboard) write through a class ``EventFileWriter``, which gets every
event. The class is patched where it is, or as soon as its module is imported. TensorFlow 2 writes from C++ and is not
seen.
"""

from __future__ import annotations

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType
    from typing import Any

    from steplog._run import Run

#: Where the writers of events are.
MODULES = ("tensorboardX.event_file_writer", "tensorboard.summary.writer.event_file_writer")

#: The runs that follow.
_runs: list[Run] = []
_watching = False


def follow(run: Run) -> None:
    """Log to this run, until it is finished, what is written for TensorBoard from now on."""
    global _watching
    _runs.append(run)
    if _watching:
        return
    _watching = True
    sys.meta_path.insert(0, _Finder())
    for name in MODULES:
        if name in sys.modules:
            _patch(sys.modules[name])


def _patch(module: ModuleType) -> None:
    writer: Any = module.EventFileWriter
    before: Callable[..., Any] = writer.add_event

    def add_event(self: Any, event: Any, *arguments: Any, **more: Any) -> Any:
        _log(event)
        return before(self, event, *arguments, **more)

    writer.add_event = add_event


def _log(event: Any) -> None:
    _runs[:] = [run for run in _runs if not run.finished]
    if not _runs or not event.HasField("summary"):
        return
    row = {value.tag: value.simple_value for value in event.summary.value if value.HasField("simple_value")}
    if row:
        step = event.step
        for run in _runs:
            run.log({**row, "global_step": step, "_timestamp": event.wall_time}, step=step)


class _Finder(MetaPathFinder):
    """Patches the modules as they are imported."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in MODULES:
            return None
        sys.meta_path.remove(self)
        try:
            spec = find_spec(fullname)
        finally:
            sys.meta_path.insert(0, self)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(Loader):
    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        _patch(module)
