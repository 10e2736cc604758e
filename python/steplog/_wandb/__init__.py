"""What ``import wandb`` gives where steplog stands for it; see ``steplog.as_wandb``.

``run``, ``config``, ``summary`` and the methods of the open run are those of steplog at the moment they are asked for.
"""

from __future__ import annotations

import steplog
from steplog import _as_wandb, _wandb_absent
from steplog._wandb_run import attach as _attach
from steplog.errors import AuthenticationError, CommError, Error, UsageError

from .errors.term import termerror, termlog, termwarn
from .sdk.wandb_init import init
from .sdk.wandb_login import login
from .sdk.wandb_settings import Settings
from .sdk.wandb_setup import ensure_configured, require, setup, teardown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__version__ = _as_wandb.VERSION

globals().update(
    {name: _wandb_absent.refusing_class(name, instead) for name, instead in _wandb_absent.CLASSES.items()},
    **{name: _wandb_absent.refusing(f"wandb.{name}", instead) for name, instead in _wandb_absent.FUNCTIONS.items()},
)

#: Modules that wandb has loaded as soon as it is imported.
_MODULES = ("apis", "data_types", "env", "errors", "integration", "plot", "sdk", "sklearn", "util", "wandb_run")

_OWN = ("as_wandb", "init", "login", "Settings")

__all__ = [
    *(name for name in steplog.__all__ if name not in _OWN),
    *_wandb_absent.CLASSES,
    *_wandb_absent.FUNCTIONS,
    "AuthenticationError",
    "CommError",
    "Error",
    "Settings",
    "UsageError",
    "_attach",
    "ensure_configured",
    "init",
    "login",
    "require",
    "setup",
    "teardown",
    "termerror",
    "termlog",
    "termwarn",
]


def __getattr__(name: str) -> Any:
    if name in steplog.__all__ and name not in _OWN:
        return getattr(steplog, name)
    if name in _MODULES:
        from importlib import import_module

        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module 'wandb' has no attribute {name!r}: steplog stands for it (steplog.as_wandb)")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})
