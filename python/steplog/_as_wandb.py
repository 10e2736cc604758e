"""``import wandb`` that gives steplog.

The folder ``_wandb`` beside this file is laid out as the package ``wandb`` is, as far as frameworks touch it. A finder
before all others names it ``wandb``, and answers for its version; the rest is what Python does with any package.
"""

from __future__ import annotations

import os
import sys

import steplog
from steplog.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import importlib.metadata
    from collections.abc import Iterator
    from importlib.machinery import ModuleSpec
    from typing import Any

#: The variable that does what ``steplog.as_wandb()`` does, in every Python of an environment.
VARIABLE = "STEPLOG_AS_WANDB"

#: The version of wandb that is spoken for: frameworks look whether it is new enough.
VERSION = "0.31.0"

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_wandb")


def enable() -> None:
    """Let ``import wandb`` give steplog from now on."""
    before = sys.modules.get("wandb")
    if before is not None and not _is_ours(before):
        raise UsageError(
            f"as_wandb: the real wandb is imported already, from {getattr(before, '__file__', None)}; "
            f"call steplog.as_wandb() before whatever imports it, or set {VARIABLE}=1"
        )
    # Frameworks begin processes of their own: ranks, workers, launchers.
    os.environ[VARIABLE] = "1"
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, Finder())
        _add_to_run()


def at_start() -> None:
    """Do what the variable says; called by the file ``steplog_as_wandb.pth`` when it is set."""
    if os.environ.get(VARIABLE, "").lower() in ("1", "true", "yes", "on"):
        enable()


def _is_ours(module: Any) -> bool:
    return list(getattr(module, "__path__", ())) == [FOLDER]


# No base class: `importlib.abc` would cost every Python of the environment a few milliseconds.
class Finder:
    """Finds the package ``wandb`` and its version."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Where the package is; what is below it is found by its path."""
        if name != "wandb":
            return None
        from importlib.machinery import ModuleSpec, SourceFileLoader

        file = os.path.join(FOLDER, "__init__.py")
        spec = ModuleSpec(name, SourceFileLoader(name, file), origin=file, is_package=True)
        spec.submodule_search_locations = [FOLDER]
        spec.has_location = True
        return spec

    @staticmethod
    def find_distributions(context: Any = None) -> Iterator[importlib.metadata.Distribution]:
        """The distribution, for whoever asks which version there is; not for who asks what a folder holds, as pip."""
        asked = vars(context) if context is not None else {}
        name = asked.get("name")
        if asked.get("path") is None and (name is None or name.lower() == "wandb"):
            yield _distribution()

    @staticmethod
    def invalidate_caches() -> None:
        """Do nothing: there is no cache."""


def _distribution() -> importlib.metadata.Distribution:
    import importlib.metadata

    class StandIn(importlib.metadata.Distribution):
        """What ``importlib.metadata`` says of wandb."""

        def read_text(self, filename: str) -> str | None:
            summary = "Summary: steplog, where it stands for wandb"
            files = {
                "METADATA": f"Metadata-Version: 2.1\nName: wandb\nVersion: {VERSION}\n{summary}\n",
                "top_level.txt": "wandb\n",
            }
            return files.get(filename)

        def locate_file(self, path: Any) -> Any:
            return os.path.join(FOLDER, path)

    return StandIn()


def _add_to_run() -> None:
    """Give runs the members below the documented ones that frameworks use."""
    from steplog import _wandb_run

    for name, member in _wandb_run.members().items():
        if not hasattr(steplog.Run, name):
            setattr(steplog.Run, name, member)
